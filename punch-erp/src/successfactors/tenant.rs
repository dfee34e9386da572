use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, FixedOffset, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use punch_normalize::Direction;
use punch_webhook::ReceivedPunch;
use zeroize::Zeroizing;

use super::codes::Coded;
use super::time_event::in_utc;
use super::{Access, Auth, CallRules, EmployeeField, Mode, SuccessFactorsSettings, TypeCodes, check};
use crate::{ConfigErrors, HttpRequest, ParkReason};

/// One SuccessFactors tenant: where it is, who we are there, and how punches are written. A clone is cheap.
///
/// `Debug` shows no credential. A request carries its token in a header marked sensitive, and a request for a token has
/// the secret in its body; those copies are not wiped. [`render_masked`](crate::render_masked) hides them.
#[derive(Clone)]
pub struct SuccessFactors(Arc<Tenant>);

struct Tenant {
    settings: SuccessFactorsSettings,
    zone: Zone,
}

/// Whose clock a time is written by.
pub(super) enum Zone {
    /// The one of the terminal, as the sender says it.
    Device,
    Named(Tz),
}

impl SuccessFactors {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with them, not only the first thing.
    pub fn new(mut settings: SuccessFactorsSettings) -> Result<Self, ConfigErrors> {
        for address in [&mut settings.api_server, &mut settings.ias_url] {
            address.truncate(address.trim_end_matches('/').len());
        }
        if settings.mode == Mode::Seed {
            settings.auth = Auth::Basic;
        }
        let zone = check::check(&settings)?;
        Ok(Self(Arc::new(Tenant { settings, zone })))
    }

    /// What a punch becomes.
    pub fn mode(&self) -> Mode {
        self.0.settings.mode
    }

    /// How we log in.
    pub fn auth(&self) -> Auth {
        self.0.settings.auth
    }

    /// The codes of the settings.
    pub fn codes(&self) -> &TypeCodes {
        &self.0.settings.codes
    }

    /// How many calls there may be, and when.
    pub fn call_rules(&self) -> CallRules {
        let settings = &self.0.settings;
        let seconds = |number: u32| TimeDelta::seconds(i64::from(number));
        CallRules {
            flush_interval: seconds(settings.flush_interval_s),
            min_gap: seconds(settings.min_call_gap_s),
            daily_cap: settings.daily_call_cap,
            ignore_daily_cap: settings.ignore_daily_cap,
        }
    }

    /// The longest time between an arrival and its departure.
    pub fn max_open(&self) -> TimeDelta {
        TimeDelta::hours(i64::from(self.0.settings.max_open_hours))
    }

    pub(super) fn settings(&self) -> &SuccessFactorsSettings {
        &self.0.settings
    }

    pub(super) fn sends_terminal(&self) -> bool {
        self.0.settings.send_terminal_id
    }

    pub(super) fn time_type(&self) -> Option<&str> {
        Some(self.0.settings.time_type.as_str()).filter(|code| !code.is_empty())
    }

    pub(super) fn assignment<'a>(&self, punch: &'a ReceivedPunch) -> Option<&'a str> {
        match self.0.settings.employee_field {
            EmployeeField::Badge => Some(&punch.badge),
            EmployeeField::EmployeeRef => punch.employee_ref.as_deref(),
        }
    }

    pub(super) fn code(&self, direction: Direction) -> Result<Coded<'_>, ParkReason> {
        let SuccessFactorsSettings { codes, break_fallback, overtime_as_normal, .. } = &self.0.settings;
        codes.of(direction, *break_fallback, *overtime_as_normal)
    }

    /// The time of a punch where it happened, and whether nobody knows where that is.
    pub(super) fn local(&self, punch: &ReceivedPunch) -> (DateTime<FixedOffset>, bool) {
        match (&self.0.zone, punch.local_time) {
            (Zone::Named(zone), _) => {
                let offset = zone.offset_from_utc_datetime(&punch.at.naive_utc()).fix();
                (punch.at.with_timezone(&offset), false)
            }
            (Zone::Device, Some(local)) => (punch.at.with_timezone(local.offset()), false),
            (Zone::Device, None) => (in_utc(punch.at), true),
        }
    }

    /// Whether a text says that an event of this assignment and second is there. It may be in the tenant's language.
    pub(super) fn is_duplicate(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let is_english = text.contains("already exists") && text.contains("time event");
        let mut own = self.0.settings.duplicate_texts.iter();
        is_english || own.any(|known| text.contains(&known.to_lowercase()))
    }

    pub(super) fn get(&self, access: &Access, path_and_query: &str) -> HttpRequest {
        self.request(Method::GET, access, path_and_query, Bytes::new())
    }

    pub(super) fn send_json(&self, method: Method, access: &Access, path: &str, body: Bytes) -> HttpRequest {
        let mut request = self.request(method, access, path, body);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    fn request(&self, method: Method, access: &Access, path_and_query: &str, body: Bytes) -> HttpRequest {
        let url = alloc::format!("{}{path_and_query}", self.0.settings.api_server);
        let mut request = Request::new(body);
        *request.method_mut() = method;
        // The server was checked, paths are ours, and values in them are escaped.
        *request.uri_mut() = Uri::from_str(&url).unwrap_or_default();
        // Without it some of these services answer in XML.
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = self.authorization(access) {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        request
    }

    fn authorization(&self, access: &Access) -> Option<HeaderValue> {
        let text = Zeroizing::new(match access {
            Access::Bearer(token) => alloc::format!("Bearer {}", token.expose()),
            Access::Basic => {
                let SuccessFactorsSettings { user, company_id, password, .. } = &self.0.settings;
                let plain = Zeroizing::new(alloc::format!("{user}@{company_id}:{}", password.expose()));
                alloc::format!("Basic {}", STANDARD.encode(plain.as_bytes()))
            }
        });
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for SuccessFactors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SuccessFactorsSettings { api_server, mode, auth, .. } = &self.0.settings;
        let mut shown = f.debug_struct("SuccessFactors");
        shown.field("api_server", api_server).field("mode", mode).field("auth", auth).finish_non_exhaustive()
    }
}

/// Reads the setting `time_zone`.
pub(super) fn read_zone(text: &str) -> Option<Zone> {
    if text == "device" {
        return Some(Zone::Device);
    }
    Tz::from_str(text).ok().map(Zone::Named)
}

/// A value in a query.
pub(super) fn push_query(url: &mut String, name: &str, value: &str) {
    url.push(if url.contains('?') { '&' } else { '?' });
    url.push_str(name);
    url.push('=');
    crate::percent::push_encoded(url, value);
}
