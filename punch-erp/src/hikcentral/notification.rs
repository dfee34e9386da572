use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::normalize::{Told, hcp_direction, hcp_keys, isc_direction, keys};
use super::{Dialect, HikCentralRules};
use crate::passage::{IgnoreReason, PersonScheme, QuarantineReason, Reading, SourceError, fields, number, text};

/// The longest body of a notification that is read, in bytes: 4 MiB.
pub const NOTIFICATION_BODY_MAX: usize = 4 << 20;

/// The most events of a notification.
pub const NOTIFICATION_EVENTS_MAX: usize = 1000;

const EXPECTED: &str = "a notification with `params.events`";

/// Reads what HikCentral pushes, in either dialect: one [`Reading`] an event, in their order. A bad one costs no neighbour.
///
/// ```
/// use punch_erp::hikcentral::{HikCentralRules, read_notification};
///
/// let body = br#"{"method":"OnEventNotify","params":{"ability":"event_acs","events":[{"eventId":"A1F0","eventType":196893,
///     "happenTime":"2026-01-27T12:11:51-03:00","srcIndex":"7","data":{"personId":"11","checkInAndOutType":1}}]}}"#;
/// let readings = read_notification(body, &HikCentralRules::default())?;
/// let passage = readings[0].passage().unwrap();
/// assert_eq!((passage.event_id.as_str(), passage.direction.as_str()), ("hcp:A1F0", "in"));
/// # Ok::<(), punch_erp::passage::SourceError>(())
/// ```
///
/// # Errors
///
/// [`SourceError`] if nothing of it can be read: it is no notification, or longer than the limits.
pub fn read_notification(body: &[u8], rules: &HikCentralRules) -> Result<Vec<Reading>, SourceError> {
    if body.len() > NOTIFICATION_BODY_MAX {
        return Err(SourceError::TooLong { limit: NOTIFICATION_BODY_MAX });
    }
    let unreadable = SourceError::Unreadable { expected: EXPECTED };
    let body: Value = serde_json::from_slice(body).map_err(|_| unreadable)?;
    let params = body.get("params").ok_or(unreadable)?;
    let Some(Value::Array(events)) = params.get("events") else { return Err(unreadable) };
    if events.len() > NOTIFICATION_EVENTS_MAX {
        return Err(SourceError::TooManyEvents { found: events.len(), limit: NOTIFICATION_EVENTS_MAX });
    }
    let ability = text(&fields(Some(params)), "ability");
    if ability.is_some_and(|ability| ability != "event_acs") {
        return Ok(events.iter().map(|_| Reading::Ignored { reason: IgnoreReason::NotAccessControl }).collect());
    }
    Ok(events.iter().map(|event| read_event(event, rules)).collect())
}

fn read_event(event: &Value, rules: &HikCentralRules) -> Reading {
    let Value::Object(members) = event else {
        return Reading::quarantined(None, QuarantineReason::Malformed, event);
    };
    let data = fields(members.get("data"));
    let is_isc = data.keys().any(|name| name.starts_with("ExtEvent"));
    let told = if is_isc { told_by_isc(members, &data, rules) } else { told_by_hcp(members, &data) };
    told.judge(event, rules)
}

fn told_by_hcp(event: &Map<String, Value>, data: &Map<String, Value>) -> Told {
    Told {
        dialect: Dialect::Professional,
        reader: text(data, "readerIndexCode"),
        keys: hcp_keys(data),
        direction: hcp_direction(data),
        ..common(event)
    }
}

fn told_by_isc(event: &Map<String, Value>, data: &Map<String, Value>, rules: &HikCentralRules) -> Told {
    let names = [("ExtEventPersonNo", PersonScheme::PersonId), ("ExtEventCardNo", PersonScheme::CardNo)];
    Told {
        dialect: Dialect::IsecureCenter,
        // 0 is what an empty field has.
        reader: text(data, "ExtEventReaderID").filter(|reader| reader != "0"),
        keys: keys(data, names),
        direction: isc_direction(data, "ExtEventInOut", rules),
        ..common(event)
    }
}

/// What both dialects have outside of `data`.
fn common(event: &Map<String, Value>) -> Told {
    Told {
        dialect: Dialect::Professional,
        event_id: text(event, "eventId"),
        event_type: number(event, "eventType"),
        time: text(event, "happenTime"),
        door: text(event, "srcIndex"),
        door_name: text(event, "srcName"),
        reader: None,
        keys: Vec::new(),
        direction: punch_normalize::Direction::Unknown,
        is_backlog: false,
    }
}
