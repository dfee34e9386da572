use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use chrono::{DateTime, NaiveDateTime, Utc};
use gateway::core::{Correction, Entry, Fate, Known, Ledger, Settled, Told};
use punch_normalize::timeline::{Mark, StateTrust};
use punch_normalize::{EventId, Kept};
use punch_protocol::{Pin, SerialNumber, Status};
use punch_webhook::EmployeeInfo;

/// A ledger that is a map.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) rows: BTreeMap<String, Line>,
    pub(crate) events: Vec<String>,
    pub(crate) trust: BTreeMap<SerialNumber, StateTrust>,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) fate: String,
    pub(crate) of: Option<String>,
    pub(crate) raw: Vec<u8>,
    pub(crate) kept: Option<(Kept, NaiveDateTime)>,
    pub(crate) known: Option<Known>,
    pub(crate) instant: Option<DateTime<Utc>>,
}

impl Ledger for Book {
    type Error = Infallible;

    fn settled(&mut self, event_id: &EventId) -> Result<Option<Settled>, Infallible> {
        Ok(self.rows.get(event_id.as_str()).map(|line| match (&line.kept, line.instant) {
            (Some((kept, _)), _) => Settled::Delivered(kept.clone()),
            (None, Some(instant)) => Settled::Suppressed(instant),
            (None, None) => Settled::Held,
        }))
    }

    fn kept(
        &mut self,
        serial: &SerialNumber,
        pin: &Pin<'static>,
        from: NaiveDateTime,
        to: NaiveDateTime,
    ) -> Result<Vec<Kept>, Infallible> {
        let kept = self.rows.values().filter_map(|line| line.kept.as_ref());
        let near =
            kept.filter(|(kept, local)| kept.serial == *serial && kept.pin == *pin && (from..=to).contains(local));
        Ok(near.map(|(kept, _)| kept.clone()).collect())
    }

    fn look_back(
        &mut self,
        pin: &Pin<'static>,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), Infallible> {
        let people = self.person(pin);
        let _ = people.into_iter().rev().filter(|known| known.mark.at < at).try_for_each(take);
        Ok(())
    }

    fn look_ahead(
        &mut self,
        pin: &Pin<'static>,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), Infallible> {
        let people = self.person(pin);
        let _ = people.into_iter().filter(|known| known.mark.at >= at).try_for_each(take);
        Ok(())
    }

    fn trust(&mut self, serial: &SerialNumber) -> Result<StateTrust, Infallible> {
        Ok(self.trust.get(serial).cloned().unwrap_or_default())
    }

    fn keep_trust(&mut self, serial: &SerialNumber, trust: &StateTrust) -> Result<(), Infallible> {
        self.trust.insert(serial.clone(), trust.clone());
        Ok(())
    }

    fn correct(&mut self, correction: &Correction<'_>) -> Result<(), Infallible> {
        let line = self.rows.get_mut(correction.known.mark.event_id.as_str()).unwrap();
        let known = line.known.as_mut().unwrap();
        known.told = Some(Told::from(correction.finding));
        known.revision += u32::from(correction.telling.is_some());
        Ok(())
    }

    fn employee(&mut self, _: &str) -> Result<Option<EmployeeInfo>, Infallible> {
        Ok(None)
    }

    fn has_employees(&mut self) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), Infallible> {
        let (fate, of, instant) = match &entry.fate {
            Fate::Delivered { punch, .. } => ("delivered".to_owned(), None, Some(punch.punched_at)),
            Fate::Suppressed { punch, of } => ("suppressed".to_owned(), Some(of.to_string()), Some(punch.punched_at)),
            Fate::Held { reason, .. } => (format!("held/{}", reason.code()), None, None),
            Fate::Recorded { table } => (format!("recorded/{table}"), None, None),
        };
        let kept = entry.punch.filter(|_| fate == "delivered").zip(instant).map(|(punch, instant)| {
            let id = EventId::parse(entry.id).unwrap();
            let status: Option<Status> = punch.status;
            (Kept::new(id, entry.serial.clone(), punch.pin.clone(), instant, status), punch.time)
        });
        let known = match (&entry.fate, &kept) {
            (Fate::Delivered { punch, finding, role, is_trusted, .. }, Some((_, local))) => {
                let mark = Mark::new(punch.event_id.clone(), punch.punched_at, *local);
                let mark = Mark { status: punch.status, role: *role, is_trusted: *is_trusted, ..mark };
                Some(Known { mark, told: finding.map(Told::from), revision: 0 })
            }
            _ => None,
        };
        let line = Line { fate, of, raw: entry.raw.to_vec(), kept, known, instant };
        let known = self.rows.get(entry.id).map(|line| line.fate.clone());
        if known.is_none_or(|known| known.starts_with("held") && !line.fate.starts_with("held")) {
            if line.fate == "delivered" {
                self.events.push(entry.id.to_owned());
            }
            self.rows.insert(entry.id.to_owned(), line);
        }
        Ok(())
    }
}

impl Book {
    /// What is known of a person, in time order.
    pub(crate) fn person(&self, pin: &Pin<'static>) -> Vec<Known> {
        let of_person = |line: &&Line| line.kept.as_ref().is_some_and(|(kept, _)| kept.pin == *pin);
        let mut known: Vec<Known> =
            self.rows.values().filter(of_person).filter_map(|line| line.known.clone()).collect();
        known.sort_by(|one, other| (one.mark.at, &one.mark.event_id).cmp(&(other.mark.at, &other.mark.event_id)));
        known
    }

    /// What was told of every punch last, by identity.
    pub(crate) fn told(&self) -> Vec<String> {
        let known = self.rows.values().filter_map(|line| line.known.as_ref());
        let line = |known: &Known| {
            let told = known.told.as_ref().unwrap();
            let (id, session) = (&known.mark.event_id, told.session.as_deref().unwrap());
            format!("{id} {} {} {session} {} {}", told.direction, told.source, told.exceptions, known.revision)
        };
        known.map(line).collect()
    }

    /// Fate and the punch that stands for it, by identity.
    pub(crate) fn page(&self) -> BTreeMap<String, (String, Option<String>)> {
        self.rows.iter().map(|(id, line)| (id.clone(), (line.fate.clone(), line.of.clone()))).collect()
    }
}
