//! `[[sink]]`: ERPs that the gateway writes to by itself.

use core::time::Duration;

use punch_webhook::{PayloadFormat, Secret};
use sinks::{Erp, KINDS, SinkSettings};

use super::section::Section;
use super::{EndpointConfig, EndpointOptions};

/// One ERP that events are written to.
#[derive(Debug)]
pub struct SinkConfig {
    /// Its name. The endpoint of it has the address `sink:` and this.
    pub name: String,
    /// Where it is, who we are there, and whose badge is whose.
    pub settings: SinkSettings,
    /// How often it is asked whether badges that were parked have an employee by now. Default 10 min, 1 s to a day.
    pub probe: Duration,
}

impl SinkConfig {
    /// What the address of a sink's endpoint begins with.
    pub const SCHEME: &'static str = "sink:";

    /// Whether an endpoint of this address is a sink.
    pub fn is_sink(url: &str) -> bool {
        url.starts_with(Self::SCHEME)
    }
}

/// Reads an entry: the sink, and the endpoint by which its events are delivered.
pub(super) fn sink(root: &mut Section, mut section: Section) -> Option<(SinkConfig, EndpointConfig)> {
    let name = section.required("name", "a name of letters, digits, `-` and `_`");
    let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if name.as_ref().is_some_and(|name| name.is_empty() || !is_name(name)) {
        section.complain("name", "expected letters, digits, `-` and `_`".to_owned());
    }
    let kind = section.required("kind", &format!("one of: {}", KINDS.join(", ")));
    let schedules = EndpointConfig::SCHEDULES.map(|name| (name, name));
    let schedule = section.one_of("schedule", &schedules).unwrap_or("seed-002");
    let probe = section.whole_number("probe_seconds", 1, 86_400).map_or(Duration::from_secs(600), Duration::from_secs);
    let options = EndpointOptions {
        sites: section.texts("sites").unwrap_or_default().into_iter().collect(),
        max_in_flight: section
            .whole_number("max_in_flight", 1, EndpointOptions::IN_FLIGHT_MAX.into())
            .and_then(|count| u8::try_from(count).ok()),
        ..EndpointOptions::default()
    };
    let events = section.texts("events");
    // The rest are the settings of the ERP.
    let settings = kind.and_then(|kind| match sinks::read_section(&kind, section.rest()) {
        Ok(settings) => Some(settings),
        Err(errors) => {
            for error in errors {
                section_complains(root, &section, &error.key, &error.problem);
            }
            None
        }
    });
    let events = settings.as_ref().map(|settings| wanted(&mut section, &settings.erp, events));
    root.absorb(section);
    let (name, settings) = (name?, settings?);
    let endpoint = EndpointConfig {
        url: format!("{}{name}", SinkConfig::SCHEME),
        // It signs nothing; a store wants one.
        secret: Secret::new("a sink signs nothing").ok()?,
        format: PayloadFormat::Nested,
        schedule,
        events: events?,
        options,
    };
    Some((SinkConfig { name, settings, probe }, endpoint))
}

/// The types of events it makes use of, or those of them that are named.
fn wanted(section: &mut Section, erp: &Erp, named: Option<Vec<String>>) -> Vec<String> {
    let useful = erp.takes().events();
    let Some(named) = named else { return useful };
    if named.is_empty() || named.iter().any(|event| !useful.contains(event)) {
        section.complain("events", format!("{} makes use of {}; name some of these", erp.kind(), useful.join(", ")));
    }
    named
}

/// An error of the section as a whole has no key.
fn section_complains(root: &mut Section, section: &Section, key: &str, problem: &str) {
    let path = if key.is_empty() { section.path().to_owned() } else { format!("{}.{key}", section.path()) };
    root.complain(&path, problem.to_owned());
}
