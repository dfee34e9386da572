//! `punch.toml`: read whole, checked whole. Every error of a file is listed at once, with its key and a cure.

mod batch;
mod listen;
mod notify;
mod options;
mod people;
mod profile;
mod read;
mod retention;
mod schedule;
mod section;
mod sink;
mod source;
mod terminals;
mod tls;
mod warnings;

use core::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use punch_normalize::timeline::Role;
use punch_protocol::SerialNumber;
use punch_protocol::push::{CommKey, Limits};
use punch_webhook::{EventType, PayloadFormat, Secret};

use crate::api::ApiKey;
use crate::core::{CallLimits, Identity, Networks, PathToken, Shifts};
use crate::store::Place;
pub use batch::Batch;
pub(crate) use batch::BatchWish;
pub use notify::{NotifyConfig, SmtpUrl};
pub use options::EndpointOptions;
pub use profile::Profile;
pub use retention::RetentionConfig;
pub use schedule::{parse_closing, parse_span, read_shifts};
pub use section::Section;
pub use sink::SinkConfig;
pub use source::SourceConfig;
pub use tls::{KeyFiles, TlsConfig};

/// Everything a gateway needs to know. [`Config::default`] runs without a file.
#[derive(Debug)]
pub struct Config {
    /// Where terminals connect. Default `0.0.0.0:8081`.
    pub device_addr: SocketAddr,
    /// Whether terminals are listened to in plain HTTP. Default yes; without it `device_tls` has an address.
    pub device_plain: bool,
    /// Where terminals connect over TLS, and with which certificates. Default nowhere.
    pub device_tls: Option<(SocketAddr, TlsConfig)>,
    /// Where the API listens. Default `127.0.0.1:8080`.
    pub api_addr: SocketAddr,
    /// The certificates of the API. Default none: it is plain HTTP.
    pub api_tls: Option<TlsConfig>,
    /// The proxies that are believed when they say whose connection or request it is. Default none.
    pub trusted_proxies: Networks,
    /// Where rows are kept. Default is the file `punch.sqlite` in the working directory.
    pub store: Place,
    /// A fixed API key; without it the first start makes one and prints it once.
    pub api_key: Option<ApiKey>,
    /// What a terminal without a setting of its own gets.
    pub defaults: DeviceDefaults,
    /// The sites that have settings of their own.
    pub sites: Vec<SiteConfig>,
    /// The terminals approved by the file.
    pub devices: Vec<DeviceConfig>,
    /// The webhook endpoints named by the file.
    pub endpoints: Vec<EndpointConfig>,
    /// The ERPs that are written to. Each has an endpoint among the others.
    pub sinks: Vec<SinkConfig>,
    /// The access systems that punches are read from.
    pub sources: Vec<SourceConfig>,
    /// The people named by the file, one identity a PIN.
    pub employees: Vec<Identity>,
    /// The shifts, and whose they are.
    pub shifts: Shifts,
    /// What to do with a badge nobody has registered.
    pub unknown_badges: UnknownBadges,
    /// How deliveries are made.
    pub delivery: DeliveryConfig,
    /// How long what is done with is kept.
    pub retention: RetentionConfig,
    /// Who is told by e-mail when an endpoint takes no events. Default nobody.
    pub notify: Option<NotifyConfig>,
    /// How much a terminal may send.
    pub limits: Limits,
    /// How often the API may be called with one key.
    pub calls: CallLimits,
    /// How many serial numbers nobody has heard of are remembered from one address in a minute. Default 60.
    pub unknown_serials_per_minute: u32,
    /// How often it is looked who came and who went. Default 5 s; no key of the file.
    pub look_every: Duration,
}

/// What a terminal without a setting of its own gets.
#[derive(Debug, Clone, Default)]
pub struct DeviceDefaults {
    /// Name of the site. Default empty.
    pub site: String,
    /// What is made of its rows: as that site says, if it has settings of its own.
    pub profile: Profile,
}

