use core::fmt::Display;
use std::collections::BTreeMap;

use punch_normalize::{Diagnosis, EventId, TerminalClock, ZoneHistory};
use punch_webhook::{ClockAlarm, DeviceInfo, Event};
use serde::de::DeserializeOwned;

use super::sql::{Connection, Row};
use super::{StoreError, StoreLedger, Transaction, from_millis, millis};
use crate::core::{Alarm, AlarmCause, ClockNotice, Clockwork};

/// What the store has of terminals' clocks.
#[derive(Debug)]
pub(crate) struct ClockRow;

impl ClockRow {
    /// The clock of a terminal, if anything is known of it.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn of(connection: &Connection, serial: &str) -> Result<Option<Clockwork>, StoreError> {
        let sql = "SELECT serial, state, zones, alarm_since, alarm_cause, ahead_at FROM clock WHERE serial = ?1";
        let found = connection.first(sql, &[&serial], read)?;
        Ok(found.flatten().map(|(_, clockwork)| clockwork))
    }

    /// Every clock there is, by serial.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<String, Clockwork>, StoreError> {
        let sql = "SELECT serial, state, zones, alarm_since, alarm_cause, ahead_at FROM clock";

        let rows = connection.all(sql, &[], read)?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// Keeps the clock of a terminal.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn keep(tx: &Transaction<'_>, serial: &str, clockwork: &Clockwork) -> Result<(), StoreError> {
        let alarm = clockwork.alarm();
        tx.execute(
            "INSERT INTO clock (serial, state, zones, alarm_since, alarm_cause, ahead_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (serial) DO UPDATE SET state = excluded.state, zones = excluded.zones,
                 alarm_since = excluded.alarm_since, alarm_cause = excluded.alarm_cause, ahead_at = excluded.ahead_at",
            &[
                &serial,
                &json(&clockwork.clock)?,
                &json(&clockwork.zones)?,
                &alarm.map(|alarm| millis(alarm.since)),
                &alarm.map(|alarm| alarm.cause.as_str()),
                &alarm.and_then(|alarm| alarm.ahead_at).map(millis),
            ],
        )?;
        Ok(())
    }
}

impl StoreLedger<'_, '_> {
    /// Enters the event that tells of an alarm, and its deliveries. If nobody has asked for such events, none is made.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn tell_clock(
        &mut self,
        event_id: &EventId,
        notice: &ClockNotice,
        device: &DeviceInfo,
    ) -> Result<(), StoreError> {
        let ClockNotice { serial, opens, at, zone, estimate, .. } = notice;
        let mut alarm = ClockAlarm::new(&Diagnosis::new(*estimate, *zone, *at), *estimate);
        alarm.advice.clone_from(&notice.advice);
        let event = Event::device_clock(event_id, serial, device, &alarm, *opens, *at);
        // In the terminal's own lane, so that it does not close before it opens.
        self.tell(&event, serial.as_str(), *at)
    }
}

/// `None` if its zones do not read: then it begins anew with the zone it is configured with.
fn read(row: &Row<'_>) -> Result<Option<(String, Clockwork)>, StoreError> {
    let serial: String = row.get(0)?;
    let Some(zones) = stored::<ZoneHistory>(&serial, &row.get::<String>(2)?) else { return Ok(None) };
    // What was measured is measured again within a day.
    let clock: Option<TerminalClock> = stored(&serial, &row.get::<String>(1)?);
    let (since, cause): (Option<i64>, Option<String>) = (row.get(3)?, row.get(4)?);
    let ahead_at = row.get::<Option<i64>>(5)?.map(from_millis);
    let cause = AlarmCause::from_word(&cause.unwrap_or_default());
    let alarm = since.map(|since| Alarm { since: from_millis(since), cause, ahead_at });
    Ok(Some((serial, Clockwork { clock: clock.unwrap_or_default(), zones, alarm })))
}

fn stored<T: DeserializeOwned>(serial: &str, text: &str) -> Option<T> {
    let read = serde_json::from_str(text);
    read.inspect_err(|error: &serde_json::Error| complain(serial, error)).ok()
}

fn complain(serial: &str, error: &dyn Display) {
    tracing::error!(serial, %error, "what the store has of this terminal's clock does not read and is forgotten");
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::Json)
}
