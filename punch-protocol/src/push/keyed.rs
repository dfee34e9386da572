use core::fmt;

use chrono::NaiveDateTime;

use super::line::decimal;
use super::tagged::{Pair, Pairs};
use crate::civil::{self, CivilError};
use crate::{Pin, Status, Verify};

/// One access-control event: `key=value` pairs with at least a `time`, in any order.
///
/// Access terminals post them as `rtlog`; some attendance units post them under `ATTLOG`.
#[derive(Clone, Copy)]
pub struct KeyedRow<'a>(&'a [u8]);

impl<'a> KeyedRow<'a> {
    /// Takes a line that has a `time` pair.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let row = Self(line);
        row.value("time").map(|_| row)
    }

    /// The pairs, in the order of the row.
    pub fn pairs(&self) -> Pairs<'a> {
        Pairs(Some(self.0), "")
    }

    /// The value of `key`, whatever its letter case.
    pub fn value(&self, key: &str) -> Option<&'a [u8]> {
        self.pairs().find(|pair| pair.key.eq_ignore_ascii_case(key.as_bytes())).map(|Pair { value, .. }| value)
    }

    /// The terminal's wall clock.
    ///
    /// # Errors
    ///
    /// [`CivilError`] if the value is not a time.
    pub fn time(&self) -> Result<NaiveDateTime, CivilError> {
        civil::parse(self.value("time").unwrap_or_default())
    }

    /// Who it was; empty if nobody (`0` or missing).
    pub fn pin(&self) -> Pin<'a> {
        Pin::new(self.value("pin").filter(|pin| *pin != b"0").unwrap_or_default())
    }

    /// The event number; `None` on attendance units that leave it out.
    pub fn event(&self) -> Option<u16> {
        self.value("event").and_then(decimal)
    }

    /// Reader side as an attendance state: 0 in, 1 out. Other values say nothing.
    pub fn status(&self) -> Option<Status> {
        match self.value("inoutstatus") {
            Some(b"0") => Some(Status::CHECK_IN),
            Some(b"1") => Some(Status::CHECK_OUT),
            Some(_) | None => None,
        }
    }

    /// The verification code, unless the firmware writes a 16-character bit string.
    pub fn verify(&self) -> Option<Verify> {
        self.value("verifytype").filter(|value| value.len() < 16).and_then(decimal).map(Verify)
    }

    /// Whether this event is a person passing: a PIN, and an event number of the passing kind (or none).
    ///
    /// The numbers are 0 to 3, 14 to 19, 203, 207, 222 and 232; refusals and alarms are not punches.
    pub fn is_punch(&self) -> bool {
        !self.pin().is_empty()
            && self.event().is_none_or(|event| matches!(event, 0..=3 | 14..=19 | 203 | 207 | 222 | 232))
    }
}

impl fmt::Debug for KeyedRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pairs().fmt(f)
    }
}