impl DeviceDefaults {
    /// A terminal with these settings; without a name it is called by its serial.
    pub fn device(&self, serial: SerialNumber, name: Option<String>) -> DeviceConfig {
        let name = name.unwrap_or_else(|| serial.to_string());
        let Self { site, profile } = self.clone();
        DeviceConfig { serial, name, site, role: None, profile, comm_key: None, allow: None, path_token: None }
    }
}

/// One site with settings of its own.
#[derive(Debug, Clone)]
pub struct SiteConfig {
    /// Its name, by which terminals and people name it.
    pub name: String,
    /// What is made of the rows of its terminals.
    pub profile: Profile,
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
    /// What it is there for, if people only come in there, or only go out.
    pub role: Option<Role>,
    /// What is made of its rows.
    pub profile: Profile,
    /// The secret typed into it, without which it is not believed.
    pub comm_key: Option<CommKey>,
    /// The networks it may call from. Default: what the store has, at first from everywhere.
    pub allow: Option<Networks>,
    /// What its path begins with. Default: what the store has, at first nothing.
    pub path_token: Option<PathToken>,
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
    /// The types of events it wants. Default [`EndpointConfig::default_events`].
    pub events: Vec<String>,
    /// How it differs from the others. Default not at all.
    pub options: EndpointOptions,
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
    /// How long an endpoint backs off before that is told. Default 1 h, 1 min to 72 h.
    pub failing_after: Duration,
    /// Whether endpoints in private networks may be called. Default no.
    pub allow_private_targets: bool,
    /// Whether `http://` endpoints are accepted. Default no.
    pub allow_http: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            device_addr: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8081)),
            device_plain: true,
            device_tls: None,
            api_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            api_tls: None,
            trusted_proxies: Networks::default(),
            store: Place::File("punch.sqlite".into()),
            api_key: None,
            defaults: DeviceDefaults::default(),
            sites: Vec::new(),
            devices: Vec::new(),
            endpoints: Vec::new(),
            sinks: Vec::new(),
            sources: Vec::new(),
            employees: Vec::new(),
            shifts: Shifts::default(),
            unknown_badges: UnknownBadges::Auto,
            delivery: DeliveryConfig {
                timeout: Duration::from_secs(10),
                failing_after: Duration::from_secs(3600),
                allow_private_targets: false,
                allow_http: false,
            },
            retention: RetentionConfig::default(),
            notify: None,
            limits: Limits::default(),
            calls: CallLimits::default(),
            unknown_serials_per_minute: 60,
            look_every: Duration::from_secs(5),
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
        Section::read(text, Self::from_section)
    }
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

    /// What an endpoint gets that names nothing: all but corrections, which whoever looks at no `event_type` would book as
    /// punches, and what else has to be asked for.
    pub fn default_events() -> Vec<String> {
        EventType::SUBSCRIBABLE.iter().filter(|event| !event.is_only_by_name()).map(ToString::to_string).collect()
    }

    /// Every type of event an endpoint can want.
    pub fn all_events() -> Vec<String> {
        EventType::SUBSCRIBABLE.iter().map(ToString::to_string).collect()
    }
}

/// Whether `events` names at least one type, and only types there are and that have this shape.
///
/// # Errors
///
/// What is wrong, and what to do.
pub fn check_events(events: &[String], format: PayloadFormat) -> Result<(), String> {
    let known = EndpointConfig::all_events();
    let correction = events.iter().find(|event| EventType::new((*event).clone()).is_correction());
    if let (Some(event), true) = (correction, format != PayloadFormat::Nested) {
        return Err(format!("`{event}` has no flat shape; take it out, or use the payload format `nested`"));
    }
    match events.iter().find(|event| !known.contains(event)) {
        Some(unknown) => Err(format!("`{unknown}` is no event, expected some of: {}", known.join(", "))),
        None if events.is_empty() => Err(format!("names no event, expected some of: {}", known.join(", "))),
        None => Ok(()),
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
