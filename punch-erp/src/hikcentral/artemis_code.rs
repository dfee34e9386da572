use alloc::string::{String, ToString as _};
use core::fmt;

use serde::Deserialize;
use serde_json::Value;

/// The `code` of an answer, a text such as `0x02401003`. `0` is success, and comes with status 200 like the others.
///
/// ```
/// use punch_erp::hikcentral::{ArtemisClass, ArtemisCode};
///
/// let code = ArtemisCode::of(br#"{"code":"0x02401003","msg":"Invalid signature"}"#).unwrap();
/// assert_eq!(code.class(), ArtemisClass::Auth);
/// assert_eq!(code.class().action(&code).as_str(), "stop_and_alert");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtemisCode(String);

#[derive(Deserialize)]
struct Coded {
    #[serde(default)]
    code: Value,
}

impl ArtemisCode {
    /// The code of a body; `None` if it is no answer of Artemis, or the code is no word.
    pub fn of(body: &[u8]) -> Option<Self> {
        let coded: Coded = serde_json::from_slice(body).ok()?;
        let code = match coded.code {
            Value::String(code) => code.trim().to_owned(),
            Value::Number(code) => code.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        (!code.is_empty() && crate::answer::is_plain(&code)).then_some(Self(code))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says that the call was carried out.
    pub fn is_success(&self) -> bool {
        self.0 == "0"
    }

    /// What it means.
    pub fn class(&self) -> ArtemisClass {
        match self.0.to_ascii_lowercase().as_str() {
            "0x02401000" | "0x02401001" | "0x02401002" | "0x02401003" | "0x02401004" | "0x02401005" | "0x02401006"
            | "9" => ArtemisClass::Auth,
            "0x02401007" | "0x00072201" | "0x00072202" | "17" | "130" => ArtemisClass::Permission,
            "0x02401009" => ArtemisClass::Throttled,
            "0x00072001" | "0x00072002" | "0x00072003" | "2" => ArtemisClass::BadRequest,
            "0x00072004" => ArtemisClass::TooLong,
            "0x00052101" | "0x00052102" | "0x00052103" | "0x00052104" | "4" | "5" | "6" | "0x02401008"
            | "0x0240100a" | "0x0240100b" | "129" => ArtemisClass::Transient,
            "8" => ArtemisClass::Unsupported,
            "128" | "0x00072203" => ArtemisClass::NotFound,
            "131" | "132" | "133" => ArtemisClass::Refused,
            _ => ArtemisClass::Unknown,
        }
    }
}

impl fmt::Display for ArtemisCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ArtemisClass {
    /// Key, secret or signature.
    Auth,
    /// The partner user may not, or there is no licence.
    Permission,
    /// Too many calls.
    Throttled,
    /// The answer would be too long.
    TooLong,
    /// A parameter is missing or wrong.
    BadRequest,
    /// The version of the product does not have the call.
    Unsupported,
    /// The thing asked for is not there.
    NotFound,
    /// It is there already, or there are too many.
    Refused,
    /// It passes.
    Transient,
    /// Nobody has described it.
    Unknown,
}

impl ArtemisClass {
    /// The word: `auth`, `permission`, `throttled`, `too_long`, `bad_request`, `unsupported`, `not_found`, `refused`,
    /// `transient`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::Throttled => "throttled",
            Self::TooLong => "too_long",
            Self::BadRequest => "bad_request",
            Self::Unsupported => "unsupported",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Transient => "transient",
            Self::Unknown => "unknown",
        }
    }

    /// What to do about a code of this class.
    pub fn action(self, code: &ArtemisCode) -> ArtemisAction {
        match self {
            Self::Auth | Self::Permission => ArtemisAction::StopAndAlert,
            Self::Throttled => ArtemisAction::BackOff,
            Self::TooLong => ArtemisAction::HalvePageSize,
            Self::BadRequest | Self::Unsupported | Self::NotFound | Self::Refused => ArtemisAction::Permanent,
            // These may last: a gateway that does not let anybody in, a server that is switched off.
            Self::Transient
                if matches!(
                    code.as_str().to_ascii_lowercase().as_str(),
                    "0x02401008" | "0x0240100a" | "0x0240100b" | "129"
                ) =>
            {
                ArtemisAction::RetryLimited
            }
            Self::Transient => ArtemisAction::RetryBackoff,
            Self::Unknown => ArtemisAction::RetryLimited,
        }
    }
}

/// What to do about an [`ArtemisCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ArtemisAction {
    /// Nothing works until somebody mends the setup.
    StopAndAlert,
    /// Try again, more and more rarely.
    RetryBackoff,
    /// Try again, five times at most.
    RetryLimited,
    /// Ask less often.
    BackOff,
    /// Ask for half as much.
    HalvePageSize,
    /// The same call will get the same answer.
    Permanent,
}

impl ArtemisAction {
    /// The word: `stop_and_alert`, `retry_backoff`, `retry_limited`, `back_off`, `halve_page_size`, `permanent`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StopAndAlert => "stop_and_alert",
            Self::RetryBackoff => "retry_backoff",
            Self::RetryLimited => "retry_limited",
            Self::BackOff => "back_off",
            Self::HalvePageSize => "halve_page_size",
            Self::Permanent => "permanent",
        }
    }
}
