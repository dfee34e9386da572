//! The audit log: who changed what, when, and what came of it. Each entry is chained to the one before it, so that one
//! that is changed, left out, put in or moved is found.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// Who did something, or was refused: ids only, never a name, a PIN or a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// The way it came: `api`, `dashboard`, `configuration` for what is taken from the file, `source` for a door that one tells
    /// of, or `retention` for what removes entries that are old enough.
    pub via: String,
    /// The number of the API key; 0 is that of the file.
    pub key: Option<i64>,
    /// The scope of that key.
    pub scope: Option<String>,
    /// The session of the dashboard, by a word that opens nothing.
    pub session: Option<String>,
    /// The address it came from.
    pub source: Option<String>,
    /// What was asked: a method and a route, without what stands in their places.
    pub action: String,
    /// The id of what it was about.
    pub target: Option<String>,
    /// What else is to be known of it: words and numbers.
    pub detail: BTreeMap<String, String>,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Its number: from 1, without gaps.
    pub seq: u64,
    /// When, to the millisecond.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = "date-time")]
    pub at: DateTime<Utc>,
    /// Who, and what.
    pub deed: Deed,
    /// What came of it.
    pub outcome: Outcome,
    /// The status of the answer, if it was refused or failed, or wrote nothing by itself.
    pub status: Option<u16>,
}

/// What came of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done, in the transaction that has the entry.
    Done,
    /// It was answered so; nothing was written with it, or it was written by whoever it is handed to.
    Accepted,
    /// It was refused.
    Refused,
    /// It was begun and could not be done, or not to its end.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Done, Self::Accepted, Self::Refused, Self::Failed];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The one with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// What an answer with this status means of what was not written down before it.
    pub fn of_status(status: u16) -> Self {
        match status {
            ..=399 => Self::Accepted,
            400..=499 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// An entry in its place in the chain. As JSON it is a line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    /// The entry. Its JSON, as it stands here, is what is hashed.
    pub entry: AuditEntry,
    /// SHA-256 of the hash before it and that JSON.
    #[serde(with = "digest")]
    #[schema(value_type = String)]
    pub hash: [u8; 32],
}

impl Linked {
    /// Puts an entry behind another one.
    pub fn behind(before: &Head, entry: AuditEntry) -> Self {
        let hash = link(before, &entry);
        Self { entry, hash }
    }

    /// Reads a line of an export. A line that says the same in other bytes is none that we have written.
    ///
    /// # Errors
    ///
    /// It is no such line.
    pub fn parse(line: &str) -> Result<Self, NoEntry> {
        let linked: Self = serde_json::from_str(line).map_err(|_| NoEntry)?;
        if serde_json::to_string(&linked).is_ok_and(|text| text == line) { Ok(linked) } else { Err(NoEntry) }
    }

    /// What has to be noted to know this entry and all before it again.
    pub fn head(&self) -> Head {
        Head { seq: self.entry.seq, hash: self.hash }
    }
}

/// A line that is no entry of an audit log, or was changed since it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no entry as it was written, expected a line of `GET /v1/audit/export`")]
pub struct NoEntry;

fn link(before: &Head, entry: &AuditEntry) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before.hash);
    // Texts, numbers and a map with texts for keys: none of them fails to be written.
    hash.update(serde_json::to_vec(entry).unwrap_or_default());
    hash.finalize().into()
}

/// The end of a chain, or a place in it: `12:` and 64 hexadecimal digits. Whoever keeps one elsewhere notices when the log
/// was cut or written anew up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the entry; 0 before the first.
    pub seq: u64,
    /// Its hash; 32 zeros before the first.
    pub hash: [u8; 32],
}

impl Head {
    /// The place before the first entry.
    pub const START: Self = Self { seq: 0, hash: [0; 32] };

    /// What stands in the log when all up to here is removed from it, because it is old enough.
    pub fn removal(&self) -> Deed {
        let detail = BTreeMap::from([(REMOVED.to_owned(), self.to_string())]);
        Deed { via: RETENTION.to_owned(), action: "remove old entries".to_owned(), detail, ..Deed::default() }
    }

    /// Up to where an entry says that older ones were removed, if it is such an entry.
    fn removed_by(entry: &AuditEntry) -> Option<Self> {
        let text = Some(&entry.deed).filter(|deed| deed.via == RETENTION)?.detail.get(REMOVED)?;
        text.parse().ok()
    }
}

/// The way of a deed that removes old entries.
const RETENTION: &str = "retention";

/// Under which name such an entry has the place up to which they are removed.
const REMOVED: &str = "removed_through";

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, digest::text(&self.hash))
    }
}

