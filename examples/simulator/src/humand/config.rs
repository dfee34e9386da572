use core::fmt;

use bytes::Bytes;
use chrono::FixedOffset;
use http::header::{HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::reply::{page, refusal, response};

/// The settings of a community, and its users.
#[derive(Clone)]
#[non_exhaustive]
pub struct HumandConfig {
    /// The API key, as it stands behind `Basic `.
    pub api_key: String,
    /// The zone of the community, which says where days begin.
    pub zone: FixedOffset,
    /// What it does with entries that break a rule.
    pub rules: Rules,
    /// Its language, `en` or `es`: the language of refusals.
    pub language: String,
    /// Whether the key's user may do anything.
    pub is_allowed: bool,
    /// Whether ids have to be numbers.
    pub numbers_only: bool,
    /// Whether answers to a new entry are those of 2024: status 200 and fewer fields.
    pub answers_of_2024: bool,
    /// Whether it answers at the addresses that the published sample prints instead of its own.
    pub seed_paths: bool,
    /// How many requests a minute has.
    pub limit: usize,
    /// The users.
    pub users: Vec<HumandUser>,
}

impl HumandConfig {
    /// A community in UTC-3 with this key.
    pub fn new(api_key: &str) -> Self {
        Self {
            api_key: api_key.to_owned(),
            zone: FixedOffset::west_opt(3 * 3600).unwrap_or_else(|| unreachable!("three hours are in range")),
            rules: Rules::Unprocessable,
            language: "en".to_owned(),
            is_allowed: true,
            numbers_only: false,
            answers_of_2024: false,
            seed_paths: false,
            limit: 50,
            users: Vec::new(),
        }
    }
}

impl fmt::Debug for HumandConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HumandConfig");
        shown.field("rules", &self.rules).field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// What a server does with entries that break a rule. Which it is nobody has measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rules {
    /// 422, as the published sample says.
    Unprocessable,
    /// 400 `INVALID_DATA`, as the description of the interface would have it.
    Invalid,
    /// 500 `ILLEGAL_STATE`, the other answer it knows.
    IllegalState,
    /// It takes them.
    None,
}

/// A user.
#[derive(Clone)]
#[non_exhaustive]
pub struct HumandUser {
    /// `employeeInternalId`.
    pub employee: String,
    /// The person's name.
    pub name: String,
    /// `ACTIVE`, `DEACTIVATED` or `UNCLAIMED`.
    pub status: String,
}

impl HumandUser {
    /// An active user.
    pub fn new(employee: &str, name: &str) -> Self {
        Self { employee: employee.to_owned(), name: name.to_owned(), status: "ACTIVE".to_owned() }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: &str) -> Self {
        self.status = status.to_owned();
        self
    }
}

impl fmt::Debug for HumandUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HumandUser").field("status", &self.status).finish_non_exhaustive()
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HumandFault {
    /// Nothing: it is served.
    None,
    /// 429 with `Retry-After` in seconds.
    RateLimited(u32),
    /// 429 that only says when the next window begins, in seconds.
    RateLimitedUntilReset(u32),
    /// 429 that says nothing.
    RateLimitedSilently,
    /// 500 `DATABASE_ERROR`, before anything is done.
    DatabaseError,
    /// The request is served, and then something fails: 500 `UNKNOWN_ERROR`.
    UnknownErrorAfter,
    /// 503 with a page.
    Maintenance,
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
    /// 200 with somebody else's page.
    Portal,
    /// The request is served, and 200 comes with somebody else's page.
    PortalAfter,
    /// 301 to another address.
    Redirect,
    /// 422 in words nobody knows.
    Unprocessable,
    /// 422: it is there already; it is not.
    FalseDuplicate,
    /// 422: the server's clock is behind.
    Future,
    /// 404 `NOT_FOUND`, as an address that is not there is answered.
    NoSuchAddress,
    /// 200 with an error in it.
    ErrorWith200,
}

impl HumandFault {
    /// Whether the request is served all the same.
    pub(super) fn is_served(self) -> bool {
        matches!(self, Self::UnknownErrorAfter | Self::BadGatewayAfter | Self::DropAfter | Self::PortalAfter)
    }

    pub(super) fn response(self) -> Response<Bytes> {
        match self {
            Self::RateLimited(seconds) => with(too_many(), RETRY_AFTER, HeaderValue::from(seconds)),
            Self::RateLimitedUntilReset(seconds) => {
                let text = format!("limit=50, remaining=0, reset={seconds}");
                let value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
                with(too_many(), HeaderName::from_static("ratelimit"), value)
            }
            Self::RateLimitedSilently => too_many(),
            Self::DatabaseError => refusal(500, "DATABASE_ERROR", "An unexpected error has occurred"),
            Self::UnknownErrorAfter => refusal(500, "UNKNOWN_ERROR", "An unexpected error has occurred"),
            Self::Maintenance => page(StatusCode::SERVICE_UNAVAILABLE),
            Self::Portal | Self::PortalAfter => page(StatusCode::OK),
            Self::Redirect => {
                let elsewhere = HeaderValue::from_static("https://elsewhere.example.com/");
                with(page(StatusCode::MOVED_PERMANENTLY), LOCATION, elsewhere)
            }
            Self::Unprocessable => refusal(422, "X", "???"),
            Self::FalseDuplicate => refusal(422, "X", "duplicate entry"),
            Self::Future => refusal(422, "X", "future entry"),
            Self::NoSuchAddress => refusal(404, "NOT_FOUND", "Resource not found"),
            Self::ErrorWith200 => response(StatusCode::OK, &json!({ "code": "SOME_CODE", "message": "text" })),
            Self::None
            | Self::BadGateway
            | Self::BadGatewayAfter
            | Self::DropBefore
            | Self::DropAfter
            | Self::Stall => page(StatusCode::BAD_GATEWAY),
        }
    }
}

fn too_many() -> Response<Bytes> {
    refusal(429, "RATE_LIMIT_EXCEEDED", "Rate limit reached, please try again later")
}

fn with(mut response: Response<Bytes>, name: HeaderName, value: HeaderValue) -> Response<Bytes> {
    response.headers_mut().insert(name, value);
    response
}
