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
    /// A punch, or a change of one, that belongs to a pay period which is closed: nothing to be booked unseen.
    pub const ATTENDANCE_LATE: Self = Self(Cow::Borrowed("attendance.late"));
    /// A terminal came or went, was let in or is kept out.
    pub const DEVICE_STATUS: Self = Self(Cow::Borrowed("device.status"));
    /// A terminal's clock turned out to be wrong, or is right again.
    pub const DEVICE_CLOCK: Self = Self(Cow::Borrowed("device.clock"));
    /// Everything is known of a site up to a time.
    pub const SITE_WATERMARK: Self = Self(Cow::Borrowed("site.watermark"));
    /// A terminal learned of a person, or a finger, a face or a card. The event says so and carries no template.
    pub const ENROLLMENT_CREATED: Self = Self(Cow::Borrowed("enrollment.created"));
    /// An endpoint takes no events. For another one, which tells somebody.
    pub const WEBHOOK_FAILING: Self = Self(Cow::Borrowed("webhook.failing"));
    /// Somebody pressed "send a test event".
    pub const WEBHOOK_TEST: Self = Self(Cow::Borrowed("webhook.test"));

    /// The types a receiver can subscribe to. [`EventType::WEBHOOK_TEST`] is sent on request only.
    pub const SUBSCRIBABLE: [Self; 8] = [
        Self::ATTENDANCE_PUNCH,
        Self::ATTENDANCE_REVISED,
        Self::ATTENDANCE_LATE,
        Self::DEVICE_STATUS,
        Self::DEVICE_CLOCK,
        Self::SITE_WATERMARK,
        Self::ENROLLMENT_CREATED,
        Self::WEBHOOK_FAILING,
    ];

    /// Takes any word.
    pub fn new(word: impl Into<Cow<'static, str>>) -> Self {
        Self(word.into())
    }

    /// Whether this is one of the types above.
    pub fn is_known(&self) -> bool {
        Self::SUBSCRIBABLE.contains(self) || *self == Self::WEBHOOK_TEST
    }

    /// Whether this tells a punch anew, or too late. It has no flat shape: whoever looks at no type would book it.
    ///
    /// ```
    /// use punch_webhook::EventType;
    ///
    /// assert!(EventType::ATTENDANCE_REVISED.is_correction() && EventType::ATTENDANCE_LATE.is_correction());
    /// assert!(!EventType::ATTENDANCE_PUNCH.is_correction());
    /// ```
    pub fn is_correction(&self) -> bool {
        [Self::ATTENDANCE_REVISED, Self::ATTENDANCE_LATE].contains(self)
    }

    /// Whether an endpoint gets this only if it names it: corrections, what comes every few minutes, what comes of every
    /// terminal after a power cut or of a log that is sent again, and what tells one endpoint about another.
    ///
    /// ```
    /// use punch_webhook::EventType;
    ///
    /// let unasked = EventType::SUBSCRIBABLE.into_iter().filter(|event| !event.is_only_by_name());
    /// assert_eq!(
    ///     unasked.map(|event| event.to_string()).collect::<Vec<_>>(),
    ///     ["attendance.punch", "device.clock"],
    /// );
    /// ```
    pub fn is_only_by_name(&self) -> bool {
        let others = [Self::DEVICE_STATUS, Self::SITE_WATERMARK, Self::ENROLLMENT_CREATED, Self::WEBHOOK_FAILING];
        self.is_correction() || others.contains(self)
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
