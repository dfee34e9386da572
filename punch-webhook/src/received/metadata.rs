use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::fields::Fields;

/// What the sender says of a punch beyond the published members: what its direction and its time rest on, and what the
/// punches around it make of it. Only the nested shape has it; what is absent or strange is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ReceivedMetadata {
    /// What the direction rests on, as a word: `state`, `role`, `inferred` …
    pub direction_source: Option<String>,
    /// How sure the direction is, 0 to 1.
    pub confidence: Option<f64>,
    /// The sender's id of the shift (`ses_…`), equal for the punches of one.
    pub session_id: Option<String>,
    /// The day the punch belongs to, which for a night shift is not the day of its time.
    pub business_date: Option<NaiveDate>,
    /// What is strange about it, as words: `missing_out` …
    pub exceptions: Vec<String>,
    /// What stands for a departure that nobody made, if the sender was told to say so.
    pub synthetic_out: Option<ReceivedSyntheticOut>,
    /// How sure the step from the terminal's clock to the instant is, as a word: `exact`, `fold_guess`, `adjusted` …
    pub time_quality: Option<String>,
    /// By how much the terminal's clock is off: true time minus the time shown, in seconds.
    pub clock_offset_s: Option<i64>,
    /// What the terminal's clock showed.
    pub device_local: Option<NaiveDateTime>,
    /// When the sender got the punch.
    pub received_at: Option<DateTime<Utc>>,
    /// Whether it is older than what is booked by itself.
    pub historic: bool,
    /// Whether it belongs to a pay period that was closed when it came.
    pub late: bool,
}

/// What stands for a departure that nobody made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedSyntheticOut {
    /// When, on the clock of the site.
    pub local_time: NaiveDateTime,
    /// What it rests on, as a word: `max_shift`, `shift_end` or `fixed`.
    pub reason: Option<String>,
}

impl ReceivedMetadata {
    pub(super) fn read(metadata: &Fields<'_>) -> Self {
        Self {
            direction_source: metadata.text("direction_source"),
            confidence: metadata.share("confidence"),
            session_id: metadata.text("session_id"),
            business_date: metadata.text("business_date").and_then(|text| text.parse().ok()),
            exceptions: metadata.words("exceptions"),
            synthetic_out: ReceivedSyntheticOut::read(&metadata.object("synthetic_out")),
            time_quality: metadata.text("time_quality"),
            clock_offset_s: metadata.integer("clock_offset_s"),
            device_local: metadata.civil("device_local"),
            received_at: metadata.time("received_at"),
            historic: metadata.flag("historic").unwrap_or(false),
            late: metadata.flag("late").unwrap_or(false),
        }
    }
}

impl ReceivedSyntheticOut {
    fn read(out: &Fields<'_>) -> Option<Self> {
        Some(Self { local_time: out.civil("local_time")?, reason: out.text("reason") })
    }
}
