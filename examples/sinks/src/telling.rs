use chrono::TimeDelta;
use punch_webhook::{ReceivedEvent, ReceivedPunch};

/// Which other punches of a person go with one that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// How far before and after it.
    pub time: TimeDelta,
    /// Only those that are still waiting, or parked for want of another punch: what somebody deleted in the ERP is not
    /// written again, nor what it refuses.
    pub waiting_only: bool,
}

/// The punch that an event tells of, to be changed. `None` of an event that is about something else.
pub fn punch_of(event: &mut ReceivedEvent) -> Option<&mut ReceivedPunch> {
    match event {
        ReceivedEvent::Punch(punch) => Some(punch),
        ReceivedEvent::Revised(told) => Some(&mut told.punch),
        ReceivedEvent::Late(told) => Some(&mut told.punch),
        _ => None,
    }
}

/// The punch that an event tells of, and how often that was told anew. `None` of an event that is about something else.
pub fn telling(event: &ReceivedEvent) -> Option<(&ReceivedPunch, u32)> {
    match event {
        ReceivedEvent::Punch(punch) => Some((punch, 0)),
        ReceivedEvent::Revised(told) => Some((&told.punch, told.change.number)),
        ReceivedEvent::Late(told) => Some((&told.punch, told.change.as_ref().map_or(0, |change| change.number))),
        _ => None,
    }
}
