use core::fmt;

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::reply::page;

/// The settings of a tenant, and its work assignments.
#[derive(Clone)]
#[non_exhaustive]
pub struct SuccessFactorsConfig {
    /// Host name of the API server; any if empty.
    pub api_host: String,
    /// The company id.
    pub company_id: String,
    /// The client that Identity Authentication and the API server know.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The name of its dependency.
    pub dependency: String,
    /// Whether Identity Authentication gives an id token first, and the API takes only what it is exchanged for.
    pub two_step: bool,
    /// The SAML assertions that the API server takes, in base64, each once.
    pub assertions: Vec<String>,
    /// `user@company:password`, if Basic is taken: a gateway of one's own.
    pub basic: Option<String>,
    /// How long a token lives, in seconds.
    pub token_life_s: u32,
    /// Whether the client is mapped to a user who may import.
    pub may_import: bool,
    /// The time event types: code and `START` or `STOP`.
    pub types: Vec<(String, &'static str)>,
    /// The external ids of the work assignments.
    pub assignments: Vec<String>,
    /// An assignment whose events make the service refuse the whole call, for a reason of its own.
    pub refuses_assignment: Option<String>,
    /// Whether calls over 10 a minute and 300 a day are refused.
    pub has_quota: bool,
    /// What is said of an event that is there already.
    pub duplicate_text: String,
    /// Whether `EmployeeTime` takes the published sample, as only a gateway of one's own does.
    pub takes_sample: bool,
}

impl SuccessFactorsConfig {
    /// A tenant with the client, its dependency, the types `P10`, `P20` and `P01`, and nobody.
    pub fn new(client_id: &str, client_secret: &str, dependency: &str) -> Self {
        Self {
            api_host: String::new(),
            company_id: "ACME".to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            dependency: dependency.to_owned(),
            two_step: false,
            assertions: Vec::new(),
            basic: None,
            token_life_s: 3600,
            may_import: true,
            types: [("P10", "START"), ("P20", "STOP"), ("P01", "START")]
                .map(|(code, kind)| (code.to_owned(), kind))
                .into(),
            assignments: Vec::new(),
            refuses_assignment: None,
            has_quota: true,
            duplicate_text: "A time event for this employee and timestamp already exists.".to_owned(),
            takes_sample: false,
        }
    }
}

impl fmt::Debug for SuccessFactorsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SuccessFactorsConfig");
        shown
            .field("company_id", &self.company_id)
            .field("assignments", &self.assignments.len())
            .finish_non_exhaustive()
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SuccessFactorsFault {
    /// Nothing: it is served.
    None,
    /// 429, with `Retry-After` in seconds if there is one.
    TooManyRequests(Option<u32>),
    /// 503 with `Retry-After` in seconds, and a page.
    Maintenance(u32),
    /// 500, nothing done.
    Failure,
    /// 502 with a page; nothing was done.
    BadGateway,
    /// The request is served, and the proxy in front answers 502.
    BadGatewayAfter,
    /// The connection ends before anything is done.
    DropBefore,
    /// The request is served, then the connection ends.
    DropAfter,
    /// The connection ends, and the request is served after the next one: a server that was stopped and goes on.
    Stall,
    /// The request is served, and the last stored event is left out of the answer.
    Forgetful,
    /// Half of the events is served, then the connection ends.
    DropWithin,
    /// Every token ends before the request.
    TokensEnd,
    /// 200 with somebody else's page.
    Portal,
    /// 400 with a firewall's page.
    Firewall,
    /// 301 to another address.
    Redirect,
}

impl SuccessFactorsFault {
    pub(super) fn response(self) -> Response<Bytes> {
        let with = |status, name, value: Option<HeaderValue>| {
            let mut response = page(status);
            response.headers_mut().extend(value.map(|value| (name, value)));
            response
        };
        match self {
            Self::TooManyRequests(seconds) => {
                with(StatusCode::TOO_MANY_REQUESTS, RETRY_AFTER, seconds.map(HeaderValue::from))
            }
            Self::Maintenance(seconds) => {
                with(StatusCode::SERVICE_UNAVAILABLE, RETRY_AFTER, Some(HeaderValue::from(seconds)))
            }
            Self::Failure => page(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Portal => page(StatusCode::OK),
            Self::Firewall => page(StatusCode::BAD_REQUEST),
            Self::Redirect => {
                let elsewhere = HeaderValue::from_static("https://elsewhere.example.com/");
                with(StatusCode::MOVED_PERMANENTLY, LOCATION, Some(elsewhere))
            }
            _ => page(StatusCode::BAD_GATEWAY),
        }
    }
}
