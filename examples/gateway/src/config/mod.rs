//! `punch.toml`: read whole, checked whole. Every error of a file is listed at once, with its key and a cure.

mod section;

use core::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use punch_normalize::{DeviceZone, Rules};
use punch_protocol::SerialNumber;
use punch_protocol::push::{CommKey, Limits};
use punch_webhook::{EventType, PayloadFormat, Secret};

use crate::api::ApiKey;
use section::Section;

/// Everything a gateway needs to know. [`Config::default`] runs without a file.
#[derive(Debug)]
pub struct Config {
    /// Where terminals connect. Default `0.0.0.0:8081`.
    pub device_addr: SocketAddr,
    /// Where the API listens. Default `127.0.0.1:8080`.
    pub api_addr: SocketAddr,
    /// The SQLite file. Default `punch.sqlite` in the working directory.
    pub store: PathBuf,
    /// A fixed API key; without it the first start makes one and prints it once.
    pub api_key: Option<ApiKey>,
    /// What a terminal without a setting of its own gets.
    pub defaults: DeviceDefaults,
    /// The terminals approved by the file.
    pub devices: Vec<DeviceConfig>,
    /// The webhook endpoints named by the file.
    pub endpoints: Vec<EndpointConfig>,
    /// The people named by the file.
    pub employees: Vec<EmployeeConfig>,
    /// What to do with a badge nobody has registered.
    pub unknown_badges: UnknownBadges,
    /// How deliveries are made.
    pub delivery: DeliveryConfig,
    /// How much a terminal may send.
    pub limits: Limits,
}

/// What a terminal without a setting of its own gets.
#[derive(Debug, Clone)]
pub struct DeviceDefaults {
    /// What the terminal's clock shows. Default UTC.
    pub zone: DeviceZone,
    /// Duplicate window. Default 60 s; 0 switches it off.
    pub window: TimeDelta,
    /// Name of the site. Default empty.
    pub site: String,
}

impl DeviceDefaults {
    /// A terminal with these settings; without a name it is called by its serial.
    pub fn device(&self, serial: SerialNumber, name: Option<String>) -> DeviceConfig {
        let name = name.unwrap_or_else(|| serial.to_string());
        DeviceConfig { serial, name, site: self.site.clone(), zone: self.zone, window: self.window, comm_key: None }
    }
}

/// One approved terminal.
#[derive(Debug, Clone)]
pub struct DeviceConfig {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Its name for people; the serial if the file gives none.
    pub name: String,
    /// Its site.
    pub site: String,
    /// What its clock shows.
    pub zone: DeviceZone,
    /// Its duplicate window.
    pub window: TimeDelta,
    /// The secret typed into it, without which it is not believed.
    pub comm_key: Option<CommKey>,
}

/// One webhook endpoint.
#[derive(Debug)]
pub struct EndpointConfig {
    /// Where events are posted.
    pub url: String,
    /// What signs them.
    pub secret: Secret,
    /// The shape of the body. Default nested.
    pub format: PayloadFormat,
    /// When failed attempts are repeated: `seed-002` (the default) or `seed-001`.
    pub schedule: &'static str,
    /// The types of events it wants. Default all of them.
    pub events: Vec<String>,
}

/// One registered person. `Debug` names nobody.
#[derive(Clone)]
pub struct EmployeeConfig {
    /// The PIN as the terminal sends it.
    pub badge: String,
    /// The name sent in payloads; none keeps it private.
    pub name: Option<String>,
}

impl fmt::Debug for EmployeeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmployeeConfig").field("named", &self.name.is_some()).finish_non_exhaustive()
    }
}

/// What to do with a badge nobody has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownBadges {
    /// Hold once anybody is registered; while the register is empty, everybody is known.
    Auto,
    /// Deliver like any other.
    Deliver,
    /// Hold until the badge is registered.
    Hold,
}

