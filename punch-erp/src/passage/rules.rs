use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use punch_normalize::{DeviceZone, Direction};

use super::{PassageSource, PersonKey, PersonScheme};

/// What a site says about its doors and its people.
///
/// ```
/// use punch_erp::passage::PassageRules;
/// use punch_normalize::Direction;
///
/// let mut rules = PassageRules::default();
/// rules.doors.insert("7".into(), Direction::In); // by code: names get changed
/// rules.doors.insert("8".into(), Direction::Out);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PassageRules {
    /// Which id of a person counts, the first that an event has. Default: person code, person id, card, employee number.
    pub employee_fields: Vec<PersonScheme>,
    /// Which way a door goes, by its code. It counts where the event says nothing.
    pub doors: BTreeMap<String, Direction>,
    /// Which way a reader goes, by its code. It counts before the door's: a door can have one on either side.
    pub readers: BTreeMap<String, Direction>,
    /// The doors that count as attendance, by code; of a site most events are of other doors. Default: all of them.
    pub attendance_doors: Option<BTreeSet<String>>,
    /// The zone of times without an offset. Without it such events are put into quarantine.
    pub zone: Option<DeviceZone>,
}

impl Default for PassageRules {
    fn default() -> Self {
        Self {
            employee_fields: [
                PersonScheme::PersonCode,
                PersonScheme::PersonId,
                PersonScheme::CardNo,
                PersonScheme::EmployeeNo,
            ]
            .into(),
            doors: BTreeMap::new(),
            readers: BTreeMap::new(),
            attendance_doors: None,
            zone: None,
        }
    }
}

impl PassageRules {
    /// The id that counts, and the others. `None` if the event has none that counts.
    pub(crate) fn person(&self, mut keys: Vec<PersonKey>) -> Option<(PersonKey, Vec<PersonKey>)> {
        let place = |scheme: &PersonScheme| keys.iter().position(|key| key.scheme == *scheme);
        let place = self.employee_fields.iter().find_map(place)?;
        let key = keys.remove(place);
        Some((key, keys))
    }

    /// Which way somebody went: the event's own word, else the reader's, else the door's.
    pub(crate) fn direction(
        &self,
        said: Direction,
        reader: Option<&str>,
        door: Option<&str>,
    ) -> (Direction, PassageSource) {
        if said != Direction::Unknown {
            return (said, PassageSource::Event);
        }
        let reader = reader.and_then(|reader| self.readers.get(reader));
        match reader.or_else(|| self.doors.get(door?)) {
            Some(&direction) if direction != Direction::Unknown => (direction, PassageSource::DoorMap),
            Some(_) | None => (Direction::Unknown, PassageSource::None),
        }
    }

    /// Whether a door counts as attendance.
    pub(crate) fn counts(&self, door: &str) -> bool {
        self.attendance_doors.as_ref().is_none_or(|doors| doors.contains(door))
    }
}
