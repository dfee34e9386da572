use alloc::string::String;

use serde_json::json;

use super::{HikCentral, Stamp, envelope};
use crate::passage::{fields, text};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// The version that a server says it has. Every member may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// The product.
    pub product: Option<String>,
    /// The version of its software.
    pub software: Option<String>,
}

/// Asks for the version: whether address, key and secret are right.
#[derive(Debug, Clone)]
pub struct GetVersion {
    site: HikCentral,
    stamp: Stamp,
}

impl GetVersion {
    /// `POST …/common/v1/version`.
    pub fn new(site: &HikCentral, stamp: Stamp) -> Self {
        Self { site: site.clone(), stamp }
    }
}

impl Endpoint for GetVersion {
    type Output = Version;

    fn request(&self) -> HttpRequest {
        self.site.post(&["common", "v1", "version"], &json!({}), &self.stamp)
    }

    fn response(&self, response: &HttpResponse) -> Result<Version, CallError> {
        let data = envelope::read(response, "a version")?;
        let members = fields(Some(&data));
        let software = text(&members, "softVersion").or_else(|| text(&members, "version"));
        Ok(Version { product: text(&members, "productName"), software })
    }
}
