use std::path::PathBuf;
use std::time::Duration;

use chrono::{NaiveTime, TimeDelta};
use punch_normalize::DeviceZone;
use punch_normalize::timeline::{DirectionRule, Role, TimelineRules};
use punch_protocol::SerialNumber;
use punch_protocol::push::CommKey;
use punch_webhook::{PayloadFormat, Secret};

use super::section::Section;
use super::{Config, DeliveryConfig, DeviceConfig, DeviceDefaults, EmployeeConfig, EndpointConfig, UnknownBadges};
use super::{check_events, check_url, parse_store};
use crate::api::ApiKey;
use crate::core::Directions;

impl Config {
    pub(super) fn from_section(root: &mut Section) -> Self {
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

fn store_path(root: &mut Section, text: &str) -> Option<PathBuf> {
    parse_store(text).map_err(|problem| root.complain("store", problem)).ok()
}

fn defaults(root: &mut Section, base: &DeviceDefaults) -> DeviceDefaults {
    let mut section = root.section("defaults");
    let defaults = DeviceDefaults {
        zone: zone(&mut section).unwrap_or(base.zone),
        window: window(&mut section).unwrap_or(base.window),
        site: section.text("site").unwrap_or_default(),
        directions: Directions { role: None, rules: direction_rules(&mut section, &base.directions.rules) },
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
    let directions = Directions {
        role: section.one_of("role", &[("entry", Role::Entry), ("exit", Role::Exit)]),
        rules: direction_rules(&mut section, &defaults.directions.rules),
    };
    let comm_key = comm_key(&mut section);
    root.absorb(section);
    let mut device = defaults.device(serial?, name);
    device.site = site.unwrap_or(device.site);
    device.zone = zone.unwrap_or(device.zone);
    device.window = window.unwrap_or(device.window);
    (device.directions, device.comm_key) = (directions, comm_key);
    Some(device)
}

fn direction_rules(section: &mut Section, base: &TimelineRules) -> TimelineRules {
    let rules = [
        ("declared", DirectionRule::Declared),
        ("alternate", DirectionRule::Alternate),
        ("first-last", DirectionRule::FirstLast),
        ("schedule", DirectionRule::Schedule),
    ];
    let direction = section.one_of("rule", &rules);
    if direction == Some(DirectionRule::Schedule) {
        let problem =
            "needs everybody's shifts, and a gateway has no place for them yet; use `declared` or `alternate`";
        section.complain("rule", format!("`schedule` {problem}"));
    }
    let mut hours =
        |key: &str| section.whole_number(key, 1, 48).and_then(|hours| TimeDelta::try_hours(i64::try_from(hours).ok()?));
    let (max_shift, shift_gap) = (hours("max_shift_hours"), hours("shift_gap_hours"));
    TimelineRules {
        direction: direction.unwrap_or(base.direction),
        max_shift: max_shift.unwrap_or(base.max_shift),
        shift_gap: shift_gap.unwrap_or(base.shift_gap),
        day_start: day_start(section).unwrap_or(base.day_start),
        infer: section.switch("infer").unwrap_or(base.infer),
        ..base.clone()
    }
}

fn day_start(section: &mut Section) -> Option<NaiveTime> {
    let text = section.text("day_start")?;
    let time = NaiveTime::parse_from_str(&text, "%H:%M").ok();
    if time.is_none() {
        section.complain("day_start", format!("`{text}` is no time of day, expected one like `04:00`"));
    }
    time
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
