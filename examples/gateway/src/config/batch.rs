use punch_webhook::BatchBody;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::section::Section;

/// How many events go into one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Batch {
    /// The most events. Default, and most, 500.
    #[schema(minimum = 1, maximum = 500)]
    pub max_events: usize,
    /// The longest body, in bytes. Default, and most, 256 KiB; at least 1 KiB. An event that is longer goes alone.
    #[schema(minimum = 1024, maximum = 262_144)]
    pub max_bytes: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_events: BatchBody::MAX_EVENTS, max_bytes: BatchBody::MAX_BYTES }
    }
}

impl Batch {
    /// The shortest limit of a body.
    const BYTES_MIN: usize = 1_024;

    pub(super) fn check(self) -> Result<(), String> {
        let (events, bytes) = (1..=BatchBody::MAX_EVENTS, Self::BYTES_MIN..=BatchBody::MAX_BYTES);
        if !events.contains(&self.max_events) {
            return Err(format!("has `max_events` {}, expected 1 to {}", self.max_events, BatchBody::MAX_EVENTS));
        }
        if !bytes.contains(&self.max_bytes) {
            let (least, most) = (Self::BYTES_MIN, BatchBody::MAX_BYTES);
            return Err(format!("has `max_bytes` {}, expected {least} to {most}", self.max_bytes));
        }
        Ok(())
    }

    /// `batch = true`, or a table of limits.
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        if !section.has("batch") || section.is_switch("batch") {
            return section.switch("batch").filter(|on| *on).map(|_| Self::default());
        }
        let mut limits = section.section("batch");
        let usual = Self::default();
        let mut limit = |key: &str, least: usize, usual: usize| {
            let [least, most] = [least, usual].map(|bound| u64::try_from(bound).unwrap_or(u64::MAX));
            limits.whole_number(key, least, most).and_then(|value| usize::try_from(value).ok()).unwrap_or(usual)
        };
        let batch = Self {
            max_events: limit("max_events", 1, usual.max_events),
            max_bytes: limit("max_bytes", Self::BYTES_MIN, usual.max_bytes),
        };
        section.absorb(limits);
        Some(batch)
    }
}

/// What a call says of batches: `true`, `false`, or the limits.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum BatchWish {
    Switch(bool),
    Limits(Batch),
}

impl BatchWish {
    pub(crate) fn granted(self) -> Option<Batch> {
        match self {
            Self::Switch(on) => on.then(Batch::default),
            Self::Limits(limits) => Some(limits),
        }
    }
}
