use alloc::boxed::Box;

use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::RawPunch;

use crate::timeline::Role;
use crate::{ClockOffset, Direction, Hint, Person};

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
    /// Whose punch it is; `None` is whoever has the PIN, everywhere. A row that names nobody is not held if somebody says
    /// whose it is.
    pub person: Option<Person>,
    /// The site of the terminal, for rules that compare punches there. `None` is a site of its own.
    pub site: Option<Box<str>>,
    /// What the terminal is there for, if it has one direction.
    pub role: Option<Role>,
    /// Whether the states of the terminal say something; see [`StateTrust`](crate::timeline::StateTrust). Default yes.
    pub is_trusted: bool,
    /// The direction that somebody has put in its place by hand.
    pub manual: Option<Direction>,
    /// The place of the row among those of the same terminal, which decides between two of one second. `None` is its
    /// place among the rows given with it.
    pub order: Option<u64>,
    /// What tells which of two repeated hours it belongs to, if that is known already: of a row that came with others
    /// and is given without them. `None` is by the rows given before it, and by [`live`](Self::live).
    pub hint: Option<Hint>,
    /// What is known of the terminal's clock at this row; see [`TerminalClock`](crate::TerminalClock).
    pub clock: Option<ClockOffset>,
    /// What somebody says the clock was off by, of one that was unset or far ahead: true time minus terminal's. Nothing
    /// about its time is a reason to hold the row then.
    pub shift: Option<TimeDelta>,
}

impl Observation {
    /// A row of a backlog, with a registered badge.
    pub fn new(raw: RawPunch, received_at: DateTime<Utc>) -> Self {
        Self {
            raw,
            received_at,
            live: false,
            registered: true,
            person: None,
            site: None,
            role: None,
            is_trusted: true,
            manual: None,
            order: None,
            hint: None,
            clock: None,
            shift: None,
        }
    }
}
