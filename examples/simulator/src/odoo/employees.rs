use serde_json::{Map, Value, json};

use super::OdooStandIn;
use super::domain::{Row, select};
use super::exception::Exception;

const FIELDS: [&str; 6] = ["id", "name", "barcode", "x_terminal_id", "active", "tz"];

impl OdooStandIn {
    pub(super) fn search_employees(&self, named: &Map<String, Value>) -> Result<Value, Exception> {
        if !self.config.may_read_badges {
            if self.config.version >= 19 {
                return Err(Exception::access(
                    "The fields “barcode”, which you are trying to read, are not available for employee public profiles.",
                ));
            }
            // The public model is read instead, which has no such field.
            return Err(Exception::value("Invalid field hr.employee.public.barcode in leaf ('barcode', '=', '…')"));
        }
        let shows_archived = named.get("context").and_then(|context| context.get("active_test")) == Some(&json!(false));
        let rows = self.config.employees.iter().filter(|employee| employee.active || shows_archived).map(|employee| {
            let text = |value: &Option<String>| value.as_ref().map_or(json!(false), |text| json!(text));
            let row = json!({
                "id": employee.id, "name": employee.name, "barcode": text(&employee.badge),
                "x_terminal_id": text(&employee.terminal_id), "active": employee.active, "tz": "Europe/Berlin",
            });
            row.as_object().cloned().unwrap_or_default()
        });
        select(rows.collect::<Vec<Row>>(), &FIELDS, named)
    }
}
