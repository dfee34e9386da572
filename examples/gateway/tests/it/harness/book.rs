use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use chrono::{DateTime, Utc};
use gateway::core::{Correction, Entry, Fate, Known, Ledger, Register, Settled, Standing, Told};
use punch_normalize::timeline::{Mark, StateTrust};
use punch_normalize::{EventId, Person, Punch};
use punch_protocol::{Pin, SerialNumber};

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
    pub(crate) known: Option<Known>,
    pub(crate) punch: Option<Punch>,
}

impl Line {
    /// When it was, of a punch.
    pub(crate) fn instant(&self) -> DateTime<Utc> {
        self.known.as_ref().unwrap().mark.at
    }
}

impl Ledger for Book {
    type Error = Infallible;

    fn settled(&mut self, event_id: &EventId) -> Result<Option<Settled>, Infallible> {
        Ok(self.rows.get(event_id.as_str()).map(|line| match line.fate.as_str() {
            "delivered" => Settled::Delivered,
            "suppressed" => Settled::Suppressed,
            _ => Settled::Held,
        }))
    }

    fn punch(&mut self, event_id: &EventId) -> Result<Option<Punch>, Infallible> {
        Ok(self.rows.get(event_id.as_str()).and_then(|line| line.punch.clone()))
    }

    fn look_back(
        &mut self,
        person: &Person,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), Infallible> {
        let people = self.person(person);
        let _ = people.into_iter().rev().filter(|known| known.mark.at < at).try_for_each(take);
        Ok(())
    }

    fn look_ahead(
        &mut self,
        person: &Person,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), Infallible> {
        let people = self.person(person);
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

    fn redate(&mut self, punch: &Punch) -> Result<(), Infallible> {
        let line = self.rows.get_mut(punch.event_id.as_str()).unwrap();
        let mark = &mut line.known.as_mut().unwrap().mark;
        (mark.at, mark.local) = (punch.punched_at, punch.local_time.naive_local());
        line.punch = Some(punch.clone());
        Ok(())
    }

    fn correct(&mut self, correction: &Correction<'_>) -> Result<(), Infallible> {
        let line = self.rows.get_mut(correction.known.mark.event_id.as_str()).unwrap();
        let known = line.known.as_mut().unwrap();
        known.told = Some(Told::from(correction.finding));
        known.revision += u32::from(correction.telling.is_some());
        Ok(())
    }

    fn complete_to(&mut self, _: &str) -> Result<Option<DateTime<Utc>>, Infallible> {
        Ok(None)
    }

    fn register(&mut self, _: &Pin<'_>) -> Result<Register, Infallible> {
        Ok(Register::default())
    }

    fn shifts_of(&mut self, _: &Person) -> Result<Vec<String>, Infallible> {
        Ok(Vec::new())
    }

    fn has_employees(&mut self) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), Infallible> {
        let (fate, of, known) = match &entry.fate {
            Fate::Delivered { punch, standing, .. } => {
                ("delivered".to_owned(), None, Some(known(punch, standing, Some(Told::from(*punch)))))
            }
            Fate::Suppressed { punch, standing, of } => {
                ("suppressed".to_owned(), Some(of.to_string()), Some(known(punch, standing, None)))
            }
            Fate::Held { reason, .. } => (format!("held/{}", reason.code()), None, None),
            Fate::Recorded { table, .. } => (format!("recorded/{table}"), None, None),
        };
        let punch = match &entry.fate {
            Fate::Delivered { punch, .. } | Fate::Suppressed { punch, .. } => Some((*punch).clone()),
            Fate::Held { .. } | Fate::Recorded { .. } => None,
        };
        let mut line = Line { fate, of, raw: entry.raw.to_vec(), known, punch };
        let before = self.rows.get(entry.id);
        let may_change = |before: &Line| match before.fate.as_str() {
            "suppressed" => line.punch.is_some(),
            fate => fate.starts_with("held") && !line.fate.starts_with("held"),
        };
        if before.is_none_or(may_change) {
            line.raw = before.map_or(line.raw, |before| before.raw.clone());
            if line.fate == "delivered" {
                self.events.push(entry.id.to_owned());
            }
            self.rows.insert(entry.id.to_owned(), line);
        }
        Ok(())
    }
}

fn known(punch: &Punch, standing: &Standing, told: Option<Told>) -> Known {
    let Standing { person, site, place, role, is_trusted } = standing.clone();
    let mark = Mark::new(punch.event_id.clone(), punch.punched_at, punch.local_time.naive_local());
    let mark =
        Mark { status: punch.status, role, is_trusted, order: place.order, is_published: told.is_some(), ..mark };
    Known { mark, person, serial: punch.serial.clone(), site, told, revision: 0, is_historic: punch.is_historic }
}

impl Book {
    /// What is known of a person, in time order.
    pub(crate) fn person(&self, person: &Person) -> Vec<Known> {
        let known = self.rows.values().filter_map(|line| line.known.as_ref());
        let mut known: Vec<Known> = known.filter(|known| known.person == *person).cloned().collect();
        let place = |known: &Known| (known.mark.at, known.mark.order, known.mark.event_id.clone());
        known.sort_by_key(place);
        known
    }

    /// What was told of every punch last, by identity.
    pub(crate) fn told(&self) -> Vec<String> {
        let known = self.rows.values().filter_map(|line| line.known.as_ref());
        let known = known.filter(|known| known.told.is_some());
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
