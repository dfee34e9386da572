use alloc::boxed::Box;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;

use super::fault::{self, Fault};
use super::{Checkin, ErpNext, NewCheckin};
use crate::answer::answered_at;
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Stores one checkin.
#[derive(Debug, Clone)]
pub struct CreateCheckin {
    site: ErpNext,
    checkin: NewCheckin,
    resource: Resource,
}

impl CreateCheckin {
    /// `POST /api/v2/document/Employee Checkin` or, for servers without it, `POST /api/resource/Employee Checkin`.
    pub fn new(site: &ErpNext, checkin: NewCheckin, resource: Resource) -> Self {
        Self { site: site.clone(), checkin, resource }
    }
}

/// Which of the two interfaces is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two there are")]
pub enum Resource {
    /// `/api/v2/document`: takes the record's name from us (Frappe 15.74 or newer) or ignores it (older 15).
    V2,
    /// `/api/resource`: ignores the name. For Frappe 14 and older.
    V1,
}

/// What the server says to a new checkin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Created {
    /// It is stored, in this form. The form is to be compared: the server changes some things without a word.
    Stored {
        /// The record.
        checkin: Box<Checkin>,
        /// When the server says it answered.
        answered_at: Option<DateTime<Utc>>,
    },
    /// There is a record of this name: read it, it may say something else.
    NameTaken,
    /// There is a checkin of this employee, second and direction, under some name: read it.
    Duplicate,
    /// The server does not have [`Resource::V2`].
    NoSuchResource,
}

impl Endpoint for CreateCheckin {
    type Output = Created;

    fn request(&self) -> HttpRequest {
        let path = match self.resource {
            Resource::V2 => ["api", "v2", "document", "Employee Checkin"].as_slice(),
            Resource::V1 => ["api", "resource", "Employee Checkin"].as_slice(),
        };
        // Strings and nothing else: this cannot fail to be written.
        let body = serde_json::to_vec(&self.checkin).unwrap_or_default();
        self.site.post(path, Bytes::from(body))
    }

    fn response(&self, response: &HttpResponse) -> Result<Created, CallError> {
        let is_duplicate = || Fault::read(response.body()).is_some_and(|fault| fault.is_duplicate());
        match response.status() {
            StatusCode::CONFLICT if self.resource == Resource::V2 => return Ok(Created::NameTaken),
            StatusCode::EXPECTATION_FAILED if is_duplicate() => return Ok(Created::Duplicate),
            _ => {}
        }
        match fault::read_data::<Checkin>(response, "the stored checkin") {
            Ok(checkin) => Ok(Created::Stored { checkin: Box::new(checkin), answered_at: answered_at(response) }),
            Err(CallError::NotFound(evidence)) => match self.resource {
                Resource::V2 => Ok(Created::NoSuchResource),
                Resource::V1 => Err(CallError::Misaddressed(evidence)),
            },
            Err(error) => Err(error),
        }
    }
}