/// How deliveries are made.
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// Total deadline of one attempt, connect to last body byte. Default 10 s, 1 to 30 s.
    pub timeout: Duration,
    /// Whether endpoints in private networks may be called. Default no.
    pub allow_private_targets: bool,
    /// Whether `http://` endpoints are accepted. Default no.
    pub allow_http: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            device_addr: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8081)),
            api_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            store: PathBuf::from("punch.sqlite"),
            api_key: None,
            defaults: DeviceDefaults { zone: DeviceZone::Utc, window: Rules::WINDOW, site: String::new() },
            devices: Vec::new(),
            endpoints: Vec::new(),
            employees: Vec::new(),
            unknown_badges: UnknownBadges::Auto,
            delivery: DeliveryConfig {
                timeout: Duration::from_secs(10),
                allow_private_targets: false,
                allow_http: false,
            },
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Reads the text of a `punch.toml`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with it, in the order of the file's keys.
    pub fn parse(text: &str) -> Result<Self, ConfigErrors> {
        let table = text.parse::<toml::Table>().map_err(|error| {
            // The line itself is not shown: a secret may stand on it.
            let place = error.span().and_then(|span| text.get(..span.start)).map(place_after);
            let problem = format!("{}: {}", place.unwrap_or_default(), error.message());
            ConfigErrors(vec![ConfigError { key: "file".to_owned(), problem }])
        })?;
        let mut root = Section::new("", table);
        let config = Self::from_section(&mut root);
        let errors = root.finish();
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }

    fn from_section(root: &mut Section) -> Self {
        let base = Self::default();
        let mut listen = root.section("listen");
        let device_addr = listen.parsed("device", "an address like `0.0.0.0:8081`").unwrap_or(base.device_addr);
        let api_addr = listen.parsed("api", "an address like `127.0.0.1:8080`").unwrap_or(base.api_addr);
        root.absorb(listen);
        let store = root.text("store").map_or(Some(base.store.clone()), |text| store_path(root, &text));
        let api_key = root.text("api_key").map(ApiKey::new);
        let defaults = defaults(root, &base.defaults);
        let delivery = delivery(root, &base.delivery);
        let unknown_badges = root.one_of(
            "unknown_badges",
            &[("auto", UnknownBadges::Auto), ("deliver", UnknownBadges::Deliver), ("hold", UnknownBadges::Hold)],
        );
        let mut limits = base.limits;
        if let Some(body) = root.whole_number("max_body_bytes", 1 << 16, 1 << 30) {
            limits.stream = usize::try_from(body).unwrap_or(limits.stream);
            limits.body = limits.body.min(limits.stream);
        }
        let devices =
            root.sections("device").into_iter().filter_map(|section| device(root, section, &defaults)).collect();
        let endpoints =
            root.sections("endpoint").into_iter().filter_map(|section| endpoint(root, section, &delivery)).collect();
        let employees = root.sections("employee").into_iter().filter_map(|section| employee(root, section)).collect();
        let config = Self {
            device_addr,
            api_addr,
            store: store.unwrap_or(base.store),
            api_key,
            defaults,
            devices,
            endpoints,
            employees,
            unknown_badges: unknown_badges.unwrap_or(UnknownBadges::Auto),
            delivery,
            limits,
        };
        refuse_repeats(root, &config);
        config
    }
}

/// Where the character behind `before` stands.
fn place_after(before: &str) -> String {
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    format!("line {line}, column {column}")
}

/// Reads `sqlite:PATH`, the form that `--store` takes too.
///
/// # Errors
///
/// The text names another kind of store.
pub fn parse_store(text: &str) -> Result<PathBuf, String> {
    match text.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => Ok(PathBuf::from(path)),
        Some(("postgres" | "postgresql", _)) => {
            Err("PostgreSQL stores are not available yet; use `sqlite:PATH`".to_owned())
        }
        _ => Err("expected `sqlite:PATH`, like `sqlite:/var/lib/punch/punch.sqlite`".to_owned()),
    }
}

fn store_path(root: &mut Section, text: &str) -> Option<PathBuf> {
    parse_store(text).map_err(|problem| root.complain("store", problem)).ok()
}

fn defaults(root: &mut Section, base: &DeviceDefaults) -> DeviceDefaults {
    let mut section = root.section("defaults");
    let defaults = DeviceDefaults {
        zone: zone(&mut section).unwrap_or(base.zone),
        window: window(&mut section).unwrap_or(base.window),
        site: section.text("site").unwrap_or_default(),
    };
    root.absorb(section);
    defaults
}

fn delivery(root: &mut Section, base: &DeliveryConfig) -> DeliveryConfig {
    let mut section = root.section("delivery");
    let delivery = DeliveryConfig {
        timeout: section.whole_number("timeout_seconds", 1, 30).map_or(base.timeout, Duration::from_secs),
        allow_private_targets: section.switch("allow_private_targets").unwrap_or(false),
        allow_http: section.switch("allow_http").unwrap_or(false),
    };
    root.absorb(section);
    delivery
}

fn device(root: &mut Section, mut section: Section, defaults: &DeviceDefaults) -> Option<DeviceConfig> {
    let text = section.required("serial", "the serial number on the terminal's label");
    let serial = text.and_then(|text| {
        SerialNumber::parse(&text).map_err(|error| section.complain("serial", error.to_string())).ok()
    });
    let (name, site) = (section.text("name"), section.text("site"));
    let (zone, window) = (zone(&mut section), window(&mut section));
    let comm_key = comm_key(&mut section);
    root.absorb(section);
    let mut device = defaults.device(serial?, name);
    device.site = site.unwrap_or(device.site);
    device.zone = zone.unwrap_or(device.zone);
    device.window = window.unwrap_or(device.window);
    device.comm_key = comm_key;
    Some(device)
}

