use alloc::string::String;

use chrono::NaiveDateTime;

use crate::{Pin, SerialNumber, Status, Verify};

/// One punch as a terminal reported it, before anybody gave it a meaning.
///
/// The same row has the same fields whether it came by push, by TCP pull or from a file; what transports
/// add (verify mode, work code) is optional, and the identity of the punch does not depend on it.
///
/// ```
/// use punch_protocol::{civil, Pin, RawPunch, SerialNumber, Status};
///
/// let serial = SerialNumber::parse("CZKE2241600045")?;
/// let time = civil::parse(b"2026-03-28 08:47:12")?;
/// let mut punch = RawPunch::new(serial, Pin::new(b"1042").into_owned(), time);
/// punch.status = Some(Status::CHECK_IN);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawPunch {
    /// The terminal that saw the person.
    pub serial: SerialNumber,
    /// Who the terminal says it was. Empty for a stranger.
    pub pin: Pin<'static>,
    /// The terminal's wall clock, to the second. It has no zone and is never altered.
    pub time: NaiveDateTime,
    /// Whether that is UTC, whatever the zone of the terminal: of firmware that counts seconds.
    pub is_utc: bool,
    /// The attendance state, if the row had the field. 255 is kept as 255.
    pub status: Option<Status>,
    /// How the person was verified, if the row had the field.
    pub verify: Option<Verify>,
    /// Work code, if the row had a non-empty one.
    pub work_code: Option<String>,
}

impl RawPunch {
    /// A punch with nothing but its identity: terminal, person, time.
    pub fn new(serial: SerialNumber, pin: Pin<'static>, time: NaiveDateTime) -> Self {
        Self { serial, pin, time, is_utc: false, status: None, verify: None, work_code: None }
    }
}
