//! Whose a passage is, by the id that is asked for.

use punch_erp::hikcentral::{ArtemisClass, ArtemisCode, GetPerson, Unresolved};
use punch_erp::passage::{Passage, PersonKey, Reading};
use punch_erp::{CallError, Endpoint as _};
use serde_json::json;
use sinks::clock::now;

use super::{HikCentralSource, stamp};
use crate::taking::{Fate, take};
use crate::{Keep, Unusable};

impl HikCentralSource {
    /// Makes durable what readings say.
    ///
    /// # Errors
    ///
    /// Something could not be stored, or a person could not be looked up. All the others are stored.
    pub(super) async fn take<K: Keep>(&self, keep: &K, readings: Vec<Reading>) -> anyhow::Result<()> {
        let (mut fates, mut failed) = (Vec::new(), None);
        for reading in readings {
            let passage = match reading {
                Reading::Punch(passage) => passage,
                other => {
                    fates.push(Fate::from(other));
                    continue;
                }
            };
            match self.known_by(&passage).await {
                Ok(Some(passage)) => fates.push(Fate::Passage(Box::new(passage))),
                // The daily look back takes it once the person has the id.
                Ok(None) => fates.push(Fate::Unusable(without_id(&passage))),
                Err(error) => failed = Some(error),
            }
        }
        take(keep, &self.seen, fates).await?;
        failed.map_or(Ok(()), Err)
    }

    /// The passage under the id that is asked for, looked up if the event does not have it. `None` if the person has no such id.
    async fn known_by(&self, passage: &Passage) -> anyhow::Result<Option<Passage>> {
        let scheme = &self.settings.employee_field;
        let resolved = self.people().resolve(passage, scheme, now());
        let found = match resolved {
            Ok(key) => Some(key),
            Err(Unresolved::Ask(key)) => {
                self.look_up(key).await?;
                self.people().resolve(passage, scheme, now()).ok()
            }
            Err(_) => None,
        };
        Ok(found.map(|key| passage.clone().with_employee(key)))
    }

    /// Remembers the person, if there is one.
    async fn look_up(&self, key: PersonKey) -> anyhow::Result<()> {
        let Some(call) = GetPerson::new(&self.settings.site, key, stamp()) else { return Ok(()) };
        let response = self.send(call.request()).await?;
        match call.response(&response) {
            Ok(person) => self.people().put(person, now()),
            Err(CallError::NotFound(_)) => {}
            Err(error) => {
                explain(&error);
                return Err(error.into());
            }
        }
        Ok(())
    }
}

fn without_id(passage: &Passage) -> Unusable {
    let (id, door) = (passage.event_id.to_string(), &passage.device.id);
    let raw = json!({ "eventId": id, "door": door, "time": &*passage.at_original }).to_string();
    Unusable { reason: "no_employee_field", event_id: Some(id), raw }
}

/// S3-035, S3-038: says what is refused and what to do, where it is the signature or the licence.
pub(super) fn explain(error: &CallError) {
    let Some(code) = ArtemisCode::of(error.evidence().body()) else { return };
    let (class, action) = (code.class(), code.class().action(&code));
    let hint = match class {
        ArtemisClass::Auth => {
            "signed are method, `*/*`, `application/json`, x-ca-key, x-ca-nonce, x-ca-timestamp and path; check the key and the secret of the partner user, and what lies between"
        }
        ArtemisClass::Permission => "the partner user may not, or the OpenAPI licence is missing (17)",
        _ => "see docs/hikcentral.md",
    };
    tracing::error!(code = code.as_str(), class = class.as_str(), action = action.as_str(), hint, "HikCentral refuses");
}
