//! The three doors.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::exception::{self, Exception, page};
use super::{OdooStandIn, xml};
use crate::stand_in::typed;

impl OdooStandIn {
    pub(super) fn json_rpc(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let version = self.config.version;
        if !has_type(request, "application/json") {
            return page(if version >= 19 { StatusCode::UNSUPPORTED_MEDIA_TYPE } else { StatusCode::BAD_REQUEST });
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(request.body()) else {
            return match version {
                16 => Exception::new("werkzeug.exceptions.BadRequest", "Invalid JSON data").json_rpc(version),
                _ => page(StatusCode::BAD_REQUEST),
            };
        };
        let part = |name: &str| body.get("params").and_then(|params| params.get(name));
        let (Some(service), Some(method), Some(args)) = (
            part("service").and_then(Value::as_str),
            part("method").and_then(Value::as_str),
            part("args").and_then(Value::as_array),
        ) else {
            return Exception::new("builtins.TypeError", "dispatch() missing arguments").json_rpc(version);
        };
        match self.dispatch(service, method, args, now) {
            Ok(result) => exception::json(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": 1, "result": result })),
            Err(exception) => exception.json_rpc(version),
        }
    }

    pub(super) fn xml_rpc(&mut self, service: &str, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let text = String::from_utf8_lossy(request.body()).into_owned();
        let Some((method, args)) = xml::read_call(&text) else {
            return Exception::new("xml.parsers.expat.ExpatError", "not well-formed (invalid token)").xml_rpc();
        };
        match self.dispatch(service, &method, &args, now) {
            Ok(result) => typed(StatusCode::OK, "text/xml; charset=utf-8", xml::write_result(&result)),
            Err(exception) => exception.xml_rpc(),
        }
    }

    fn dispatch(
        &mut self,
        service: &str,
        method: &str,
        args: &[Value],
        now: DateTime<Utc>,
    ) -> Result<Value, Exception> {
        if service == "common" {
            self.calls.push(format!("common.{method}"));
        }
        match (service, method, args) {
            ("common", "version", []) => Ok(self.version(false)),
            ("common", "authenticate", [database, login, secret, Value::Object(_)]) => {
                self.check_database(database)?;
                let is_right = *login == self.config.user && self.is_secret(secret);
                // Wrong is not an error.
                Ok(if is_right { json!(self.config.uid) } else { json!(false) })
            }
            ("object", "execute_kw", [database, uid, secret, model, method, positional, named @ ..]) => {
                self.check_database(database)?;
                if *uid != self.config.uid {
                    return Err(Exception::missing("res.users", uid.as_i64().unwrap_or(0), 0));
                }
                if !self.is_secret(secret) {
                    return Err(Exception::denied());
                }
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let named = named.first().and_then(Value::as_object).cloned().unwrap_or_default();
                let positional = positional.as_array().cloned().unwrap_or_default();
                self.call((&text(model), &text(method)), &positional, named, now)
            }
            _ => Err(Exception::new("builtins.TypeError", format!("{method}() got unexpected arguments"))),
        }
    }

    /// Named arguments only. The key says who it is.
    pub(super) fn json_2(
        &mut self,
        model: &str,
        method: &str,
        request: &Request<Bytes>,
        now: DateTime<Utc>,
    ) -> Response<Bytes> {
        let header = |name| request.headers().get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let unauthorized = |text| Exception::new("werkzeug.exceptions.Unauthorized", text).json_2();
        if header("x-odoo-database").is_some_and(|name| name != self.config.database) {
            return page(StatusCode::NOT_FOUND);
        }
        let Some(("bearer", key)) = header(AUTHORIZATION.as_str()).and_then(|text| text.split_once(' ')) else {
            return unauthorized("User not authenticated, use an API Key with a Bearer Authorization header.");
        };
        if key != self.config.key || self.config.key_has_ended {
            self.calls.push("unauthorized".to_owned());
            return unauthorized("Invalid apikey");
        }
        if !has_type(request, "application/json") {
            return page(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
            let message = "could not parse the body as json: Expecting value: line 1 column 1 (char 0)";
            return Exception::new("werkzeug.exceptions.BadRequest", message).with_status(400).json_2();
        };
        // An empty list is as good as no argument.
        let mut named = match body {
            Value::Object(named) => named,
            _ => Map::new(),
        };
        // One dict or a list of them: the answer is a list.
        if let Some(row @ Value::Object(_)) = named.get("vals_list").cloned() {
            named.insert("vals_list".to_owned(), json!([row]));
        }
        match self.call((model, method), &[], named, now) {
            Ok(result) => exception::json(StatusCode::OK, &result),
            Err(exception) => exception.json_2(),
        }
    }

    fn check_database(&self, name: &Value) -> Result<(), Exception> {
        let is_ours = *name == self.config.database;
        if is_ours { Ok(()) } else { Err(Exception::no_database(name.as_str().unwrap_or_default())) }
    }

    fn is_secret(&self, secret: &Value) -> bool {
        *secret == self.config.password || *secret == self.config.key
    }
}

fn has_type(request: &Request<Bytes>, kind: &str) -> bool {
    let header = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    header.is_some_and(|value| value.split(';').next().is_some_and(|value| value.trim() == kind))
}
