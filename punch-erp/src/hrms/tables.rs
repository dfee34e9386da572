use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::identifier::{Identifier, check};
use super::statement::instant_text;
use super::text::Texts;
use super::{Dialect, HrmsColumns, HrmsSettings, Statement, Step, Telling, TellingKind, Transaction, Value};
use crate::{ConfigError, ConfigErrors, ParkReason};

/// The columns of the second table that the first has not.
pub(super) const REVISES: &str = "revises";
pub(super) const KIND: &str = "kind";
pub(super) const REASON: &str = "reason";

/// The tables of one HRMS, and the statements that write to them. A clone is cheap.
#[derive(Clone)]
pub struct Hrms(Arc<Tables>);

struct Tables {
    dialect: Dialect,
    texts: Texts,
}

/// The checked names.
pub(super) struct Names {
    pub(super) table: Identifier,
    pub(super) revision_table: Identifier,
    /// The key, then the other columns in the order of [`FIELDS`](super::transaction::FIELDS).
    pub(super) columns: Vec<Identifier>,
}

impl Hrms {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists every name that is none, not only the first.
    pub fn new(settings: HrmsSettings) -> Result<Self, ConfigErrors> {
        let dialect = settings.dialect;
        let texts = Texts::new(dialect, &Names::check(&settings)?);
        Ok(Self(Arc::new(Tables { dialect, texts })))
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The statements that make both tables and their indexes where they are not there yet.
    pub fn schema(&self) -> &str {
        &self.0.texts.schema
    }

    /// What to run so that the database holds what is told.
    ///
    /// # Errors
    ///
    /// The punch is of a time no punch can have.
    pub fn write(&self, telling: &Telling<'_>, now: DateTime<Utc>) -> Result<Transaction, ParkReason> {
        if let Some(reason) = ParkReason::of_time(telling.punch.at, now) {
            return Err(reason);
        }
        let steps = match telling.kind {
            TellingKind::Punch => vec![self.punch(telling, &self.0.texts.insert)],
            TellingKind::Revised => vec![self.revision(telling), self.punch(telling, &self.0.texts.upsert)],
            // Nothing to be booked unseen, so the first table is left alone.
            TellingKind::Late => vec![self.revision(telling)],
        };
        Ok(Transaction::new(steps, telling.punch.event_id.as_str()))
    }

    fn punch(&self, telling: &Telling<'_>, sql: &Arc<str>) -> Step {
        let key = text(telling.punch.event_id.as_str());
        let fields = self.fields(telling);
        let values = [vec![key.clone()], fields.clone()].concat();
        Step::new(Statement::new(sql, values), Statement::new(&self.0.texts.look, vec![key]), fields)
    }

    fn revision(&self, telling: &Telling<'_>) -> Step {
        let key = text(telling.event_id.as_str());
        let fields = self.fields(telling);
        let reason = Value::Text(telling.reason.map(Into::into));
        let more = vec![text(telling.punch.event_id.as_str()), text(telling.kind.word()), reason];
        let values = [vec![key.clone()], fields.clone(), more].concat();
        let texts = &self.0.texts;
        Step::new(
            Statement::new(&texts.insert_revision, values),
            Statement::new(&texts.look_revision, vec![key]),
            fields,
        )
    }

    /// What is told, in the order of the columns behind the key.
    fn fields(&self, telling: &Telling<'_>) -> Vec<Value> {
        let punch = telling.punch;
        // Cut, and not rounded: a punch is never later than it was.
        let at = punch.at.duration_trunc(TimeDelta::milliseconds(1)).unwrap_or(punch.at);
        let at = match self.0.dialect {
            Dialect::Postgres => Value::Instant(at),
            Dialect::Sqlite => Value::Text(Some(instant_text(at))),
        };
        vec![
            text(&punch.badge),
            at,
            text(punch.direction.as_str()),
            Value::Text(punch.device_serial.clone()),
            text(punch.method.as_str()),
            Value::Number(telling.number()),
        ]
    }
}

fn text(text: &str) -> Value {
    Value::Text(Some(text.into()))
}

impl fmt::Debug for Hrms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hrms").field("dialect", &self.0.dialect).finish_non_exhaustive()
    }
}

impl Names {
    fn check(settings: &HrmsSettings) -> Result<Self, ConfigErrors> {
        let HrmsSettings { dialect, table, revision_table, columns } = settings;
        let parts_max = match dialect {
            Dialect::Postgres => 2,
            // What SQLite has are attached files, and nobody attaches one here.
            Dialect::Sqlite => 1,
        };
        let mut errors: Vec<_> = [("table", table), ("revision_table", revision_table)]
            .into_iter()
            .filter_map(|(key, name)| check(key, name, parts_max).err())
            .collect();
        // An index is named after its table, so names without schemas have to differ, too.
        let (table, revision_table) = (Identifier::checked(table), Identifier::checked(revision_table));
        if table.last().eq_ignore_ascii_case(revision_table.last()) {
            errors.push(ConfigError::SameName { key: "revision_table" });
        }
        let mut taken: Vec<&str> = [REVISES, KIND, REASON].into();
        for (key, name) in named(columns) {
            errors.extend(check(key, name, 1).err());
            // Databases mind letter case differently.
            if taken.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
                errors.push(ConfigError::SameName { key });
            }
            taken.push(name);
        }
        ConfigErrors::check(errors)?;
        let columns = named(columns).map(|(_, name)| Identifier::checked(name)).into();
        Ok(Self { table, revision_table, columns })
    }
}

/// The columns with the keys of their settings, that of the event first.
fn named(columns: &HrmsColumns) -> [(&'static str, &str); 7] {
    [
        ("columns.event_id", &columns.event_id),
        ("columns.employee_id", &columns.employee_id),
        ("columns.punch_time", &columns.punch_time),
        ("columns.direction", &columns.direction),
        ("columns.device_serial", &columns.device_serial),
        ("columns.method", &columns.method),
        ("columns.revision", &columns.revision),
    ]
}
