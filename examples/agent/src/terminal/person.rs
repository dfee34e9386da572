use std::collections::BTreeMap;

use punch_protocol::Pin;
use punch_protocol::tcp::{Person, UserList};

/// Who has which slot of a terminal's table of users, for records that name slots.
#[derive(Debug, Clone, Default)]
pub struct SlotTable(BTreeMap<u16, Pin<'static>>);

impl SlotTable {
    /// The users of a terminal.
    pub fn of(users: &UserList<'_>) -> Self {
        let pins = users.rows().filter_map(|user| Some((user.slot, user.person.pin()?.into_owned())));
        Self(pins.collect())
    }

    /// The PIN of whoever a record names; `None` if it names a slot that nobody has any more.
    pub fn pin(&self, person: &Person<'_>) -> Option<Pin<'static>> {
        match person {
            Person::Slot(slot) => self.0.get(slot).cloned(),
            named => named.pin().map(Pin::into_owned),
        }
    }
}
