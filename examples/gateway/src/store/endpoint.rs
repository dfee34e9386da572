use chrono::{DateTime, Utc};
use punch_webhook::{EndpointId, EndpointState, EventType, Health, PayloadFormat, Schedule, Secret};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{StoreError, Transaction, from_millis, millis};
use crate::config::{EndpointConfig, EndpointOptions};

/// A webhook endpoint.
#[derive(Debug)]
pub struct EndpointRow {
    /// Its id in the queue.
    pub id: EndpointId,
    /// Where events are posted.
    pub url: String,
    /// What signs them.
    pub secret: Secret,
    /// The secret before it, while receivers move to the new one.
    pub roll: Option<Roll>,
    /// The shape of the body.
    pub format: PayloadFormat,
    /// When failed attempts are repeated.
    pub schedule: Schedule,
    /// The types of events it wants.
    pub events: Vec<String>,
    /// What the queue last recorded about it.
    pub state: EndpointState,
    /// How it differs from the others.
    pub options: EndpointOptions,
    /// The name of the schedule.
    pub schedule_name: String,
    /// Whether somebody has removed it. What waits for it stays.
    pub is_removed: bool,
}

/// A secret that signs too, until a time.
#[derive(Debug)]
pub struct Roll {
    /// The older secret.
    pub previous: Secret,
    /// Until when it signs.
    pub until: DateTime<Utc>,
    /// Whether the `PunchConnect` header holds both signatures meanwhile. Without it, it holds the older one.
    pub both_signatures: bool,
}

const SELECT: &str =
    "SELECT id, url, secret, format, schedule, health, since, failures, next_probe_at, deadlines_from, events,
    removed_at IS NOT NULL, previous_secret, previous_until, both_signatures, options FROM endpoint";

impl EndpointRow {
    /// Every endpoint, oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY id"))?;
        let rows = statement.query_map([], Self::read)?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    /// The endpoint with this id.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: EndpointId) -> Result<Option<Self>, StoreError> {
        let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
        Ok(statement.query_row([id.0.cast_signed()], Self::read).optional()?.flatten())
    }

    /// `None` is a damaged row: an empty secret cannot be written.
    fn read(row: &Row<'_>) -> Result<Option<Self>, rusqlite::Error> {
        let moment = |index: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(index)?.map(from_millis));
        let mut state = EndpointState::default();
        state.health = health_of(&row.get::<_, String>(5)?);
        (state.since, state.failures) = (moment(6)?, row.get(7)?);
        (state.next_probe_at, state.deadlines_from) = (moment(8)?, moment(9)?);
        let Ok(secret) = Secret::new(row.get::<_, String>(2)?) else { return Ok(None) };
        let previous = row.get::<_, Option<String>>(12)?.and_then(|text| Secret::new(text).ok());
        let both_signatures = row.get(14)?;
        Ok(Some(Self {
            id: EndpointId(row.get::<_, i64>(0)?.cast_unsigned()),
            url: row.get(1)?,
            secret,
            roll: previous.zip(moment(13)?).map(|(previous, until)| Roll { previous, until, both_signatures }),
            format: row.get::<_, String>(3)?.parse().unwrap_or_default(),
            schedule: Schedule::named(&row.get::<_, String>(4)?).unwrap_or_default(),
            schedule_name: row.get(4)?,
            is_removed: row.get(11)?,
            options: options_of(&row.get::<_, String>(15)?),
            events: row.get::<_, String>(10)?.split(',').map(ToOwned::to_owned).collect(),
            state,
        }))
    }

    /// Adds an endpoint, or changes the one with this URL. Another secret signs at once and alone.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn put(tx: &Transaction<'_>, endpoint: &EndpointConfig, now: DateTime<Utc>) -> Result<EndpointId, StoreError> {
        let EndpointConfig { url, secret, format, schedule, events, options } = endpoint;
        let options = serde_json::to_string(options).unwrap_or_else(|_| "{}".to_owned());
        let id: i64 = tx.query_row(
            "INSERT INTO endpoint (url, secret, format, schedule, events, created_at, options)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (url) DO UPDATE SET
                 previous_secret = iif(secret = excluded.secret, previous_secret, NULL),
                 secret = excluded.secret, format = excluded.format,
                 schedule = excluded.schedule, events = excluded.events, removed_at = NULL,
                 options = excluded.options
             RETURNING id",
            params![url, secret.expose(), format.as_str(), schedule, events.join(","), millis(now), options],
            |row| row.get(0),
        )?;
        Ok(EndpointId(id.cast_unsigned()))
    }
}

impl EndpointRow {
    /// Makes a new secret sign, and the one before it too until `until`.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn roll(
        tx: &Transaction<'_>,
        id: EndpointId,
        secret: &Secret,
        until: DateTime<Utc>,
        both_signatures: bool,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE endpoint SET previous_secret = secret, secret = ?2, previous_until = ?3, both_signatures = ?4
                   WHERE id = ?1 AND secret <> ?2";
        tx.execute(sql, params![id.0.cast_signed(), secret.expose(), millis(until), both_signatures])?;
        Ok(())
    }

    /// Notes that nobody wants it any more, and no replay to it either.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn remove(tx: &Transaction<'_>, id: EndpointId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let known = params![id.0.cast_signed(), millis(now)];
        tx.execute("UPDATE endpoint SET removed_at = ?2 WHERE id = ?1", known)?;
        let sql = "UPDATE job SET state = 'cancelled', ended_at = ?2 WHERE endpoint = ?1 AND state = 'running'";
        tx.execute(sql, known)?;
        Ok(())
    }
}

/// What does not read was written by a newer program; without it the endpoint gets everything.
fn options_of(text: &str) -> EndpointOptions {
    serde_json::from_str(text).unwrap_or_default()
}

/// The endpoints that want events of this type, about this site if it is about one. A correction has no flat shape: it
/// would be taken for a punch.
pub(super) fn wanting(
    connection: &Connection,
    event_type: &EventType,
    site: Option<&str>,
) -> Result<Vec<(EndpointId, PayloadFormat)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, format, options FROM endpoint
         WHERE removed_at IS NULL AND instr(',' || events || ',', ',' || ?1 || ',') AND (format = 'nested' OR NOT ?2)
         ORDER BY id",
    )?;
    let rows = statement.query_map(params![event_type.as_str(), event_type.is_correction()], |row| {
        let (id, format, options): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // Most have none, and that is seen without reading them.
        let wants = options == "{}" || options_of(&options).wants(site);
        Ok(wants.then(|| (EndpointId(id.cast_unsigned()), format.parse().unwrap_or_default())))
    })?;
    Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

fn health_of(word: &str) -> Health {
    let all = [Health::Healthy, Health::BackingOff, Health::Paused, Health::Disabled];
    all.into_iter().find(|health| health.as_str() == word).unwrap_or_default()
}
