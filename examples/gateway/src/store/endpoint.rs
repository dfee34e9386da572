use chrono::{DateTime, Utc};
use punch_webhook::{EndpointId, EndpointState, EventType, Health, PayloadFormat, Schedule, Secret};

use super::lease::look_again;
use super::sql::{Connection, Row, ToValue};
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
        let rows = connection.all(&format!("{SELECT} ORDER BY id"), &[], Self::read)?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// The endpoint with this id.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: EndpointId) -> Result<Option<Self>, StoreError> {
        Ok(connection.first(&format!("{SELECT} WHERE id = ?1"), &[&id.0.cast_signed()], Self::read)?.flatten())
    }

    /// `None` is a damaged row: an empty secret cannot be written.
    fn read(row: &Row<'_>) -> Result<Option<Self>, StoreError> {
        let moment = |index: usize| Ok::<_, StoreError>(row.get::<Option<i64>>(index)?.map(from_millis));
        let mut state = EndpointState::default();
        state.health = health_of(&row.get::<String>(5)?);
        (state.since, state.failures) = (moment(6)?, row.get(7)?);
        (state.next_probe_at, state.deadlines_from) = (moment(8)?, moment(9)?);
        let Ok(secret) = Secret::new(row.get::<String>(2)?) else { return Ok(None) };
        let previous = row.get::<Option<String>>(12)?.and_then(|text| Secret::new(text).ok());
        let both_signatures = row.get(14)?;
        Ok(Some(Self {
            id: EndpointId(row.get::<i64>(0)?.cast_unsigned()),
            url: row.get(1)?,
            secret,
            roll: previous.zip(moment(13)?).map(|(previous, until)| Roll { previous, until, both_signatures }),
            format: row.get::<String>(3)?.parse().unwrap_or_default(),
            schedule: Schedule::named(&row.get::<String>(4)?).unwrap_or_default(),
            schedule_name: row.get(4)?,
            is_removed: row.get(11)?,
            options: options_of(&row.get::<String>(15)?),
            events: row.get::<String>(10)?.split(',').map(ToOwned::to_owned).collect(),
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
        let id: i64 = tx.value(
            "INSERT INTO endpoint (url, secret, format, schedule, events, created_at, options)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (url) DO UPDATE SET
                 previous_secret = CASE WHEN endpoint.secret = excluded.secret THEN endpoint.previous_secret END,
                 secret = excluded.secret, format = excluded.format,
                 schedule = excluded.schedule, events = excluded.events, removed_at = NULL,
                 options = excluded.options
             RETURNING id",
            &[&url, &secret.expose(), &format.as_str(), &schedule, &events.join(","), &millis(now), &options],
        )?;
        let id = EndpointId(id.cast_unsigned());
        look_again(tx, id)?;
        Ok(id)
    }

    /// What [`EndpointRow::put`] can change of the endpoint with this URL, to see whether it has; `None` if there is none.
    pub(crate) fn settings(connection: &Connection, url: &str) -> Result<Option<Vec<Option<String>>>, StoreError> {
        let sql =
            "SELECT secret, format, schedule, events, options, CAST(removed_at AS TEXT) FROM endpoint WHERE url = ?1";
        connection.first(sql, &[&url], |row| (0..row.columns()).map(|index| row.get(index)).collect())
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
        tx.execute(sql, &[&id.0.cast_signed(), &secret.expose(), &millis(until), &both_signatures])?;
        look_again(tx, id)
    }

    /// Notes that nobody wants it any more, and no replay to it either.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn remove(tx: &Transaction<'_>, id: EndpointId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let known: [&dyn ToValue; 2] = [&id.0.cast_signed(), &millis(now)];
        tx.execute("UPDATE endpoint SET removed_at = ?2 WHERE id = ?1", &known)?;
        let sql = "UPDATE job SET state = 'cancelled', ended_at = ?2 WHERE endpoint = ?1 AND state = 'running'";
        tx.execute(sql, &known)?;
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
    let rows = connection.all(
        "SELECT id, format, options FROM endpoint
         WHERE removed_at IS NULL AND instr(',' || events || ',', ',' || ?1 || ',') > 0
           AND (format = 'nested' OR ?2 = 0)
         ORDER BY id",
        &[&event_type.as_str(), &event_type.is_correction()],
        |row| {
            let (id, format, options): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // Most have none, and that is seen without reading them.
            let wants = options == "{}" || options_of(&options).wants(site);
            Ok(wants.then(|| (EndpointId(id.cast_unsigned()), format.parse().unwrap_or_default())))
        },
    )?;
    Ok(rows.into_iter().flatten().collect())
}

fn health_of(word: &str) -> Health {
    let all = [Health::Healthy, Health::BackingOff, Health::Paused, Health::Disabled];
    all.into_iter().find(|health| health.as_str() == word).unwrap_or_default()
}
