use alloc::string::String;

use serde::Deserialize;

use super::{ErpNext, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Reads the time zone of the site. Only a *System Manager* may; others are [forbidden](CallError::Forbidden).
#[derive(Debug, Clone)]
pub struct FindTimeZone {
    site: ErpNext,
}

impl FindTimeZone {
    /// `GET /api/resource/System Settings/System Settings`
    pub fn new(site: &ErpNext) -> Self {
        Self { site: site.clone() }
    }
}

impl Endpoint for FindTimeZone {
    /// An IANA name, such as `Asia/Dhaka`.
    type Output = String;

    fn request(&self) -> HttpRequest {
        self.site.get(&["api", "resource", "System Settings", "System Settings"], &[])
    }

    fn response(&self, response: &HttpResponse) -> Result<String, CallError> {
        let Settings { time_zone } = fault::read_data(response, "the settings of the site")?;
        Ok(time_zone)
    }
}

#[derive(Deserialize)]
struct Settings {
    time_zone: String,
}
