//! An ERPNext site with Frappe HR, as far as punches touch it: a pure state machine that answers requests.
//!
//! It repeats what Frappe 15.101.1 + ERPNext 15.99.1 + Frappe HR 15.58.2 did when measured on 2026-11-22, the unpleasant
//! parts above all: a missing time becomes *now*, an unknown employee is stored, a duplicate is a refusal among others.
//! Not here: `Basic` authentication, the RPC methods, auto attendance.

mod clock;
mod config;
mod insert;
mod list;
mod reply;
mod rows;
mod shifts;

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http::header::{AUTHORIZATION, DATE, HOST, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;

use crate::stand_in::no_answer;

pub use config::{ErpNextConfig, ErpNextEmployee, ErpNextFault, ErpNextShift, Naming};
use reply::{Api, Exception, Reply};
pub use rows::StoredCheckin;

const CHECKIN: &str = "Employee Checkin";
const SHIFT_TYPE: &str = "Shift Type";

/// The site: its rows, its settings, and the faults it is about to show.
#[derive(Debug)]
pub struct ErpNextStandIn {
    config: ErpNextConfig,
    faults: Vec<ErpNextFault>,
    checkins: Vec<StoredCheckin>,
    series: u32,
    requests: Vec<String>,
}

impl ErpNextStandIn {
    /// A site without checkins.
    pub fn new(config: ErpNextConfig) -> Self {
        Self { config, faults: Vec::new(), checkins: Vec::new(), series: 0, requests: Vec::new() }
    }

    /// The stored checkins, oldest first.
    pub fn checkins(&self) -> &[StoredCheckin] {
        &self.checkins
    }

    /// Every request so far, as `METHOD path?query`.
    pub fn requests(&self) -> &[String] {
        &self.requests
    }

    /// The settings and employees, to change them as an administrator would.
    pub fn config_mut(&mut self) -> &mut ErpNextConfig {
        &mut self.config
    }

    /// Deletes a checkin, as a person would. Whether there was one.
    pub fn delete_checkin(&mut self, name: &str) -> bool {
        let before = self.checkins.len();
        self.checkins.retain(|row| row.name != name);
        self.checkins.len() != before
    }

    /// Adds faults for the next requests, one each, in order.
    pub fn fail_next(&mut self, faults: impl IntoIterator<Item = ErpNextFault>) {
        self.faults.extend(faults);
    }

    /// Answers one request. An answer marked with the extension `NoAnswer` must not be sent: close the connection.
    pub fn answer(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        self.requests.push(format!("{} {target}", request.method()));
        let fault = if self.faults.is_empty() { ErpNextFault::None } else { self.faults.remove(0) };
        let mut response = match fault {
            ErpNextFault::None => self.serve(request, now).into_response(),
            ErpNextFault::DropBefore => no_answer(),
            ErpNextFault::DropAfter => {
                drop(self.serve(request, now));
                no_answer()
            }
            ErpNextFault::BadGatewayAfter => {
                drop(self.serve(request, now));
                reply::page(StatusCode::BAD_GATEWAY)
            }
            ErpNextFault::RateLimited(_)
            | ErpNextFault::Maintenance
            | ErpNextFault::DatabaseDown
            | ErpNextFault::LockWait
            | ErpNextFault::Portal
            | ErpNextFault::Redirect => fault.response(),
        };
        let headers = response.headers_mut();
        // Measured: every answer sets cookies, whoever asks.
        headers.insert(SET_COOKIE, HeaderValue::from_static("sid=Guest; Path=/"));
        if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
            headers.insert(DATE, date);
        }
        response
    }

    fn serve(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Reply {
        let path = list::decode(request.uri().path());
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let api = if segments.get(1) == Some(&"v2") { Api::V2 } else { Api::V1 };
        if !self.is_our_host(request) {
            return Reply::Page(StatusCode::NOT_FOUND);
        }
        if let Some(refusal) = self.refuse_user(request) {
            return Reply::Error(api, refusal, self.config.tracebacks);
        }
        let result = match (request.method(), segments.as_slice()) {
            (&Method::GET, ["api", "method", "frappe.auth.get_logged_user"]) => {
                return Reply::Json(json!({"message": self.config.user}));
            }
            (_, ["api", "v2", ..]) if self.config.naming == Naming::NoV2 => Err(Exception::does_not_exist()),
            (&Method::POST, ["api", "v2", "document", CHECKIN]) => self.insert(request, Api::V2, now),
            (&Method::POST, ["api", "resource", CHECKIN]) => self.insert(request, Api::V1, now),
            (&Method::GET, ["api", "resource", "Employee"]) => self.list_employees(request),
            (&Method::GET, ["api", "resource", CHECKIN]) => self.list_checkins(request),
            (&Method::GET, ["api", "resource", CHECKIN, name]) => self.get_checkin(name),
            (&Method::GET, ["api", "resource", SHIFT_TYPE, name]) => self.get_shift(name),
            (&Method::PUT, ["api", "resource", SHIFT_TYPE, name]) => self.put_shift(name, request),
            _ => Err(Exception::does_not_exist()),
        };
        match result {
            Ok(data) => Reply::Json(json!({ "data": data })),
            Err(exception) => Reply::Error(api, exception, self.config.tracebacks),
        }
    }

    /// The host name picks the site.
    fn is_our_host(&self, request: &Request<Bytes>) -> bool {
        let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().host().or(header.and_then(|host| host.split(':').next()));
        self.config.host.is_empty() || host == Some(self.config.host.as_str())
    }

    fn refuse_user(&self, request: &Request<Bytes>) -> Option<Exception> {
        let forbidden = Exception::new(403, "PermissionError", "No permission for Employee Checkin");
        let Some(header) = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            // No header is a guest, which looks like a missing role.
            return Some(forbidden);
        };
        let (scheme, token) = header.split_once(' ')?;
        let expected = format!("{}:{}", self.config.key, self.config.secret);
        if !scheme.eq_ignore_ascii_case("token") || token != expected {
            return Some(Exception::new(401, "AuthenticationError", ""));
        }
        (!self.config.may_write).then_some(forbidden)
    }

    fn local(&self, now: DateTime<Utc>) -> NaiveDateTime {
        now.with_timezone(&self.config.zone).naive_local()
    }
}
