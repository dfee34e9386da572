use alloc::boxed::Box;
use alloc::format;

use super::DatabaseError;
use crate::answer::is_plain;
use crate::{Outcome, ParkReason, RetryReason};

/// An error as a database names it: by its code, never by its text, which may quote the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlState {
    name: Box<str>,
    constraint: Option<Box<str>>,
    meaning: Meaning,
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "setup, server or record; there is nobody else")]
pub enum Meaning {
    /// Whoever set this up: address, login, rights, tables. It concerns every record.
    Setup,
    /// The database, or time.
    Server,
    /// Whoever owns this one record.
    Record,
}

impl SqlState {
    /// An error of PostgreSQL: its `SQLSTATE`, and the constraint it names, if it names one.
    pub fn postgres(code: &str, constraint: Option<&str>) -> Self {
        let meaning = match code.get(..2).unwrap_or_default() {
            // Data, integrity, a trigger's own refusal, a view's check.
            "22" | "23" | "27" | "44" | "P0" => Meaning::Record,
            // Login, names, rights, syntax, what the version cannot do.
            "0A" | "0L" | "0P" | "28" | "3D" | "3F" | "42" => Meaning::Setup,
            _ if code == "25006" => Meaning::Setup,
            _ => Meaning::Server,
        };
        let name = match code {
            "23502" => "not_null_violation",
            "23503" => "foreign_key_violation",
            "23505" => "unique_violation",
            "23514" => "check_violation",
            "23P01" => "exclusion_violation",
            code if is_plain(code) => code,
            _ => "unknown",
        };
        let constraint = constraint.filter(|name| is_plain(name)).map(Into::into);
        Self { name: name.into(), constraint, meaning }
    }

    /// An error of SQLite: its extended result code.
    pub fn sqlite(code: i32) -> Self {
        // The low byte is the class.
        let meaning = match code & 0xff {
            // Too big, constraint, mismatch.
            18..=20 => Meaning::Record,
            // No such table, rights, read-only, damaged, cannot be opened, no database.
            1 | 3 | 8 | 11 | 14 | 23 | 26 => Meaning::Setup,
            _ => Meaning::Server,
        };
        let name = match code {
            275 => "check_violation".into(),
            787 => "foreign_key_violation".into(),
            1299 => "not_null_violation".into(),
            1555 | 2067 => "unique_violation".into(),
            1811 => "trigger_violation".into(),
            code => format!("sqlite_{code}").into(),
        };
        Self { name, constraint: None, meaning }
    }

    /// Who has to act.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// What becomes of the event during whose statements it came.
    pub fn outcome(self) -> Outcome {
        match self.meaning {
            Meaning::Record => {
                Outcome::Park(ParkReason::RefusedByDatabase { kind: self.name, constraint: self.constraint })
            }
            Meaning::Setup | Meaning::Server => self.retry(),
        }
    }

    /// What becomes of an event when connecting or making the tables failed: that is never about the event.
    pub fn retry(self) -> Outcome {
        let error = match self.meaning {
            Meaning::Server => DatabaseError::Unavailable { state: self.name },
            Meaning::Setup | Meaning::Record => DatabaseError::Setup { state: self.name },
        };
        Outcome::Retry { after: None, reason: RetryReason::Database(error) }
    }
}
