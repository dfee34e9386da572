use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value};

use super::normalize::{Told, hcp_direction, hcp_keys, isc_direction};
use super::{Dialect, HikCentralRules};
use crate::passage::{QuarantineReason, Reading, number, text};

/// One page of door events. `Debug` shows how many.
#[derive(Clone, PartialEq)]
pub struct DoorEventPage {
    pub(super) dialect: Dialect,
    pub(super) rows: Vec<Value>,
    pub(super) total: Option<u64>,
}

impl DoorEventPage {
    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many events all pages hold, if it says so. Servers say it wrong.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The number of the page behind this one, if there may be one: this is page `page`, and with it `seen` events came of
    /// pages of `page_size`. Behind a full page there may be one whatever the total says, and behind a short one if the total
    /// says so: some servers cut pages shorter than they were asked for.
    pub fn next_page(&self, page: u32, page_size: u16, seen: u64) -> Option<u32> {
        let is_full = self.rows.len() >= usize::from(page_size);
        let is_short_of_total = self.total.is_some_and(|total| seen < total);
        let goes_on = !self.rows.is_empty() && (is_full || is_short_of_total);
        goes_on.then(|| page.saturating_add(1))
    }

    /// What the events say, in their order. All of them are a backlog.
    pub fn readings(&self, rules: &HikCentralRules) -> Vec<Reading> {
        self.rows.iter().map(|row| read_row(row, self.dialect, rules)).collect()
    }
}

impl fmt::Debug for DoorEventPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("DoorEventPage");
        shown.field("len", &self.rows.len()).field("total", &self.total).finish_non_exhaustive()
    }
}

fn read_row(row: &Value, dialect: Dialect, rules: &HikCentralRules) -> Reading {
    let Value::Object(event) = row else {
        return Reading::quarantined(None, QuarantineReason::Malformed, row);
    };
    Told {
        dialect,
        event_id: text(event, "eventId"),
        event_type: number(event, "eventType"),
        time: text(event, "eventTime").or_else(|| text(event, "happenTime")),
        door: text(event, "doorIndexCode"),
        door_name: text(event, "doorName"),
        reader: reader(event, dialect),
        keys: hcp_keys(event),
        direction: match dialect {
            Dialect::Professional => hcp_direction(event),
            Dialect::IsecureCenter => isc_direction(event, "inAndOutType", rules),
        },
        is_backlog: true,
    }
    .judge(row, rules)
}

fn reader(event: &Map<String, Value>, dialect: Dialect) -> Option<String> {
    match dialect {
        Dialect::Professional => text(event, "readerIndexCode"),
        Dialect::IsecureCenter => text(event, "readerDevIndexCode"),
    }
}
