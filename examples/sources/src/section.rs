//! What a file says of a source.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use punch_erp::Credential;
use punch_erp::hikcentral::{Dialect, EventTypes, HikCentral, HikCentralRules, PollRules, Receiver, Subscription};
use punch_erp::isapi::{HttpHost, IsapiRules, IsapiTerminal};
use punch_erp::passage::{PassageRules, PersonScheme};
use punch_normalize::{DeviceZone, Direction};
use punch_protocol::SerialNumber;
use serde::Deserialize;
use sinks::{SectionError, Trust, checked, one, read_secrets, settings};
use toml::{Table, Value};

use crate::Pause;
use crate::hikcentral::HikCentralSettings;
use crate::isapi::IsapiSettings;

/// A source, as a file describes it.
#[derive(Debug, Clone)]
pub enum Settings {
    /// A HikCentral.
    HikCentral(Box<HikCentralSettings>),
    /// A terminal, and what stands in the path that it posts to.
    Isapi(Box<IsapiSettings>, Option<Credential>),
}

impl Settings {
    /// The kinds there are, as they are named.
    pub const KINDS: [&'static str; 2] = ["hikcentral", "isapi"];

    /// Which of them it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::HikCentral(_) => "hikcentral",
            Self::Isapi(..) => "isapi",
        }
    }
}

type Errors = Vec<SectionError>;

/// Keys that hold secrets. Each may stand in a file that the key with `_file` behind it names.
const SECRETS: [&str; 5] = ["app_key", "app_secret", "token", "password", "path_token"];

/// Shortest text in a path that proves who posts: 128 bits as hexadecimal digits.
const PATH_TOKEN_MIN: usize = 32;

