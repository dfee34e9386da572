//! How the server reads a time.

use chrono::{NaiveDate, NaiveDateTime, Timelike as _};
use serde_json::Value;

use super::exception::Exception;

pub(super) const FORM: &str = "%Y-%m-%d %H:%M:%S";

/// A field of a record. `false` is no time, and neither is an empty text.
pub(super) fn field(value: &Value) -> Result<Option<NaiveDateTime>, Exception> {
    match value {
        Value::Bool(false) => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => parse(text).map(Some).ok_or_else(|| refused(text)),
        Value::Number(_) => Err(Exception::new("builtins.TypeError", "object of type 'int' has no len()")),
        other => Err(refused(&other.to_string())),
    }
}

/// A leaf of a search, where an ISO time does.
pub(super) fn leaf(text: &str) -> Option<NaiveDateTime> {
    parse(&text.replace('T', " "))
}

/// A date alone is midnight, and seconds may be missing, without a word. Nothing else is forgiven.
fn parse(text: &str) -> Option<NaiveDateTime> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b' '));
    let tight = text.trim().len() == text.len();
    if !is_plain || !tight {
        return None;
    }
    let time = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let midnight = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    // chrono reads `:60` as a leap second; the server does not.
    time(FORM).or_else(|| time("%Y-%m-%d %H:%M")).or_else(midnight).filter(|time| time.nanosecond() < 1_000_000_000)
}

fn refused(text: &str) -> Exception {
    Exception::value(format!("time data '{text}' does not match format '{FORM}'"))
}

pub(super) fn text(time: NaiveDateTime) -> String {
    time.format(FORM).to_string()
}