fn endpoint(root: &mut Section, mut section: Section, delivery: &DeliveryConfig) -> Option<EndpointConfig> {
    let url = section.required("url", "an https URL").and_then(|url| {
        check_url(&url, delivery).map_err(|problem| section.complain("url", problem)).ok().map(|()| url)
    });
    let secret = secret(&mut section);
    let formats = PayloadFormat::ALL.map(|format| (format.as_str(), format));
    let format = section.one_of("payload_format", &formats).unwrap_or_default();
    let schedules = EndpointConfig::SCHEDULES.map(|name| (name, name));
    let schedule = section.one_of("schedule", &schedules).unwrap_or("seed-002");
    let events = section.texts("events").unwrap_or_else(EndpointConfig::all_events);
    if let Err(problem) = check_events(&events) {
        section.complain("events", problem);
    }
    root.absorb(section);
    Some(EndpointConfig { url: url?, secret: secret?, format, schedule, events })
}

fn secret(section: &mut Section) -> Option<Secret> {
    let text = match from_file(section, "secret_file") {
        Some(read) => read?,
        None => section.required("secret", "the signing secret, or `secret_file`")?,
    };
    Secret::new(text).map_err(|error| section.complain("secret", error.to_string())).ok()
}

fn comm_key(section: &mut Section) -> Option<CommKey> {
    let text = from_file(section, "comm_key_file").unwrap_or_else(|| section.text("comm_key"))?;
    Some(CommKey::new(&text))
}

/// What stands in the file that a key names. `None` if there is no such key, `Some(None)` if there is no such file.
fn from_file(section: &mut Section, key: &str) -> Option<Option<String>> {
    let path = section.text(key)?;
    let read = std::fs::read_to_string(&path);
    let read = read.map_err(|error| section.complain(key, format!("cannot read `{path}`: {error}")));
    Some(read.ok().map(|text| text.trim_end().to_owned()))
}

fn employee(root: &mut Section, mut section: Section) -> Option<EmployeeConfig> {
    let badge = section.required("badge", "the PIN as the terminal sends it, quoted: `\"0042\"`");
    let name = section.text("name");
    root.absorb(section);
    Some(EmployeeConfig { badge: badge?, name })
}

fn zone(section: &mut Section) -> Option<DeviceZone> {
    let text = section.text("zone")?;
    DeviceZone::parse(&text).map_err(|error| section.complain("zone", error.to_string())).ok()
}

fn window(section: &mut Section) -> Option<TimeDelta> {
    let seconds = section.whole_number("window_seconds", 0, 86_400)?;
    i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds)
}

/// Whether `url` may be an endpoint under these settings.
///
/// # Errors
///
/// What is wrong, and what to do.
pub fn check_url(url: &str, delivery: &DeliveryConfig) -> Result<(), String> {
    let parsed =
        reqwest::Url::parse(url).map_err(|error| format!("not a URL ({error}), expected `https://host/path`"))?;
    match parsed.scheme() {
        "https" => {}
        "http" if delivery.allow_http => {}
        "http" => return Err("http is not encrypted; use https, or set `delivery.allow_http` for tests".to_owned()),
        other => return Err(format!("scheme `{other}` cannot be called, expected https")),
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err("has no host, expected `https://host/path`".to_owned());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("has a user name in it; endpoints are told apart by their signature".to_owned());
    }
    Ok(())
}

impl EndpointConfig {
    /// The names a schedule may have.
    pub const SCHEDULES: [&'static str; 2] = ["seed-002", "seed-001"];

    /// Every type of event an endpoint can want.
    pub fn all_events() -> Vec<String> {
        EventType::SUBSCRIBABLE.iter().map(ToString::to_string).collect()
    }
}

/// Whether `events` names at least one type, and only types there are.
///
/// # Errors
///
/// What is wrong, and what to do.
pub fn check_events(events: &[String]) -> Result<(), String> {
    let known = EndpointConfig::all_events();
    match events.iter().find(|event| !known.contains(event)) {
        Some(unknown) => Err(format!("`{unknown}` is no event, expected some of: {}", known.join(", "))),
        None if events.is_empty() => Err(format!("names no event, expected some of: {}", known.join(", "))),
        None => Ok(()),
    }
}

fn refuse_repeats(root: &mut Section, config: &Config) {
    let serials = config.devices.iter().map(|device| device.serial.as_str());
    let badges = config.employees.iter().map(|employee| employee.badge.as_str());
    let urls = config.endpoints.iter().map(|endpoint| endpoint.url.as_str());
    for (key, values) in [
        ("device.serial", serials.collect::<Vec<_>>()),
        ("employee.badge", badges.collect()),
        ("endpoint.url", urls.collect()),
    ] {
        let mut seen = std::collections::BTreeSet::new();
        for (index, value) in values.into_iter().enumerate() {
            if !seen.insert(value) {
                // The value itself may name a person, so only its place is told.
                root.complain(
                    key,
                    format!("entry {} repeats an earlier one; keep one of them", index.saturating_add(1)),
                );
            }
        }
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, with dots and, in lists, the entry's number from 1.
    pub key: String,
    /// What is wrong and what to do.
    pub problem: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}`{}`: {}", error.key, error.problem)?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigErrors {}
