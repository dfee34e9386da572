use core::fmt;

use punch_normalize::EventId;
use punch_webhook::{ReceivedChange, ReceivedEvent, ReceivedPunch};

/// An event that is about a punch: the punch itself, a revision of it, or either of them too late. `Debug` shows the event
/// and the kind.
#[derive(Clone, Copy)]
pub struct Telling<'e> {
    pub(super) event_id: &'e EventId,
    pub(super) punch: &'e ReceivedPunch,
    pub(super) kind: TellingKind,
    change: Option<&'e ReceivedChange>,
    pub(super) reason: Option<&'e str>,
}

/// What is told of a punch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a fourth way to tell a punch is a breaking change")]
pub enum TellingKind {
    /// That it was made.
    Punch,
    /// That it means something else now.
    Revised,
    /// That it, or a change of it, belongs to a pay period that is closed.
    Late,
}

impl TellingKind {
    /// The word in the column `kind`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Punch => "punch",
            Self::Revised => "revised",
            Self::Late => "late",
        }
    }
}

impl<'e> Telling<'e> {
    /// What an event tells of a punch; `None` if it is about something else.
    pub fn of(event: &'e ReceivedEvent) -> Option<Self> {
        Some(match event {
            ReceivedEvent::Punch(punch) => {
                Self { event_id: &punch.event_id, punch, kind: TellingKind::Punch, change: None, reason: None }
            }
            ReceivedEvent::Revised(revision) => {
                let (change, reason) = (Some(&revision.change), revision.change.reason.as_deref());
                let kind = TellingKind::Revised;
                Self { event_id: &revision.event_id, punch: &revision.punch, kind, change, reason }
            }
            ReceivedEvent::Late(late) => {
                let (change, reason) = (late.change.as_ref(), late.reason.as_deref());
                Self { event_id: &late.event_id, punch: &late.punch, kind: TellingKind::Late, change, reason }
            }
            ReceivedEvent::DeviceStatus(_)
            | ReceivedEvent::DeviceClock(_)
            | ReceivedEvent::SiteWatermark(_)
            | ReceivedEvent::Enrollment(_)
            | ReceivedEvent::WebhookFailing(_)
            | ReceivedEvent::Test { .. }
            | ReceivedEvent::Other { .. }
            | _ => return None,
        })
    }

    /// What it is.
    pub fn kind(&self) -> TellingKind {
        self.kind
    }

    /// How often the punch was told anew, 0 for never.
    pub(super) fn number(&self) -> i64 {
        self.change.map_or(0, |change| change.number.into())
    }
}

impl fmt::Debug for Telling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("event_id", self.event_id).field("kind", &self.kind).finish_non_exhaustive()
    }
}
