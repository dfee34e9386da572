use core::fmt;

use chrono::NaiveDateTime;

use super::access::RecordRow;
use super::codes::AccessEvent;
use super::keyed::{passes, side};
use super::line::decimal;
use crate::encoded_time::EncodedTime;
use crate::{Pin, Status, Verify};

/// A stored event of an access terminal (table `transaction`): what it kept while nobody listened, or was asked for.
///
/// It is the event that a live row (`rtlog`) would have told, so both have one identity.
///
/// ```
/// use punch_protocol::push::{Row, Rows};
///
/// let body = b"transaction cardno=0\tpin=7\tverified=15\tdoorid=1\teventtype=3\tinoutstate=0\ttime_second=548003688";
/// let Some(Ok(Row::Record(record))) = Rows::of("tabledata", body).next() else { panic!() };
/// let event = record.transaction().expect("a stored event");
/// assert_eq!(event.time().unwrap().to_string(), "2017-01-19 15:14:48");
/// assert!(event.is_punch());
/// ```
#[derive(Clone, Copy)]
pub struct TransactionRow<'a>(RecordRow<'a>);

impl<'a> RecordRow<'a> {
    /// The record as a stored event; `None` if it is another table's, or has no time.
    pub fn transaction(&self) -> Option<TransactionRow<'a>> {
        let ours = self.table().is_none_or(|table| table.eq_ignore_ascii_case("transaction"));
        let row = TransactionRow(*self);
        row.value("time_second").filter(|_| ours).map(|_| row)
    }
}

impl<'a> TransactionRow<'a> {
    /// The record it was read from.
    pub fn record(&self) -> RecordRow<'a> {
        self.0
    }

    /// The terminal's wall clock; `None` if the packed number names a day that no calendar has.
    pub fn time(&self) -> Option<NaiveDateTime> {
        EncodedTime(self.value("time_second").and_then(decimal)?).civil()
    }

    /// Who it was; empty if nobody (`0` or missing).
    pub fn pin(&self) -> Pin<'a> {
        Pin::new(self.value("pin").filter(|&pin| pin != b"0").unwrap_or_default())
    }

    /// The event number.
    pub fn event(&self) -> Option<AccessEvent> {
        self.value("eventtype").and_then(decimal).map(AccessEvent)
    }

    /// Reader side as an attendance state: 0 in, 1 out. Other values say nothing.
    pub fn status(&self) -> Option<Status> {
        side(self.value("inoutstate"))
    }

    /// How the person was verified; 200 if it was no verification.
    pub fn verify(&self) -> Option<Verify> {
        self.value("verified").and_then(decimal).map(Verify)
    }

    /// Whether a person passed, by the rule of live events.
    pub fn is_punch(&self) -> bool {
        passes(&self.pin(), self.event())
    }

    fn value(&self, key: &str) -> Option<&'a [u8]> {
        self.0.pairs().value(&[key])
    }
}

impl fmt::Debug for TransactionRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
