use std::collections::BTreeSet;
use std::time::Duration;

use punch_protocol::push::Limits;
use punch_webhook::{PayloadFormat, Secret};

use super::listen::Listen;
use super::section::Section;
use super::terminals::Terminals;
use super::{Config, DeliveryConfig, EndpointConfig, EndpointOptions, RetentionConfig, UnknownBadges};
use super::{SinkConfig, check_events, check_url, notify, people, schedule, sink, source};
use crate::api::ApiKey;
use crate::core::CallLimits;
use crate::store::Place;

impl Config {
    pub(super) fn from_section(root: &mut Section) -> Self {
        let base = Self::default();
        let listen = Listen::read(root, &base);
        // An address of a server has a password in it.
        let place = from_file(root, "store_file").unwrap_or_else(|| root.text("store"));
        let store = place.map_or(Some(base.store.clone()), |text| store_place(root, &text));
        let api_key = from_file(root, "api_key_file").unwrap_or_else(|| root.text("api_key")).map(ApiKey::new);
        let delivery = delivery(root, &base.delivery);
        let notify = notify::notify(root);
        let retention = RetentionConfig::read(root);
        let unknown_badges = root.one_of(
            "unknown_badges",
            &[("auto", UnknownBadges::Auto), ("deliver", UnknownBadges::Deliver), ("hold", UnknownBadges::Hold)],
        );
        let limits = limits(root, base.limits);
        let (calls, unknown_serials_per_minute) = call_limits(root, &base);
        let terminals = Terminals::read(root);
        let mut endpoints: Vec<_> =
            root.sections("endpoint").into_iter().filter_map(|section| endpoint(root, section, &delivery)).collect();
        let sinks = root.sections("sink").into_iter().filter_map(|section| sink::sink(root, section));
        let (sinks, of_sinks): (Vec<_>, Vec<_>) = sinks.unzip();
        endpoints.extend(of_sinks);
        let sources = root.sections("source").into_iter();
        let sources: Vec<_> = sources.filter_map(|section| source::source(root, section, &terminals)).collect();
        let employees: Vec<_> =
            root.sections("employee").into_iter().map(|section| people::employee(root, section)).collect();
        let named: BTreeSet<String> = employees.iter().flatten().flat_map(|identity| identity.shifts.clone()).collect();
        let shifts = schedule::shifts(root, &named);
        people::check(root, &employees, &shifts);
        terminals.refuse_traps(root, &shifts);
        let config = Self {
            device_addr: listen.device_addr,
            device_plain: listen.device_plain,
            device_tls: listen.device_tls,
            api_addr: listen.api_addr,
            api_tls: listen.api_tls,
            trusted_proxies: listen.trusted_proxies,
            store: store.unwrap_or(base.store),
            api_key,
            defaults: terminals.defaults,
            sites: terminals.sites,
            devices: terminals.devices,
            endpoints,
            sinks,
            sources,
            employees: employees.into_iter().flatten().collect(),
            shifts,
            unknown_badges: unknown_badges.unwrap_or(UnknownBadges::Auto),
            delivery,
            retention,
            notify,
            limits,
            calls,
            unknown_serials_per_minute,
            look_every: base.look_every,
        };
        refuse_repeats(root, &config);
        source::refuse_mix_ups(root, &config);
        config
    }
}

/// How long a body may be.
fn limits(root: &mut Section, mut limits: Limits) -> Limits {
    if let Some(body) = root.whole_number("max_body_bytes", 1 << 16, 1 << 30) {
        limits.stream = usize::try_from(body).unwrap_or(limits.stream);
        limits.body = limits.body.min(limits.stream);
    }
    limits
}

fn store_place(root: &mut Section, text: &str) -> Option<Place> {
    Place::parse(text).map_err(|problem| root.complain("store", problem)).ok()
}

fn delivery(root: &mut Section, base: &DeliveryConfig) -> DeliveryConfig {
    let mut section = root.section("delivery");
    let delivery = DeliveryConfig {
        timeout: section.whole_number("timeout_seconds", 1, 30).map_or(base.timeout, Duration::from_secs),
        failing_after: section
            .whole_number("failing_after_minutes", 1, 4_320)
            .map_or(base.failing_after, |minutes| Duration::from_secs(minutes.saturating_mul(60))),
        allow_private_targets: section.switch("allow_private_targets").unwrap_or(false),
        allow_http: section.switch("allow_http").unwrap_or(false),
    };
    root.absorb(section);
    delivery
}

fn call_limits(root: &mut Section, base: &Config) -> (CallLimits, u32) {
    let mut section = root.section("rate_limit");
    let calls = CallLimits {
        per_device_and_day: section
            .whole_number("per_device_and_day", 1, 1_000_000_000)
            .unwrap_or(base.calls.per_device_and_day),
        per_minute: section.whole_number("per_minute", 1, 1_000_000_000).unwrap_or(base.calls.per_minute),
    };
    let unknown = section.whole_number("unknown_serials_per_minute", 1, 1_000_000);
    let unknown = unknown.and_then(|count| u32::try_from(count).ok()).unwrap_or(base.unknown_serials_per_minute);
    root.absorb(section);
    (calls, unknown)
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
    let events = section.texts("events").unwrap_or_else(EndpointConfig::default_events);
    if let Err(problem) = check_events(&events, format) {
        section.complain("events", problem);
    }
    let options = EndpointOptions::read(&mut section);
    root.absorb(section);
    Some(EndpointConfig { url: url?, secret: secret?, format, schedule, events, options })
}

fn secret(section: &mut Section) -> Option<Secret> {
    let text = match from_file(section, "secret_file") {
        Some(read) => read?,
        None => section.required("secret", "the signing secret, or `secret_file`")?,
    };
    Secret::new(text).map_err(|error| section.complain("secret", error.to_string())).ok()
}

/// What stands in the file that a key names. `None` if there is no such key, `Some(None)` if there is no such file.
pub(super) fn from_file(section: &mut Section, key: &str) -> Option<Option<String>> {
    let path = section.text(key)?;
    Some(file_text(section, key, &path))
}

/// What stands in a file. `None` if there is no such file, which is said of `key`.
pub(super) fn file_text(section: &mut Section, key: &str, path: &str) -> Option<String> {
    let read = std::fs::read_to_string(path);
    let read = read.map_err(|error| section.complain(key, format!("cannot read `{path}`: {error}")));
    read.ok().map(|text| text.trim_end().to_owned())
}

fn refuse_repeats(root: &mut Section, config: &Config) {
    let serials = config.devices.iter().map(|device| device.serial.as_str());
    let sites = config.sites.iter().map(|site| site.name.as_str());
    let urls = config.endpoints.iter().map(|endpoint| endpoint.url.as_str());
    let urls = urls.filter(|url| !SinkConfig::is_sink(url));
    let sinks = config.sinks.iter().map(|sink| sink.name.as_str());
    let sources = config.sources.iter().map(|source| source.name.as_str());
    for (key, values) in [
        ("device.serial", serials.collect::<Vec<_>>()),
        ("site.name", sites.collect()),
        ("endpoint.url", urls.collect()),
        ("sink.name", sinks.collect()),
        ("source.name", sources.collect()),
    ] {
        let mut seen = BTreeSet::new();
        for (index, value) in values.into_iter().enumerate() {
            if !seen.insert(value) {
                // A URL may have a secret in it, so only the place is told.
                root.complain(
                    key,
                    format!("entry {} repeats an earlier one; keep one of them", index.saturating_add(1)),
                );
            }
        }
    }
}
