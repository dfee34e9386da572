//! `JSON.stringify(JSON.parse(text))`, so that bodies can be held against it without a JavaScript engine.

use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value that remembers the order of its members, as JavaScript does for keys that are no integers.
enum Ordered {
    Literal(String),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

pub(crate) fn stringify_parse(text: &str) -> String {
    let mut out = String::new();
    serde_json::from_str::<Ordered>(text).unwrap().write(&mut out);
    out
}

impl Ordered {
    fn write(&self, out: &mut String) {
        match self {
            Self::Literal(literal) => out.push_str(literal),
            Self::Text(text) => quote(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    assert!(key.parse::<u32>().is_err(), "integer-like keys move to the front in JavaScript");
                    out.push_str(if index == 0 { "" } else { "," });
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// ECMA-262, `QuoteJSONString`.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// ECMA-262, `Number::toString`, for the numbers that are written without an exponent.
fn number(value: f64) -> Ordered {
    assert!(value == 0.0 || (1e-6..1e21).contains(&value.abs()), "{value} would get an exponent");
    Ordered::Literal(if value == 0.0 { "0".into() } else { format!("{value}") })
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Literal("null".into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Literal(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(number(f64::from(u32::try_from(value).unwrap())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(number(f64::from(i32::try_from(value).unwrap())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Ordered::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Ordered, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Ordered::Object(object))
    }
}

#[test]
fn knows_what_javascript_does() {
    assert_eq!(stringify_parse(r#"{ "b": 1.0, "a": [true, null, 0.97] }"#), r#"{"b":1,"a":[true,null,0.97]}"#);
    assert_eq!(stringify_parse(r#""\u00e9\/\u001f""#), "\"é/\\u001f\"");
}
