use core::ops::ControlFlow;

use chrono::{DateTime, Utc};
use punch_normalize::timeline::StateTrust;
use punch_normalize::{EventId, Person, Punch};
use punch_protocol::{Pin, SerialNumber};
use punch_webhook::{Event, Revision, Waiting};
use rusqlite::{OptionalExtension as _, Row, params};

use super::endpoint::wanting;
use super::outbox::send_to;
use super::person::{self, CIVIL, Original};
use super::{StoreError, Transaction, millis};
use crate::core::{Correction, Entry, Fate, Known, Ledger, Register, Settled, Told};

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
        let (fate, reason, problem, of, place) = match &entry.fate {
            Fate::Delivered { .. } => ("delivered", None, None, None, None),
            Fate::Suppressed { of, .. } => ("suppressed", None, None, Some(of.as_str()), None),
            Fate::Held { reason, problem, place } => ("held", Some(reason.code()), *problem, None, *place),
            Fate::Recorded { table } => ("recorded", Some(*table), None, None, None),
        };
        let hint = place.map(|place| place.hint).unwrap_or_default();
        let punch = entry.punch;
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO row (id, serial, fate, reason, problem, duplicate_of, pin, device_local, is_utc, status, verify,
                              work_code, received_at, raw, place, previous_at, was_live)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
             ON CONFLICT (id) DO UPDATE SET fate = excluded.fate, reason = excluded.reason,
                 problem = excluded.problem, duplicate_of = excluded.duplicate_of
             WHERE row.fate = 'held' AND (excluded.fate <> 'held' OR excluded.reason <> row.reason)
                OR row.fate = 'suppressed' AND excluded.fate IN ('delivered', 'suppressed')",
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
            punch.is_some_and(|punch| punch.is_utc),
            punch.and_then(|punch| punch.status).map(|status| status.0),
            punch.and_then(|punch| punch.verify).map(|verify| verify.0),
            punch.and_then(|punch| punch.work_code.as_deref()),
            millis(entry.received_at),
            entry.raw,
            place.map_or(0, |place| place.order).cast_signed(),
            hint.previous.map(|previous| previous.timestamp()),
            hint.received_live.is_some(),
        ])?;
        Ok(changed > 0)
    }

    /// Enters an event and, if it `is_sent` now, its deliveries to those who want such.
    fn enter_event(
        &mut self,
        event: &Event<'_>,
        badge: &str,
        is_sent: bool,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let endpoints = if is_sent { wanting(self.transaction, &event.event_type())? } else { Vec::new() };
        self.deliveries.extend(send_to(self.transaction, &endpoints, event, badge, at)?);
        Ok(())
    }

    /// Enters an event if anybody wants such; else it need not be made, because the store has what it tells.
    pub(super) fn tell(&mut self, event: &Event<'_>, key: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let endpoints = wanting(self.transaction, &event.event_type())?;
        if !endpoints.is_empty() {
            self.deliveries.extend(send_to(self.transaction, &endpoints, event, key, at)?);
        }
        Ok(())
    }
}

impl Ledger for SqliteLedger<'_, '_> {
    type Error = StoreError;

    fn settled(&mut self, event_id: &EventId) -> Result<Option<Settled>, StoreError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT fate, shift_s IS NOT NULL OR whose IS NOT NULL FROM row WHERE id = ?1")?;
        let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
        let found = statement.query_row([event_id.as_str()], read).optional()?;
        Ok(found.map(|(fate, is_by_hand)| match fate.as_str() {
            "delivered" => Settled::Delivered,
            "suppressed" => Settled::Suppressed,
            "discarded" => Settled::Discarded,
            "held" if is_by_hand => Settled::HeldByHand,
            _ => Settled::Held,
        }))
    }

    fn punch(&mut self, event_id: &EventId) -> Result<Option<Punch>, StoreError> {
        person::punch(self.transaction, event_id)
    }

    fn look_back(
        &mut self,
        person: &Person,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let range = "punched_at < ?2 ORDER BY punched_at DESC, place DESC, id DESC";
        person::look(self.transaction, range, person, at, take)
    }

    fn look_ahead(
        &mut self,
        person: &Person,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        person::look(self.transaction, "punched_at >= ?2 ORDER BY punched_at, place, id", person, at, take)
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

    fn complete_to(&mut self, site: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        super::completeness::of(self.transaction, site)
    }

    fn register(&mut self, pin: &Pin<'_>) -> Result<Register, StoreError> {
        Register::of_pin(self.transaction, pin)
    }

    fn shifts_of(&mut self, person: &Person) -> Result<Vec<String>, StoreError> {
        super::employee::shifts_of(self.transaction, person)
    }

    fn has_employees(&mut self) -> Result<bool, StoreError> {
        let mut statement = self.transaction.prepare_cached("SELECT EXISTS (SELECT 1 FROM employee)")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        if !self.enter_row(entry)? {
            return Ok(());
        }
        match &entry.fate {
            Fate::Delivered { punch, standing, device, employee, is_sent, late } => {
                person::enter(self.transaction, punch, standing)?;
                person::tell(self.transaction, entry.id, &Told::from(*punch), 0)?;
                let event = Event::punch(punch, device, employee).with_late(late.is_some());
                self.enter_event(&event, &employee.badge, *is_sent, entry.received_at)?;
                let Some(id) = late else { return Ok(()) };
                self.tell(&Event::late(id, punch, device, employee, None), &employee.badge, entry.received_at)
            }
            Fate::Suppressed { punch, standing, .. } => person::enter(self.transaction, punch, standing),
            Fate::Held { .. } | Fate::Recorded { .. } => Ok(()),
        }
    }

    fn redate(&mut self, punch: &Punch) -> Result<(), StoreError> {
        person::date(self.transaction, punch)
    }

    fn correct(&mut self, correction: &Correction<'_>) -> Result<(), StoreError> {
        let Correction { known, finding, telling } = correction;
        let id = &known.mark.event_id;
        let number = telling.as_ref().map_or(known.revision, |telling| telling.number);
        let now = Told::from(*finding);
        person::tell(self.transaction, id.as_str(), &now, number)?;
        let (Some(telling), Some(told)) = (telling, &known.told) else { return Ok(()) };
        person::note(self.transaction, known, told, &now, telling)?;
        let Some(mut original) = Original::of(self.transaction, id)? else { return Ok(()) };
        original.punch.mean(finding);
        let (number, old_direction, reason) = (telling.number, told.direction, telling.reason);
        let revision = Revision { number, old_direction, old_timestamp: telling.old_timestamp, reason };
        let Original { punch, device, employee } = &original;
        let event = if telling.is_late {
            Event::late(telling.event_id, punch, device, employee, Some(revision))
        } else {
            Event::revised(telling.event_id, punch, device, employee, revision)
        };
        self.tell(&event, &employee.badge, telling.at)
    }
}
