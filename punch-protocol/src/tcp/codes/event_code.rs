use crate::named::named_numbers;

/// What happened, in an event: one bit of an [`EventMask`].
///
/// ```
/// use punch_protocol::tcp::EventCode;
///
/// assert_eq!(EventCode(1), EventCode::PUNCH);
/// assert_eq!(EventCode(256).to_string(), "score of a finger");
/// assert_eq!(EventCode(64).to_string(), "event 64");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct EventCode(pub u16);

named_numbers! { EventCode(u16), "event":
    1 PUNCH "punch"
    2 FINGER "finger on the sensor"
    4 USER_ENROLLED "user enrolled"
    8 FINGER_ENROLLED "finger enrolled"
    16 BUTTON "button"
    32 UNLOCK "door unlocked"
    128 VERIFIED "somebody verified"
    256 FINGER_SCORE "score of a finger"
    512 ALARM "alarm"
}

/// The events a client asks for, as `EVENT` carries them.
///
/// ```
/// use punch_protocol::tcp::{EventCode, EventMask};
///
/// assert!(EventMask::ALL.has(EventCode::ALARM));
/// assert!(!EventMask(1).has(EventCode::ALARM));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an integer with a meaning; it never grows a field")]
pub struct EventMask(pub u32);

impl EventMask {
    /// Every event, as clients ask for it.
    pub const ALL: Self = Self(0xffff);
    /// No event any more.
    pub const NONE: Self = Self(0);

    /// Whether the mask has an event.
    pub fn has(self, event: EventCode) -> bool {
        self.0 & u32::from(event.0) != 0
    }
}
