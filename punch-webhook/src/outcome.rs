use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

/// The longest wait [`parse_retry_after`] returns: three days, the horizon of the seed schedules.
pub const MAX_RETRY_AFTER: TimeDelta = TimeDelta::hours(72);

/// What one attempt over HTTP came to. [`Class::of`] says what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The receiver answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The wait asked for by `Retry-After`; see [`parse_retry_after`].
        retry_after: Option<TimeDelta>,
        /// Whether the body says that the event is known; see [`body_says_duplicate`]. Only 409 needs it.
        says_duplicate: bool,
    },
    /// No complete answer within the deadline (10 s from connect to the last byte). It may have arrived.
    TimedOut,
    /// No connection, or one that broke before an answer.
    Unreachable,
    /// We did not send: the address guard or the local policy said no, for this reason.
    Refused(Cow<'static, str>),
}

impl Outcome {
    /// An answer that says no more than its status.
    pub fn answered(status: u16) -> Self {
        Self::Answered { status, retry_after: None, says_duplicate: false }
    }
}

/// What follows from an attempt. An ERP sink, which has no status, builds it directly:
/// applied or already there is `Delivered`, later is `Retry`, parked is `Permanent`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The other side has the event.
    Delivered,
    /// It may work later. `after` is the wait the other side asked for.
    Retry {
        /// The wait asked for, if any.
        after: Option<TimeDelta>,
    },
    /// It may work soon, or never: only the first slots of the schedule are used, then it fails with `reason`.
    RetryLimited {
        /// Why it fails in the end.
        reason: Reason,
    },
    /// No repetition changes it: the event fails, visible and replayable.
    Permanent {
        /// Why.
        reason: Reason,
    },
    /// The receiver is gone for good: the endpoint is disabled and its events, this one too, are kept.
    Gone,
}

impl Class {
    /// Classifies an HTTP outcome.
    ///
    /// | answer | class |
    /// |---|---|
    /// | 2xx | delivered |
    /// | 3xx | retry; never followed, a secret is in hand |
    /// | 404 | retry limited: a receiver being deployed, or an employee unknown to it |
    /// | 408, 425, 5xx, anything that is no final HTTP status | retry |
    /// | 429, 503 | retry, after `Retry-After` |
    /// | 409 | delivered if the body says duplicate, else permanent |
    /// | 410 | gone |
    /// | 400, 401, 403, 413, 422 and every other 4xx | permanent |
    /// | timeout, no connection, refused by us | retry |
    ///
    /// 401 and 403 are usually a secret rolled on one side only: the events fail visibly and are replayed after the fix.
    /// What we refuse to send is retried because the fault is the endpoint's address, not the event, and can be mended.
    ///
    /// ```
    /// use punch_webhook::{Class, Outcome, Reason};
    ///
    /// assert_eq!(Class::of(&Outcome::answered(204)), Class::Delivered);
    /// assert_eq!(Class::of(&Outcome::TimedOut), Class::Retry { after: None });
    /// assert_eq!(Class::of(&Outcome::answered(422)), Class::Permanent { reason: Reason::Status(422) });
    /// ```
    pub fn of(outcome: &Outcome) -> Self {
        match *outcome {
            Outcome::Answered { status, retry_after, says_duplicate } => {
                Self::of_status(status, retry_after, says_duplicate)
            }
            Outcome::TimedOut | Outcome::Unreachable | Outcome::Refused(_) => Self::Retry { after: None },
        }
    }

    fn of_status(status: u16, retry_after: Option<TimeDelta>, says_duplicate: bool) -> Self {
        let reason = Reason::Status(status);
        match status {
            200..=299 => Self::Delivered,
            404 => Self::RetryLimited { reason },
            408 | 425 => Self::Retry { after: None },
            429 | 503 => Self::Retry { after: retry_after },
            409 if says_duplicate => Self::Delivered,
            410 => Self::Gone,
            400..=499 => Self::Permanent { reason },
            _ => Self::Retry { after: None },
        }
    }
}

/// Why a delivery failed. `Display` is for people, [`Reason::code`] for a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The receiver answered with this status and no repetition is expected to change it.
    Status(u16),
    /// No attempt succeeded within the slots and the horizon of the schedule.
    Exhausted,
    /// A sink set the event aside, in its own words. They are logged: no personal data.
    Parked(String),
}

impl Reason {
    /// A word that never changes: `status`, `exhausted` or `parked`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Exhausted => "exhausted",
            Self::Parked(_) => "parked",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the receiver answered {status}; replay after mending the cause"),
            Self::Exhausted => {
                f.write_str("no attempt succeeded before the schedule ended; replay when the receiver is back")
            }
            Self::Parked(words) => write!(f, "parked: {words}"),
        }
    }
}

/// Whether an answer says that the receiver had the event already: `"duplicate": true`, or a `status` of
/// `duplicate` or `duplicado`. A body that is not a whole JSON object says nothing.
///
/// ```
/// use punch_webhook::body_says_duplicate;
///
/// assert!(body_says_duplicate(br#"{"received":true,"duplicate":true}"#));
/// assert!(body_says_duplicate(br#"{"status":"duplicado"}"#));
/// assert!(!body_says_duplicate(b"duplicate"));
/// ```
pub fn body_says_duplicate(body: &[u8]) -> bool {
    let Ok(Value::Object(answer)) = serde_json::from_slice::<Value>(body) else { return false };
    let status = answer.get("status").and_then(Value::as_str).unwrap_or_default();
    answer.get("duplicate").and_then(Value::as_bool).unwrap_or(false)
        || ["duplicate", "duplicado"].iter().any(|word| status.eq_ignore_ascii_case(word))
}

/// Reads a `Retry-After` header: seconds, or an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`).
///
/// The answer lies between zero (also for a date that is past) and [`MAX_RETRY_AFTER`]; anything else is `None`.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use punch_webhook::{MAX_RETRY_AFTER, parse_retry_after};
///
/// let now = DateTime::UNIX_EPOCH;
/// assert_eq!(parse_retry_after("120", now), Some(TimeDelta::seconds(120)));
/// assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:05:00 GMT", now), Some(TimeDelta::minutes(5)));
/// assert_eq!(parse_retry_after("99999999999999999999999", now), Some(MAX_RETRY_AFTER));
/// assert_eq!(parse_retry_after("soon", now), None);
/// ```
pub fn parse_retry_after(value: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let value = value.trim_matches([' ', '\t']);
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more seconds than we wait.
        value.parse().ok().and_then(TimeDelta::try_seconds).unwrap_or(MAX_RETRY_AFTER)
    } else {
        // The form has one length; chrono alone would also take "Sun, 6 Nov 94".
        let date = value.strip_suffix(" GMT").filter(|date| date.len() == "Sun, 06 Nov 1994 08:49:37".len())?;
        NaiveDateTime::parse_from_str(date, "%a, %d %b %Y %H:%M:%S").ok()?.and_utc().signed_duration_since(now)
    };
    Some(wait.clamp(TimeDelta::zero(), MAX_RETRY_AFTER))
}
