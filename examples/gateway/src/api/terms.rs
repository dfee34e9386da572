//! What a list can be asked, said once: calls are held to it, and the document of the API tells it.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use super::envelope::{ApiError, Paging};

/// What a list can be asked.
#[derive(Debug)]
pub(super) struct Terms {
    /// What narrows it.
    pub(super) filters: &'static [(&'static str, Kind)],
    /// By what it is sorted, and the column of the store that is; the first is the key, by which it is sorted unasked.
    /// What is no list has none.
    pub(super) sorts: &'static [(&'static str, &'static str)],
    /// Whether the last comes first, unasked.
    pub(super) newest_first: bool,
}

/// What a filter can be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// A whole number, from and to.
    Number(u64, u64),
    Moment,
    /// A day, which has to be said.
    Day,
    /// A day of the place, or a moment.
    DayOrMoment,
    /// One of these.
    Words(fn() -> Vec<&'static str>),
    /// Some of these, with commas between.
    SomeOf(fn() -> Vec<&'static str>),
}

impl Terms {
    /// What it can be asked beside, if it is a list.
    pub(super) fn of_every_list(&self) -> &'static [&'static str] {
        if self.sorts.is_empty() { &[] } else { &["sort", "page", "per_page", "cursor"] }
    }

    /// What a filter can be; `None` if there is no such filter.
    pub(super) fn kind(&self, name: &str) -> Option<Kind> {
        self.filters.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// As parameters of an operation.
    pub(super) fn parameters(&self) -> Vec<Value> {
        let parameter = |name: &str, required: bool, description: &str, schema: Value| {
            json!({
                "name": name, "in": "query", "required": required, "style": "form", "explode": false,
                "description": description, "schema": schema,
            })
        };
        let filters = self
            .filters
            .iter()
            .map(|(name, kind)| parameter(name, matches!(kind, Kind::Day), kind.description(), kind.schema()));
        if self.sorts.is_empty() {
            return filters.collect();
        }
        let words = self.sorts.iter().flat_map(|(word, _)| [(*word).to_owned(), format!("-{word}")]);
        let key = self.sorts.first().map_or("id", |(word, _)| word);
        let usual = if self.newest_first { format!("-{key}") } else { key.to_owned() };
        let whole = |least: u32, most: u32| json!({ "type": "integer", "minimum": least, "maximum": most });
        let others = [
            parameter(
                "sort",
                false,
                "By what, `-` in front for the other way.",
                json!({ "type": "string", "enum": words.collect::<Vec<_>>(), "default": usual }),
            ),
            parameter("page", false, "Which page, from 1.", whole(1, u32::MAX)),
            parameter("per_page", false, "Rows of a page; 50 unasked.", whole(1, Paging::PER_PAGE_MAX)),
            parameter(
                "cursor",
                false,
                "`meta.next_cursor` of the answer before, instead of `page`.",
                json!({ "type": "string" }),
            ),
        ];
        filters.chain(others).collect()
    }
}

impl Kind {
    /// The number of something.
    pub(super) const ID: Self = Self::Number(0, i64::MAX.cast_unsigned());

    /// Whether a filter can have this text.
    pub(super) fn check(self, name: &str, text: &str) -> Result<(), ApiError> {
        let expected = match self {
            Self::Text => return Ok(()),
            Self::Number(least, most) => {
                let is_one = text.parse().is_ok_and(|number| (least..=most).contains(&number));
                (!is_one).then(|| format!("expected a whole number, {least} to {most}"))
            }
            Self::Moment => text.parse::<DateTime<Utc>>().is_err().then(|| EXPECTED_MOMENT.to_owned()),
            Self::Day => text.parse::<NaiveDate>().is_err().then(|| "expected a day such as `2026-03-28`".to_owned()),
            Self::DayOrMoment => {
                let is_one = text.parse::<NaiveDate>().is_ok() || text.parse::<DateTime<Utc>>().is_ok();
                let expected = "expected a day such as `2026-03-28` or a moment such as `2026-03-28T08:00:00Z`";
                (!is_one).then(|| expected.to_owned())
            }
            Self::Words(words) => {
                let words = words();
                (!words.contains(&text)).then(|| format!("`{text}` is none, expected one of: {}", words.join(", ")))
            }
            Self::SomeOf(words) => {
                let words = words();
                let unknown = text.split(',').find(|word| !words.contains(word));
                unknown.map(|word| format!("`{word}` is none, expected some of: {}", words.join(", ")))
            }
        };
        expected.map_or(Ok(()), |problem| Err(ApiError::invalid(name, &problem)))
    }

    fn description(self) -> &'static str {
        match self {
            Self::Text | Self::Words(_) => "Only rows with this.",
            Self::SomeOf(_) => "Only these, with commas between.",
            Self::Number(..) => "A whole number.",
            Self::Moment => "A moment in RFC 3339.",
            Self::Day => "A day.",
            Self::DayOrMoment => "A day of the place, included, or a moment in RFC 3339.",
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Self::Moment => json!({ "type": "string", "format": "date-time" }),
            Self::Day => json!({ "type": "string", "format": "date" }),
            Self::DayOrMoment => json!({ "anyOf": [
                { "type": "string", "format": "date" }, { "type": "string", "format": "date-time" },
            ]}),
            Self::Words(words) => json!({ "type": "string", "enum": words() }),
            Self::SomeOf(words) => {
                json!({ "type": "array", "items": { "type": "string", "enum": words() }, "minItems": 1 })
            }
        }
    }
}

/// A text that is one of some words, as a schema.
pub(super) fn words<const N: usize>(words: [&'static str; N]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// The same, or null.
pub(super) fn words_or_null(words: &[&'static str]) -> Object {
    let schema = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    schema.enum_values(Some(words.iter().map(|word| Value::from(*word)).chain([Value::Null]))).build()
}

/// How a moment is written.
pub(super) const EXPECTED_MOMENT: &str = "expected a moment like `2026-03-28T08:00:00Z`";
