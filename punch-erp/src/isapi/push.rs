use alloc::vec::Vec;

use serde_json::Value;

use super::event::read_alert;
use super::xml::read_xml;
use super::{IsapiRules, MultipartReader, Part, boundary_of};
use crate::passage::{Reading, SourceError};

/// What a terminal is answered, with status 200, once its events are stored. One passage makes several posts.
pub const PUSH_REPLY: &str = r#"{"requestURL":"","statusCode":1,"statusString":"OK","subStatusCode":"ok"}"#;

/// Reads what a terminal posts: JSON, XML, or several parts with a picture, which is skipped.
///
/// ```
/// use punch_erp::isapi::{IsapiRules, read_push};
/// use punch_protocol::SerialNumber;
///
/// let rules = IsapiRules::new(SerialNumber::parse("DS-1")?);
/// let body = br#"{"dateTime":"2026-03-28T09:01:23+01:00","eventType":"AccessControllerEvent","AccessControllerEvent":
///     {"majorEventType":5,"subEventType":75,"employeeNoString":"1042","serialNo":914,"attendanceStatus":"checkIn"}}"#;
/// let readings = read_push("application/json", body, &rules)?;
/// let passage = readings[0].passage().unwrap();
/// assert_eq!(passage.event_id.as_str(), "isapi:DS-1:914:2026-03-28T08:01:23Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`SourceError`] if nothing of it can be read.
pub fn read_push(content_type: &str, body: &[u8], rules: &IsapiRules) -> Result<Vec<Reading>, SourceError> {
    let Some(boundary) = boundary_of(content_type) else {
        return Ok([read_body(body, rules)?].into());
    };
    let mut readings = Vec::new();
    for part in MultipartReader::new(&boundary).feed(body)? {
        if let Part::Event(body) = part {
            readings.push(read_body(&body, rules)?);
        }
    }
    if readings.is_empty() {
        return Err(SourceError::Unreadable { expected: "several parts, one of them an event" });
    }
    Ok(readings)
}

/// One event. What it is written in shows by itself; terminals call JSON XML.
pub(super) fn read_body(body: &[u8], rules: &IsapiRules) -> Result<Reading, SourceError> {
    if body.len() > MultipartReader::PART_MAX {
        return Err(SourceError::TooLong { limit: MultipartReader::PART_MAX });
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let event = if body.starts_with(b"<") {
        read_xml(body)?
    } else {
        let unreadable = |_| SourceError::Unreadable { expected: "an event in JSON or XML" };
        serde_json::from_slice::<Value>(body).map_err(unreadable)?
    };
    // Some firmware wraps the event.
    let inner = event.get("EventNotificationAlert").cloned();
    Ok(read_alert(&inner.unwrap_or(event), rules))
}
