//! Whether a value is what a schema of the API's document says, as far as that document goes.

use chrono::{DateTime, NaiveDate};
use serde_json::Value;

/// What is wrong with a value, each with its place. References are looked up in `document`.
pub(crate) fn problems(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let within = |schema: &Value| problems(document, schema, value, place);
    if let Some(reference) = schema["$ref"].as_str() {
        return within(document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} leads nowhere")));
    }
    let mut found: Vec<String> = choices(schema, "allOf").flat_map(within).collect();
    for (word, fits) in [("oneOf", 1..=1), ("anyOf", 1..=usize::MAX)] {
        let tried: Vec<Vec<String>> = choices(schema, word).map(within).collect();
        let fitting = tried.iter().filter(|problems| problems.is_empty()).count();
        if !tried.is_empty() && !fits.contains(&fitting) {
            found.push(format!("{place}: {fitting} of `{word}` fit: {tried:?}"));
        }
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(kind, value)) {
        found.push(format!("{place}: is {value}, expected {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{place}: is {value}, expected one of {words:?}"));
    }
    found.extend(limits(schema, value).map(|limit| format!("{place}: {value} breaks {limit}")));
    if let Value::Array(items) = value {
        let each = items.iter().enumerate().filter(|_| schema["items"].is_object());
        found.extend(each.flat_map(|(at, item)| problems(document, &schema["items"], item, &format!("{place}/{at}"))));
    }
    if let Value::Object(members) = value {
        let missing = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        found.extend(missing.filter(|name| !members.contains_key(*name)).map(|name| format!("{place}: has no {name}")));
        for (name, member) in members {
            let (known, others) = (&schema["properties"][name], &schema["additionalProperties"]);
            let place = format!("{place}/{name}");
            match (known.is_object(), others) {
                (true, _) => found.extend(problems(document, known, member, &place)),
                (false, Value::Bool(false)) => found.push(format!("{place}: is in no schema")),
                (false, Value::Object(_)) => found.extend(problems(document, others, member, &place)),
                (false, _) => {}
            }
        }
    }
    found
}

fn choices<'s>(schema: &'s Value, word: &str) -> impl Iterator<Item = &'s Value> {
    schema[word].as_array().into_iter().flatten()
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

/// The limits of a schema that a value breaks.
fn limits(schema: &Value, value: &Value) -> impl Iterator<Item = &'static str> {
    let number = |name: &str| schema[name].as_f64();
    let (text, size) = (value.as_str(), value.as_f64());
    let length = text.map(|text| text.chars().count() as f64);
    let is_formatted = text.is_none_or(|text| match schema["format"].as_str() {
        Some("date") => text.parse::<NaiveDate>().is_ok(),
        Some("date-time") => DateTime::parse_from_rfc3339(text).is_ok(),
        _ => true,
    });
    let below = |size: Option<f64>, name: &str| size.zip(number(name)).is_some_and(|(size, least)| size < least);
    let above = |size: Option<f64>, name: &str| size.zip(number(name)).is_some_and(|(size, most)| size > most);
    let broken = [
        ("format", !is_formatted),
        ("minimum", below(size, "minimum")),
        ("maximum", above(size, "maximum")),
        ("minLength", below(length, "minLength")),
        ("maxLength", above(length, "maxLength")),
    ];
    broken.into_iter().filter(|(_, is_broken)| *is_broken).map(|(name, _)| name)
}
