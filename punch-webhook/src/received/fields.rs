use alloc::string::{String, ToString as _};

use serde_json::{Map, Value};

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

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    pub(super) fn count(&self, name: &str) -> Option<u32> {
        u32::try_from(self.get(name)?.as_u64()?).ok()
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
