use alloc::vec::Vec;

use serde_json::json;

use super::call::Call;
use super::{Login, Odoo, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Asks whether the API user may do something with attendances, before anything is written.
///
/// The web client of each version asks the same way: `check_access_rights` up to 17, `has_access` from 18 on.
#[derive(Debug, Clone)]
pub struct CheckAccess {
    odoo: Odoo,
    login: Login,
    operation: &'static str,
}

impl CheckAccess {
    /// Whether new attendances may be made.
    pub fn create(odoo: &Odoo, login: &Login) -> Self {
        Self { odoo: odoo.clone(), login: login.clone(), operation: "create" }
    }

    /// Whether attendances may be changed.
    pub fn write(odoo: &Odoo, login: &Login) -> Self {
        Self { odoo: odoo.clone(), login: login.clone(), operation: "write" }
    }
}

impl Endpoint for CheckAccess {
    type Output = bool;

    fn request(&self) -> HttpRequest {
        let operation = ("operation", json!(self.operation));
        let none: Vec<i64> = Vec::new();
        let (method, positional) = if self.login.version.major >= 18 {
            ("has_access", alloc::vec![("ids", json!(none)), operation])
        } else {
            ("check_access_rights", alloc::vec![operation, ("raise_exception", json!(false))])
        };
        self.odoo.call(&self.login, Call::new("hr.attendance", method, positional))
    }

    fn response(&self, response: &HttpResponse) -> Result<bool, CallError> {
        fault::read(&self.login, response, "whether something is allowed")
    }
}
