mod correction;
mod device;
mod direction;
mod error;
mod failing;
mod fields;
mod metadata;
mod punch;
mod site;

use alloc::vec::Vec;

use punch_normalize::EventId;
use serde_json::value::RawValue;

use crate::event_type::EventType;
use fields::{Fields, Presence};

pub use correction::{ReceivedChange, ReceivedLate, ReceivedRevision};
pub use device::{ReceivedClock, ReceivedDevice, ReceivedDeviceStatus, ReceivedEnrollment};
pub use error::ReceiveError;
pub use failing::ReceivedFailing;
pub use metadata::{ReceivedMetadata, ReceivedSyntheticOut};
pub use punch::ReceivedPunch;
pub use site::ReceivedWatermark;

/// What a verified body says.
///
/// A correction is another variant than a punch: nobody books one by mistake.
///
/// ```
/// use punch_webhook::{DeviceStatus, ReceivedEvent, Verified};
///
/// let body = br#"{"event_id":"evt_2","event_type":"device.status","status":"offline",
///     "device":{"serial_number":"CZKE2241600045"}}"#;
/// let ReceivedEvent::DeviceStatus(status) = Verified::assume_verified(body).event()? else { panic!() };
/// assert_eq!((status.device.serial.as_deref(), status.status), (Some("CZKE2241600045"), Some(DeviceStatus::Offline)));
/// # Ok::<(), punch_webhook::ReceiveError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ReceivedEvent {
    /// Somebody punched.
    Punch(ReceivedPunch),
    /// What was told of a punch has changed.
    Revised(ReceivedRevision),
    /// A punch, or a change of one, that belongs to a closed pay period.
    Late(ReceivedLate),
    /// A terminal came or went, was let in or is kept out.
    DeviceStatus(ReceivedDeviceStatus),
    /// A terminal's clock turned out to be wrong, or is right again.
    DeviceClock(ReceivedClock),
    /// Everything is known of a site up to a time.
    SiteWatermark(ReceivedWatermark),
    /// A terminal learned of a person, or a finger, a face or a card.
    Enrollment(ReceivedEnrollment),
    /// Another endpoint takes no events.
    WebhookFailing(ReceivedFailing),
    /// Somebody wants to see an event arrive.
    Test {
        /// The idempotency key.
        event_id: EventId,
    },
    /// A type of event we do not know. Answer 200 and go on: refusing it would have it sent again.
    Other {
        /// The idempotency key.
        event_id: EventId,
        /// What it is about.
        event_type: EventType,
    },
}

impl ReceivedEvent {
    /// The longest body read, in bytes. Ours stay far below.
    pub const MAX_BODY: usize = 65_536;

    /// The idempotency key, equal for every delivery of this event. That of a correction is not that of its punch.
    pub fn event_id(&self) -> &EventId {
        match self {
            Self::Punch(punch) => &punch.event_id,
            Self::Revised(revision) => &revision.event_id,
            Self::Late(late) => &late.event_id,
            Self::DeviceStatus(status) => &status.event_id,
            Self::DeviceClock(clock) => &clock.event_id,
            Self::SiteWatermark(watermark) => &watermark.event_id,
            Self::Enrollment(enrollment) => &enrollment.event_id,
            Self::WebhookFailing(failing) => &failing.event_id,
            Self::Test { event_id } | Self::Other { event_id, .. } => event_id,
        }
    }

    /// What it is about.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Punch(_) => EventType::ATTENDANCE_PUNCH,
            Self::Revised(_) => EventType::ATTENDANCE_REVISED,
            Self::Late(_) => EventType::ATTENDANCE_LATE,
            Self::DeviceStatus(_) => EventType::DEVICE_STATUS,
            Self::DeviceClock(_) => EventType::DEVICE_CLOCK,
            Self::SiteWatermark(_) => EventType::SITE_WATERMARK,
            Self::Enrollment(_) => EventType::ENROLLMENT_CREATED,
            Self::WebhookFailing(_) => EventType::WEBHOOK_FAILING,
            Self::Test { .. } => EventType::WEBHOOK_TEST,
            Self::Other { event_type, .. } => event_type.clone(),
        }
    }
}

