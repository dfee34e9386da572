//! Readings become letters: each passage once, under the id that the ERP knows the person by.

use gateway::clock::now;
use punch_erp::hikcentral::{ArtemisClass, ArtemisCode, GetPerson, Unresolved};
use punch_erp::passage::{Passage, PassageSource, PersonKey, Reading};
use punch_erp::{CallError, Endpoint as _};
use punch_webhook::{DeviceInfo, EmployeeInfo, Event, Lane, PayloadFormat, ReceivedEvent, Verified};
use serde_json::json;

use super::{Source, lock, stamp};
use crate::inbox::Mailbox;
use crate::table::Letter;

/// Punches that are stored together.
const TOGETHER: usize = 500;

impl Source {
    /// Stores what readings say.
    ///
    /// # Errors
    ///
    /// Something could not be stored, or a person could not be looked up. What came before is stored.
    pub(super) async fn take(&self, mailbox: &Mailbox, readings: Vec<Reading>) -> anyhow::Result<()> {
        let mut failed = None;
        let mut passages = Vec::new();
        for reading in readings {
            match reading {
                Reading::Punch(passage) => match self.known_by(&passage).await {
                    Ok(Some(passage)) => passages.push(passage),
                    // The daily look back takes it once the person has the id.
                    Ok(None) => {
                        let (id, door) = (passage.event_id.to_string(), &passage.device.id);
                        let raw = json!({ "eventId": id, "door": door, "time": &*passage.at_original }).to_string();
                        self.put_away(mailbox, "no_employee_field", Some(id), raw).await?;
                    }
                    // The others are stored first.
                    Err(error) => failed = Some(error),
                },
                Reading::Quarantined { event_id, reason, raw } => {
                    self.put_away(mailbox, reason.as_str(), event_id.map(|id| id.to_string()), raw).await?;
                }
                Reading::Dropped { ref event_id, reason } => {
                    lock(&self.seen).dropped += 1;
                    let event_id = event_id.as_ref().map(|id| id.as_str());
                    tracing::debug!(event_id, disposition = "drop", reason = reason.as_str(), "event");
                }
                Reading::Ignored { .. } => lock(&self.seen).dropped += 1,
            }
            if passages.len() >= TOGETHER {
                self.store(mailbox, std::mem::take(&mut passages)).await?;
            }
        }
        self.store(mailbox, passages).await?;
        failed.map_or(Ok(()), Err)
    }

    async fn store(&self, mailbox: &Mailbox, passages: Vec<Passage>) -> anyhow::Result<()> {
        let letters: anyhow::Result<_> = passages.iter().map(letter).collect();
        let taken = mailbox.take(letters?).await?;
        let mut seen = lock(&self.seen);
        for (passage, is_new) in passages.iter().zip(taken) {
            let (event_id, door) = (passage.event_id.as_str(), passage.device.id.as_str());
            if !is_new {
                seen.known += 1;
                tracing::debug!(event_id, disposition = "drop", reason = "duplicate", "event");
                continue;
            }
            seen.punches += 1;
            seen.last_event = seen.last_event.max(Some(passage.at.to_utc()));
            tracing::info!(event_id, door, disposition = "punch", direction = passage.direction.as_str(), "event");
            if passage.direction_source == PassageSource::None {
                seen.without_direction += 1;
                tracing::warn!(event_id, door, "neither the event nor HIK_DOORS says which way the door goes");
            }
        }
        Ok(())
    }

    /// Keeps what cannot be used, and shows it in `/health` as parked.
    async fn put_away(
        &self,
        mailbox: &Mailbox,
        reason: &'static str,
        event_id: Option<String>,
        raw: String,
    ) -> anyhow::Result<()> {
        tracing::warn!(event_id, disposition = "quarantine", reason, "event");
        // Once it can be read it is taken under its own id.
        let name = event_id.unwrap_or_else(|| format!("{:016x}", Lane::of(raw.as_bytes()).0));
        lock(&self.seen).quarantined += 1;
        Ok(mailbox.table.put_away(format!("quarantine:{name}"), reason, raw, now()).await?)
    }

    /// The passage under the id that is asked for, looked up if the event does not have it. `None` if the person has no such id.
    async fn known_by(&self, passage: &Passage) -> anyhow::Result<Option<Passage>> {
        let scheme = &self.employee_field;
        let resolved = lock(&self.people).resolve(passage, scheme, now());
        let found = match resolved {
            Ok(key) => Some(key),
            Err(Unresolved::Ask(key)) => {
                self.look_up(key).await?;
                lock(&self.people).resolve(passage, scheme, now()).ok()
            }
            Err(_) => None,
        };
        Ok(found.map(|key| passage.clone().with_employee(key)))
    }

    /// Remembers the person, if there is one.
    async fn look_up(&self, key: PersonKey) -> anyhow::Result<()> {
        let Some(call) = GetPerson::new(&self.site, key, stamp()) else { return Ok(()) };
        let response = self.send(call.request()).await?;
        match call.response(&response) {
            Ok(person) => lock(&self.people).put(person, now()),
            Err(CallError::NotFound(_)) => {}
            Err(error) => {
                explain(&error);
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// The event as the worker reads it.
fn letter(passage: &Passage) -> anyhow::Result<Letter> {
    let punch = passage.punch(now());
    let mut device = DeviceInfo::default();
    device.name.clone_from(&passage.device.name);
    let employee = EmployeeInfo::new(passage.employee.value.clone());
    let body = Event::punch(&punch, &device, &employee).body(PayloadFormat::Nested).render(1);
    let ReceivedEvent::Punch(received) = Verified::assume_verified(&body).event()? else {
        anyhow::bail!("a punch is read as something else")
    };
    let mut letter = Letter::new(passage.event_id.to_string(), &received, body);
    letter.source_key = Some(passage.natural_key());
    Ok(letter)
}

/// S3-035, S3-038: says what is refused and what to do, where it is the signature or the licence.
pub(super) fn explain(error: &CallError) {
    let Some(code) = ArtemisCode::of(error.evidence().body()) else { return };
    let (class, action) = (code.class(), code.class().action(&code));
    let hint = match class {
        ArtemisClass::Auth => {
            "signed are method, `*/*`, `application/json`, x-ca-key, x-ca-nonce, x-ca-timestamp and path; check HIK_APP_KEY, HIK_SECRET, and what lies between"
        }
        ArtemisClass::Permission => "the partner user may not, or the OpenAPI licence is missing (17)",
        _ => "see docs/hikcentral.md",
    };
    tracing::error!(code = code.as_str(), class = class.as_str(), action = action.as_str(), hint, "HikCentral refuses");
}
