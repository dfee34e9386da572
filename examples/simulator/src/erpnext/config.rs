use core::fmt;
use core::str::FromStr as _;

use bytes::Bytes;
use chrono::NaiveDateTime;
use chrono_tz::Tz;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::reply::{self, Api, Exception, Reply};

/// The settings of a site, and its employees.
#[derive(Clone)]
#[non_exhaustive]
pub struct ErpNextConfig {
    /// The host name it answers for; empty for any.
    pub host: String,
    /// The time zone of its System Settings.
    pub zone: Tz,
    /// Its language, `en` or `de`: the language of refusals, unless the request asks for another.
    pub language: String,
    /// What it does with names given by the caller.
    pub naming: Naming,
    /// The employee table.
    pub employees: Vec<ErpNextEmployee>,
    /// The shift types.
    pub shifts: Vec<ErpNextShift>,
    /// The API user.
    pub user: String,
    /// The API user's key.
    pub key: String,
    /// The API user's secret.
    pub secret: String,
    /// Whether the API user has a role for checkins.
    pub may_write: bool,
    /// Whether the API user may write at level 1, which the time is at.
    pub may_set_time: bool,
    /// Whether HR Settings ask for latitude and longitude.
    pub geolocation: bool,
    /// Whether errors come with tracebacks.
    pub tracebacks: bool,
}

impl ErpNextConfig {
    /// A current English site in `zone`, with the API user `key`, `secret`.
    ///
    /// # Errors
    ///
    /// If the zone is not in the IANA database.
    pub fn new(zone: &str, key: &str, secret: &str) -> Result<Self, chrono_tz::ParseError> {
        Ok(Self {
            host: String::new(),
            zone: Tz::from_str(zone)?,
            language: "en".to_owned(),
            naming: Naming::Honoured,
            employees: Vec::new(),
            shifts: Vec::new(),
            user: "gateway1@example.com".to_owned(),
            key: key.to_owned(),
            secret: secret.to_owned(),
            may_write: true,
            may_set_time: true,
            geolocation: false,
            tracebacks: true,
        })
    }
}

impl fmt::Debug for ErpNextConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErpNextConfig")
            .field("zone", &self.zone)
            .field("naming", &self.naming)
            .field("employees", &self.employees.len())
            .finish_non_exhaustive()
    }
}

/// What a server does with a record's name given by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Naming {
    /// `/api/v2` takes it. Frappe 15.74 or newer.
    Honoured,
    /// `/api/v2` ignores it. Older Frappe 15.
    Ignored,
    /// There is no `/api/v2`. Frappe 14.
    NoV2,
}

/// One row of the employee table.
#[derive(Clone)]
#[non_exhaustive]
pub struct ErpNextEmployee {
    /// The record's name, such as `HR-EMP-00001`.
    pub name: String,
    /// The person's name.
    pub employee_name: String,
    /// `attendance_device_id`.
    pub badge: Option<String>,
    /// `Active`, `Inactive`, `Suspended` or `Left`.
    pub status: String,
    /// The last day of work, `YYYY-MM-DD`.
    pub relieving_date: Option<String>,
    /// Whether a shift is assigned; some faults depend on it.
    pub has_shift: bool,
}

impl ErpNextEmployee {
    /// An active employee with a shift.
    pub fn new(name: &str, employee_name: &str, badge: &str) -> Self {
        Self {
            name: name.to_owned(),
            employee_name: employee_name.to_owned(),
            badge: Some(badge.to_owned()),
            status: "Active".to_owned(),
            relieving_date: None,
            has_shift: true,
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: &str) -> Self {
        self.status = status.to_owned();
        self
    }
}

impl fmt::Debug for ErpNextEmployee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErpNextEmployee").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A shift type.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ErpNextShift {
    /// The record's name, such as `Day`.
    pub name: String,
    /// Up to when its checkins count as all there, local time of the site.
    pub last_sync_of_checkin: Option<NaiveDateTime>,
    /// Whether the site moves that by its own clock.
    pub auto_update_last_sync: bool,
    /// Whether the API user may set it. Otherwise it is left as it is, without a word.
    pub is_writable: bool,
}

impl ErpNextShift {
    /// A shift type that was never synced.
    pub fn new(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, last_sync_of_checkin: None, auto_update_last_sync: false, is_writable: true }
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErpNextFault {
    /// Nothing: it is served.
    None,
    /// 429 with `Retry-After` in seconds.
    RateLimited(u32),
    /// 503 `SessionStopped`, without `Retry-After`.
    Maintenance,
    /// 500 with a page: the database is down.
    DatabaseDown,
    /// 500 `OperationalError` 1205: a lock was not had in time.
    LockWait,
    /// The connection ends before anything is done.
    DropBefore,
    /// The request is served, then the connection ends: what a stalled server looks like to a client that gave up.
    DropAfter,
    /// The request is served, and the proxy in front answers 502.
    BadGatewayAfter,
    /// 200 with somebody else's page.
    Portal,
    /// 301 to another address.
    Redirect,
}

impl ErpNextFault {
    pub(super) fn response(self) -> Response<Bytes> {
        let error =
            |status, kind, text| Reply::Error(Api::V1, Exception::new(status, kind, text), true).into_response();
        match self {
            Self::RateLimited(seconds) => {
                let mut response = error(429, "TooManyRequestsError", "Rate limit exceeded");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::Maintenance => error(503, "SessionStopped", "Session Stopped"),
            Self::LockWait => {
                error(500, "OperationalError", "(1205, 'Lock wait timeout exceeded; try restarting transaction')")
            }
            Self::Portal => reply::page(StatusCode::OK),
            Self::Redirect => {
                let mut response = reply::page(StatusCode::MOVED_PERMANENTLY);
                response.headers_mut().insert(LOCATION, HeaderValue::from_static("https://elsewhere.example.com/"));
                response
            }
            Self::None | Self::DatabaseDown | Self::DropBefore | Self::DropAfter | Self::BadGatewayAfter => {
                reply::page(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}
