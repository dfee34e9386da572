use core::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{HumandStandIn, HumandUser};

/// A stored entry.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredEntry {
    /// The record's number.
    pub id: u64,
    /// Whose it is.
    pub employee: String,
    /// `START` or `END`.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What the caller wrote.
    pub comment: String,
    /// `INTEGRATION`, `MANUAL`, `DAY_CHANGE` …
    pub source: String,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

impl StoredEntry {
    /// Its time, as it is shown.
    pub(super) fn time(&self) -> String {
        self.at.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    pub(super) fn document(&self, day: NaiveDate) -> Value {
        let created_at = self.created_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        json!({
            "id": self.id, "userId": 7, "employeeInternalId": self.employee, "date": day, "referenceDate": day,
            "type": self.kind, "source": self.source, "site": null, "coordinates": null, "comment": self.comment,
            "createdAt": created_at, "updatedAt": created_at, "time": self.time(),
        })
    }
}

impl fmt::Debug for StoredEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StoredEntry");
        shown.field("id", &self.id).field("kind", &self.kind).field("at", &self.at).field("source", &self.source);
        shown.finish_non_exhaustive()
    }
}

impl HumandUser {
    pub(super) fn document(&self, id: usize) -> Value {
        json!({
            "id": id, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "deleted": false,
            "status": self.status, "employeeInternalId": self.employee, "email": null, "firstName": self.name,
            "lastName": self.name, "nickname": null, "phoneNumber": null, "hiringDate": null, "birthdate": null,
            "segmentations": [], "relationships": [], "fields": [],
        })
    }
}

impl HumandStandIn {
    /// Stores an entry past all rules, as a person or Humand itself does.
    pub fn put(
        &mut self,
        employee: &str,
        kind: &str,
        at: DateTime<Utc>,
        comment: &str,
        source: &str,
        now: DateTime<Utc>,
    ) -> StoredEntry {
        self.last_id += 1;
        let row = StoredEntry {
            id: self.last_id,
            employee: employee.to_owned(),
            kind: kind.to_owned(),
            at,
            comment: comment.to_owned(),
            source: source.to_owned(),
            created_at: now,
        };
        self.entries.push(row.clone());
        row
    }

    /// Deletes an entry, as a person would. Whether there was one.
    pub fn delete(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|row| row.id != id);
        self.entries.len() != before
    }
}