/// Reads any of the three published shapes. Names are looked up wherever one of the shapes has them, so a body
/// that mixes shapes reads as well.
pub(crate) fn parse(body: &[u8]) -> Result<ReceivedEvent, ReceiveError> {
    if body.len() > ReceivedEvent::MAX_BODY {
        return Err(ReceiveError::TooLarge { len: body.len() });
    }
    let value = serde_json::from_slice(body)
        .map_err(|error| ReceiveError::BadJson { line: error.line(), column: error.column() })?;
    let event = Fields::new(&value).ok_or(ReceiveError::NotAnObject)?;

    let event_id = event_id(&event)?;
    // The second shape has no type: it was only ever used for punches.
    let event_type = event_type(&event)?.unwrap_or(EventType::ATTENDANCE_PUNCH);
    let read = match event_type.as_str() {
        "attendance.punch" => ReceivedEvent::Punch(ReceivedPunch::read(&event, event_id)?),
        "attendance.revised" => ReceivedEvent::Revised(ReceivedRevision::read(&event, event_id)?),
        "attendance.late" => ReceivedEvent::Late(ReceivedLate::read(&event, event_id)?),
        "site.watermark" => ReceivedEvent::SiteWatermark(ReceivedWatermark::read(&event, event_id)?),
        "device.status" => ReceivedEvent::DeviceStatus(ReceivedDeviceStatus::read(&event, event_id)),
        "device.clock" => ReceivedEvent::DeviceClock(ReceivedClock::read(&event, event_id)),
        "enrollment.created" => ReceivedEvent::Enrollment(ReceivedEnrollment::read(&event, event_id)),
        "webhook.failing" => ReceivedEvent::WebhookFailing(ReceivedFailing::read(&event, event_id)),
        "webhook.test" => ReceivedEvent::Test { event_id },
        _ => ReceivedEvent::Other { event_id, event_type },
    };
    Ok(read)
}

/// The bytes of each element of an array.
pub(crate) fn parts(body: &[u8]) -> Result<Vec<&[u8]>, ReceiveError> {
    if body.len() > crate::BatchBody::MAX_BYTES {
        return Err(ReceiveError::BatchTooLarge { len: body.len() });
    }
    let parts: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| ReceiveError::BadJson { line: error.line(), column: error.column() })?;
    if parts.is_empty() || parts.len() > crate::BatchBody::MAX_EVENTS {
        return Err(ReceiveError::BatchCount { found: parts.len() });
    }
    Ok(parts.into_iter().map(|part| part.get().as_bytes()).collect())
}

fn event_id(event: &Fields<'_>) -> Result<EventId, ReceiveError> {
    key_id(event, "event_id", "event_id")?.ok_or(ReceiveError::MissingEventId)
}

/// An id that has to be one if it is there.
fn key_id(fields: &Fields<'_>, name: &str, field: &'static str) -> Result<Option<EventId>, ReceiveError> {
    match fields.key_text(name) {
        Presence::Absent => Ok(None),
        Presence::Text(text) => EventId::parse(&text)
            .map(Some)
            .map_err(|_| ReceiveError::BadField { field, expected: "1 to 128 visible ASCII characters" }),
        Presence::Other => Err(ReceiveError::BadField { field, expected: "a string" }),
    }
}

fn event_type(event: &Fields<'_>) -> Result<Option<EventType>, ReceiveError> {
    for field in ["event_type", "event"] {
        match event.key_text(field) {
            Presence::Absent => {}
            Presence::Text(text) => return Ok(Some(EventType::new(text))),
            Presence::Other => return Err(ReceiveError::BadField { field, expected: "a string" }),
        }
    }
    Ok(None)
}
