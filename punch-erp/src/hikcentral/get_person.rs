use core::fmt;

use serde_json::json;

use super::{HikCentral, PersonInfo, Stamp, envelope};
use crate::passage::{PersonKey, PersonScheme};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Reads the ids of one person, by number or by code.
#[derive(Clone)]
pub struct GetPerson {
    site: HikCentral,
    key: PersonKey,
    stamp: Stamp,
}

impl GetPerson {
    /// `POST …/person/personId/personInfo`, or `…/personCode/personInfo` for a [`PersonScheme::PersonCode`]. Nobody can be
    /// found by another id: `None`.
    pub fn new(site: &HikCentral, key: PersonKey, stamp: Stamp) -> Option<Self> {
        let can = matches!(key.scheme, PersonScheme::PersonId | PersonScheme::PersonCode);
        can.then(|| Self { site: site.clone(), key, stamp })
    }
}

impl Endpoint for GetPerson {
    type Output = PersonInfo;

    fn request(&self) -> HttpRequest {
        let name = if self.key.scheme == PersonScheme::PersonCode { "personCode" } else { "personId" };
        let body = json!({ name: self.key.value });
        self.site.post(&["resource", "v1", "person", name, "personInfo"], &body, &self.stamp)
    }

    fn response(&self, response: &HttpResponse) -> Result<PersonInfo, CallError> {
        let data = envelope::read(response, "a person")?;
        let evidence = || Evidence::of(response);
        if data.is_null() {
            return Err(CallError::NotFound(evidence()));
        }
        PersonInfo::read(&data).ok_or_else(|| CallError::Unreadable { expected: "a person", evidence: evidence() })
    }
}

impl fmt::Debug for GetPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetPerson").field("scheme", &self.key.scheme).finish_non_exhaustive()
    }
}
