use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

use chrono::{DateTime, Utc};
use punch_normalize::timeline::StateTrust;
use punch_normalize::{EventId, Person, Punch};
use punch_protocol::{Pin, SerialNumber};
use punch_webhook::{EndpointId, Event, PayloadFormat, Revision};

use super::endpoint::wanting;
use super::outbox::send_to;
use super::person::{self, Original, Way};
use super::sql::{Connection, ToValue, Value};
use super::{StoreError, Transaction, millis};
use crate::core::{Correction, Enrollment, Entry, Fate, Known, Ledger, Register, Settled, Told};

/// A [`Ledger`] over one transaction.
#[derive(Debug)]
pub struct StoreLedger<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    /// Who wants punches of which site, so that it is asked once and not for each.
    wanting: BTreeMap<Option<String>, Vec<(EndpointId, PayloadFormat)>>,
}

/// What became of the row with this identity, if it is known.
pub(crate) fn settled(connection: &Connection, event_id: &EventId) -> Result<Option<Settled>, StoreError> {
    let sql = "SELECT fate, shift_s IS NOT NULL OR whose IS NOT NULL FROM row WHERE id = ?1";
    connection.first(sql, &[&event_id.as_str()], |row| {
        Ok(match row.value(0)? {
            Value::Text("delivered") => Settled::Delivered,
            Value::Text("suppressed") => Settled::Suppressed,
            Value::Text("discarded") => Settled::Discarded,
            Value::Text("held") if row.get(1)? => Settled::HeldByHand,
            _ => Settled::Held,
        })
    })
}

impl<'t, 'c> StoreLedger<'t, 'c> {
    /// A ledger inside `transaction`.
    pub fn new(transaction: &'t mut Transaction<'c>) -> Self {
        Self { transaction, wanting: BTreeMap::new() }
    }

    /// Writes the row with all that is known of it. Its number, if it was not there already with a final fate.
    fn enter_row(&mut self, entry: &Entry<'_>) -> Result<Option<i64>, StoreError> {
        let (fate, reason, problem, of, place) = match &entry.fate {
            Fate::Delivered { standing, .. } => ("delivered", None, None, None, Some(standing.place)),
            Fate::Suppressed { of, standing, .. } => {
                ("suppressed", None, None, Some(of.as_str()), Some(standing.place))
            }
            Fate::Held { reason, problem, place } => ("held", Some(reason.code()), *problem, None, *place),
            Fate::Recorded { table, .. } => ("recorded", Some(*table), None, None, None),
        };
        let (found, told) = match &entry.fate {
            Fate::Delivered { punch, standing, .. } => (Some((*punch, *standing)), Some(Told::from(*punch))),
            Fate::Suppressed { punch, standing, .. } => (Some((*punch, *standing)), None),
            Fate::Held { .. } | Fate::Recorded { .. } => (None, None),
        };
        let ((dated, standing), told) = (found.unzip(), told.as_ref());
        let (said, hint) = (entry.punch, place.map(|place| place.hint).unwrap_or_default());
        let values: &[&dyn ToValue] = &[
            &entry.id,
            &entry.serial.as_str(),
            &fate,
            &reason,
            &problem,
            &of,
            &said.map(|punch| punch.pin.as_bytes()),
            &said.map(|punch| person::civil_text(punch.time)),
            &said.is_some_and(|punch| punch.is_utc),
            &said.and_then(|punch| punch.status).map(|status| status.0),
            &said.and_then(|punch| punch.verify).map(|verify| verify.0),
            &said.and_then(|punch| punch.work_code.as_deref()),
            &millis(entry.received_at),
            &entry.raw,
            &place.map_or(0, |place| place.order).cast_signed(),
            &hint.previous.map(|previous| previous.timestamp()),
            &hint.received_live.is_some(),
            &standing.map(|standing| standing.person.as_str()),
            &standing.and_then(|standing| standing.site.as_deref()),
            &standing.map_or(place.and_then(|place| place.passed_by), |standing| standing.role).map(person::word_of),
            &standing.is_none_or(|standing| standing.is_trusted),
            &dated.map(|punch| punch.punched_at.timestamp()),
            &dated.map(|punch| punch.local_time.to_rfc3339()),
            &dated.map(|punch| punch.time_quality.as_str()),
            &dated.and_then(|punch| punch.clock_offset_s),
            &dated.is_some_and(|punch| punch.is_historic),
            &told.map(|told| told.direction.as_str()),
            &told.map(|told| told.source.as_str()),
            &told.map(|told| told.confidence),
            &told.and_then(|told| told.session.as_deref()),
            &told.and_then(|told| told.business_date).map(person::date_text),
            &told.map(|told| told.exceptions.as_str()),
        ];
        let entered = self.transaction.insert_new(person::ENTER, "seq", values)?;
        if entered.is_some() || self.transaction.execute(&person::enter_again(), values)? == 0 {
            return Ok(entered);
        }
        self.transaction.first("SELECT seq FROM row WHERE id = ?1", &[&entry.id], |row| row.get(0))
    }

