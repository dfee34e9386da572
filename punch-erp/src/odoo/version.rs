use serde::Deserialize;
use serde_json::Value;

use super::fault;
use super::{Odoo, Protocol};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// The version of a server, such as 18.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "the two numbers of a series")]
pub struct Version {
    /// The number of the series: 16 to 19 are known.
    pub major: u16,
    /// The number behind the dot; on Odoo.com it is not always 0.
    pub minor: u16,
}

/// Asks for the version. Nobody has to log in for that.
///
/// ```
/// use punch_erp::odoo::{DetectVersion, Odoo, OdooSettings, Protocol, Version};
/// use punch_erp::{Endpoint as _, HttpResponse};
///
/// let odoo = Odoo::new(OdooSettings::new("https://odoo.example.com", "main", "punch-bot", "key"))?;
/// let call = DetectVersion::new(&odoo, Protocol::JsonRpc);
/// let answer = br#"{"jsonrpc":"2.0","id":1,"result":{"server_version_info":[18,0,0,"final",0,""]}}"#;
/// assert_eq!(call.response(&HttpResponse::new(answer.as_slice().into()))?, Version { major: 18, minor: 0 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DetectVersion {
    odoo: Odoo,
    protocol: Protocol,
}

impl DetectVersion {
    /// `common.version` or, with [`Protocol::Json2`], `GET /web/version`.
    pub fn new(odoo: &Odoo, protocol: Protocol) -> Self {
        Self { odoo: odoo.clone(), protocol }
    }
}

impl Endpoint for DetectVersion {
    type Output = Version;

    fn request(&self) -> HttpRequest {
        self.odoo.version(self.protocol)
    }

    fn response(&self, response: &HttpResponse) -> Result<Version, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(alias = "version_info")]
            server_version_info: Vec<Value>,
        }
        let expected = "the version of Odoo";
        let answer: Answer = fault::read_by(self.protocol, response, expected)?;
        let mut numbers = answer.server_version_info.iter().map(number);
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) => Ok(Version { major, minor }),
            _ => Err(CallError::Unreadable { expected, evidence: Evidence::of(response) }),
        }
    }
}

/// On Odoo.com the first one may be a text: `saas~18`.
fn number(value: &Value) -> Option<u16> {
    match value.as_str() {
        Some(text) => text.rsplit('~').next()?.parse().ok(),
        None => u16::try_from(value.as_u64()?).ok(),
    }
}
