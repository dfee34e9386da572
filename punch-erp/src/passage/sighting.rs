use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use punch_normalize::{Direction, EventId};
use punch_protocol::SerialNumber;

use super::{DropReason, Moment, Passage, PassageDevice, PassageMethod, PassageRules, PersonKey, Reading};

/// A passage as a source tells it: everything is read, and the rules of the site are not yet applied.
pub(crate) struct Sighting {
    pub(crate) event_id: EventId,
    /// The id that counts, and the others.
    pub(crate) person: (PersonKey, Vec<PersonKey>),
    pub(crate) moment: Moment,
    pub(crate) at_original: String,
    /// The event's own word for the direction.
    pub(crate) said: Direction,
    pub(crate) method: PassageMethod,
    pub(crate) device: PassageDevice,
    pub(crate) serial: SerialNumber,
    pub(crate) is_backlog: bool,
}

impl Sighting {
    /// A punch, unless the door does not count. `door` is what the site's list of directions knows it by; without one it is
    /// the device itself.
    pub(crate) fn judge(self, rules: &PassageRules, door: Option<&str>) -> Reading {
        let Self { event_id, person: (employee, other_keys), moment, at_original, said, method, device, .. } = self;
        if !rules.counts(&device.id) {
            return Reading::dropped(Some(&event_id), DropReason::OtherDoor);
        }
        let door = door.unwrap_or(&device.id);
        let (direction, direction_source) = rules.direction(said, device.reader.as_deref(), Some(door));
        Reading::Punch(Box::new(Passage {
            event_id,
            employee,
            other_keys,
            at: moment.at,
            at_original: at_original.into(),
            is_zone_assumed: moment.is_zone_assumed,
            direction,
            direction_source,
            method,
            device,
            is_backlog: self.is_backlog,
            serial: self.serial,
        }))
    }
}
