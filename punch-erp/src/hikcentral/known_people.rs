use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::PersonInfo;
use crate::passage::{Passage, PersonKey, PersonScheme};

/// People that were looked up, for a day. `Debug` shows how many.
#[derive(Clone, Default)]
pub struct KnownPeople(BTreeMap<String, (DateTime<Utc>, PersonInfo)>);

impl KnownPeople {
    /// The most people remembered. Beyond, all are forgotten and looked up again.
    pub const MAX: usize = 200_000;

    /// How long a person is remembered: 24 h. Codes do change hands.
    pub const AGE_MAX: TimeDelta = TimeDelta::hours(24);

    /// Remembers a person.
    pub fn put(&mut self, person: PersonInfo, now: DateTime<Utc>) {
        if self.0.len() >= Self::MAX {
            self.0.clear();
        }
        self.0.insert(person.person_id.clone(), (now, person));
    }

    /// The id of this scheme of whoever passed: from the event, or from what is remembered.
    ///
    /// # Errors
    ///
    /// [`Unresolved::Ask`] has the id to look the person up by; [`Unresolved::Nobody`] says that asking will not help.
    pub fn resolve(
        &self,
        passage: &Passage,
        scheme: &PersonScheme,
        now: DateTime<Utc>,
    ) -> Result<PersonKey, Unresolved> {
        if let Some(key) = passage.key(scheme) {
            return Ok(key.clone());
        }
        let id = passage.key(&PersonScheme::PersonId).ok_or(Unresolved::Nobody)?;
        match self.0.get(&id.value) {
            Some((at, person)) if now.signed_duration_since(*at) < Self::AGE_MAX => {
                person.key(scheme).ok_or(Unresolved::Nobody)
            }
            Some(_) | None => Err(Unresolved::Ask(id.clone())),
        }
    }
}

impl fmt::Debug for KnownPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownPeople").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

/// Why an id is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unresolved {
    /// The person has to be looked up by this id.
    Ask(PersonKey),
    /// The person has no such id, or nothing to be looked up by.
    Nobody,
}
