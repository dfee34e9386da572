use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::{Login, Odoo, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// The number of an employee in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "an id; it never grows a field")]
pub struct EmployeeId(pub i64);

/// Who has a badge. `Debug` shows no badge.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Employee {
    /// The record's number.
    pub id: EmployeeId,
    /// The badge, as the server spells it.
    pub badge: String,
    /// Whether the employee works there; archived ones do not.
    pub is_active: bool,
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Employee");
        shown.field("id", &self.id).field("is_active", &self.is_active).finish_non_exhaustive()
    }
}

/// Looks for employees by their badges, archived ones included.
#[derive(Clone)]
pub struct FindEmployees {
    odoo: Odoo,
    login: Login,
    badges: Vec<String>,
}

impl FindEmployees {
    /// `hr.employee.search_read` by badge. An empty badge is not asked for: it would find everybody without one.
    pub fn new(odoo: &Odoo, login: &Login, badges: impl IntoIterator<Item = String>) -> Self {
        let badges = badges.into_iter().filter(|badge| !badge.is_empty()).collect();
        Self { odoo: odoo.clone(), login: login.clone(), badges }
    }
}

impl Endpoint for FindEmployees {
    type Output = Vec<Employee>;

    fn request(&self) -> HttpRequest {
        let field = self.odoo.badge_field();
        // Badges are texts: as a number, 42 never finds `0042`.
        let (domain, limit) = match self.badges.as_slice() {
            badges if field == ID => (json!([[ID, "in", badges.iter().filter_map(record).collect::<Vec<_>>()]]), None),
            // Two of a badge are enough to know that it is nobody's.
            [badge] => (json!([[field, "=", badge]]), Some(json!(2))),
            badges => (json!([[field, "in", badges]]), None),
        };
        let mut fields = alloc::vec![ID, field, "active"];
        fields.dedup();
        let call = Call::new("hr.employee", "search_read", alloc::vec![("domain", domain)])
            .with("fields", json!(fields))
            .with("limit", limit)
            .with("context", json!({ "active_test": false }));
        self.odoo.call(&self.login, call)
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<Employee>, CallError> {
        let rows: Vec<Map<String, Value>> = fault::read(&self.login, response, "a list of employees")?;
        let field = self.odoo.badge_field();
        let employee = |mut row: Map<String, Value>| {
            let id = row.get("id")?.as_i64()?;
            let is_active = row.get("active").and_then(Value::as_bool).unwrap_or(true);
            let badge = match row.remove(field)? {
                Value::String(badge) => badge,
                Value::Number(number) if field == ID => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => return None,
            };
            // The server's idea of equality is not asked.
            self.badges.contains(&badge).then_some(Employee { id: EmployeeId(id), badge, is_active })
        };
        Ok(rows.into_iter().filter_map(employee).collect())
    }
}

/// The field that every record has, and that is a number.
const ID: &str = "id";

/// The number of a record, written the one way it is compared by.
fn record(badge: &String) -> Option<i64> {
    badge.parse().ok().filter(|number: &i64| number.to_string() == *badge)
}

impl fmt::Debug for FindEmployees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindEmployees").field("badges", &self.badges.len()).finish_non_exhaustive()
    }
}
