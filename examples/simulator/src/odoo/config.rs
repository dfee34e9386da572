use core::fmt;

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::exception::page;

/// The settings of a database, and its employees.
#[derive(Clone)]
#[non_exhaustive]
pub struct OdooConfig {
    /// 16, 18 or 19.
    pub version: u16,
    /// The database's name.
    pub database: String,
    /// The login of the API user.
    pub user: String,
    /// The number of the API user.
    pub uid: i64,
    /// The API user's password.
    pub password: String,
    /// The API user's key; JSON-2 takes nothing else.
    pub key: String,
    /// Whether the key has ended. JSON-2 refuses it at once, the older doors go on taking it.
    pub key_has_ended: bool,
    /// Whether `/jsonrpc` and `/xmlrpc` are there. They end with 22.
    pub has_rpc: bool,
    /// Whether the API user may read badges.
    pub may_read_badges: bool,
    /// Whether the API user may write attendances.
    pub may_write: bool,
    /// Whether the app *Attendances* is installed.
    pub has_attendances: bool,
    /// Whether the API user's language is Spanish. The older doors speak it; JSON-2 that of the call's context, so English.
    pub is_spanish: bool,
    /// The employees, archived ones included.
    pub employees: Vec<OdooEmployee>,
}

impl OdooConfig {
    /// A database of this version with the API user `punch-bot`.
    pub fn new(version: u16, database: &str, password: &str, key: &str) -> Self {
        Self {
            version,
            database: database.to_owned(),
            user: "punch-bot".to_owned(),
            uid: 5,
            password: password.to_owned(),
            key: key.to_owned(),
            key_has_ended: false,
            has_rpc: true,
            may_read_badges: true,
            may_write: true,
            has_attendances: true,
            is_spanish: false,
            employees: Vec::new(),
        }
    }
}

impl fmt::Debug for OdooConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("OdooConfig");
        shown.field("version", &self.version).field("employees", &self.employees.len()).finish_non_exhaustive()
    }
}

/// An employee.
#[derive(Clone)]
#[non_exhaustive]
pub struct OdooEmployee {
    /// The record's number.
    pub id: i64,
    /// The person's name.
    pub name: String,
    /// `barcode`.
    pub badge: Option<String>,
    /// Another field with a badge, `x_terminal_id`, which nothing keeps unique.
    pub terminal_id: Option<String>,
    /// Whether the employee is not archived.
    pub active: bool,
}

impl OdooEmployee {
    /// Somebody with a badge who works there.
    pub fn new(id: i64, name: &str, badge: &str) -> Self {
        Self { id, name: name.to_owned(), badge: Some(badge.to_owned()), terminal_id: None, active: true }
    }

    /// The same, archived.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.active = false;
        self
    }
}

impl fmt::Debug for OdooEmployee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OdooEmployee").field("id", &self.id).field("active", &self.active).finish_non_exhaustive()
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OdooFault {
    /// Nothing: it is served.
    None,
    /// 429 with `Retry-After` in seconds, from a proxy.
    TooManyRequests(u32),
    /// 503 with a page.
    Maintenance,
    /// 502 with a page; nothing was done.
    BadGateway,
    /// The request is served, and the proxy in front answers 502.
    BadGatewayAfter,
    /// The connection ends before anything is done.
    DropBefore,
    /// The request is served, then the connection ends.
    DropAfter,
    /// The connection ends, and the request is served after the next one: a server that was stopped and goes on.
    Stall,
    /// The database could not order two transactions.
    Serialization,
    /// 18: two attendances of one day at the same time. A `ValidationError` that passes.
    OvertimeClash,
    /// The database does not answer.
    DatabaseDown,
    /// 200 with somebody else's page.
    Portal,
    /// 301 to another address.
    Redirect,
}

impl OdooFault {
    pub(super) fn response(self) -> Response<Bytes> {
        let with = |status, name, value| {
            let mut response = page(status);
            response.headers_mut().insert(name, value);
            response
        };
        match self {
            Self::TooManyRequests(seconds) => {
                with(StatusCode::TOO_MANY_REQUESTS, RETRY_AFTER, HeaderValue::from(seconds))
            }
            Self::Maintenance => page(StatusCode::SERVICE_UNAVAILABLE),
            Self::Portal => page(StatusCode::OK),
            Self::Redirect => {
                let elsewhere = HeaderValue::from_static("https://elsewhere.example.com/");
                with(StatusCode::MOVED_PERMANENTLY, LOCATION, elsewhere)
            }
            _ => page(StatusCode::BAD_GATEWAY),
        }
    }
}
