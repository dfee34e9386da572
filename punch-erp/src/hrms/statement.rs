use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

/// One SQL statement and the values of its parameters. `Debug` shows the text and no value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// The text. It is the same for every event, so it can be prepared once.
    pub sql: Arc<str>,
    /// The values, in the order of the parameters.
    pub values: Vec<Value>,
}

/// The value of a parameter. `Debug` shows its kind alone.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a shell must bind every one")]
pub enum Value {
    /// A text, or null.
    Text(Option<String>),
    /// An instant, in whole milliseconds. SQLite has none and gets a text.
    Instant(DateTime<Utc>),
    /// A whole number.
    Number(i64),
}

impl Statement {
    pub(super) fn new(sql: &Arc<str>, values: Vec<Value>) -> Self {
        Self { sql: Arc::clone(sql), values }
    }

    /// The statement and its values as text, for a dry run. It names the person: print it for the one who asked, do not
    /// log it.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("{};\n", self.sql);
        for (number, value) in (1_u32..).zip(&self.values) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "-- {number}: {}", value.literal());
        }
        text
    }
}

impl Value {
    /// The value as SQL spells it.
    fn literal(&self) -> String {
        match self {
            Self::Text(None) => "NULL".into(),
            Self::Text(Some(text)) => format!("'{}'", visible(text).replace('\'', "''")),
            Self::Instant(at) => format!("'{}'", instant_text(*at)),
            Self::Number(number) => format!("{number}"),
        }
    }
}

/// A terminal that shows a dry run obeys control characters.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// An instant as SQLite stores it: `2026-03-28T08:47:12.000Z`. Always as long, so texts sort as the instants do.
pub(super) fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("sql", &self.sql).field("values", &self.values.len()).finish()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(None) => "Null",
            Self::Text(Some(_)) => "Text(..)",
            Self::Instant(_) => "Instant(..)",
            Self::Number(_) => "Number(..)",
        })
    }
}
