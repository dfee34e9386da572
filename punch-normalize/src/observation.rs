use chrono::{DateTime, Utc};
use punch_protocol::RawPunch;

/// One row with what its receiver knows about it. Input of [`Normalizer::observe`](crate::Normalizer::observe).
///
/// ```
/// use punch_normalize::Observation;
/// use punch_protocol::{civil, Pin, RawPunch, SerialNumber};
///
/// let serial = SerialNumber::parse("CZKE2241600045")?;
/// let raw = RawPunch::new(serial, Pin::new(b"1042").into_owned(), civil::parse(b"2026-03-28 08:47:12")?);
/// let mut observation = Observation::new(raw, "2026-03-28T14:47:13Z".parse()?);
/// observation.live = true;
/// assert!(observation.registered);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// What the terminal said.
    pub raw: RawPunch,
    /// When the row reached us.
    pub received_at: DateTime<Utc>,
    /// Whether it was sent as it happened, so that its receipt dates it. False for a backlog.
    pub live: bool,
    /// Whether the badge belongs to somebody. If nobody keeps a register, every badge counts as registered.
    pub registered: bool,
}

impl Observation {
    /// A row of a backlog, with a registered badge.
    pub fn new(raw: RawPunch, received_at: DateTime<Utc>) -> Self {
        Self { raw, received_at, live: false, registered: true }
    }
}
