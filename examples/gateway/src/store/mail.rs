//! Mails to people, kept until a mail server has taken them.

use chrono::{DateTime, TimeDelta, Utc};

use super::sql::Connection;
use super::{Failing, StoreError, Transaction, from_millis, millis};

/// A mail that waits.
#[derive(Debug)]
pub(crate) struct MailRow {
    pub(crate) id: i64,
    pub(crate) subject: String,
    pub(crate) text: String,
    /// How often it was tried.
    pub(crate) tries: u32,
    created_at: DateTime<Utc>,
}

/// The first pause after a try; each is twice the one before, up to an hour.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// The longest pause.
const PAUSE_MAX: TimeDelta = TimeDelta::hours(1);

/// How long whoever tries a mail has for it. After a crash it is tried again then.
const CLAIM: TimeDelta = TimeDelta::minutes(2);

/// How long a mail is tried; what it says is old then.
const TRIED_FOR: TimeDelta = TimeDelta::days(3);

impl MailRow {
    /// Keeps what people have to be told.
    pub(super) fn keep(tx: &Transaction<'_>, failing: &Failing, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO mail (subject, text, created_at, not_before) VALUES (?1, ?2, ?3, ?3)";
        tx.execute(sql, &[&failing.subject(), &failing.text(), &millis(now)])?;
        Ok(())
    }

    /// Whether one is due.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn is_due(connection: &Connection, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM mail WHERE not_before <= ?1 LIMIT 1";
        Ok(connection.first(sql, &[&millis(now)], |_| Ok(()))?.is_some())
    }

    /// The next to be tried, if one is due. Nobody else tries it meanwhile.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn claim(tx: &Transaction<'_>, now: DateTime<Utc>) -> Result<Option<Self>, StoreError> {
        let sql = "UPDATE mail SET not_before = ?2
                   WHERE id = (SELECT id FROM mail WHERE not_before <= ?1 ORDER BY id LIMIT 1)
                   RETURNING id, subject, text, tries, created_at";
        tx.first(sql, &[&millis(now), &millis(now + CLAIM)], |row| {
            let (id, subject, text, tries) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Self { id, subject, text, tries, created_at: from_millis(row.get(4)?) })
        })
    }

    /// It was taken, or is given up.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn forget(tx: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
        tx.execute("DELETE FROM mail WHERE id = ?1", &[&id])?;
        Ok(())
    }

    /// It was not taken: when it is tried again, or `None` if it is given up.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn postpone(
        &self,
        tx: &Transaction<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        if now.signed_duration_since(self.created_at) >= TRIED_FOR {
            Self::forget(tx, self.id)?;
            return Ok(None);
        }
        let pause = PAUSE.checked_mul(1 << self.tries.min(6)).unwrap_or(PAUSE_MAX).min(PAUSE_MAX);
        let again = now + pause;
        let sql = "UPDATE mail SET tries = ?2, not_before = ?3 WHERE id = ?1";
        tx.execute(sql, &[&self.id, &self.tries.saturating_add(1), &millis(again)])?;
        Ok(Some(again))
    }
}

impl Failing {
    fn subject(&self) -> String {
        let Self { host, .. } = self;
        match self.recovered {
            true => format!("Punch: {host} takes events again"),
            false => format!("Punch: {host} does not take events"),
        }
    }

    fn text(&self) -> String {
        let Self { endpoint, host, state, since, waiting, failed, recovered } = self;
        let id = endpoint.0;
        let since = since.map_or_else(String::new, |since| format!(" since {}", since.format("%Y-%m-%d %H:%M UTC")));
        let counts = format!("Deliveries given up: {failed}\nDeliveries waiting: {waiting}\n");
        if *recovered {
            return format!(
                "Endpoint {id} at {host} takes what it is sent again{since}.\n\n{counts}\n\
                 What waits goes out now, in order. What was given up: punch webhook resend --all-failed\n"
            );
        }
        format!(
            "Endpoint {id} at {host} does not take what it is sent.\nIt is {state}{since}.\n\n{counts}\n\
             Everything is kept. What went wrong: punch webhook deliveries --endpoint {id}\n\
             What was given up, once that is put right: punch webhook resend --all-failed\n\n\
             An outage is told once, and so is its end. What is given up is told at most once an hour.\n"
        )
    }
}
