use alloc::string::String;
use core::fmt;

use super::keyed::KeyedRow;
use super::line::Lines;
use super::tagged::Pairs;

/// A question at the door.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackgroundCheck<'a> {
    /// `device` (access control), or what was presented: `PWD`, `CARD`, `FP`, `FACE`.
    pub kind: String,
    pub(super) body: &'a [u8],
}

impl<'a> BackgroundCheck<'a> {
    /// The event that waits for a verdict, in the access-control form.
    pub fn event(&self) -> Option<KeyedRow<'a>> {
        self.event_line().and_then(KeyedRow::parse)
    }

    /// The event as it stands, which the verdict repeats.
    pub(super) fn event_line(&self) -> Option<&'a [u8]> {
        let line = Lines::new(self.body).next()?.bytes;
        KeyedRow::parse(line).map(|_| line)
    }

    /// The pairs of the old form: `PIN`, `Size` and what was presented.
    pub fn pairs(&self) -> Pairs<'a> {
        Pairs(Some(self.body), "")
    }
}

impl fmt::Debug for BackgroundCheck<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackgroundCheck({:?})", self.kind)
    }
}
