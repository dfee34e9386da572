use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr as _;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Uri};
use zeroize::Zeroizing;

use super::settings::device;
use super::{AlternationRules, EntryKind, HumandSettings, Pace, PathStyle};
use crate::address::check_address;
use crate::request::build;
use crate::zone::read_zone;
use crate::{ConfigError, ConfigErrors, Credential, HttpRequest};

const SCHEME: &str = "Basic ";

/// One Humand community: where it is, who we are there, and how punches are written. A clone is cheap.
///
/// `Debug` shows no credential. A request carries the key in a header marked sensitive, which clients keep out of their
/// own logs; that copy is not wiped.
#[derive(Clone)]
pub struct Humand(Arc<Site>);

struct Site {
    settings: HumandSettings,
    /// `None` takes the offset that comes with each punch.
    zone: Option<Tz>,
    scheme_was_dropped: bool,
}

impl Humand {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with them, not only the first thing.
    pub fn new(mut settings: HumandSettings) -> Result<Self, ConfigErrors> {
        settings.base.truncate(settings.base.trim_end_matches('/').len());
        let key = without_scheme(settings.api_key.expose()).map(Credential::from);
        let scheme_was_dropped = key.is_some();
        settings.api_key = key.unwrap_or(settings.api_key);
        let mut errors = check_addresses(&settings);
        errors.extend(check_key(&settings.api_key).err());
        let mut zone = None;
        if settings.time_zone != device() {
            match read_zone("time_zone", &settings.time_zone) {
                Ok(read) => zone = Some(read),
                Err(error) => errors.push(error),
            }
        }
        if !(1..=50).contains(&settings.rate_per_minute) {
            let found = u64::from(settings.rate_per_minute);
            errors.push(ConfigError::OutOfRange { key: "rate_per_minute", found, expected: "1 to 50" });
        }
        ConfigErrors::check(errors)?;
        Ok(Self(Arc::new(Site { settings, zone, scheme_was_dropped })))
    }

    /// Whether the key came with `Basic ` before it, which was dropped. Worth a line in a log: it is no part of the key.
    pub fn scheme_was_dropped(&self) -> bool {
        self.0.scheme_was_dropped
    }

    /// What one limiter for all of this community's requests starts from.
    pub fn pace(&self) -> Pace {
        Pace::new(self.0.settings.rate_per_minute)
    }

    /// How punches of one person have to follow each other.
    pub fn alternation(&self) -> AlternationRules {
        AlternationRules {
            on_violation: self.0.settings.on_violation,
            infer_unknown: self.0.settings.infer_unknown,
            reorder_window: TimeDelta::seconds(i64::from(self.0.settings.reorder_window_s)),
            ..AlternationRules::default()
        }
    }

    /// Whether `employeeId` is written as a number.
    pub fn employee_id_as_number(&self) -> bool {
        self.0.settings.employee_id_as_number
    }

    /// The time of a punch with the offset it is written with. `told` is the one the sender gave.
    pub fn local(&self, at: DateTime<Utc>, told: Option<DateTime<FixedOffset>>) -> DateTime<FixedOffset> {
        let offset = match self.0.zone {
            Some(zone) => zone.offset_from_utc_datetime(&at.naive_utc()).fix(),
            None => told.map_or_else(|| Utc.fix(), |told| *told.offset()),
        };
        at.with_timezone(&offset)
    }

    /// `path` and values are escaped.
    pub(super) fn get(&self, path: &[&str], query: &[(&str, &str)]) -> HttpRequest {
        self.authorized(build(&self.0.settings.base, Method::GET, path, query, Bytes::new()))
    }

    pub(super) fn post(&self, kind: EntryKind, body: Bytes) -> HttpRequest {
        let HumandSettings { base, path_style, clock_in_url, clock_out_url, .. } = &self.0.settings;
        let path = match (path_style, kind) {
            (PathStyle::Entries, EntryKind::Start) => ["time-tracking", "entries", "clockIn"].as_slice(),
            (PathStyle::Entries, EntryKind::End) => ["time-tracking", "entries", "clockOut"].as_slice(),
            (PathStyle::Seed, EntryKind::Start) => ["time-tracking", "clock-in"].as_slice(),
            (PathStyle::Seed, EntryKind::End) => ["time-tracking", "clock-out"].as_slice(),
            (PathStyle::Custom, _) => [].as_slice(),
        };
        let base = match (path_style, kind) {
            (PathStyle::Entries, _) => base.as_str(),
            (PathStyle::Seed, _) => root(base),
            (PathStyle::Custom, EntryKind::Start) => clock_in_url,
            (PathStyle::Custom, EntryKind::End) => clock_out_url,
        };
        let mut request = self.authorized(build(base, Method::POST, path, &[], body));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    fn authorized(&self, mut request: HttpRequest) -> HttpRequest {
        let text = Zeroizing::new([SCHEME, self.0.settings.api_key.expose()].concat());
        if let Ok(mut value) = HeaderValue::from_str(&text) {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        request
    }
}

impl fmt::Debug for Humand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HumandSettings { base, path_style, .. } = &self.0.settings;
        f.debug_struct("Humand").field("base", base).field("path_style", path_style).finish_non_exhaustive()
    }
}

fn check_addresses(settings: &HumandSettings) -> Vec<ConfigError> {
    let HumandSettings { base, clock_in_url, clock_out_url, allow_http, .. } = settings;
    let cure = "give the whole address, or choose another `path_style`";
    let mut addresses = alloc::vec![("base", base, "leave it out for production")];
    if settings.path_style == PathStyle::Custom {
        addresses.extend([("clock_in_url", clock_in_url, cure), ("clock_out_url", clock_out_url, cure)]);
    }
    addresses.iter().filter_map(|(key, address, cure)| check_address(key, address, cure, *allow_http).err()).collect()
}

/// The key behind `Basic `, in whatever letters; `None` if that is not before it.
fn without_scheme(key: &str) -> Option<&str> {
    let (scheme, rest) = key.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

/// The key is opaque, so only what no header carries is refused, and blanks at its ends, which come from copying.
fn check_key(credential: &Credential) -> Result<(), ConfigError> {
    let (key, text) = ("api_key", credential.expose());
    if text.is_empty() {
        return Err(ConfigError::Missing { key, cure: "have an administrator of the community make a key" });
    }
    let is_clean = text.trim().len() == text.len() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_clean { Ok(()) } else { Err(ConfigError::BadCredential { key }) }
}

/// Scheme and host of an address that was checked.
fn root(base: &str) -> &str {
    let path = Uri::from_str(base).map_or(0, |uri| uri.path().trim_end_matches('/').len());
    base.get(..base.len().saturating_sub(path)).unwrap_or(base)
}
