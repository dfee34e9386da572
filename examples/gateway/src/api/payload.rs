//! What events look like, for the document of the API. `punch-webhook` writes them; nothing here is ever made.
#![expect(dead_code, reason = "they are read by whoever derives a schema")]

use utoipa::ToSchema;

/// The schemas whose members are left out where there is nothing to say.
pub(super) const SPARSE: [&str; 11] = [
    "EventDevice",
    "EventEmployee",
    "EventPunch",
    "PunchMetadata",
    "EventClock",
    "EventEndpoint",
    "SiteWatermark",
    "AttendancePunch",
    "AnyEvent",
    "Events",
    "One_Events",
];

/// Somebody punched: `attendance.punch`. `attendance.revised` and `attendance.late` tell the same of one once more.
#[derive(ToSchema)]
pub(super) struct AttendancePunch {
    /// The identity of the event, the same however often it comes.
    #[schema(pattern = "^evt_[0-9a-z]{10,}$")]
    event_id: String,
    event_type: String,
    /// When, in UTC.
    #[schema(format = "date-time")]
    timestamp: String,
    device: EventDevice,
    employee: EventEmployee,
    punch: EventPunch,
    metadata: PunchMetadata,
}

/// A terminal.
#[derive(ToSchema)]
pub(super) struct EventDevice {
    /// `dev_…`
    id: Option<String>,
    serial_number: String,
    name: Option<String>,
    site: Option<String>,
}

/// Somebody.
#[derive(ToSchema)]
pub(super) struct EventEmployee {
    /// A key that stays the person's.
    id: Option<String>,
    /// As the terminal sends it, with its zeros.
    badge_number: String,
    name: Option<String>,
}

/// What somebody did.
#[derive(ToSchema)]
pub(super) struct EventPunch {
    /// `in`, `out`, `break_out`, `break_in`, `overtime_in`, `overtime_out` or `unknown`.
    direction: String,
    /// `fingerprint`, `face`, `card`, `pin`, `palm`, `multi` or `unknown`.
    method: String,
    /// How sure the terminal was.
    #[schema(minimum = 0.0, maximum = 1.0)]
    confidence: Option<f64>,
    /// The same instant, with the offset of the place.
    #[schema(format = "date-time")]
    local_time: String,
}

/// What was decided about a punch, and by what.
#[derive(ToSchema)]
pub(super) struct PunchMetadata {
    /// Whether it absorbed second punches.
    deduplicated: bool,
    /// What the direction rests on.
    direction_source: String,
    /// How sure the direction is.
    #[schema(minimum = 0.0, maximum = 1.0)]
    confidence: Option<f64>,
    /// The shift.
    session_id: Option<String>,
    /// The day of the shift.
    #[schema(format = "date")]
    business_date: Option<String>,
    /// What is missing or odd.
    exceptions: Option<Vec<String>>,
    /// What stands for a departure that nobody made.
    synthetic_out: Option<SyntheticOut>,
    /// How sure the instant is.
    time_quality: String,
    /// True time minus what the terminal's clock showed, in seconds.
    clock_offset_s: Option<i64>,
    /// What the terminal's clock showed.
    device_local: String,
    #[schema(format = "date-time")]
    received_at: String,
    /// Whether the terminal had kept it from before it was let in.
    historic: Option<bool>,
    /// Whether it belongs to a pay period that was closed when it came.
    late: Option<bool>,
    /// The punch that a late event is about.
    about: Option<String>,
    /// The punch that a revision is about.
    revises: Option<String>,
    /// How often it was told anew.
    revision: Option<u32>,
    old_direction: Option<String>,
    #[schema(format = "date-time")]
    old_timestamp: Option<String>,
    /// Why it was told anew.
    reason: Option<String>,
    /// Whether its shift is over, and nothing of it is waited for any more: over the API alone.
    r#final: Option<bool>,
    delivery_attempt: u32,
}

/// A departure that nobody made.
#[derive(ToSchema)]
pub(super) struct SyntheticOut {
    local_time: String,
    reason: String,
}

/// A terminal came or went, was let in or is kept out: `device.status`.
#[derive(ToSchema)]
pub(super) struct DeviceStatus {
    event_id: String,
    event_type: String,
    #[schema(format = "date-time")]
    timestamp: String,
    device: EventDevice,
    /// `online`, `offline`, `approved` or `blocked`.
    status: String,
    metadata: Attempted,
}

/// How often an event was sent.
#[derive(ToSchema)]
pub(super) struct Attempted {
    delivery_attempt: u32,
}

/// A terminal's clock turned out to be wrong, or is right again: `device.clock`.
#[derive(ToSchema)]
pub(super) struct DeviceClock {
    event_id: String,
    event_type: String,
    #[schema(format = "date-time")]
    timestamp: String,
    device: EventDevice,
    clock: EventClock,
    /// `opened` or `closed`.
    state: String,
    metadata: Attempted,
}

/// What is wrong with a clock.
#[derive(ToSchema)]
pub(super) struct EventClock {
    health: String,
    /// True time minus terminal's clock, in seconds.
    offset_s: Option<i64>,
    samples: Option<i64>,
    spread_s: Option<i64>,
    /// What to do, for people.
    advice: String,
}

/// Everything is known of a site up to a time: `site.watermark`.
#[derive(ToSchema)]
pub(super) struct SiteWatermark {
    event_id: String,
    event_type: String,
    #[schema(format = "date-time")]
    timestamp: String,
    site: String,
    #[schema(format = "date-time")]
    complete_to: String,
    /// The terminal that holds it back.
    waiting_for: Option<String>,
    metadata: Attempted,
}

/// A terminal learned of somebody, or to recognise somebody: `enrollment.created`.
#[derive(ToSchema)]
pub(super) struct EnrollmentCreated {
    event_id: String,
    event_type: String,
    #[schema(format = "date-time")]
    timestamp: String,
    device: EventDevice,
    employee: EventEmployee,
    enrollment: Enrollment,
    metadata: Attempted,
}

/// By what somebody is recognised.
#[derive(ToSchema)]
pub(super) struct Enrollment {
    /// `user`, or `fingerprint`, `face`, `card`, `palm`, `vein`, `password`.
    kind: String,
}

/// Another endpoint takes no events, or takes them again: `webhook.failing`.
#[derive(ToSchema)]
pub(super) struct WebhookFailing {
    event_id: String,
    event_type: String,
    #[schema(format = "date-time")]
    timestamp: String,
    endpoint: EventEndpoint,
    metadata: Attempted,
}

/// An endpoint, as another one is told of it.
#[derive(ToSchema)]
pub(super) struct EventEndpoint {
    id: String,
    host: String,
    state: String,
    #[schema(format = "date-time")]
    since: Option<String>,
    failures: u32,
    waiting: i64,
    recovered: Option<bool>,
}

/// Somebody wants to see an event arrive: `webhook.test`.
#[derive(ToSchema)]
pub(super) struct WebhookTest {
    event_id: String,
    event_type: String,
    #[schema(format = "date-time")]
    timestamp: String,
    metadata: Attempted,
}

/// Any event, by its `event_type`.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum AnyEvent {
    Punch(Box<AttendancePunch>),
    Status(DeviceStatus),
    Clock(DeviceClock),
    Watermark(SiteWatermark),
    Enrollment(EnrollmentCreated),
    Failing(WebhookFailing),
    Test(WebhookTest),
}
