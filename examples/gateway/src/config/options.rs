//! How one endpoint differs from the others.

use core::num::NonZeroU32;
use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderName, HeaderValue};
use punch_webhook::{EndpointRules, Schedule};
use serde::{Deserialize, Serialize};

use super::Batch;
use super::read::file_text;
use super::section::Section;

/// What an endpoint is sent beside the usual, and what it is not sent. `Debug` shows no value of a header: some are keys.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointOptions {
    /// Headers of every request to it, such as `Authorization`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The most requests at once. Default 8; 1 to 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u8>,
    /// Several events in one request, within these limits. Default each alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// The most requests in a second. Default no limit; 1 to 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_second: Option<NonZeroU32>,
    /// The most events in a second. Default no limit; 1 to 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_events_per_second: Option<NonZeroU32>,
    /// Only what is about terminals of these sites. Empty is all. What is about no site, such as a test, is always sent.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub sites: BTreeSet<String>,
}

impl EndpointOptions {
    /// Most headers an endpoint can have.
    pub const HEADERS_MAX: usize = 16;

    /// Longest value of a header, in bytes.
    pub const HEADER_MAX: usize = 1024;

    /// Most requests at once that an endpoint can have.
    pub const IN_FLIGHT_MAX: u8 = 64;

    /// Most requests, or events, in a second that can be a limit.
    pub const PER_SECOND_MAX: u32 = 100_000;

    /// Those of an entry of the file.
    pub(super) fn read(section: &mut Section) -> Self {
        let mut rate = |key: &str| {
            let rate = section.whole_number(key, 0, Self::PER_SECOND_MAX.into());
            NonZeroU32::new(rate.and_then(|rate| u32::try_from(rate).ok())?)
        };
        let (max_requests_per_second, max_events_per_second) =
            (rate("max_requests_per_second"), rate("max_events_per_second"));
        let mut headers = section.table_of_texts("headers");
        for (name, file) in section.table_of_texts("header_files") {
            headers.extend(file_text(section, "header_files", &file).map(|value| (name, value)));
        }
        let options = Self {
            headers,
            max_in_flight: section
                .whole_number("max_in_flight", 1, Self::IN_FLIGHT_MAX.into())
                .and_then(|count| u8::try_from(count).ok()),
            batch: Batch::read(section),
            max_requests_per_second,
            max_events_per_second,
            sites: section.texts("sites").unwrap_or_default().into_iter().collect(),
        };
        if let Err((key, problem)) = options.check() {
            section.complain(key, problem);
        }
        options
    }

    /// Checks them. The error names the key and says what is wrong with it.
    ///
    /// # Errors
    ///
    /// The key, and the problem.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let Self { headers, max_in_flight, batch, max_requests_per_second, max_events_per_second, sites } = self;
        if headers.len() > Self::HEADERS_MAX {
            return Err(("headers", format!("are {}, at most {} are sent", headers.len(), Self::HEADERS_MAX)));
        }
        for (name, value) in headers {
            check_header(name, value).map_err(|problem| ("headers", format!("`{name}` {problem}")))?;
        }
        if max_in_flight.is_some_and(|count| !(1..=Self::IN_FLIGHT_MAX).contains(&count)) {
            return Err(("max_in_flight", format!("expected 1 to {}", Self::IN_FLIGHT_MAX)));
        }
        if let Some(batch) = batch {
            batch.check().map_err(|problem| ("batch", problem))?;
        }
        for (key, rate) in
            [("max_requests_per_second", max_requests_per_second), ("max_events_per_second", max_events_per_second)]
        {
            if rate.is_some_and(|rate| rate.get() > Self::PER_SECOND_MAX) {
                return Err((key, format!("expected 1 to {}, or 0 for no limit", Self::PER_SECOND_MAX)));
            }
        }
        if sites.iter().any(|site| site.trim().is_empty()) {
            return Err(("sites", "has an empty name".to_owned()));
        }
        Ok(())
    }

    /// How the queue treats an endpoint that has them.
    pub(crate) fn rules(&self, schedule: &Schedule) -> EndpointRules {
        let mut rules = EndpointRules::default();
        rules.schedule = schedule.clone();
        if let Some(count) = self.max_in_flight {
            rules.max_in_flight = count.into();
        }
        rules.max_batch = self.batch.map_or(1, |batch| batch.max_events);
        rules.max_requests_per_second = self.max_requests_per_second;
        rules.max_events_per_second = self.max_events_per_second;
        rules
    }

    /// Whether what is about this site is for it.
    pub(crate) fn wants(&self, site: Option<&str>) -> bool {
        self.sites.is_empty() || site.is_none_or(|site| self.sites.contains(site))
    }
}

/// Headers that are ours to set, or the connection's.
const RESERVED: [&str; 11] = [
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "host",
    "expect",
    "upgrade",
    "user-agent",
    "trailer",
    "te",
];

fn check_header(name: &str, value: &str) -> Result<(), &'static str> {
    let name = name.to_ascii_lowercase();
    if HeaderName::try_from(&name).is_err() {
        return Err("is no name of a header");
    }
    let ours = ["webhook-", "x-punchconnect-", "proxy-"];
    if RESERVED.contains(&name.as_str()) || ours.iter().any(|prefix| name.starts_with(prefix)) {
        return Err("is set by the gateway; choose another name");
    }
    if value.len() > EndpointOptions::HEADER_MAX {
        return Err("has a value of more than 1024 bytes");
    }
    // A receiver reads other bytes in one of several ways.
    let is_text = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if !is_text || HeaderValue::try_from(value).is_err() {
        return Err("has a value that is no printable ASCII");
    }
    Ok(())
}

impl core::fmt::Debug for EndpointOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { headers, max_in_flight, batch, max_requests_per_second, max_events_per_second, sites } = self;
        let names: Vec<&String> = headers.keys().collect();
        f.debug_struct("EndpointOptions")
            .field("headers", &names)
            .field("max_in_flight", max_in_flight)
            .field("batch", batch)
            .field("max_requests_per_second", max_requests_per_second)
            .field("max_events_per_second", max_events_per_second)
            .field("sites", sites)
            .finish()
    }
}
