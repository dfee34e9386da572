//! An Odoo database, as far as punches touch it: a pure state machine that answers requests.
//!
//! It repeats what Odoo 16.0, 18.0 and 19.0 Community did when measured on 2026-11-22, the unpleasant parts above all:
//! times with a `T` are refused, an empty badge finds whoever has none, a repeated check-in is refused with the same
//! words as a wrong one, JSON-RPC errors have status 200 and JSON-2 answers 500 to what is our fault. Not here: 17,
//! companies, `load`, worked hours.

mod attendances;
mod clock;
mod config;
mod domain;
mod employees;
mod exception;
mod methods;
mod rpc;
mod xml;

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http::{Method, Request, Response, StatusCode};

use crate::stand_in::no_answer;

pub use attendances::StoredAttendance;
pub use config::{OdooConfig, OdooEmployee, OdooFault};
use exception::Exception;

/// The database: its rows, its settings, and the faults it is about to show.
#[derive(Debug)]
pub struct OdooStandIn {
    config: OdooConfig,
    faults: Vec<OdooFault>,
    attendances: Vec<StoredAttendance>,
    hidden: Vec<i64>,
    last_id: i64,
    calls: Vec<String>,
    stalled: Option<Request<Bytes>>,
    /// Whether what is being answered came through a door that speaks the user's language.
    speaks_as_the_user: bool,
}

impl OdooStandIn {
    /// A database without attendances.
    pub fn new(config: OdooConfig) -> Self {
        Self {
            config,
            faults: Vec::new(),
            attendances: Vec::new(),
            hidden: Vec::new(),
            last_id: 0,
            calls: Vec::new(),
            stalled: None,
            speaks_as_the_user: false,
        }
    }

    /// The stored attendances, oldest first.
    pub fn attendances(&self) -> &[StoredAttendance] {
        &self.attendances
    }

    /// Every call so far: `hr.attendance.create`, `common.authenticate`, or the path of what is no call.
    pub fn calls(&self) -> &[String] {
        &self.calls
    }

    /// The settings and employees, to change them as an administrator would.
    pub fn config_mut(&mut self) -> &mut OdooConfig {
        &mut self.config
    }

    /// Adds faults for the next requests, one each, in order.
    pub fn fail_next(&mut self, faults: impl IntoIterator<Item = OdooFault>) {
        self.faults.extend(faults);
    }

    /// Stores or changes an attendance past all rules, as a person or Odoo's own timers do. Its number.
    pub fn put_attendance(
        &mut self,
        employee: i64,
        check_in: NaiveDateTime,
        check_out: Option<NaiveDateTime>,
        out_mode: &str,
    ) -> i64 {
        self.attendances.retain(|row| (row.employee, row.check_in) != (employee, check_in));
        let id = self.store_attendance(employee, check_in, check_out);
        if let Some(row) = self.attendances.last_mut() {
            out_mode.clone_into(&mut row.out_mode);
        }
        id
    }

    /// Stores an attendance past all rules, beside any that begins then. Its number.
    pub fn store_attendance(
        &mut self,
        employee: i64,
        check_in: NaiveDateTime,
        check_out: Option<NaiveDateTime>,
    ) -> i64 {
        self.last_id += 1;
        let (id, out_mode) = (self.last_id, "manual".to_owned());
        self.attendances.push(StoredAttendance { id, employee, check_in, check_out, out_mode });
        id
    }

    /// Makes an attendance one that the API user may not read, and that is in the way all the same.
    pub fn hide_attendance(&mut self, id: i64) {
        self.hidden.push(id);
    }

    /// Deletes an attendance, as a person would. Whether there was one.
    pub fn delete_attendance(&mut self, id: i64) -> bool {
        let before = self.attendances.len();
        self.attendances.retain(|row| row.id != id);
        self.attendances.len() != before
    }

    /// Answers one request. An answer marked with the extension `NoAnswer` must not be sent: close the connection.
    pub fn answer(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let fault = if self.faults.is_empty() { OdooFault::None } else { self.faults.remove(0) };
        let answer = match fault {
            OdooFault::None => self.serve(request, now),
            OdooFault::DropBefore => no_answer(),
            OdooFault::DropAfter => {
                drop(self.serve(request, now));
                no_answer()
            }
            OdooFault::Stall => {
                // Carried out after the next request, when nobody waits for it any more.
                self.stalled = Some(request.clone());
                return no_answer();
            }
            OdooFault::BadGatewayAfter => {
                drop(self.serve(request, now));
                exception::page(StatusCode::BAD_GATEWAY)
            }
            OdooFault::Serialization => self.refuse(request, Exception::serialization()),
            OdooFault::OvertimeClash => self.refuse(request, Exception::overtime_clash()),
            OdooFault::DatabaseDown => self.refuse(request, Exception::database_down()),
            OdooFault::TooManyRequests(_)
            | OdooFault::Maintenance
            | OdooFault::BadGateway
            | OdooFault::Portal
            | OdooFault::Redirect => fault.response(),
        };
        if let Some(stalled) = self.stalled.take() {
            drop(self.serve(&stalled, now));
        }
        answer
    }

    fn serve(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let segments: Vec<&str> = path.split('/').collect();
        let (has_json2, has_rpc) = (self.config.version >= 19, self.config.has_rpc);
        self.speaks_as_the_user = !path.starts_with("json/");
        match (request.method(), segments.as_slice()) {
            (&Method::POST, ["jsonrpc"]) if has_rpc => self.json_rpc(request, now),
            (&Method::POST, ["xmlrpc", "2", service]) if has_rpc => self.xml_rpc(service, request, now),
            (&Method::POST, ["json", "2", model, method]) if has_json2 => self.json_2(model, method, request, now),
            (&Method::GET, ["json", "2", ..]) if has_json2 => {
                self.calls.push(path);
                let mean = "Did you mean POST /json/2/<model>/<method>?";
                Exception::new("werkzeug.exceptions.NotFound", mean).json_2()
            }
            (&Method::GET, ["web", "version"]) if has_json2 => {
                self.calls.push(path);
                exception::json(StatusCode::OK, &self.version(true))
            }
            _ => {
                self.calls.push(path);
                exception::page(StatusCode::NOT_FOUND)
            }
        }
    }

    /// What the server says, in the language it says it in.
    fn words(&self, english: &str, spanish: &str) -> String {
        let is_spanish = self.config.is_spanish && self.speaks_as_the_user;
        if is_spanish { spanish.to_owned() } else { english.to_owned() }
    }

    /// An exception in the spelling of the door that was used.
    fn refuse(&mut self, request: &Request<Bytes>, exception: Exception) -> Response<Bytes> {
        let path = request.uri().path();
        self.calls.push(path.to_owned());
        if path.starts_with("/xmlrpc") {
            exception.xml_rpc()
        } else if path.starts_with("/json/2") {
            exception.json_2()
        } else {
            exception.json_rpc(self.config.version)
        }
    }
}
