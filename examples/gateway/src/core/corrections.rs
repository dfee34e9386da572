//! What changes of punches that are known: something else is found of them, time has passed, they are dated anew.

use chrono::{DateTime, Utc};
use punch_normalize::timeline::{Change, Mark};
use punch_normalize::{Dated, EventId, Hint, Person, Punch};
use punch_webhook::{DeviceInfo, EmployeeInfo};

use super::identity::Identity;
use super::intake::{Directory, Intake, of_person};
use super::ledger::{Correction, Entry, Fate, Ledger, Place, Standing, Telling};
use super::person::{Known, Told};

impl Intake {
    /// Time has passed: of somebody who arrived at `arrived_at` and was not seen since, nothing more from before
    /// `complete_to` is waited for.
    ///
    /// # Errors
    ///
    /// The ledger's own.
    pub fn pass<L: Ledger>(
        &self,
        person: &Person,
        arrived_at: DateTime<Utc>,
        complete_to: DateTime<Utc>,
        directory: &Directory,
        now: DateTime<Utc>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let rules = directory.rules();
        let span = (arrived_at, arrived_at);
        let (mut normalizer, found) = of_person(&self.key, person, span, &rules.timeline, directory, ledger)?;
        normalizer.pass(complete_to, &rules.timeline);
        for change in normalizer.revised() {
            if let Some(known) = found.get(&change.event_id).filter(|known| known.mark.is_published) {
                self.correct(known, change, None, directory, now, ledger)?;
            }
        }
        Ok(())
    }

    /// Something else is found of a known punch than was told.
    pub(super) fn correct<L: Ledger>(
        &self,
        known: &Known,
        change: &Change,
        reason: Option<&'static str>,
        directory: &Directory,
        at: DateTime<Utc>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let finding = &change.new;
        let now = Told::from(finding);
        let Some(told) = known.told.as_ref().filter(|told| **told != now) else { return Ok(()) };
        // Of what something rests on, and how sure it is, receivers need not hear.
        let reason = told.misleads(&now).then_some(reason.unwrap_or(change.cause.as_str()));
        let (number, event_id) = self.next_revision(known, directory);
        let is_late =
            [told.business_date, now.business_date].iter().flatten().any(|day| directory.has_closed(*day, at));
        let old_timestamp = None;
        let telling = reason.zip(event_id.as_ref());
        let telling =
            telling.map(|(reason, event_id)| Telling { event_id, number, reason, old_timestamp, is_late, at });
        ledger.correct(&Correction { known, finding, telling })
    }

    /// The number of the next revision of a punch and, unless nobody is to hear of it, the identity of the event.
    fn next_revision(&self, known: &Known, directory: &Directory) -> (u32, Option<EventId>) {
        let number = known.revision.saturating_add(1);
        let event_id = || self.own_id("revision", &format!("{}\0{number}", known.mark.event_id));
        (number, directory.sends(known.is_historic).then(event_id).flatten())
    }

    /// The identity of an event that is no punch of itself.
    pub(crate) fn own_id(&self, what: &str, name: &str) -> Option<EventId> {
        EventId::parse(&self.key.opaque_id("evt", what, name.as_bytes())).ok()
    }

    /// The identity of the event that tells a punch of a day whose pay period is closed, if it is one.
    pub(super) fn late_id(&self, punch: &Punch, directory: &Directory, at: DateTime<Utc>) -> Option<EventId> {
        let is_late = punch.business_date.is_some_and(|day| directory.has_closed(day, at));
        is_late.then(|| self.own_id("late", punch.event_id.as_str())).flatten()
    }

