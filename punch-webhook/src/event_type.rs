use alloc::borrow::Cow;
use core::fmt;

/// What an event is about: a word with dots. Words we do not know survive.
///
/// ```
/// use punch_webhook::EventType;
///
/// assert!(EventType::new("device.status").is_known());
/// assert!(!EventType::new("payroll.closed").is_known());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Cow<'static, str>);

impl EventType {
    /// Somebody punched.
    pub const ATTENDANCE_PUNCH: Self = Self(Cow::Borrowed("attendance.punch"));
    /// What was told of a punch has changed, because a row came later than those after it.
    pub const ATTENDANCE_REVISED: Self = Self(Cow::Borrowed("attendance.revised"));
    /// A terminal came or went.
    pub const DEVICE_STATUS: Self = Self(Cow::Borrowed("device.status"));
    /// A terminal learned a finger, a face or a card. The event says so and carries no template.
    pub const ENROLLMENT_CREATED: Self = Self(Cow::Borrowed("enrollment.created"));
    /// Somebody pressed "send a test event".
    pub const WEBHOOK_TEST: Self = Self(Cow::Borrowed("webhook.test"));

    /// The types a receiver can subscribe to. [`EventType::WEBHOOK_TEST`] is sent on request only.
    pub const SUBSCRIBABLE: [Self; 4] =
        [Self::ATTENDANCE_PUNCH, Self::ATTENDANCE_REVISED, Self::DEVICE_STATUS, Self::ENROLLMENT_CREATED];

    /// Takes any word.
    pub fn new(word: impl Into<Cow<'static, str>>) -> Self {
        Self(word.into())
    }

    /// Whether this is one of the types above.
    pub fn is_known(&self) -> bool {
        Self::SUBSCRIBABLE.contains(self) || *self == Self::WEBHOOK_TEST
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