impl FromStr for Head {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Self, NoHead> {
        let (seq, hash) = text.split_once(':').ok_or(NoHead)?;
        Ok(Self { seq: seq.parse().map_err(|_| NoHead)?, hash: digest::read(hash).ok_or(NoHead)? })
    }
}

/// A text that is no place in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no place in an audit log, expected what `punch audit verify` prints, like `12:` and 64 hexadecimal digits")]
pub struct NoHead;

/// Goes through a chain, entry by entry, and says where it breaks.
#[derive(Debug, Clone)]
pub struct Check {
    last: Head,
    noted: Option<Head>,
    /// The first entry, if those before it are not there: an entry behind it has to say that they were removed.
    unproven: Option<Linked>,
}

impl Check {
    /// Begins behind `after`. `noted` is a place that was noted before, at which the chain has to come by.
    pub fn new(after: Head, noted: Option<Head>) -> Self {
        Self { last: after, noted: noted.filter(|noted| noted.seq > after.seq), unproven: None }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    ///
    /// It is not the next one, or not as it was written.
    pub fn take(&mut self, linked: &Linked) -> Result<(), Break> {
        let (seq, expected) = (linked.entry.seq, self.last.seq.saturating_add(1));
        if self.last == Head::START && seq > expected {
            if self.noted.is_some_and(|noted| noted.seq == seq && noted.hash != linked.hash) {
                return Err(Break { seq, problem: Problem::NotAsNoted });
            }
            self.unproven = Some(linked.clone());
            self.last = linked.head();
            // It may be the very entry that says so.
            return self.prove(linked);
        }
        if seq != expected {
            let first = self.unproven.as_ref().map_or(seq, |first| first.entry.seq);
            let seq = if self.unproven.is_some() { 1 } else { expected };
            return Err(Break { seq, problem: Problem::Missing { found: first } });
        }
        if link(&self.last, &linked.entry) != linked.hash {
            return Err(Break { seq, problem: Problem::Changed });
        }
        if self.noted.is_some_and(|noted| noted.seq == seq && noted.hash != linked.hash) {
            return Err(Break { seq, problem: Problem::NotAsNoted });
        }
        self.last = linked.head();
        self.prove(linked)
    }

    /// Whether an entry that says what was removed fits what is left.
    fn prove(&mut self, linked: &Linked) -> Result<(), Break> {
        let Some(first) = &self.unproven else { return Ok(()) };
        let removed =
            Head::removed_by(&linked.entry).filter(|removed| removed.seq.saturating_add(1) == first.entry.seq);
        let Some(removed) = removed else { return Ok(()) };
        if link(&removed, &first.entry) != first.hash {
            return Err(Break { seq: first.entry.seq, problem: Problem::Changed });
        }
        if self.noted.is_some_and(|noted| noted.seq == removed.seq && noted.hash != removed.hash) {
            return Err(Break { seq: removed.seq, problem: Problem::NotAsNoted });
        }
        self.unproven = None;
        Ok(())
    }

    /// There are no more entries. The end of the chain, to be noted for the next time.
    ///
    /// # Errors
    ///
    /// It is shorter than it was when a place in it was noted.
    pub fn finish(self) -> Result<Head, Break> {
        if let Some(first) = self.unproven {
            return Err(Break { seq: 1, problem: Problem::Missing { found: first.entry.seq } });
        }
        match self.noted {
            Some(noted) if noted.seq > self.last.seq => {
                Err(Break { seq: self.last.seq.saturating_add(1), problem: Problem::CutOff { noted: noted.seq } })
            }
            Some(_) | None => Ok(self.last),
        }
    }
}

/// Where a chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log breaks at entry {seq}: it {problem}; what stands before it is as it was written")]
pub struct Break {
    /// The number of the first entry that is not as it has to be.
    pub seq: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another one is in its place.
    #[error("is missing, and entry {found} is in its place")]
    Missing {
        /// The number of that one.
        found: u64,
    },
    /// Its bytes, or those before it, do not give its hash.
    #[error("was changed, or put there")]
    Changed,
    /// It is whole, and another one than was noted.
    #[error("is another one than was noted, so all up to it were written anew")]
    NotAsNoted,
    /// The chain ends before the place that was noted.
    #[error("is missing with all behind it, though there were {noted} when that was noted")]
    CutOff {
        /// The number of the entry that was noted.
        noted: u64,
    },
}

/// Instants to the millisecond, in one spelling.
mod instant {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::instant_text(*at))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Hashes as hexadecimal digits.
mod digest {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(hash))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        read(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("expected 64 hexadecimal digits"))
    }

    pub(super) fn text(hash: &[u8; 32]) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn read(text: &str) -> Option<[u8; 32]> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let bytes: Vec<u8> =
            digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        if text.len() == 64 { bytes.try_into().ok() } else { None }
    }
}
