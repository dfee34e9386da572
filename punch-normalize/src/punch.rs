use alloc::string::String;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Utc};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use serde::{Deserialize, Serialize};

use crate::timeline::{Exceptions, Finding, SessionId, SyntheticOut};
use crate::{Direction, DirectionSource, EventId, Method};

/// What happened: one person, one moment, one identity.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Punch {
    /// The identity, the same for every delivery of this punch.
    pub event_id: EventId,
    /// The terminal that saw the person.
    pub serial: SerialNumber,
    /// Who the terminal says it was.
    pub pin: Pin<'static>,
    /// The terminal's wall clock, exactly as sent.
    pub device_local: NaiveDateTime,
    /// The instant, in UTC. It is what the clock showed, unless its quality says that it was adjusted.
    pub punched_at: DateTime<Utc>,
    /// The same instant with the site's offset.
    pub local_time: DateTime<FixedOffset>,
    /// How sure the step from `device_local` to `punched_at` is.
    pub time_quality: TimeQuality,
    /// What the terminal's clock was off by, if that was measured and is worth telling: true time minus the clock's, in
    /// whole seconds.
    pub clock_offset_s: Option<i64>,
    /// Whether it is too old to be delivered without being asked for.
    pub is_historic: bool,
    /// Which way the person went.
    pub direction: Direction,
    /// What the direction rests on.
    pub direction_source: DirectionSource,
    /// How sure the direction is, in percent; `None` before the punches around it are looked at.
    pub confidence: Option<u8>,
    /// The shift it belongs to.
    pub session: Option<SessionId>,
    /// The day that shift belongs to.
    pub business_date: Option<NaiveDate>,
    /// What is missing or odd about it.
    pub exceptions: Exceptions,
    /// What stands for the departure that is missing, if anything is to.
    pub synthetic_out: Option<SyntheticOut>,
    /// How the person was recognised.
    pub method: Method,
    /// The raw attendance state.
    pub status: Option<Status>,
    /// The raw verification code.
    pub verify: Option<Verify>,
    /// The raw work code.
    pub work_code: Option<String>,
    /// When the row reached us.
    pub received_at: DateTime<Utc>,
}

impl Punch {
    /// The punch that a row became, as its receiver or a store knows it: the rest follows from the row.
    ///
    /// ```
    /// use punch_normalize::{EventId, Punch, TimeQuality};
    /// use punch_protocol::{civil, Pin, RawPunch, SerialNumber, Status};
    ///
    /// let serial = SerialNumber::parse("CZKE2241600045")?;
    /// let mut raw = RawPunch::new(serial, Pin::new(b"1042").into_owned(), civil::parse(b"2026-03-28 08:47:12")?);
    /// raw.status = Some(Status::CHECK_OUT);
    /// let at = "2026-03-28T14:47:12Z".parse()?;
    /// let local = "2026-03-28T08:47:12-06:00".parse()?;
    /// let punch = Punch::new(EventId::parse("evt_1")?, raw, at, local, TimeQuality::Exact, at);
    /// assert_eq!((punch.direction.as_str(), punch.direction_source.as_str()), ("out", "state"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        event_id: EventId,
        raw: RawPunch,
        punched_at: DateTime<Utc>,
        local_time: DateTime<FixedOffset>,
        time_quality: TimeQuality,
        received_at: DateTime<Utc>,
    ) -> Self {
        let RawPunch { serial, pin, time, status, verify, work_code, .. } = raw;
        let direction = Direction::from_status(status);
        let is_unknown = direction == Direction::Unknown;
        Self {
            event_id,
            serial,
            pin,
            device_local: time,
            punched_at,
            local_time,
            time_quality,
            clock_offset_s: None,
            is_historic: false,
            direction,
            direction_source: if is_unknown { DirectionSource::None } else { DirectionSource::State },
            confidence: None,
            session: None,
            business_date: None,
            exceptions: Exceptions::default(),
            synthetic_out: None,
            method: Method::from_verify(verify),
            status,
            verify,
            work_code,
            received_at,
        }
    }

    /// Takes over what the punches around it make of it.
    pub fn mean(&mut self, finding: &Finding) {
        (self.direction, self.direction_source) = (finding.direction, finding.source);
        (self.confidence, self.exceptions) = (Some(finding.confidence), finding.exceptions);
        (self.session, self.business_date) = (finding.session.clone(), finding.business_date);
        self.synthetic_out = finding.synthetic_out;
    }
}

/// How a civil time became an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeQuality {
    /// The zone has exactly one such instant.
    Exact,
    /// The hour happened twice; the row before it decided.
    FoldOrder,
    /// The hour happened twice; the moment of receipt decided.
    FoldLive,
    /// The hour happened twice and nothing decided: the first one was taken.
    FoldGuess,
    /// The hour was skipped; the offset before the gap was used.
    Gap,
    /// The instant lies 2 minutes to 24 hours ahead of its receipt.
    Suspect,
    /// What the clock showed was corrected by what it was measured to be off by.
    Adjusted,
    /// It was corrected by what lies between a measurement before and one after an outage.
    AdjustedInterpolated,
    /// What the clock showed was shifted by what somebody said.
    Reanchored,
}

impl TimeQuality {
    /// The word the contract uses: `exact`, `fold_order`, `fold_live`, `fold_guess`, `gap`, `suspect`,
    /// `adjusted`, `adjusted_interpolated`, `reanchored`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::FoldOrder => "fold_order",
            Self::FoldLive => "fold_live",
            Self::FoldGuess => "fold_guess",
            Self::Gap => "gap",
            Self::Suspect => "suspect",
            Self::Adjusted => "adjusted",
            Self::AdjustedInterpolated => "adjusted_interpolated",
            Self::Reanchored => "reanchored",
        }
    }
}
