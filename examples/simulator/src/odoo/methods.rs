//! What may be called on which model.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::OdooStandIn;
use super::exception::Exception;

/// The arguments of a method that have a place, by their names.
fn signature(method: &str) -> Option<&'static [&'static str]> {
    match method {
        "search_read" => Some(&["domain", "fields", "offset", "limit", "order"]),
        "create" => Some(&["vals_list"]),
        "write" => Some(&["ids", "vals"]),
        "has_access" => Some(&["ids", "operation"]),
        "check_access_rights" => Some(&["operation", "raise_exception"]),
        _ => None,
    }
}

fn no_model(model: &str) -> Exception {
    let exception = Exception::new("odoo.exceptions.UserError", format!("Object {model} doesn't exist"));
    exception.or_no_page(format!("the model '{model}' does not exist"))
}

fn missing_argument(method: &str, name: &str) -> Exception {
    let exception =
        Exception::new("builtins.TypeError", format!("{method}() missing 1 required positional argument: '{name}'"));
    exception.or_unprocessable(format!("missing a required argument: '{name}'"))
}

impl OdooStandIn {
    /// Carries out a call. `positional` arguments get the names of the method's signature.
    pub(super) fn call(
        &mut self,
        (model, method): (&str, &str),
        positional: &[Value],
        mut named: Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Result<Value, Exception> {
        self.calls.push(format!("{model}.{method}"));
        let is_installed = model == "hr.employee" || (model == "hr.attendance" && self.config.has_attendances);
        if !is_installed {
            return Err(no_model(model));
        }
        if method.starts_with('_') {
            return Err(Exception::access(format!(
                "Private methods (such as '{model}.{method}') cannot be called remotely."
            )));
        }
        let Some(signature) = signature(method) else {
            let missing = format!("The method '{model}.{method}' does not exist");
            return Err(Exception::new("builtins.AttributeError", missing.clone()).or_no_page(missing));
        };
        if positional.len() > signature.len() {
            return Err(Exception::new("builtins.TypeError", format!("{method}() takes fewer arguments")));
        }
        named.extend(signature.iter().zip(positional).map(|(name, value)| ((*name).to_owned(), value.clone())));
        let is_known = |name: &str| signature.contains(&name) || name == "context";
        if let Some(unknown) = named.keys().find(|name| !is_known(name)) {
            let unexpected = format!("got an unexpected keyword argument '{unknown}'");
            let exception = Exception::new("builtins.TypeError", format!("{method}() {unexpected}"));
            // What `search_read` does not know it hands on.
            return Err(if method == "search_read" { exception } else { exception.or_unprocessable(unexpected) });
        }
        match (model, method) {
            ("hr.employee", "search_read") => self.search_employees(&named),
            ("hr.attendance", "search_read") => self.search_attendances(&named),
            ("hr.attendance", "has_access" | "check_access_rights") => self.may(method),
            _ if model == "hr.employee" || !self.config.may_write => {
                Err(Exception::access(format!("You are not allowed to modify '{model}' records.")))
            }
            (_, "create") => self.create_call(&named, now),
            _ => self.write_call(&named),
        }
    }

    /// From 18 on there is another name for it beside the older one.
    fn may(&self, method: &str) -> Result<Value, Exception> {
        let is_known = method != "has_access" || self.config.version >= 18;
        let missing = || Exception::new("builtins.AttributeError", format!("no attribute '{method}'"));
        is_known.then(|| json!(self.config.may_write)).ok_or_else(missing)
    }

    fn create_call(&mut self, named: &Map<String, Value>, now: DateTime<Utc>) -> Result<Value, Exception> {
        match named.get("vals_list") {
            Some(Value::Array(rows)) => Ok(json!(self.create(rows, now)?)),
            Some(row @ Value::Object(_)) => Ok(json!(self.create(core::slice::from_ref(row), now)?.first())),
            _ => Err(missing_argument("create", "vals_list")),
        }
    }

    fn write_call(&mut self, named: &Map<String, Value>) -> Result<Value, Exception> {
        let ids = named.get("ids").and_then(Value::as_array).map(|ids| ids.iter().filter_map(Value::as_i64).collect());
        let (Some(ids), Some(Value::Object(values))) = (ids, named.get("vals")) else {
            return Err(missing_argument("write", "vals"));
        };
        let ids: Vec<i64> = ids;
        self.write(&ids, values).map(|()| json!(true))
    }

    pub(super) fn version(&self, short: bool) -> Value {
        let (name, info) = (format!("{}.0", self.config.version), json!([self.config.version, 0, 0, "final", 0, ""]));
        if short {
            return json!({ "version": name, "version_info": info });
        }
        json!({
            "server_version": name, "server_version_info": info, "server_serie": name, "protocol_version": 1,
        })
    }
}
