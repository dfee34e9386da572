use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Serialize;
use utoipa::ToSchema;

use super::completeness::IS_FINAL;
use super::outbox::event_of;
use super::sql::{Connection, Row};
use super::{StoreError, from_millis, written};

/// When a punch was where, and what was decided about it: received, judged, every attempt to deliver it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Timeline {
    /// The identity.
    pub event_id: String,
    /// What became of the row.
    pub fate: String,
    /// When the row arrived.
    pub received_at: String,
    /// What was decided, and by what.
    #[serde(flatten)]
    pub decision: Decision,
    /// How often and why it was told anew, in order.
    pub revisions: Vec<RevisionLine>,
    /// One entry a delivery.
    pub deliveries: Vec<DeliveryTimeline>,
}

/// What was decided about a row, and by what.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Decision {
    /// Why it is held; the table of a record.
    pub reason: Option<String>,
    /// Where and why it did not read.
    pub problem: Option<String>,
    /// Why it was put away, in the words of whoever did it.
    pub put_away: Option<String>,
    /// The punch that stands for it.
    pub duplicate_of: Option<String>,
    /// The terminal.
    pub device_serial: String,
    /// What the terminal's clock showed.
    pub device_local: Option<String>,
    /// The instant.
    pub punched_at: Option<String>,
    /// The state that the terminal reported.
    pub state: Option<u16>,
    /// Whether that terminal's states said something.
    pub state_trusted: bool,
    /// What the terminal was there for, `entry` or `exit`.
    pub role: Option<String>,
    /// The direction that was told last, `intermediate` among them.
    pub direction: Option<String>,
    /// What that rests on.
    pub direction_source: Option<String>,
    /// How sure it is, 0 to 1.
    pub confidence: Option<f64>,
    /// The shift.
    pub session_id: Option<String>,
    /// The day of the shift.
    pub business_date: Option<String>,
    /// What is missing or odd.
    pub exceptions: Vec<String>,
    /// How often it was told anew.
    pub revision: u32,
    /// Whether its shift is over, and nothing of it is waited for any more.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The direction that somebody has put in its place by hand.
    pub manual: Option<String>,
    /// Why, in their words.
    pub manual_note: Option<String>,
    /// When.
    pub manual_at: Option<String>,
    /// What somebody says its clock was off by, in seconds: true time minus the terminal's.
    pub shift_seconds: Option<i64>,
    /// The PIN of whoever it is, of a row that names nobody.
    pub pin_by_hand: Option<String>,
}

/// One time a punch was told anew.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RevisionLine {
    /// Its number, from 1.
    pub number: u32,
    /// The identity of the event that tells it.
    pub event_id: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
    /// Direction, shift and day before.
    pub old: Meaning,
    /// Direction, shift and day since.
    pub new: Meaning,
    /// One entry a delivery; none if nobody asked for revisions.
    pub deliveries: Vec<DeliveryTimeline>,
}

/// What receivers have to hear of if it changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Meaning {
    /// The direction.
    pub direction: String,
    /// The shift.
    pub session_id: Option<String>,
    /// The day of the shift.
    pub business_date: Option<String>,
}

/// One delivery of a punch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryTimeline {
    /// Where to.
    pub url: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was settled.
    pub settled_at: Option<String>,
    /// The attempts, in order.
    pub attempts: Vec<AttemptLine>,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttemptLine {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub at: String,
    /// The answer's status.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long it took.
    pub millis: i64,
    /// The first of what was answered.
    pub response: Option<String>,
    /// The headers that were sent, by name in lower case; of the endpoint's own ones no value.
    pub request_headers: BTreeMap<String, String>,
}

impl Timeline {
    /// The way of one punch, by its identity or that of one of its revisions.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, event_id: &str) -> Result<Option<Self>, StoreError> {
        let sql = format!(
            "SELECT id, fate, received_at, reason, problem, duplicate_of, serial, device_local, punched_at, status,
                    trusted, role, direction, direction_source, confidence, session_id, business_date, exceptions,
                    revision, {IS_FINAL}, manual, manual_note, manual_at,
                    shift_s, whose, put_away
             FROM row WHERE id = coalesce((SELECT punch FROM revision WHERE event_id = ?1), ?1)"
        );
        let row = connection.first(&sql, &[&event_id], |row| {
            Ok((row.get::<String>(0)?, row.get(1)?, row.get::<i64>(2)?, Decision::read(row)?))
        });
        let Some((event_id, fate, received_at, decision)) = row? else { return Ok(None) };
        let revisions = revisions(connection, &event_id)?;
        let deliveries = deliveries(connection, &event_id)?;
        let received_at = written(from_millis(received_at));
        Ok(Some(Self { event_id, fate, received_at, decision, revisions, deliveries }))
    }
}

