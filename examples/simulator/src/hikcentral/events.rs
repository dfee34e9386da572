//! Lists of door events, as the two products give them.

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, TimeDelta};
use http::Response;
use serde_json::{Value, json};

use super::reply::{refusal, success};
use super::{DoorEvent, HikCentralStandIn, types};

impl HikCentralStandIn {
    /// HikCentral Professional: one type a call, ten doors, 500 rows, 31 days.
    pub(super) fn list_v1(&self, body: &Value) -> Response<Bytes> {
        match body["eventType"].as_i64() {
            Some(event_type) => self.list(body, &[event_type], 500, 31),
            None => refusal("0x00072001", "eventType missing"),
        }
    }

    /// iSecure Center: several types, 1000 rows, three months.
    pub(super) fn list_v2(&self, body: &Value) -> Response<Bytes> {
        match types(&body["eventTypes"]) {
            Some(types) => self.list(body, &types, 1000, 92),
            None => refusal("0x00072001", "eventTypes missing"),
        }
    }

    fn list(&self, body: &Value, types: &[i64], size_max: u64, days_max: i64) -> Response<Bytes> {
        let (Some(from), Some(to)) = (time(&body["startTime"]), time(&body["endTime"])) else {
            return refusal("0x00072003", "Incorrect time format");
        };
        let doors: Option<Vec<&str>> =
            body["doorIndexCodes"].as_array().map(|doors| doors.iter().filter_map(Value::as_str).collect());
        let (page, size) = (body["pageNo"].as_u64().unwrap_or(0), body["pageSize"].as_u64().unwrap_or(0));
        let is_wrong =
            page == 0 || size == 0 || size > size_max || doors.as_ref().is_some_and(|doors| doors.len() > 10);
        if is_wrong || to - from > TimeDelta::days(days_max) || to < from {
            return refusal("0x00072002", "Parameter out of range");
        }
        let mut found: Vec<&DoorEvent> = self
            .events
            .iter()
            .filter(|event| types.contains(&event.event_type) && (from..=to).contains(&event.at))
            .filter(|event| doors.as_ref().is_none_or(|doors| doors.contains(&event.door.as_str())))
            .collect();
        found.sort_by_key(|event| event.at);
        let cut = usize::try_from(size).unwrap_or(usize::MAX).min(self.config.page_max);
        let skip = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(cut);
        let rows: Vec<_> = found.iter().skip(skip).take(cut).map(|event| self.config.listed(event)).collect();
        if rows.len() > self.config.answer_max {
            return refusal("0x00072004", "The answer is too long");
        }
        let total = if self.config.total_is_wrong { rows.len() } else { found.len() };
        success(&json!({ "total": total, "pageNo": page, "pageSize": size, "list": rows }))
    }
}

fn time(value: &Value) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok()
}
