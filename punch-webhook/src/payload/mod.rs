mod batch;
mod body;
mod device;
mod failing;
mod format;
mod json;
mod shapes;
mod site;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use punch_normalize::{Direction, EventId, Punch};

use crate::event_type::EventType;
use device::DeviceDetail;
use json::Object;
use site::WatermarkDetail;

pub use batch::BatchBody;
pub use body::StoredBody;
pub use device::{ClockAlarm, DeviceStatus, EnrollmentKind};
pub use failing::FailingEndpoint;
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
    Device(DeviceDetail<'a>),
    Watermark(WatermarkDetail<'a>),
    Failing(&'a FailingEndpoint),
    Test,
}

#[derive(Debug, Clone)]
struct PunchDetail<'a> {
    punch: &'a Punch,
    device: &'a DeviceInfo,
    employee: &'a EmployeeInfo,
    deduplicated: bool,
    confidence: Option<f64>,
    telling: Telling,
    late: bool,
}

/// How often, and how late, a punch is told.
#[derive(Debug, Clone)]
enum Telling {
    First,
    Anew(Revision),
    TooLate(Option<Revision>),
}

/// What is different about a punch that was told before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the members of a revision's `metadata`; all have to be said")]
pub struct Revision {
    /// How often the punch was told anew, from 1.
    pub number: u32,
    /// The direction that was told last.
    pub old_direction: Direction,
    /// The instant that was told last, if it is another one now: a zone or a clock was put right.
    pub old_timestamp: Option<DateTime<Utc>>,
    /// Why, as a word: `late_row`.
    pub reason: &'static str,
}

impl<'a> PunchDetail<'a> {
    fn new(punch: &'a Punch, device: &'a DeviceInfo, employee: &'a EmployeeInfo, telling: Telling) -> Self {
        Self { punch, device, employee, deduplicated: false, confidence: None, telling, late: false }
    }

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
        Self::of_punch(&punch.event_id, PunchDetail::new(punch, device, employee, Telling::First))
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
        Self::of_punch(id, PunchDetail::new(punch, device, employee, Telling::Anew(revision)))
    }

    /// `attendance.late`: the punch, or a change of what was told of it, belongs to a pay period that is closed. The event
    /// has an identity of its own, and names the punch in `metadata.about`. Only the nested shape has a place for that.
    pub fn late(
        id: &'a EventId,
        punch: &'a Punch,
        device: &'a DeviceInfo,
        employee: &'a EmployeeInfo,
        revision: Option<Revision>,
    ) -> Self {
        Self::of_punch(id, PunchDetail::new(punch, device, employee, Telling::TooLate(revision)))
    }

    fn of_punch(id: &'a EventId, detail: PunchDetail<'a>) -> Self {
        Self { id, at: detail.punch.punched_at, detail: Detail::Punch(detail) }
    }

    /// `webhook.test`: somebody wants to see an event arrive.
    pub fn test(id: &'a EventId, at: DateTime<Utc>) -> Self {
        Self { id, at, detail: Detail::Test }
    }

    /// The site that it is about, empty if its terminal has none. `None` of events that are about no site:
    /// `webhook.failing`, `webhook.test`.
    pub fn site(&self) -> Option<&str> {
        match &self.detail {
            Detail::Punch(detail) => Some(detail.device.site.as_deref().unwrap_or_default()),
            Detail::Device(detail) => Some(detail.device.site.as_deref().unwrap_or_default()),
            Detail::Watermark(detail) => Some(detail.site),
            Detail::Failing(_) | Detail::Test => None,
        }
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

    /// Says whether this punch belongs to a pay period that was closed when it came. Changes nothing in events that are no punch.
    #[must_use]
    pub fn with_late(mut self, late: bool) -> Self {
        if let Detail::Punch(detail) = &mut self.detail {
            detail.late = late;
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
            Detail::Punch(PunchDetail { telling: Telling::First, .. }) => EventType::ATTENDANCE_PUNCH,
            Detail::Punch(PunchDetail { telling: Telling::Anew(_), .. }) => EventType::ATTENDANCE_REVISED,
            Detail::Punch(PunchDetail { telling: Telling::TooLate(_), .. }) => EventType::ATTENDANCE_LATE,
            Detail::Device(detail) => detail.event_type(),
            Detail::Watermark(_) => EventType::SITE_WATERMARK,
            Detail::Failing(_) => EventType::WEBHOOK_FAILING,
            Detail::Test => EventType::WEBHOOK_TEST,
        }
    }

    /// Writes the event down: compact JSON, equal byte for byte to `JSON.stringify` of its own parse, so that
    /// receivers which sign a re-written body succeed too.
    ///
    /// A correction is nested in every format.
    pub fn body(&self, format: PayloadFormat) -> StoredBody {
        let mut bytes = Vec::with_capacity(640);
        let format = if self.event_type().is_correction() { PayloadFormat::Nested } else { format };
        Object::write(&mut bytes, |event| match format {
            PayloadFormat::Nested => self.nested(event),
            PayloadFormat::Flat | PayloadFormat::FlatStrict000 | PayloadFormat::FlatStrict001 => {
                self.flat(format, event);
            }
        });
        StoredBody::new(bytes)
    }
}
