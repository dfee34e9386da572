//! What is kept of a person's punches beside the rows: what was found of them, and what was told.

use core::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use punch_normalize::timeline::{Finding, Mark, Role};
use punch_normalize::{Direction, EventId, Punch, TimeQuality};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use punch_webhook::{DeviceInfo, EmployeeInfo};
use rusqlite::{OptionalExtension as _, Row, params};
use serde::Deserialize;

use super::{StoreError, Transaction, from_millis, millis};
use crate::core::{Known, Telling, Told};

/// The form of civil times in the file; it sorts as time does.
pub(super) const CIVIL: &str = "%Y-%m-%dT%H:%M:%S";

/// Hands over the punches kept for a person, in the order and from where `range` says, until `take` has enough.
pub(super) fn look(
    tx: &Transaction<'_>,
    range: &str,
    pin: &Pin<'static>,
    at: DateTime<Utc>,
    take: &mut dyn FnMut(Known) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT id, punched_at, device_local, status, role, trusted, revision, direction, direction_source, confidence,
                session_id, business_date, exceptions
         FROM row WHERE fate = 'delivered' AND pin = ?1 AND {range}",
    ))?;
    let mut rows = statement.query(params![pin.as_bytes(), at.timestamp()])?;
    while let Some(row) = rows.next()? {
        if let Some(known) = known(row)?
            && take(known).is_break()
        {
            break;
        }
    }
    Ok(())
}

fn known(row: &Row<'_>) -> Result<Option<Known>, StoreError> {
    let (id, at, local): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let parts = (EventId::parse(&id), DateTime::from_timestamp(at, 0), NaiveDateTime::parse_from_str(&local, CIVIL));
    // Nothing else is ever written, so this only skips a damaged row.
    let (Ok(event_id), Some(at), Ok(local)) = parts else { return Ok(None) };
    let mut mark = Mark::new(event_id, at, local);
    mark.status = row.get::<_, Option<u16>>(3)?.map(Status);
    mark.role = row.get::<_, Option<String>>(4)?.as_deref().and_then(role_of);
    mark.is_trusted = row.get(5)?;
    let told = match row.get::<_, Option<String>>(7)?.as_deref().and_then(direction_of) {
        None => None,
        Some(direction) => Some(Told {
            direction,
            source: row.get(8)?,
            confidence: row.get(9)?,
            session: row.get(10)?,
            business_date: row.get::<_, Option<String>>(11)?.and_then(|date| date.parse().ok()),
            exceptions: row.get(12)?,
        }),
    };
    Ok(Some(Known { mark, told, revision: row.get(6)? }))
}

/// Keeps what is found now of a punch.
pub(super) fn find(tx: &Transaction<'_>, id: &str, finding: &Finding, revision: u32) -> Result<(), StoreError> {
    let told = Told::from(finding);
    tx.prepare_cached(
        "UPDATE row SET direction = ?2, direction_source = ?3, confidence = ?4, session_id = ?5, business_date = ?6,
             exceptions = ?7, revision = ?8 WHERE id = ?1",
    )?
    .execute(params![
        id,
        told.direction.as_str(),
        told.source,
        told.confidence,
        told.session,
        told.business_date.map(date_text),
        told.exceptions,
        revision,
    ])?;
    Ok(())
}

/// Keeps what was told of a punch before it is told anew.
pub(super) fn note(
    tx: &Transaction<'_>,
    known: &Known,
    old: &Told,
    finding: &Finding,
    telling: &Telling<'_>,
) -> Result<(), StoreError> {
    let new = Told::from(finding);
    tx.prepare_cached("INSERT INTO revision VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?.execute(
        params![
            known.mark.event_id.as_str(),
            telling.number,
            telling.event_id.as_str(),
            millis(telling.at),
            telling.reason,
            old.direction.as_str(),
            old.session,
            old.business_date.map(date_text),
            new.direction.as_str(),
            new.session,
            new.business_date.map(date_text),
        ],
    )?;
    Ok(())
}

/// A punch as it was told first.
pub(super) struct Original {
    pub(super) punch: Punch,
    pub(super) device: DeviceInfo,
    pub(super) employee: EmployeeInfo,
}

/// The members of a nested body that its row does not have.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    device: Device,
    employee: Employee,
    punch: LocalTime,
    metadata: Quality,
}

#[derive(Default, Deserialize)]
struct Device {
    id: Option<String>,
    name: Option<String>,
    site: Option<String>,
}

#[derive(Deserialize)]
struct Employee {
    id: Option<String>,
    badge_number: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct LocalTime {
    local_time: String,
}

#[derive(Deserialize)]
struct Quality {
    time_quality: TimeQuality,
}

impl Original {
    /// Reads it back; `None` if it was never told.
    pub(super) fn of(tx: &Transaction<'_>, id: &EventId) -> Result<Option<Self>, StoreError> {
        let mut statement = tx.prepare_cached(
            "SELECT serial, pin, device_local, status, verify, work_code, punched_at, received_at, bytes
             FROM row JOIN body ON body.event_id = row.id AND body.format = 'nested' WHERE row.id = ?1",
        )?;
        let read = statement.query_row([id.as_str()], |row| {
            let (serial, pin, local): (String, Vec<u8>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let parts = (SerialNumber::parse(&serial), NaiveDateTime::parse_from_str(&local, CIVIL));
            let (Ok(serial), Ok(time)) = parts else { return Ok(None) };
            let mut raw = RawPunch::new(serial, Pin::new(&pin).into_owned(), time);
            raw.status = row.get::<_, Option<u16>>(3)?.map(Status);
            raw.verify = row.get::<_, Option<u16>>(4)?.map(Verify);
            raw.work_code = row.get(5)?;
            let at = DateTime::from_timestamp(row.get(6)?, 0).unwrap_or_default();
            Ok(Some((raw, at, from_millis(row.get(7)?), row.get::<_, Vec<u8>>(8)?)))
        });
        let Some((raw, at, received_at, bytes)) = read.optional()?.flatten() else { return Ok(None) };
        let Ok(body) = serde_json::from_slice::<Body>(&bytes) else { return Ok(None) };
        let Ok(local_time) = DateTime::parse_from_rfc3339(&body.punch.local_time) else { return Ok(None) };
        let quality = body.metadata.time_quality;
        let punch = Punch::new(id.clone(), raw, at, local_time, quality, received_at);
        let mut device = DeviceInfo::default();
        (device.id, device.name, device.site) = (body.device.id, body.device.name, body.device.site);
        let mut employee = EmployeeInfo::new(body.employee.badge_number);
        (employee.id, employee.name) = (body.employee.id, body.employee.name);
        Ok(Some(Self { punch, device, employee }))
    }
}

pub(super) fn date_text(date: NaiveDate) -> String {
    date.to_string()
}

pub(super) fn word_of(role: Role) -> &'static str {
    match role {
        Role::Entry => "entry",
        Role::Exit => "exit",
    }
}

fn role_of(word: &str) -> Option<Role> {
    [Role::Entry, Role::Exit].into_iter().find(|role| word_of(*role) == word)
}

fn direction_of(word: &str) -> Option<Direction> {
    use Direction::{BreakIn, BreakOut, In, Intermediate, Out, OvertimeIn, OvertimeOut, Unknown};
    let all = [In, Out, BreakOut, BreakIn, OvertimeIn, OvertimeOut, Intermediate, Unknown];
    all.into_iter().find(|direction| direction.as_str() == word)
}
