//! Taking out of what is kept what tells who somebody was.

use core::fmt;

use serde_json::{Value, json};

/// What stands in the place of somebody who was erased: random, so it leads back to nobody, and the same in all that is
/// kept of them, so that their days stay whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// Takes 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("erased_{:032x}", u128::from_be_bytes(bytes)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The body of an event of theirs, with this in the place of badge, name and id. What is not about them, and every
    /// other byte, stays.
    pub fn replace_in(&self, body: &str) -> String {
        let text = json!(self.0).to_string();
        let object = json!({ "badge_number": self.0, "id": self.0 }).to_string();
        let members = [
            ("\"employee\":{", "\"employee\":", &object),
            ("\"employee_id\":\"", "\"employee_id\":", &text),
            ("\"badge_number\":\"", "\"badge_number\":", &text),
        ];
        let mut replaced = body.to_owned();
        for (begin, key, value) in members {
            // No text of an event can look like this: a quote in it is escaped.
            let Some(at) = replaced.find(begin) else { continue };
            let from = at + key.len();
            let Some(length) = replaced.get(from..).and_then(length_of) else { continue };
            replaced.replace_range(from..from + length, value);
        }
        replaced
    }
}

/// How many bytes the value takes that a text begins with.
fn length_of(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody is known by: PINs, names, and what else they were called. `Debug` shows nothing of it.
#[derive(Clone, Default)]
pub struct Traces {
    words: Vec<String>,
    names: Vec<String>,
}

/// Shortest name that is looked for within a text, in bytes; a shorter one has to be a field of its own.
const NAME_MIN: usize = 4;

impl Traces {
    /// PINs, cards and the like, which are fields of their own; and names, which can stand anywhere.
    pub fn new(words: Vec<String>, names: Vec<String>) -> Self {
        let kept = |texts: Vec<String>| texts.into_iter().filter(|text| !text.is_empty()).collect();
        Self { words: kept(words), names: kept(names) }
    }

    /// Whether a row or a text speaks of them. A field that is one of the words is enough, whatever it means there: it is
    /// better to empty one row too many.
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let is_separator = |character: char| character.is_whitespace() || "=,:;\"'{}[]()$~\0".contains(character);
        let is_long = |name: &&String| name.len() >= NAME_MIN;
        self.names.iter().filter(is_long).any(|name| text.contains(name.as_str()))
            || text.split(is_separator).any(|field| self.words.iter().chain(&self.names).any(|word| word == field))
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traces(..)")
    }
}

#[cfg(test)]
mod tests {
    use punch_webhook::StoredBody;

    use super::{Pseudonym, Traces};

    #[test]
    fn a_body_keeps_every_byte_but_who_it_was() {
        let pseudonym = Pseudonym::from_random([1; 16]);
        let word = "erased_01010101010101010101010101010101";
        assert_eq!(pseudonym.as_str(), word);
        let nested = r#"{"event_id":"evt_1","device":{"name":"\"employee\":{"},"employee":{"id":"emp_7","badge_number":"4}2","name":"A \"}\" B"},"punch":{"direction":"in"},"metadata":{"delivery_attempt":1}}"#;
        let replaced = pseudonym.replace_in(nested);
        let expected = nested.replace(
            r#"{"id":"emp_7","badge_number":"4}2","name":"A \"}\" B"}"#,
            &format!(r#"{{"badge_number":"{word}","id":"{word}"}}"#),
        );
        assert_eq!(replaced, expected);
        let rendered = StoredBody::new(replaced.into_bytes()).render(12);
        assert!(rendered.ends_with(b"\"delivery_attempt\":12}}"));
        let flat = r#"{"event":"attendance.punch","device_serial":"T1","employee_id":"42\\","direction":"in"}"#;
        assert_eq!(pseudonym.replace_in(flat), flat.replace(r#""42\\""#, &format!("\"{word}\"")));
        for other in [r#"{"event_type":"site.watermark","site":"employee"}"#, "", "no JSON \"employee\":{"] {
            assert_eq!(pseudonym.replace_in(other), other);
        }
    }

    #[test]
    fn a_row_speaks_of_somebody_if_one_of_its_fields_does() {
        let traces = Traces::new(
            vec!["7".to_owned(), "00A1".to_owned(), String::new()],
            vec!["Ana".to_owned(), "Eva Ríos".to_owned()],
        );
        for row in [
            "7 junk",
            "OPLOG 4\t0\t2026-03-02 08:00:00\t7\t0",
            "PIN=7\tx",
            "card=[00A1]",
            "Ana",
            "Dear Eva Ríos!",
            "{\"pin\":\"7\"}",
        ] {
            assert!(traces.are_in(row.as_bytes()), "{row}");
        }
        for row in ["", "77 junk", "2026-03-07 17:27:57", "Banana", "Eva", "00A12", "\u{fffd}"] {
            assert!(!traces.are_in(row.as_bytes()), "{row}");
        }
        assert!(!Traces::default().are_in(b"7 Ana"));
        assert_eq!(format!("{traces:?}"), "Traces(..)");
    }
}
