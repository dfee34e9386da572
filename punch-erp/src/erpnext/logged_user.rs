use alloc::string::String;

use serde::Deserialize;

use super::{ErpNext, fault};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Asks whom the credentials belong to: the cheapest proof that address, key and secret are right.
#[derive(Debug, Clone)]
pub struct LoggedUser {
    site: ErpNext,
}

impl LoggedUser {
    /// `GET /api/method/frappe.auth.get_logged_user`
    pub fn new(site: &ErpNext) -> Self {
        Self { site: site.clone() }
    }
}

impl Endpoint for LoggedUser {
    /// The user's name in the ERP, an e-mail address.
    type Output = String;

    fn request(&self) -> HttpRequest {
        self.site.get(&["api", "method", "frappe.auth.get_logged_user"], &[])
    }

    fn response(&self, response: &HttpResponse) -> Result<String, CallError> {
        let Answer { message: user } = fault::read(response, "the name of a user")?;
        // A proxy that drops the header makes everybody a guest.
        if user == "Guest" { Err(CallError::Unauthorized(Evidence::of(response))) } else { Ok(user) }
    }
}

#[derive(Deserialize)]
struct Answer {
    message: String,
}
