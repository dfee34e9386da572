use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

use super::super::error::WriteError;
use super::super::person::Person;
use super::super::user::{Rights, User, UserLayout};
use super::download::UserList;
use super::request::Request;
use crate::Pin;
use crate::privilege::Privilege;

/// What a person at a terminal is to be like. What is `None` stays as it is. `Debug` shows nothing of the person.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct PersonChange<'a> {
    /// Whom it is about.
    pub pin: Pin<'a>,
    /// The name. What does not fit into the terminal's field, 8 or 24 bytes, is left out at its end.
    pub name: Option<&'a str>,
    /// The number of the card; 0 is none.
    pub card: Option<u32>,
    /// What the person may do at the terminal.
    pub privilege: Option<Privilege>,
    /// Whether the person is locked out.
    pub disabled: Option<bool>,
}

impl<'a> PersonChange<'a> {
    /// Makes a person known, and changes nothing of one who is.
    pub fn new(pin: Pin<'a>) -> Self {
        Self { pin, name: None, card: None, privilege: None, disabled: None }
    }
}

impl fmt::Debug for PersonChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonChange(..)")
    }
}

/// The table of users of a terminal, kept while people are written and deleted: who is known keeps slot, password, group
/// and time zones, and who is new gets the first slot that is free.
///
/// It is what the terminal had and what was asked of it since. After a request that failed, read it anew.
///
/// ```
/// use punch_protocol::Pin;
/// use punch_protocol::tcp::{Download, Limits, PersonChange, Request, UserLayout, UserTable};
///
/// let download = Download::default();
/// let mut users = UserTable::of(&download.users(&Limits::default())?, UserLayout::Text72);
/// let ana = PersonChange { name: Some("Ana"), ..PersonChange::new(Pin::new(b"1042")) };
/// let Request::WriteUser(record) = users.write(&ana)? else { panic!() };
/// assert_eq!(UserLayout::Text72.record(&record).map(|user| user.slot), Some(1));
/// assert_eq!(users.delete(&Pin::new(b"1042")), Some(Request::DeleteUser(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UserTable {
    layout: UserLayout,
    records: BTreeMap<Pin<'static>, Vec<u8>>,
    slots: BTreeSet<u16>,
}

impl UserTable {
    /// The users that a terminal has. `empty` is the layout in which it is written to if it has none.
    pub fn of(users: &UserList<'_>, empty: UserLayout) -> Self {
        let layout = users.layout().unwrap_or(empty);
        let mut table = Self { layout, records: BTreeMap::new(), slots: BTreeSet::new() };
        for user in users.rows() {
            table.slots.insert(user.slot);
            let mut record = Vec::with_capacity(layout.size());
            if let (Some(pin), Ok(())) = (user.person.pin(), user.write(layout, &mut record)) {
                table.records.insert(pin.into_owned(), record);
            }
        }
        table
    }

    /// How many people it has.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has nobody.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Makes a person as the change says.
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if the layout cannot hold it, or every slot is taken; nothing is changed.
    pub fn write(&mut self, change: &PersonChange<'_>) -> Result<Request, WriteError> {
        let layout = self.layout;
        let known = self.records.get(&change.pin).and_then(|record| layout.record(record));
        let mut user = match known {
            Some(user) => user,
            None => User::new(self.free_slot()?, person(&change.pin, layout)?),
        };
        if let Some(name) = change.name {
            user.name = fitting(name, if layout == UserLayout::Number28 { 8 } else { 24 }).as_bytes();
        }
        user.card = change.card.unwrap_or(user.card);
        let Privilege(privilege) = change.privilege.unwrap_or_else(|| user.rights.privilege());
        let privilege = u8::try_from(privilege).ok().filter(|privilege| privilege & 1 == 0);
        let expected = "an even number of at most 254";
        let privilege = privilege.ok_or(WriteError::Field { field: "the privilege", expected })?;
        let disabled = change.disabled.unwrap_or_else(|| user.rights.is_disabled());
        user.rights = Rights(privilege | u8::from(disabled));
        let slot = user.slot;
        let mut record = Vec::with_capacity(layout.size());
        user.write(layout, &mut record)?;
        self.slots.insert(slot);
        self.records.insert(change.pin.clone().into_owned(), record.clone());
        Ok(Request::WriteUser(record))
    }

    /// Deletes a person; `None` if nobody has this PIN.
    pub fn delete(&mut self, pin: &Pin<'_>) -> Option<Request> {
        let record = self.records.remove(&pin.clone().into_owned())?;
        let slot = self.layout.record(&record)?.slot;
        self.slots.remove(&slot);
        Some(Request::DeleteUser(slot))
    }

    fn free_slot(&self) -> Result<u16, WriteError> {
        let free = (1..=u16::MAX).find(|slot| !self.slots.contains(slot));
        free.ok_or(WriteError::Field { field: "the slot", expected: "a free place in the terminal's table of users" })
    }
}

impl fmt::Debug for UserTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserTable").field("layout", &self.layout).field("count", &self.len()).finish()
    }
}

/// A person as a layout says it. A number that would be written otherwise, such as `007`, is another PIN.
fn person<'p>(pin: &Pin<'p>, layout: UserLayout) -> Result<Person<'p>, WriteError> {
    if layout == UserLayout::Text72 {
        return Ok(Person::Pin(pin.clone()));
    }
    let number = core::str::from_utf8(pin.as_bytes()).ok().and_then(|text| text.parse().ok()).map(Person::Number);
    let expected = "a number for a PIN, without zeros in front";
    number.filter(|person| person.pin().as_ref() == Some(pin)).ok_or(WriteError::Field { field: "the PIN", expected })
}

/// As much of a text as fits, in whole characters.
fn fitting(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
