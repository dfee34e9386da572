use alloc::string::String;

use super::{Checkin, ErpNext, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Reads one checkin by its name.
#[derive(Debug, Clone)]
pub struct GetCheckin {
    site: ErpNext,
    name: String,
}

impl GetCheckin {
    /// `GET /api/resource/Employee Checkin/{name}`
    pub fn new(site: &ErpNext, name: impl Into<String>) -> Self {
        Self { site: site.clone(), name: name.into() }
    }
}

impl Endpoint for GetCheckin {
    /// `None` if there is no such record.
    type Output = Option<Checkin>;

    fn request(&self) -> HttpRequest {
        self.site.get(&["api", "resource", "Employee Checkin", &self.name], &[])
    }

    fn response(&self, response: &HttpResponse) -> Result<Option<Checkin>, CallError> {
        match fault::read_data(response, "a checkin") {
            Ok(checkin) => Ok(Some(checkin)),
            Err(CallError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
