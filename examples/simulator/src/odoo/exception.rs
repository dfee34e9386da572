//! Python exceptions on their way to the client, in three spellings.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::xml;
use crate::stand_in::typed;

#[derive(Debug)]
pub(super) struct Exception {
    name: String,
    message: String,
    /// What JSON-2 answers, where the name does not say.
    status: Option<u16>,
    /// What JSON-2 says in its place, where it looks before the others do.
    in_json_2: Option<Box<Self>>,
}

impl Exception {
    pub(super) fn new(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), message: message.into(), status: None, in_json_2: None }
    }

    /// JSON-2 has no such page.
    pub(super) fn or_no_page(mut self, message: impl Into<String>) -> Self {
        self.in_json_2 = Some(Box::new(Self::new("werkzeug.exceptions.NotFound", message)));
        self
    }

    /// JSON-2 holds the arguments against the method's own before it calls it.
    pub(super) fn or_unprocessable(mut self, message: impl Into<String>) -> Self {
        self.in_json_2 = Some(Box::new(Self::new("werkzeug.exceptions.UnprocessableEntity", message)));
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::new("builtins.ValueError", message)
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("odoo.exceptions.ValidationError", message)
    }

    pub(super) fn missing(model: &str, id: i64, uid: i64) -> Self {
        let message = format!("Record does not exist or has been deleted.\n(Record: {model}({id},), User: {uid})");
        Self::new("odoo.exceptions.MissingError", message)
    }

    /// A column that must not be empty would be.
    pub(super) fn required(label: &str, field: &str) -> Self {
        Self::validation(format!(
            "The operation cannot be completed: Missing required value for the field '{label}' ({field}).\n\
             Model: 'Attendance' (hr.attendance)\n- create/update: a mandatory field is not set\n"
        ))
    }

    /// What rules over records forbid.
    pub(super) fn top_secret(user: &str, uid: i64) -> Self {
        Self::access(format!(
            "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, {user} (id={uid}) doesn't \
             have 'create' access to:\n- Attendance (hr.attendance)\n"
        ))
    }

    pub(super) fn access(message: impl Into<String>) -> Self {
        Self::new("odoo.exceptions.AccessError", message)
    }

    pub(super) fn denied() -> Self {
        Self::new("odoo.exceptions.AccessDenied", "Access Denied")
    }

    pub(super) fn no_database(name: &str) -> Self {
        let message = format!("connection to server failed: FATAL:  database \"{name}\" does not exist\n");
        Self::new("psycopg2.OperationalError", message)
    }

    pub(super) fn database_down() -> Self {
        let message = "connection to server failed: Connection refused\n\
                       \tIs the server running on that host and accepting TCP/IP connections?\n";
        Self::new("psycopg2.OperationalError", message).with_status(500)
    }

    pub(super) fn serialization() -> Self {
        let message = "could not serialize access due to concurrent update\n";
        Self::new("psycopg2.errors.SerializationFailure", message).with_status(500)
    }

    pub(super) fn overtime_clash() -> Self {
        Self::validation(
            "The operation cannot be completed: duplicate key value violates unique constraint \
             \"hr_attendance_overtime_unique_employee_per_day\"",
        )
    }

    fn status(&self) -> StatusCode {
        let status = self.status.unwrap_or(match self.name.as_str() {
            "werkzeug.exceptions.Unauthorized" => 401,
            "odoo.exceptions.AccessError" | "odoo.exceptions.AccessDenied" => 403,
            "odoo.exceptions.MissingError" | "werkzeug.exceptions.NotFound" => 404,
            "odoo.exceptions.ValidationError"
            | "odoo.exceptions.UserError"
            | "werkzeug.exceptions.UnprocessableEntity" => 422,
            _ => 500,
        });
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn traceback(&self) -> String {
        let class = self.name.strip_prefix("builtins.").unwrap_or(&self.name);
        // With the marks of Python 3.11, and an exception that was on the way before.
        format!(
            "Traceback (most recent call last):\n  File \"odoo/orm/registry.py\", line 118, in __new__\n    \
             return cls.registries[name]\n           ~~~~~~~~~~~~~~^^^^^^\nKeyError: 'elsewhere'\n\nDuring handling of the \
             above exception, another exception occurred:\n\nTraceback (most recent call last):\n  \
             File \"odoo/http.py\", line 439, in dispatch_rpc\n    return dispatch(method, params)\n           \
             ^^^^^^^^^^^^^^^^^^^^^^^^\n{class}: {}\n",
            self.message
        )
    }

    fn data(&self) -> Value {
        json!({
            "name": self.name, "message": self.message, "arguments": [self.message], "context": {},
            "debug": self.traceback(),
        })
    }

    /// Status 200, whatever it is.
    pub(super) fn json_rpc(&self, version: u16) -> Response<Bytes> {
        let code = if version >= 19 { 0 } else { 200 };
        let error = json!({ "code": code, "message": "Odoo Server Error", "data": self.data() });
        json(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": 1, "error": error }))
    }

    pub(super) fn json_2(&self) -> Response<Bytes> {
        let said = self.in_json_2.as_deref().unwrap_or(self);
        json(said.status(), &said.data())
    }

    /// Four numbers for everything; what has none of its own comes as a traceback.
    pub(super) fn xml_rpc(&self) -> Response<Bytes> {
        let (code, text) = match self.name.as_str() {
            "odoo.exceptions.UserError" | "odoo.exceptions.ValidationError" | "odoo.exceptions.MissingError" => {
                (2, self.message.clone())
            }
            "odoo.exceptions.AccessDenied" => (3, self.message.clone()),
            "odoo.exceptions.AccessError" => (4, self.message.clone()),
            _ => (1, self.traceback()),
        };
        typed(StatusCode::OK, "text/xml; charset=utf-8", xml::write_fault(code, &text))
    }
}

pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    typed(status, "application/json; charset=utf-8", body.to_string())
}

/// A page for people, as proxies and a server in trouble send it.
pub(super) fn page(status: StatusCode) -> Response<Bytes> {
    let body = format!("<!doctype html>\n<html lang=en>\n<title>{status}</title>\n<h1>{status}</h1>\n");
    typed(status, "text/html; charset=utf-8", body)
}