    /// Enters the event of the punch of a row and, if it `is_sent` now, its deliveries to those who want such.
    fn enter_event(
        &mut self,
        event: &Event<'_>,
        row: i64,
        badge: &str,
        is_sent: bool,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let endpoints = match self.wanting.entry(event.site().map(ToOwned::to_owned)) {
            _ if !is_sent => &[][..],
            Occupied(known) => known.into_mut(),
            Vacant(unknown) => unknown.insert(wanting(self.transaction, &event.event_type(), event.site())?),
        };
        send_to(self.transaction, endpoints, event, Some(row), badge, at)?;
        Ok(())
    }

    /// Enters an event if anybody wants such; else it need not be made, because the store has what it tells.
    pub(super) fn tell(&mut self, event: &Event<'_>, key: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let endpoints = wanting(self.transaction, &event.event_type(), event.site())?;
        if !endpoints.is_empty() {
            send_to(self.transaction, &endpoints, event, None, key, at)?;
        }
        Ok(())
    }
}

impl Ledger for StoreLedger<'_, '_> {
    type Error = StoreError;

    fn settled(&mut self, event_id: &EventId) -> Result<Option<Settled>, StoreError> {
        settled(self.transaction, event_id)
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
        person::look(self.transaction, Way::Back, person, at, take)
    }

    fn look_ahead(
        &mut self,
        person: &Person,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        person::look(self.transaction, Way::Ahead, person, at, take)
    }

    fn trust(&mut self, serial: &SerialNumber) -> Result<StateTrust, StoreError> {
        let last: Option<String> =
            self.transaction
                .first("SELECT last FROM trust WHERE serial = ?1", &[&serial.as_str()], |row| row.get(0))?;
        // What does not read is as good as nothing: the next punches say it again.
        Ok(last.and_then(|last| serde_json::from_str(&last).ok()).unwrap_or_default())
    }

    fn keep_trust(&mut self, serial: &SerialNumber, trust: &StateTrust) -> Result<(), StoreError> {
        let Ok(last) = serde_json::to_string(trust) else { return Ok(()) };
        let sql = "INSERT INTO trust (serial, last) VALUES (?1, ?2)
                   ON CONFLICT (serial) DO UPDATE SET last = excluded.last";
        self.transaction.execute(sql, &[&serial.as_str(), &last])?;
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
        self.transaction.value("SELECT EXISTS (SELECT 1 FROM employee)", &[])
    }

    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        let Some(row) = self.enter_row(entry)? else { return Ok(()) };
        match &entry.fate {
            Fate::Delivered { punch, device, employee, is_sent, late, .. } => {
                let event = Event::punch(punch, device, employee).with_late(late.is_some());
                self.enter_event(&event, row, &employee.badge, *is_sent, entry.received_at)?;
                let Some(id) = late else { return Ok(()) };
                self.tell(&Event::late(id, punch, device, employee, None), &employee.badge, entry.received_at)
            }
            Fate::Recorded { told: Some(told), .. } => {
                let Enrollment { event_id, device, employee, kind, at } = told;
                let event = Event::enrollment_created(event_id, entry.serial, device, employee, *kind, *at);
                self.tell(&event, &employee.badge, entry.received_at)
            }
            Fate::Suppressed { .. } | Fate::Held { .. } | Fate::Recorded { told: None, .. } => Ok(()),
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
