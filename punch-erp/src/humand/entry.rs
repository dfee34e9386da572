use alloc::string::{String, ToString};
use core::fmt;

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use punch_normalize::{Direction, EventId};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Which of the two calls, and which of the two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(clippy::exhaustive_enums, reason = "there are two calls")]
pub enum EntryKind {
    /// `END`, by `clockOut`. It sorts first: who is there leaves before coming again in the same second.
    End,
    /// `START`, by `clockIn`.
    Start,
}

impl EntryKind {
    /// Folds breaks and overtime into plain in and out, as Humand has no other words. `None` if it is unknown.
    pub fn of(direction: Direction) -> Option<Self> {
        let is = |way| direction.plain() == way;
        is(Direction::In).then_some(Self::Start).or_else(|| is(Direction::Out).then_some(Self::End))
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Start => Self::End,
            Self::End => Self::Start,
        }
    }
}

/// An entry to be stored. `Debug` shows no employee.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewEntry {
    /// The `employeeInternalId` of the person. Text: leading zeros matter.
    pub employee: String,
    /// Arrival or departure.
    pub kind: EntryKind,
    /// When, with the offset of the site. Fractions beyond milliseconds are cut.
    pub at: DateTime<FixedOffset>,
    /// Free text, at most [`MAX_COMMENT`] characters; [`comment`] makes one an entry is found again by.
    pub comment: String,
}

impl NewEntry {
    /// An entry.
    pub fn new(
        employee: impl Into<String>,
        kind: EntryKind,
        at: DateTime<FixedOffset>,
        comment: impl Into<String>,
    ) -> Self {
        Self { employee: employee.into(), kind, at, comment: comment.into() }
    }
}

impl fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEntry").field("kind", &self.kind).field("at", &self.at).finish_non_exhaustive()
    }
}

/// The longest comment written, in characters.
pub const MAX_COMMENT: usize = 200;

/// The comment of an event's entry: its id, by which the entry is found again, and the terminal's serial number.
///
/// ```
/// use punch_erp::humand::comment;
/// use punch_normalize::EventId;
///
/// let id = EventId::parse("evt_a8f3k2x9m1")?;
/// assert_eq!(comment(&id, Some("CZKE2241600045")), "evt_a8f3k2x9m1 CZKE2241600045");
/// assert_eq!(comment(&id, None), "evt_a8f3k2x9m1");
/// # Ok::<(), punch_normalize::EventIdError>(())
/// ```
pub fn comment(event_id: &EventId, serial: Option<&str>) -> String {
    // An id has at most 128 characters, so what is cut is the serial number.
    let blank = serial.map_or("", |_| " ");
    [event_id.as_str(), blank, serial.unwrap_or_default()].concat().chars().take(MAX_COMMENT).collect()
}

/// An entry as Humand shows it. `Debug` shows no employee.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The record's id.
    pub id: String,
    /// Arrival or departure; `None` for a third word.
    pub kind: Option<EntryKind>,
    /// When.
    pub at: DateTime<Utc>,
    /// What the comment says; empty if nothing.
    pub comment: String,
    /// Where it comes from: `INTEGRATION`, `MANUAL`, `DAY_CHANGE` or another word.
    pub source: String,
}

impl Entry {
    /// An entry that came through this interface.
    pub fn new(id: impl Into<String>, kind: EntryKind, at: DateTime<Utc>, comment: impl Into<String>) -> Self {
        Self { id: id.into(), kind: Some(kind), at, comment: comment.into(), source: "INTEGRATION".into() }
    }

    /// Whether it was written for this event: its id is a word of the comment.
    pub fn is_of(&self, event_id: &EventId) -> bool {
        self.comment.split_whitespace().any(|word| word == event_id.as_str())
    }

    /// Whether Humand made it when the day changed, and nobody punched.
    pub fn is_day_change(&self) -> bool {
        self.source == "DAY_CHANGE"
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Entry");
        shown.field("id", &self.id).field("kind", &self.kind).field("at", &self.at).finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Row {
            #[serde(deserialize_with = "read_id")]
            id: String,
            r#type: String,
            time: DateTime<FixedOffset>,
            #[serde(default)]
            comment: Option<String>,
            #[serde(default)]
            source: Option<String>,
        }
        let Row { id, r#type: word, time, comment, source } = Row::deserialize(deserializer)?;
        let (comment, source) = (comment.unwrap_or_default(), source.unwrap_or_default());
        Ok(Self { id, kind: kind_of(&word), at: time.with_timezone(&Utc), comment, source })
    }
}

pub(super) fn kind_of(word: &str) -> Option<EntryKind> {
    match word {
        "START" => Some(EntryKind::Start),
        "END" => Some(EntryKind::End),
        _ => None,
    }
}

/// Ids are numbers, and texts to us.
pub(super) fn read_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let text = value.as_str().filter(|text| !text.is_empty()).map(String::from);
    let id = text.or_else(|| value.as_number().map(|number| alloc::format!("{number}")));
    id.ok_or_else(|| serde::de::Error::custom("expected an id"))
}

/// The same; empty if there is none. Whoever has no id must not cost the others theirs.
pub(super) fn read_id_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().map(String::from).or_else(|| value.as_number().map(ToString::to_string)).unwrap_or_default())
}

/// RFC 3339 with three digits of a second and the offset as a number, `+00:00` too.
pub(super) fn time_text(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, false)
}
