use serde_json::{Map, Value};

/// Keys whose values are templates or pictures.
const BIOMETRIC: [&str; 7] = ["tmp", "content", "template", "photo", "fptemplate1", "fptemplate2", "content_b64"];

/// Replaces templates and pictures by their length: what is decoded ends up in terminals and tickets.
pub(super) fn without_biometrics(value: &mut Value) {
    match value {
        Value::Object(object) => object_without(object),
        Value::Array(list) => list.iter_mut().for_each(without_biometrics),
        _ => {}
    }
}

fn object_without(object: &mut Map<String, Value>) {
    // The output of a command is named like a picture; it is text, and what was asked for.
    let is_result = object.contains_key("return");
    let keys: Vec<String> = object.keys().cloned().collect();
    for key in keys {
        let lower = key.to_ascii_lowercase();
        let biometric = BIOMETRIC.contains(&lower.as_str()) && !(is_result && lower == "content");
        match object.get_mut(&key) {
            Some(Value::String(text)) if biometric => {
                let len = text.len();
                object.remove(&key);
                object.insert(format!("{key}_len"), len.into());
            }
            // Bytes that are no text are a picture, or nothing a person reads.
            Some(Value::String(text)) if lower == "raw" && text.contains(['\0', char::REPLACEMENT_CHARACTER]) => {
                *text = format!("({} bytes)", text.len());
            }
            Some(Value::String(text)) if ["raw", "text"].contains(&lower.as_str()) => *text = line_without(text),
            Some(other) => without_biometrics(other),
            None => {}
        }
    }
}

/// A line as it stands, with the templates in it replaced.
fn line_without(line: &str) -> String {
    let separators = ['\t', ' ', '\n', '\r', ','];
    let mut shown = String::with_capacity(line.len());
    for field in line.split_inclusive(separators) {
        let (key, value) = field.split_once('=').unwrap_or_default();
        let value = value.trim_end_matches(separators);
        if BIOMETRIC.contains(&key.to_ascii_lowercase().as_str()) && !value.is_empty() {
            let rest = field.get(key.len() + 1 + value.len()..).unwrap_or_default();
            shown.push_str(&format!("{key}=({} bytes){rest}", value.len()));
        } else {
            shown.push_str(field);
        }
    }
    shown
}
