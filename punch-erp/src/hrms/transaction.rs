use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Statement, Value};
use crate::{Outcome, ParkReason};

/// What is compared, in the order of the columns behind the key.
pub(super) const FIELDS: [&str; 6] = ["employee_id", "punch_time", "direction", "device_serial", "method", "revision"];

/// The statements for one event, all of them in one transaction, and what makes them good.
///
/// For each [`Step`]: run its `write` and keep the count of rows, then run its `look` and keep the row. [`judge`](Self::judge)
/// says what that comes to. Commit if the outcome [is done](Outcome::is_done), and roll back otherwise; an event counts as
/// written when the commit succeeded.
#[derive(Debug, Clone)]
pub struct Transaction {
    steps: Vec<Step>,
    remote_id: String,
}

/// One statement that writes, and one that shows what it wrote.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// Writes a row, or none if it is there.
    pub write: Statement,
    /// Reads that row.
    pub look: Statement,
    fields: Vec<Value>,
}

/// What the two statements of a [`Step`] gave. `Debug` shows no value.
#[derive(Clone)]
pub struct Seen {
    written: u64,
    row: Option<Vec<Value>>,
}

impl Seen {
    /// The count of rows that were written, and the row that was read.
    pub fn new(written: u64, row: Option<Vec<Value>>) -> Self {
        Self { written, row }
    }
}

impl Transaction {
    pub(super) fn new(steps: Vec<Step>, remote_id: &str) -> Self {
        Self { steps, remote_id: remote_id.into() }
    }

    /// What to run, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What became of the event, given what each step gave, in order. Steps without one are not done.
    pub fn judge(&self, seen: &[Seen]) -> Outcome {
        for (number, step) in self.steps.iter().enumerate() {
            let verdict = seen.get(number).map_or(Err(Fault::Unseen), |seen| step.judge(seen));
            if let Err(fault) = verdict {
                return Outcome::Park(fault.reason(&self.remote_id));
            }
        }
        let remote_id = self.remote_id.clone();
        if seen.iter().any(|seen| seen.written > 0) {
            Outcome::Applied { remote_id }
        } else {
            Outcome::AlreadyThere { remote_id }
        }
    }
}

/// What is wrong with a row.
enum Fault {
    /// It is not shown.
    Unseen,
    /// The database would keep another value than was sent.
    Changed(&'static str),
    /// It was there before and says something else.
    Taken(&'static str),
}

impl Fault {
    fn reason(self, remote_id: &str) -> ParkReason {
        match self {
            Self::Unseen => ParkReason::DuplicateUnseen,
            Self::Changed(field) => ParkReason::NotKept { field },
            Self::Taken(field) => ParkReason::Conflict { remote_id: remote_id.into(), field },
        }
    }
}

impl Step {
    pub(super) fn new(write: Statement, look: Statement, fields: Vec<Value>) -> Self {
        Self { write, look, fields }
    }

    fn judge(&self, seen: &Seen) -> Result<(), Fault> {
        let is_ours = seen.written > 0;
        let Some(row) = &seen.row else {
            return Err(if is_ours { Fault::Changed("event_id") } else { Fault::Unseen });
        };
        // A higher revision was told before: the row says more than this event does.
        if let (Some(Value::Number(found)), Some(Value::Number(sent))) = (row.last(), self.fields.last())
            && found > sent
        {
            return Ok(());
        }
        let differs = |(number, _): &(usize, &&str)| row.get(*number) != self.fields.get(*number);
        match FIELDS.iter().enumerate().find(differs) {
            None => Ok(()),
            Some((_, field)) if is_ours => Err(Fault::Changed(field)),
            Some((_, field)) => Err(Fault::Taken(field)),
        }
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("written", &self.written).field("row", &self.row.is_some()).finish()
    }
}
