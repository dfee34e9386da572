use chrono::{DateTime, Utc};
use punch_erp::passage::{Passage, PassageSource};
use punch_normalize::Direction;
use punch_normalize::timeline::Role;
use punch_protocol::SerialNumber;
use serde_json::json;

use super::upload::{Received, ReceivedRow, clip};

/// What an access system says of how somebody passed, in the place of what is known of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// What the door or the reader is there for, if it has one direction.
    pub role: Option<Role>,
    /// Whether it was told as it happened.
    pub is_live: bool,
}

impl Passed {
    /// How somebody passed.
    pub fn of(passage: &Passage) -> Self {
        let role = match (passage.direction_source, passage.direction) {
            (PassageSource::DoorMap, Direction::In) => Some(Role::Entry),
            (PassageSource::DoorMap, Direction::Out) => Some(Role::Exit),
            _ => None,
        };
        Self { role, is_live: !passage.is_backlog }
    }
}

impl Received {
    /// The name of what access systems tell, where terminals have tables.
    const PASSAGES: &'static str = "passages";

    /// Passages that came by one door in the same way: the rows of a terminal with this serial number.
    pub fn passages<'a>(
        serial: SerialNumber,
        passed: Passed,
        passages: impl IntoIterator<Item = &'a Passage>,
        received_at: DateTime<Utc>,
    ) -> Self {
        let row = |passage: &Passage| {
            let mut punch = passage.raw();
            punch.serial = serial.clone();
            ReceivedRow::Punch { raw: clip(told(passage).as_bytes()), punch }
        };
        let rows = passages.into_iter().map(row).collect();
        Self { rows, passed: Some(passed), ..Self::empty(serial, Self::PASSAGES, received_at) }
    }

    /// An event of an access system that cannot be used.
    pub fn unusable(serial: SerialNumber, reason: &str, raw: &str, received_at: DateTime<Utc>) -> Self {
        let row = ReceivedRow::Broken { problem: reason.to_owned(), raw: clip(raw.as_bytes()) };
        Self { rows: vec![row], ..Self::empty(serial, Self::PASSAGES, received_at) }
    }
}

/// What was told, as it is kept: no picture, no name, no temperature.
fn told(passage: &Passage) -> String {
    let direction = Some(passage.direction).filter(|_| passage.direction_source == PassageSource::Event);
    json!({
        "event_id": passage.event_id.as_str(), "time": &*passage.at_original, "door": passage.device.id,
        "reader": passage.device.reader, "person": passage.employee.value,
        "direction": direction.map(Direction::as_str), "method": passage.method.as_str(),
    })
    .to_string()
}
