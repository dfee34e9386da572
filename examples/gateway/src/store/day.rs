//! What a report of a day needs beside the punches.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

use super::completeness::SiteRow;
use super::sql::Connection;
use super::{StoreError, from_millis, millis};

/// What is known about a day.
#[derive(Debug)]
pub(crate) struct Day {
    /// Up to when everything of each site is known.
    pub(crate) sites: BTreeMap<String, SiteRow>,
    /// Terminals that came and went around the day, in order.
    pub(crate) changes: Vec<StatusChange>,
    /// How punches around the day were told anew, in order.
    pub(crate) revisions: Vec<RevisionOf>,
    /// Rows of the day that are held, by reason.
    pub(crate) held: BTreeMap<String, u64>,
}

/// A terminal came or went.
#[derive(Debug)]
pub(crate) struct StatusChange {
    pub(crate) serial: String,
    pub(crate) site: Option<String>,
    pub(crate) is_online: bool,
    pub(crate) at: DateTime<Utc>,
}

/// One time a punch was told anew.
#[derive(Debug)]
pub(crate) struct RevisionOf {
    pub(crate) punch: String,
    pub(crate) number: u32,
    pub(crate) at: DateTime<Utc>,
    pub(crate) reason: String,
    pub(crate) old_direction: String,
    pub(crate) new_direction: String,
}

/// A terminal that went so long before the day, and has not come since, is not known to have gone.
const LOOK_BACK: TimeDelta = TimeDelta::days(31);

impl Day {
    /// What is known about a day, of one site or of all.
    pub(crate) fn read(connection: &Connection, date: NaiveDate, site: Option<&str>) -> Result<Self, StoreError> {
        let midnight = date.and_time(NaiveTime::MIN).and_utc();
        let behind = |days: i64| midnight.checked_add_signed(TimeDelta::days(days)).unwrap_or(midnight);
        let mut sites = SiteRow::all(connection)?;
        sites.retain(|name, _| site.is_none_or(|site| name == site));
        let mut changes = changes(connection, midnight.checked_sub_signed(LOOK_BACK).unwrap_or(midnight), behind(2))?;
        changes.retain(|change| site.is_none_or(|site| change.site.as_deref() == Some(site)));
        Ok(Self {
            sites,
            changes,
            revisions: revisions(connection, behind(-2), behind(3))?,
            held: held(connection, date, site)?,
        })
    }
}

fn changes(connection: &Connection, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<StatusChange>, StoreError> {
    let sql = "SELECT nested FROM event WHERE type = 'device.status' AND created_at >= ?1 AND created_at < ?2
                   AND nested IS NOT NULL ORDER BY seq";
    let bodies = connection.all(sql, &[&millis(from), &millis(to)], |row| row.get::<Vec<u8>>(0))?;
    let read = |bytes: Vec<u8>| {
        let event: Value = serde_json::from_slice(&bytes).ok()?;
        let text = |place: &str| event.pointer(place).and_then(Value::as_str);
        Some(StatusChange {
            serial: text("/device/serial_number")?.to_owned(),
            site: text("/device/site").map(ToOwned::to_owned),
            is_online: text("/status")? == "online",
            at: text("/timestamp")?.parse().ok()?,
        })
    };
    Ok(bodies.into_iter().filter_map(read).collect())
}

fn revisions(connection: &Connection, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<RevisionOf>, StoreError> {
    let sql = "SELECT revision.punch, revision.number, revision.at, revision.reason, revision.old_direction,
                   revision.new_direction
               FROM row JOIN revision ON revision.punch = row.id
               WHERE row.fate = 'delivered' AND row.punched_at >= ?1 AND row.punched_at < ?2
               ORDER BY revision.punch, revision.number";
    connection.all(sql, &[&from.timestamp(), &to.timestamp()], |row| {
        Ok(RevisionOf {
            punch: row.get(0)?,
            number: row.get(1)?,
            at: from_millis(row.get(2)?),
            reason: row.get(3)?,
            old_direction: row.get(4)?,
            new_direction: row.get(5)?,
        })
    })
}

fn held(connection: &Connection, date: NaiveDate, site: Option<&str>) -> Result<BTreeMap<String, u64>, StoreError> {
    let sql = "SELECT coalesce(reason, ''), count(*) FROM row
               WHERE fate = 'held' AND substr(device_local, 1, 10) = ?1 AND (?2 = '' OR site = ?2) GROUP BY 1";
    let rows = connection.all(sql, &[&date.to_string(), &site.unwrap_or_default()], |row| {
        Ok((row.get(0)?, row.get::<i64>(1)?.cast_unsigned()))
    })?;
    Ok(rows.into_iter().collect())
}
