//! How one endpoint differs from the others.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

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

    /// Checks them. The error names the key and says what is wrong with it.
    ///
    /// # Errors
    ///
    /// The key, and the problem.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let Self { headers, max_in_flight, sites } = self;
        if headers.len() > Self::HEADERS_MAX {
            return Err(("headers", format!("are {}, at most {} are sent", headers.len(), Self::HEADERS_MAX)));
        }
        for (name, value) in headers {
            check_header(name, value).map_err(|problem| ("headers", format!("`{name}` {problem}")))?;
        }
        if max_in_flight.is_some_and(|count| !(1..=Self::IN_FLIGHT_MAX).contains(&count)) {
            return Err(("max_in_flight", format!("expected 1 to {}", Self::IN_FLIGHT_MAX)));
        }
        if sites.iter().any(|site| site.trim().is_empty()) {
            return Err(("sites", "has an empty name".to_owned()));
        }
        Ok(())
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
        let Self { headers, max_in_flight, sites } = self;
        let names: Vec<&String> = headers.keys().collect();
        f.debug_struct("EndpointOptions")
            .field("headers", &names)
            .field("max_in_flight", max_in_flight)
            .field("sites", sites)
            .finish()
    }
}