    /// A row was a second punch of another one, which stands no longer before it.
    pub(super) fn reconsider<L: Ledger>(
        &self,
        known: &Known,
        change: &Change,
        directory: &Directory,
        received_at: DateTime<Utc>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let Some(mut punch) = ledger.punch(&change.event_id)? else { return Ok(()) };
        let Mark { order, role, is_trusted, .. } = known.mark;
        let (person, site) = (known.person.clone(), known.site.clone());
        let place = Place { order, hint: Hint::default(), passed_by: None };
        let standing = Standing { person, site, place, role, is_trusted };
        let register = ledger.register(&punch.pin)?;
        let at = punch.local_time;
        let identity = register.find(&known.serial, known.site.as_deref().unwrap_or_default(), &punch.pin, at);
        let (employee, mut device) = (self.employee(&known.person, identity), DeviceInfo::default());
        device.id = Some(self.key.opaque_id("dev", "device", known.serial.as_str().as_bytes()));
        device.site.clone_from(&known.site);
        let late;
        let fate = match &change.new.duplicate_of {
            Some(of) => Fate::Suppressed { punch: &punch, standing: &standing, of },
            None => {
                punch.mean(&change.new);
                let device = if directory.device.id == device.id { &directory.device } else { &device };
                let is_sent = directory.sends(punch.is_historic);
                late = self.late_id(&punch, directory, received_at);
                let (punch, standing, employee, late) = (&punch, &standing, &employee, late.as_ref());
                Fate::Delivered { punch, standing, device, employee, is_sent, late }
            }
        };
        let id = change.event_id.as_str();
        ledger.enter(&Entry { id, serial: &known.serial, raw: &[], punch: None, received_at, fate })
    }

    /// A person, for payloads. Receivers map by the key, which is the badge of whoever has no other.
    pub(super) fn employee(&self, person: &Person, identity: Option<&Identity>) -> EmployeeInfo {
        let mut employee = EmployeeInfo::new(person.as_str());
        employee.id = Some(self.key.opaque_id("emp", "employee", person.as_str().as_bytes()));
        employee.name = identity.and_then(|identity| identity.name.clone());
        employee
    }

    /// Takes punches of one terminal and one person as they are now: dated anew, because another zone applies or its clock
    /// is known better, or with a direction by hand. Identities stay; whoever has asked for revisions hears of every punch
    /// that has moved, and of those that mean something else by it.
    ///
    /// # Errors
    ///
    /// The ledger's own.
    pub fn redate<L: Ledger>(
        &self,
        person: &Person,
        rows: &[Dated],
        reason: &'static str,
        directory: &Directory,
        now: DateTime<Utc>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let rules = directory.rules();
        let mut old = Vec::new();
        for row in rows {
            old.extend(ledger.punch(&row.punch.event_id)?.map(|punch| punch.punched_at));
        }
        let instants = || old.iter().copied().chain(rows.iter().map(|row| row.punch.punched_at));
        let (Some(first), Some(last)) = (instants().min(), instants().max()) else { return Ok(()) };
        let span = (first, last);
        let (mut normalizer, found) = of_person(&self.key, person, span, &rules.timeline, directory, ledger)?;
        let findings = normalizer.redate(person, rows, &rules.timeline);
        for (row, finding) in rows.iter().zip(findings) {
            let id = &row.punch.event_id;
            let (Some(known), Some(finding)) = (found.get(id), finding) else { continue };
            if known.mark.at == row.punch.punched_at {
                continue;
            }
            ledger.redate(&row.punch)?;
            if known.mark.is_published {
                let (number, event_id) = self.next_revision(known, directory);
                let is_late = finding.business_date.is_some_and(|day| directory.has_closed(day, now));
                let old_timestamp = Some(known.mark.at);
                let telling = event_id.as_ref();
                let telling =
                    telling.map(|event_id| Telling { event_id, number, reason, old_timestamp, is_late, at: now });
                ledger.correct(&Correction { known, finding: &finding, telling })?;
            }
        }
        for change in normalizer.revised() {
            let now_at = rows.iter().find(|row| row.punch.event_id == change.event_id).map(|row| row.punch.punched_at);
            match found.get(&change.event_id) {
                Some(known) if known.mark.is_published && now_at.is_none_or(|at| at == known.mark.at) => {
                    self.correct(known, change, Some(reason), directory, now, ledger)?;
                }
                Some(known) if !known.mark.is_published => self.reconsider(known, change, directory, now, ledger)?,
                _ => {}
            }
        }
        Ok(())
    }
}
