mod body;
mod format;
mod json;
mod shapes;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use punch_normalize::{Direction, EventId, Punch};
use punch_protocol::SerialNumber;

use crate::event_type::EventType;
use json::Object;

pub use body::StoredBody;
pub use format::{PayloadFormat, PayloadFormatError};

/// The terminal of an event, as the sender's directory knows it. Absent members are not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The sender's id of the terminal, `dev_…`.
    pub id: Option<String>,
    /// What people call it: `Main Entrance`.
    pub name: Option<String>,
    /// Where it hangs: `Headquarters`.
    pub site: Option<String>,
}

/// The person of a punch, as the sender's directory knows them. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmployeeInfo {
    /// The sender's id of the person, `emp_…`. Not the badge.
    pub id: Option<String>,
    /// The badge, the key that receivers map by. Text: leading zeros matter.
    pub badge: String,
    /// The person's name, only if the receiver is to see it.
    pub name: Option<String>,
}

impl EmployeeInfo {
    /// A person of whom only the badge is known.
    pub fn new(badge: impl Into<String>) -> Self {
        Self { id: None, badge: badge.into(), name: None }
    }
}

impl fmt::Debug for EmployeeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmployeeInfo(..)")
    }
}

/// An event about to be written down, in whichever shape each receiver wants.
///
/// ```
/// use chrono::DateTime;
/// use punch_normalize::EventId;
/// use punch_webhook::{Event, PayloadFormat};
///
/// let id = EventId::parse("evt_a8f3k2x9m1")?;
/// let at = DateTime::from_timestamp(1_774_687_632, 0).expect("in range");
/// let body = Event::test(&id, at).body(PayloadFormat::Nested);
/// assert_eq!(
///     String::from_utf8(body.render(2))?,
///     r#"{"event_id":"evt_a8f3k2x9m1","event_type":"webhook.test","timestamp":"2026-03-28T08:47:12Z","metadata":{"delivery_attempt":2}}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Event<'a> {
    id: &'a EventId,
    at: DateTime<Utc>,
    detail: Detail<'a>,
}

#[derive(Debug, Clone)]
enum Detail<'a> {
    Punch(PunchDetail<'a>),
    DeviceStatus { serial: &'a SerialNumber, device: &'a DeviceInfo, online: bool },
    Test,
}

#[derive(Debug, Clone)]
struct PunchDetail<'a> {
    punch: &'a Punch,
    device: &'a DeviceInfo,
    employee: &'a EmployeeInfo,
    deduplicated: bool,
    confidence: Option<f64>,
    revision: Option<Revision>,
}

/// What is different about a punch that was told before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the members of a revision's `metadata`; all have to be said")]
pub struct Revision {
    /// How often the punch was told anew, from 1.
    pub number: u32,
    /// The direction that was told last.
    pub old_direction: Direction,
    /// Why, as a word: `late_row`.
    pub reason: &'static str,
}

impl PunchDetail<'_> {
    fn direction(&self) -> Direction {
        published(self.punch.direction)
    }
}

/// The published shapes have no word for what lies between the first and the last.
fn published(direction: Direction) -> Direction {
    if direction == Direction::Intermediate { Direction::Unknown } else { direction }
}

impl<'a> Event<'a> {
    /// `attendance.punch`: somebody punched. The event has the punch's own identity.
    pub fn punch(punch: &'a Punch, device: &'a DeviceInfo, employee: &'a EmployeeInfo) -> Self {
        let (deduplicated, confidence, revision) = (false, None, None);
        let detail = PunchDetail { punch, device, employee, deduplicated, confidence, revision };
        Self { id: &punch.event_id, at: punch.punched_at, detail: Detail::Punch(detail) }
    }

    /// `attendance.revised`: what was told of a punch has changed. The event has an identity of its own, and names the
    /// punch in `metadata.revises`. Only the nested shape has a place for that.
    pub fn revised(
        id: &'a EventId,
        punch: &'a Punch,
        device: &'a DeviceInfo,
        employee: &'a EmployeeInfo,
        revision: Revision,
    ) -> Self {
        let (deduplicated, confidence, revision) = (false, None, Some(revision));
        let detail = PunchDetail { punch, device, employee, deduplicated, confidence, revision };
        Self { id, at: punch.punched_at, detail: Detail::Punch(detail) }
    }

    /// `device.status`: the terminal came (`online`) or went, at `at`.
    pub fn device_status(
        id: &'a EventId,
        serial: &'a SerialNumber,
        device: &'a DeviceInfo,
        online: bool,
        at: DateTime<Utc>,
    ) -> Self {
        Self { id, at, detail: Detail::DeviceStatus { serial, device, online } }
    }

    /// `webhook.test`: somebody wants to see an event arrive.
    pub fn test(id: &'a EventId, at: DateTime<Utc>) -> Self {
        Self { id, at, detail: Detail::Test }
    }

    /// Says whether this punch absorbed repeated ones. Changes nothing in events that are no punch.
    #[must_use]
    pub fn with_deduplicated(mut self, deduplicated: bool) -> Self {
        if let Detail::Punch(detail) = &mut self.detail {
            detail.deduplicated = deduplicated;
        }
        self
    }

    /// Says how sure the terminal was, 0 to 1, to six decimals. Another number is left out.
    #[must_use]
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        if let Detail::Punch(detail) = &mut self.detail {
            detail.confidence = (0.0..=1.0).contains(&confidence).then_some(confidence);
        }
        self
    }

    /// The idempotency key, also the value of `webhook-id`.
    pub fn id(&self) -> &'a EventId {
        self.id
    }

    /// What the event is about.
    pub fn event_type(&self) -> EventType {
        match &self.detail {
            Detail::Punch(PunchDetail { revision: Some(_), .. }) => EventType::ATTENDANCE_REVISED,
            Detail::Punch(_) => EventType::ATTENDANCE_PUNCH,
            Detail::DeviceStatus { .. } => EventType::DEVICE_STATUS,
            Detail::Test => EventType::WEBHOOK_TEST,
        }
    }

    /// Writes the event down: compact JSON, equal byte for byte to `JSON.stringify` of its own parse, so that
    /// receivers which sign a re-written body succeed too.
    pub fn body(&self, format: PayloadFormat) -> StoredBody {
        let mut bytes = Vec::with_capacity(640);
        Object::write(&mut bytes, |event| match format {
            PayloadFormat::Nested => self.nested(event),
            PayloadFormat::Flat | PayloadFormat::FlatStrict000 | PayloadFormat::FlatStrict001 => {
                self.flat(format, event);
            }
        });
        StoredBody::new(bytes)
    }
}
