//! Members of an event, whatever type they have, and without what is nobody's business.

use alloc::string::{String, ToString as _};

use serde_json::{Map, Value};

/// Members that are never kept: health, pictures, names, identity documents.
const LEFT_OUT: [&str; 16] = [
    "ExtEventIdentityCardInfo",
    "ExtEventPictureURL",
    "FaceRect",
    "currTemperature",
    "isAbnormalTemperature",
    "label",
    "mask",
    "name",
    "personName",
    "picUri",
    "pictureURL",
    "pictureUrl",
    "temperatureData",
    "temperatureStatus",
    "thermometryUnit",
    "wearMaskStatus",
];

/// The members of an object; none of anything else.
pub(crate) fn fields(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// A member as text, blanks at its ends cut off. Servers write ids as texts and as numbers.
pub(crate) fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match object.get(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// A member as whole number, written as number or as text.
pub(crate) fn number(object: &Map<String, Value>, name: &str) -> Option<i64> {
    text(object, name)?.parse().ok()
}

/// Whether a member is true, written as truth or as text; `None` if it is neither.
pub(crate) fn is_true(object: &Map<String, Value>, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An event as it may be stored.
pub(crate) fn kept(event: &Value) -> Value {
    match event {
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            Value::Object(members.map(|(name, value)| (name.clone(), kept(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(kept).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => event.clone(),
    }
}