/// Reads the keys of a source called `name`.
///
/// # Errors
///
/// Everything that is wrong, one [`SectionError`] a thing.
pub fn read_section(kind: &str, name: &str, mut table: Table) -> Result<Settings, Errors> {
    read_secrets(&mut table, &SECRETS)?;
    let trust = Trust::take(&mut table)?;
    let begin = take_moment(&mut table, "begin")?;
    match kind {
        "hikcentral" => hikcentral(name, settings(table)?, &trust, begin),
        "isapi" => isapi(settings(table)?, &trust, begin),
        other => Err(one("kind", format!("is `{other}`, expected one of: {}", Settings::KINDS.join(", ")))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HikCentralKeys {
    url: String,
    app_key: Credential,
    app_secret: Credential,
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    dialect: Dialect,
    page_size: Option<u16>,
    #[serde(default)]
    allow_http: bool,
    token: Option<Credential>,
    #[serde(default)]
    insecure_receiver: bool,
    receive_at: Option<String>,
    employee_field: Option<String>,
    event_types: Option<Vec<i64>>,
    #[serde(default)]
    zero_is_out: bool,
    late_sweep_days: Option<u32>,
    poll_seconds: Option<u32>,
    #[serde(default)]
    doors: BTreeMap<String, Direction>,
    #[serde(default)]
    readers: BTreeMap<String, Direction>,
    attendance_doors: Option<BTreeSet<String>>,
    zone: Option<DeviceZone>,
}

fn hikcentral(name: &str, keys: HikCentralKeys, trust: &Trust, begin: Begin) -> Result<Settings, Errors> {
    let mut site = punch_erp::hikcentral::HikCentralSettings::new(keys.url, keys.app_key, keys.app_secret);
    (site.user_id, site.dialect, site.allow_http) = (keys.user_id, keys.dialect, keys.allow_http);
    site.page_size = keys.page_size.unwrap_or(site.page_size);
    site.zone = keys.zone.unwrap_or(site.zone);
    let mut rules = HikCentralRules::default();
    let passage = &mut rules.passage;
    (passage.doors, passage.readers, passage.zone) = (keys.doors, keys.readers, keys.zone);
    passage.attendance_doors = keys.attendance_doors;
    rules.isc_zero_is_out = keys.zero_is_out;
    rules.event_types = keys.event_types.map(EventTypes::of).unwrap_or_default();
    let subscription = match keys.receive_at {
        Some(at) => {
            let address = format!("{}/hik/events/{name}", at.trim_end_matches('/'));
            Some(Subscription::new(rules.event_types.codes(), address).map_err(|error| wrong("receive_at", &error))?)
        }
        None => None,
    };
    let receiver = if subscription.is_some() || keys.token.is_some() || keys.insecure_receiver {
        Some(Receiver::new(keys.token, keys.insecure_receiver).map_err(|error| wrong("token", &error))?)
    } else {
        None
    };
    let mut poll = PollRules::default();
    if subscription.is_some() {
        poll.interval = PollRules::RECONCILE_INTERVAL;
    }
    poll.interval = interval(keys.poll_seconds)?.unwrap_or(poll.interval);
    if let Some(days) = keys.late_sweep_days {
        // Longer times are refused by the server.
        let days = Some(days).filter(|days| *days <= 31);
        let days = days.ok_or_else(|| one("late_sweep_days", "expected 0 to 31".to_owned()))?;
        poll.late_sweep = TimeDelta::days(days.into());
    }
    let scheme = keys.employee_field.as_deref().unwrap_or("person_code");
    Ok(Settings::HikCentral(Box::new(HikCentralSettings {
        site: checked(HikCentral::new(site))?,
        transport: transport(trust)?,
        employee_field: scheme.parse().map_err(|error| wrong("employee_field", &error))?,
        rules,
        poll,
        pause: Pause::default(),
        begin,
        receiver,
        look_every: HikCentralSettings::LOOK_EVERY,
        subscription,
        is_dry: false,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IsapiKeys {
    serial: String,
    url: String,
    user: Credential,
    password: Credential,
    #[serde(default)]
    allow_http: bool,
    path_token: Option<Credential>,
    receive_at: Option<String>,
    slot: Option<u8>,
    #[serde(default)]
    stream: bool,
    employee_field: Option<String>,
    #[serde(default)]
    with_code_and_password: bool,
    late_sweep_days: Option<u32>,
    poll_seconds: Option<u32>,
    #[serde(default)]
    doors: BTreeMap<String, Direction>,
    #[serde(default)]
    readers: BTreeMap<String, Direction>,
    zone: Option<DeviceZone>,
}

fn isapi(keys: IsapiKeys, trust: &Trust, begin: Begin) -> Result<Settings, Errors> {
    let serial = SerialNumber::parse(&keys.serial).map_err(|error| one("serial", error.to_string()))?;
    let mut terminal = punch_erp::isapi::IsapiSettings::new(keys.url, keys.user, keys.password);
    terminal.allow_http = keys.allow_http;
    let mut rules = IsapiRules::new(serial);
    rules.codes.with_code_and_password = keys.with_code_and_password;
    let people = [PersonScheme::EmployeeNo, PersonScheme::CardNo];
    let passage: &mut PassageRules = &mut rules.passage;
    (passage.doors, passage.readers, passage.zone) = (keys.doors, keys.readers, keys.zone);
    passage.employee_fields = match keys.employee_field.as_deref() {
        None | Some("employee_no") => people[..1].to_vec(),
        Some("card_no") => people[1..].to_vec(),
        Some("employee_no_or_card_no") => people.to_vec(),
        Some(_) => {
            let expected = "expected `employee_no`, `card_no` or `employee_no_or_card_no`";
            return Err(one("employee_field", expected.to_owned()));
        }
    };
    let is_plain = |token: &str| token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if let Some(token) = keys.path_token.as_ref().map(Credential::expose)
        && (!is_plain(token) || !(PATH_TOKEN_MIN..=64).contains(&token.len()))
    {
        let expected = "expected 32 to 64 letters, digits, `-` and `_`, drawn at random: many terminals prove themselves by nothing else";
        return Err(one("path_token", expected.to_owned()));
    }
    let host = match (keys.receive_at, &keys.path_token) {
        (None, _) => None,
        (Some(_), None) => {
            return Err(one("receive_at", "needs `path_token`, by which the terminal is known".to_owned()));
        }
        (Some(at), Some(token)) => {
            let address = format!("{}/isapi/events/{}", at.trim_end_matches('/'), token.expose());
            Some((HttpHost::new(&address).map_err(|error| wrong("receive_at", &error))?, keys.slot.unwrap_or(1)))
        }
    };
    let mut poll = IsapiSettings::poll();
    poll.interval = interval(keys.poll_seconds)?.unwrap_or(poll.interval);
    poll.late_sweep = TimeDelta::days(keys.late_sweep_days.unwrap_or(0).into());
    let settings = IsapiSettings {
        terminal: checked(IsapiTerminal::new(terminal))?,
        transport: transport(trust)?,
        rules,
        poll,
        pause: Pause::default(),
        begin,
        host,
        streams: keys.stream,
    };
    Ok(Settings::Isapi(Box::new(settings), keys.path_token))
}

type Begin = Option<DateTime<Utc>>;

fn take_moment(table: &mut Table, key: &str) -> Result<Begin, Errors> {
    let text = match table.remove(key) {
        None => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Datetime(at)) => at.to_string(),
        Some(_) => return Err(one(key, "expected a time such as 2026-01-27T00:00:00Z".to_owned())),
    };
    text.parse()
        .map(Some)
        .map_err(|_| one(key, "does not read, expected a time such as 2026-01-27T00:00:00Z".to_owned()))
}

/// S3-018.
fn interval(seconds: Option<u32>) -> Result<Option<TimeDelta>, Errors> {
    match seconds {
        None => Ok(None),
        Some(seconds @ 60..=3600) => Ok(Some(TimeDelta::seconds(seconds.into()))),
        Some(_) => Err(one("poll_seconds", "expected 60 to 3600".to_owned())),
    }
}

fn transport(trust: &Trust) -> Result<punch_erp::ReqwestTransport, Errors> {
    trust.transport().map_err(|error| one("", error.to_string()))
}

fn wrong(key: &str, error: &punch_erp::ConfigError) -> Errors {
    one(key, error.to_string())
}
