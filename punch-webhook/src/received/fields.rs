use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use serde_json::{Map, Value};

use super::ReceiveError;

/// The members of a JSON object, or none at all: a missing object has no members.
pub(super) struct Fields<'v>(Option<&'v Map<String, Value>>);

/// What a member that must be text holds.
pub(super) enum Presence {
    /// Not there, `null`, or an empty string.
    Absent,
    /// Text, or an integer as its text.
    Text(String),
    /// Something that is neither.
    Other,
}

impl<'v> Fields<'v> {
    pub(super) fn new(value: &'v Value) -> Option<Self> {
        value.as_object().map(|members| Self(Some(members)))
    }

    pub(super) fn object(&self, name: &str) -> Self {
        Self(self.get(name).and_then(Value::as_object))
    }

    /// A member an event cannot do without. Integers are accepted because careless senders write badges so; other
    /// numbers are not, because their text is not what the sender typed.
    pub(super) fn key_text(&self, name: &str) -> Presence {
        match self.get(name) {
            None | Some(Value::Null) => Presence::Absent,
            Some(Value::String(text)) if text.is_empty() => Presence::Absent,
            Some(Value::String(text)) => Presence::Text(text.clone()),
            Some(Value::Number(number)) if !number.is_f64() => Presence::Text(number.to_string()),
            Some(Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Presence::Other,
        }
    }

    /// A member that only informs: whatever is not text counts as absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.key_text(name) {
            Presence::Text(text) => Some(text),
            Presence::Absent | Presence::Other => None,
        }
    }

    /// A time an event cannot do without, `field` in the names of the nested shape. One without a zone is refused, not
    /// guessed: an hour off is a wrong payslip.
    pub(super) fn key_time(
        &self,
        name: &str,
        field: &'static str,
    ) -> Result<Option<DateTime<FixedOffset>>, ReceiveError> {
        let bad = ReceiveError::BadField { field, expected: "RFC 3339 with a zone, such as `2026-03-28T08:47:12Z`" };
        match self.key_text(name) {
            Presence::Absent => Ok(None),
            Presence::Text(text) => DateTime::parse_from_rfc3339(&text).map(Some).map_err(|_| bad),
            Presence::Other => Err(bad),
        }
    }

    /// A time that only informs.
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        Some(DateTime::parse_from_rfc3339(&self.text(name)?).ok()?.with_timezone(&Utc))
    }

    /// A time of some place that only informs.
    pub(super) fn civil(&self, name: &str) -> Option<NaiveDateTime> {
        self.text(name)?.parse().ok()
    }

    /// A list of words; what is no text is left out of it.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let items = self.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(String::from).collect()
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// A number from 0 to 1.
    pub(super) fn share(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64().filter(|share| (0.0..=1.0).contains(share))
    }

    pub(super) fn unsigned(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    pub(super) fn count(&self, name: &str) -> Option<u32> {
        u32::try_from(self.unsigned(name)?).ok()
    }

    /// Which of two words a member has: the first is true.
    pub(super) fn either(&self, name: &str, [yes, no]: [&str; 2]) -> Option<bool> {
        match self.text(name)? {
            word if word == yes => Some(true),
            word if word == no => Some(false),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    fn get(&self, name: &str) -> Option<&'v Value> {
        self.0?.get(name)
    }
}

impl Presence {
    pub(super) fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if matches!(self, Self::Absent) { other() } else { self }
    }
}