impl Decision {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let punched_at = row.get::<Option<i64>>(8)?.and_then(|at| DateTime::from_timestamp(at, 0));
        let exceptions: Option<String> = row.get(17)?;
        let words = exceptions.iter().flat_map(|words| words.split(',')).filter(|word| !word.is_empty());
        Ok(Self {
            reason: row.get(3)?,
            problem: row.get(4)?,
            duplicate_of: row.get(5)?,
            device_serial: row.get(6)?,
            device_local: row.get(7)?,
            punched_at: punched_at.map(written),
            state: row.get(9)?,
            state_trusted: row.get(10)?,
            role: row.get(11)?,
            direction: row.get(12)?,
            direction_source: row.get(13)?,
            confidence: row.get::<Option<u8>>(14)?.map(|percent| f64::from(percent) / 100.0),
            session_id: row.get(15)?,
            business_date: row.get(16)?,
            exceptions: words.map(ToOwned::to_owned).collect(),
            revision: row.get(18)?,
            is_final: row.get(19)?,
            manual: row.get(20)?,
            manual_note: row.get(21)?,
            manual_at: row.get::<Option<i64>>(22)?.map(|at| written(from_millis(at))),
            shift_seconds: row.get(23)?,
            pin_by_hand: row.get(24)?,
            put_away: row.get(25)?,
        })
    }
}

fn revisions(connection: &Connection, punch: &str) -> Result<Vec<RevisionLine>, StoreError> {
    connection.all(
        "SELECT number, event_id, at, reason, old_direction, old_session_id, old_business_date, new_direction,
                new_session_id, new_business_date
         FROM revision WHERE punch = ?1 ORDER BY number",
        &[&punch],
        |row| {
            let meaning = |first: usize| -> Result<Meaning, StoreError> {
                let (direction, session_id, business_date) =
                    (row.get(first)?, row.get(first + 1)?, row.get(first + 2)?);
                Ok(Meaning { direction, session_id, business_date })
            };
            let event_id: String = row.get(1)?;
            Ok(RevisionLine {
                number: row.get(0)?,
                at: written(from_millis(row.get(2)?)),
                reason: row.get(3)?,
                old: meaning(4)?,
                new: meaning(7)?,
                deliveries: deliveries(connection, &event_id)?,
                event_id,
            })
        },
    )
}

fn deliveries(connection: &Connection, event_id: &str) -> Result<Vec<DeliveryTimeline>, StoreError> {
    let Some(event) = event_of(connection, event_id)? else { return Ok(Vec::new()) };
    connection.all(
        "SELECT delivery.id, url, state, reason, settled_at FROM delivery
         JOIN endpoint ON endpoint.id = delivery.endpoint WHERE delivery.event = ?1 ORDER BY delivery.id",
        &[&event],
        |row| {
            Ok(DeliveryTimeline {
                attempts: attempts(connection, row.get(0)?)?,
                url: row.get(1)?,
                state: row.get(2)?,
                reason: row.get(3)?,
                settled_at: row.get::<Option<i64>>(4)?.map(|at| written(from_millis(at))),
            })
        },
    )
}

pub(super) fn attempts(connection: &Connection, delivery: i64) -> Result<Vec<AttemptLine>, StoreError> {
    connection.all(
        "SELECT number, at, status, error, millis, response, headers FROM attempt
         WHERE delivery = ?1 ORDER BY at, number",
        &[&delivery],
        AttemptLine::read,
    )
}

impl AttemptLine {
    /// Reads number, at, status, error, millis, response and headers.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            number: row.get(0)?,
            at: written(from_millis(row.get(1)?)),
            status: row.get(2)?,
            error: row.get(3)?,
            millis: row.get(4)?,
            response: row.get(5)?,
            request_headers: headers_of(row.get::<Option<String>>(6)?.as_deref().unwrap_or_default()),
        })
    }

    /// The headers for a page: what may be a key has no value here, and no signature has, by which somebody who reads over a
    /// shoulder could send the body.
    pub(crate) fn shown_headers(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let is_open = |name: &str, value: &str| value != NOT_KEPT && !name.ends_with("signature");
        self.request_headers
            .iter()
            .map(move |(name, value)| (name.as_str(), Some(value.as_str()).filter(|it| is_open(name, it))))
    }
}

/// What stands for the value of a header that is not kept.
pub(crate) const NOT_KEPT: &str = "(not kept)";

/// Headers, one a line, as an attempt keeps them.
fn headers_of(lines: &str) -> BTreeMap<String, String> {
    let pairs = lines.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
