use core::ops::ControlFlow;

use chrono::{DateTime, NaiveDateTime, Utc};
use punch_normalize::timeline::StateTrust;
use punch_normalize::{EventId, Kept};
use punch_protocol::{Pin, SerialNumber, Status};
use punch_webhook::{DeliveryId, EmployeeInfo, EndpointId, Event, EventType, Lane, PayloadFormat, Revision, Waiting};
use rusqlite::{OptionalExtension as _, params};

use super::person::{self, CIVIL, Original};
use super::{StoreError, Transaction, millis};
use crate::core::{Correction, Entry, Fate, Known, Ledger, Settled, Told};

/// A [`Ledger`] over one transaction. Collects the deliveries it made, for the queue.
#[derive(Debug)]
pub struct SqliteLedger<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    deliveries: Vec<Waiting>,
}

impl<'t, 'c> SqliteLedger<'t, 'c> {
    /// A ledger inside `transaction`.
    pub fn new(transaction: &'t mut Transaction<'c>) -> Self {
        Self { transaction, deliveries: Vec::new() }
    }

    /// The deliveries made; they exist once the transaction is committed.
    pub fn into_deliveries(self) -> Vec<Waiting> {
        self.deliveries
    }

    /// Writes the row. False if it was there already with a final fate.
    fn enter_row(&mut self, entry: &Entry<'_>) -> Result<bool, StoreError> {
        let (fate, reason, problem, of, instant) = match &entry.fate {
            Fate::Delivered { punch, .. } => ("delivered", None, None, None, Some(punch.punched_at)),
            Fate::Suppressed { punch, of } => ("suppressed", None, None, Some(of.as_str()), Some(punch.punched_at)),
            Fate::Held { reason, problem } => ("held", Some(reason.code()), *problem, None, None),
            Fate::Recorded { table } => ("recorded", Some(*table), None, None, None),
        };
        let (role, is_trusted, told) = match &entry.fate {
            Fate::Delivered { finding, role, is_trusted, .. } => (*role, *is_trusted, finding.map(Told::from)),
            _ => (None, true, None),
        };
        let (punch, told) = (entry.punch, told.as_ref());
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO row (id, serial, fate, reason, problem, duplicate_of, pin, device_local, status, verify,
                              work_code, punched_at, received_at, raw, role, trusted, direction, direction_source,
                              confidence, session_id, business_date, exceptions)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
             ON CONFLICT (id) DO UPDATE SET fate = excluded.fate, reason = excluded.reason,
                 problem = excluded.problem, duplicate_of = excluded.duplicate_of, punched_at = excluded.punched_at,
                 role = excluded.role, trusted = excluded.trusted, direction = excluded.direction,
                 direction_source = excluded.direction_source, confidence = excluded.confidence,
                 session_id = excluded.session_id, business_date = excluded.business_date,
                 exceptions = excluded.exceptions
             WHERE row.fate = 'held' AND (excluded.fate <> 'held' OR excluded.reason <> row.reason)",
        )?;
        let changed = statement.execute(params![
            entry.id,
            entry.serial.as_str(),
            fate,
            reason,
            problem,
            of,
            punch.map(|punch| punch.pin.as_bytes()),
            punch.map(|punch| punch.time.format(CIVIL).to_string()),
            punch.and_then(|punch| punch.status).map(|status| status.0),
            punch.and_then(|punch| punch.verify).map(|verify| verify.0),
            punch.and_then(|punch| punch.work_code.as_deref()),
            instant.map(|instant: DateTime<Utc>| instant.timestamp()),
            millis(entry.received_at),
            entry.raw,
            role.map(person::word_of),
            is_trusted,
            told.map(|told| told.direction.as_str()),
            told.map(|told| &told.source),
            told.map(|told| told.confidence),
            told.map(|told| &told.session),
            told.and_then(|told| told.business_date).map(person::date_text),
            told.map(|told| &told.exceptions),
        ])?;
        Ok(changed > 0)
    }

    fn enter_event(&mut self, event: &Event<'_>, badge: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (id, event_type, lane) = (event.id().as_str(), event.event_type(), Lane::of(badge.as_bytes()));
        let (stored_lane, created_at) = (lane.0.cast_signed(), millis(at));
        self.transaction
            .prepare_cached("INSERT INTO event (id, type, lane, created_at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id, event_type.as_str(), stored_lane, created_at])?;
        let endpoints = self.endpoints(&event_type)?;
        // The nested body is always there, for the API and for endpoints that come later.
        self.enter_body(id, event, PayloadFormat::Nested)?;
        for (endpoint, format) in endpoints {
            let format: PayloadFormat = format.parse().unwrap_or_default();
            self.enter_body(id, event, format)?;
            self.transaction
                .prepare_cached(
                    "INSERT INTO delivery (endpoint, event_id, lane, created_at, state)
                     VALUES (?1, ?2, ?3, ?4, 'waiting')",
                )?
                .execute(params![endpoint, id, stored_lane, created_at])?;
            let delivery = DeliveryId(self.transaction.last_insert_rowid().cast_unsigned());
            let endpoint = EndpointId(endpoint.cast_unsigned());
            self.deliveries.push(Waiting::new(delivery, endpoint, lane, at));
        }
        Ok(())
    }

    /// The endpoints that want events of this type. A correction has no flat shape: it would be taken for a punch.
    fn endpoints(&self, event_type: &EventType) -> Result<Vec<(i64, String)>, StoreError> {
        let sql = "SELECT id, format FROM endpoint
                   WHERE instr(',' || events || ',', ',' || ?1 || ',') AND (format = 'nested' OR NOT ?2) ORDER BY id";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let nested_only = event_type.is_correction();
        let rows =
            statement.query_map(params![event_type.as_str(), nested_only], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn enter_body(&self, id: &str, event: &Event<'_>, format: PayloadFormat) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("INSERT OR IGNORE INTO body (event_id, format, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![id, format.as_str(), event.body(format).as_bytes()])?;
        Ok(())
    }
}

impl Ledger for SqliteLedger<'_, '_> {
    type Error = StoreError;

    fn settled(&mut self, event_id: &EventId) -> Result<Option<Settled>, StoreError> {
        let mut statement =
            self.transaction.prepare_cached("SELECT fate, serial, pin, punched_at, status FROM row WHERE id = ?1")?;
        let row = statement.query_row([event_id.as_str()], |row| {
            let fate: String = row.get(0)?;
            Ok((fate, row.get(1)?, row.get(2)?, row.get::<_, Option<i64>>(3)?, row.get(4)?))
        });
        let Some((fate, serial, pin, punched_at, status)) = row.optional()? else { return Ok(None) };
        let instant = DateTime::from_timestamp(punched_at.unwrap_or(0), 0).unwrap_or(DateTime::UNIX_EPOCH);
        Ok(Some(match fate.as_str() {
            "delivered" => match kept(event_id.as_str(), serial, pin, instant, status) {
                Some(kept) => Settled::Delivered(kept),
                None => Settled::Held,
            },
            "suppressed" => Settled::Suppressed(instant),
            _ => Settled::Held,
        }))
    }

    fn kept(
        &mut self,
        serial: &SerialNumber,
        pin: &Pin<'static>,
        from: NaiveDateTime,
        to: NaiveDateTime,
    ) -> Result<Vec<Kept>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT id, punched_at, status FROM row
             WHERE serial = ?1 AND pin = ?2 AND device_local BETWEEN ?3 AND ?4 AND fate = 'delivered'",
        )?;
        let (from, to) = (from.format(CIVIL).to_string(), to.format(CIVIL).to_string());
        let rows = statement.query_map(params![serial.as_str(), pin.as_bytes(), from, to], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get(2)?))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (id, punched_at, status) = row?;
            let instant = DateTime::from_timestamp(punched_at, 0).unwrap_or(DateTime::UNIX_EPOCH);
            found.extend(kept(&id, serial.as_str().to_owned(), pin.as_bytes().to_vec(), instant, status));
        }
        Ok(found)
    }

    fn look_back(
        &mut self,
        pin: &Pin<'static>,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        person::look(self.transaction, "punched_at < ?2 ORDER BY punched_at DESC", pin, at, take)
    }

    fn look_ahead(
        &mut self,
        pin: &Pin<'static>,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        person::look(self.transaction, "punched_at >= ?2 ORDER BY punched_at", pin, at, take)
    }

    fn trust(&mut self, serial: &SerialNumber) -> Result<StateTrust, StoreError> {
        let mut statement = self.transaction.prepare_cached("SELECT last FROM trust WHERE serial = ?1")?;
        let last: Option<String> = statement.query_row([serial.as_str()], |row| row.get(0)).optional()?;
        // What does not read is as good as nothing: the next punches say it again.
        Ok(last.and_then(|last| serde_json::from_str(&last).ok()).unwrap_or_default())
    }

    fn keep_trust(&mut self, serial: &SerialNumber, trust: &StateTrust) -> Result<(), StoreError> {
        let Ok(last) = serde_json::to_string(trust) else { return Ok(()) };
        let sql = "INSERT INTO trust (serial, last) VALUES (?1, ?2)
                   ON CONFLICT (serial) DO UPDATE SET last = excluded.last";
        self.transaction.prepare_cached(sql)?.execute([serial.as_str(), &last])?;
        Ok(())
    }

    fn employee(&mut self, badge: &str) -> Result<Option<EmployeeInfo>, StoreError> {
        let mut statement = self.transaction.prepare_cached("SELECT name FROM employee WHERE badge = ?1")?;
        let name: Option<Option<String>> = statement.query_row([badge], |row| row.get(0)).optional()?;
        Ok(name.map(|name| {
            let mut employee = EmployeeInfo::new(badge);
            employee.name = name;
            employee
        }))
    }

    fn has_employees(&mut self) -> Result<bool, StoreError> {
        let mut statement = self.transaction.prepare_cached("SELECT EXISTS (SELECT 1 FROM employee)")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        if !self.enter_row(entry)? {
            return Ok(());
        }
        if let Fate::Delivered { punch, finding, device, employee, .. } = &entry.fate {
            let mut event = Event::punch(punch, device, employee);
            if let Some(finding) = finding {
                event = event.with_finding(finding);
            }
            self.enter_event(&event, &employee.badge, entry.received_at)?;
        }
        Ok(())
    }

    fn correct(&mut self, correction: &Correction<'_>) -> Result<(), StoreError> {
        let Correction { known, finding, telling } = correction;
        let id = &known.mark.event_id;
        let number = telling.as_ref().map_or(known.revision, |telling| telling.number);
        person::find(self.transaction, id.as_str(), finding, number)?;
        let (Some(telling), Some(told)) = (telling, &known.told) else { return Ok(()) };
        person::note(self.transaction, known, told, finding, telling)?;
        // It is noted; an event that nobody has asked for need not be made.
        if self.endpoints(&EventType::ATTENDANCE_REVISED)?.is_empty() {
            return Ok(());
        }
        let Some(original) = Original::of(self.transaction, id)? else { return Ok(()) };
        let (number, old_direction, reason) = (telling.number, told.direction, telling.reason);
        let revision = Revision { number, old_direction, old_timestamp: None, reason };
        let Original { punch, device, employee } = &original;
        let event = Event::revised(telling.event_id, punch, device, employee, revision).with_finding(finding);
        self.enter_event(&event, &employee.badge, telling.at)
    }
}

fn kept(id: &str, serial: String, pin: Vec<u8>, instant: DateTime<Utc>, status: Option<u16>) -> Option<Kept> {
    let serial = SerialNumber::parse(&serial).ok()?;
    let pin = Pin::new(&pin).into_owned();
    Some(Kept::new(EventId::parse(id).ok()?, serial, pin, instant, status.map(Status)))
}
