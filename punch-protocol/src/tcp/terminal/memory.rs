use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::super::attendance::{AttendanceLayout, AttendanceRecord};
use super::super::auth::CommKey;
use super::super::error::WriteError;
use super::super::free_sizes::Sizes;
use super::super::operation_record::OperationRecord;
use super::super::person::Person;
use super::super::user::{User, UserLayout};
use super::profile::TerminalProfile;
use super::table::Table;
use crate::SerialNumber;
use crate::encoded_time::EncodedTime;
use crate::privilege::Privilege;

/// What a terminal keeps: users, attendance records, its operation log, options and the comm key. Never a template.
///
/// `Debug` shows counts, nobody and no key.
#[derive(Clone)]
pub struct TerminalMemory {
    pub(super) profile: TerminalProfile,
    options: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) comm_key: Option<CommKey>,
    pub(super) firmware: Vec<u8>,
    pub(super) records: Table,
    pub(super) users: Table,
    pub(super) operations: Table,
}

impl TerminalMemory {
    /// Options that are kept at most.
    pub const OPTIONS_MAX: usize = 512;
    /// Bytes of an option's name and value together.
    pub const OPTION_MAX: usize = 512;
    /// Lines of the operation log; a new one takes the place of the oldest.
    pub const OPERATIONS_MAX: u32 = 10_000;

    pub(super) fn new(serial: &SerialNumber, profile: TerminalProfile) -> Self {
        let mut memory = Self {
            profile,
            options: BTreeMap::new(),
            comm_key: None,
            firmware: b"Ver 6.60 Apr 28 2017".to_vec(),
            records: Table::new(profile.attendance.size(), profile.noise_blocks),
            users: Table::new(profile.users.size(), 0),
            operations: Table::new(OperationRecord::LEN, 0),
        };
        let options: [(&str, &str); 6] = [
            ("~SerialNumber", serial.as_str()),
            ("~DeviceName", "SIMULATED"),
            ("~Platform", "ZEM760_TFT"),
            ("~OS", "1"),
            ("~PIN2Width", if profile.users == UserLayout::Text72 { "14" } else { "9" }),
            ("~ExtendFmt", "0"),
        ];
        for (name, value) in options {
            memory.set_option(name.as_bytes(), value.as_bytes());
        }
        memory
    }

    /// Sets the comm key that clients have to prove; [`CommKey::is_none`] asks for none.
    pub fn set_comm_key(&mut self, key: CommKey) {
        self.comm_key = Some(key).filter(|key| !key.is_none());
    }

    /// Sets what [`Command::VERSION`](super::super::Command::VERSION) is answered.
    pub fn set_firmware(&mut self, version: &str) {
        self.firmware = version.as_bytes().to_vec();
    }

    /// The value of an option.
    pub fn option(&self, name: &[u8]) -> Option<&[u8]> {
        self.options.get(name).map(Vec::as_slice)
    }

    /// Sets an option; `false` if there is no room for it ([`TerminalMemory::OPTIONS_MAX`],
    /// [`TerminalMemory::OPTION_MAX`]).
    pub fn set_option(&mut self, name: &[u8], value: &[u8]) -> bool {
        let fits = name.len().saturating_add(value.len()) <= Self::OPTION_MAX;
        let room = self.options.len() < Self::OPTIONS_MAX || self.options.contains_key(name);
        if fits && room {
            self.options.insert(name.to_vec(), value.to_vec());
        }
        fits && room
    }

    /// Keeps a punch without telling anybody. A person is put as the layout says it, if the users tell how.
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if the layout cannot hold the punch, or the memory is full
    /// ([`TerminalProfile::record_capacity`]).
    pub fn keep(&mut self, record: &AttendanceRecord<'_>) -> Result<(), WriteError> {
        if self.records.len() >= self.profile.record_capacity {
            return Err(WriteError::Field { field: "the record", expected: "room in the terminal's memory" });
        }
        let layout = self.profile.attendance;
        let person = match layout {
            AttendanceLayout::Packed8 | AttendanceLayout::Flags8 => self.as_slot(&record.person),
            AttendanceLayout::Number16 => self.as_number(&record.person),
            AttendanceLayout::Text36 | AttendanceLayout::Text40 | AttendanceLayout::Text49 => {
                self.as_pin(&record.person)
            }
        };
        let record = AttendanceRecord { person: person.unwrap_or_else(|| record.person.clone()), ..record.clone() };
        let mut bytes = Vec::with_capacity(layout.size());
        record.write(layout, &mut bytes)?;
        self.records.push(&bytes)
    }

    /// The attendance records as they are kept, in the profile's layout.
    pub fn records(&self) -> &[u8] {
        self.records.records()
    }

    /// The users, in the order they were written.
    pub fn users(&self) -> impl Iterator<Item = User<'_>> {
        let layout = self.profile.users;
        self.users.rows().filter_map(move |row| layout.record(row))
    }

    /// Writes a user into its slot, in place of whoever was there.
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if the profile's layout cannot hold the user, or there is no room for another
    /// ([`TerminalProfile::user_capacity`]).
    pub fn write_user(&mut self, user: &User<'_>) -> Result<(), WriteError> {
        let person = match self.profile.users {
            UserLayout::Number28 => self.as_number(&user.person),
            UserLayout::Text72 => self.as_pin(&user.person),
        };
        let user = User { person: person.unwrap_or_else(|| user.person.clone()), ..user.clone() };
        let mut bytes = Vec::with_capacity(self.profile.users.size());
        user.write(self.profile.users, &mut bytes)?;
        match self.place_of(user.slot) {
            Some(place) => self.users.replace(place, &bytes),
            None if self.users.len() >= self.profile.user_capacity => {
                return Err(WriteError::Field { field: "the user", expected: "room in the terminal's memory" });
            }
            None => self.users.push(&bytes)?,
        }
        Ok(())
    }

    /// Deletes the user in a slot; `false` if there is none.
    pub fn delete_user(&mut self, slot: u16) -> bool {
        let place = self.place_of(slot);
        if let Some(place) = place {
            self.users.remove(place);
        }
        place.is_some()
    }

    /// Appends a line to the operation log.
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if the record cannot hold the operation.
    pub fn log(&mut self, operation: &OperationRecord) -> Result<(), WriteError> {
        let mut bytes = Vec::with_capacity(OperationRecord::LEN);
        operation.write(&mut bytes)?;
        if self.operations.len() >= Self::OPERATIONS_MAX {
            self.operations.remove(0);
        }
        self.operations.push(&bytes)
    }

    /// How many of everything there are.
    pub fn sizes(&self) -> Sizes {
        let administrators = self.users().filter(|user| user.rights.privilege() != Privilege::USER).count();
        let passwords = self.users().filter(|user| user.password.is_set()).count();
        Sizes {
            users: self.users.len(),
            records: self.records.len(),
            operations: self.operations.len(),
            administrators: u32::try_from(administrators).unwrap_or(u32::MAX),
            passwords: u32::try_from(passwords).unwrap_or(u32::MAX),
            user_capacity: self.profile.user_capacity,
            record_capacity: self.profile.record_capacity,
            ..Sizes::default()
        }
    }

    /// Takes every user's rights at the menu.
    pub(super) fn clear_administrators(&mut self) {
        let rows: Vec<Vec<u8>> = self.users.rows().map(<[u8]>::to_vec).collect();
        for (place, mut row) in rows.into_iter().enumerate() {
            if let Some(rights) = row.get_mut(2) {
                *rights &= 1;
            }
            self.users.replace(place, &row);
        }
    }

    /// The attendance records between two times, as a dataset.
    pub(super) fn records_between(&self, from: EncodedTime, to: EncodedTime) -> Arc<Vec<u8>> {
        let mut found = Table::new(self.profile.attendance.size(), self.profile.noise_blocks);
        let layout = self.profile.attendance;
        let within = |row: &&[u8]| layout.record(row).is_some_and(|record| record.time >= from && record.time <= to);
        for row in self.records.rows().filter(within) {
            // Fewer than all of them fit where all of them did.
            let _ = found.push(row);
        }
        found.dataset()
    }

    /// A person by the place in the table of users.
    pub(super) fn as_slot(&self, person: &Person<'_>) -> Option<Person<'static>> {
        if let Person::Slot(slot) = person {
            return Some(Person::Slot(*slot));
        }
        let pin = person.pin()?;
        self.users().find(|user| user.person.pin().as_ref() == Some(&pin)).map(|user| Person::Slot(user.slot))
    }

    /// A person by number, if the PIN is one as it would be written.
    pub(super) fn as_number(&self, person: &Person<'_>) -> Option<Person<'static>> {
        if let Person::Number(number) = person {
            return Some(Person::Number(*number));
        }
        let pin = self.pin_of(person)?;
        let number = core::str::from_utf8(pin.as_bytes()).ok()?.parse().ok()?;
        let person = Person::Number(number);
        (person.pin().as_ref() == Some(&pin)).then_some(person)
    }

    /// A person by PIN.
    pub(super) fn as_pin(&self, person: &Person<'_>) -> Option<Person<'static>> {
        self.pin_of(person).map(Person::Pin)
    }

    fn pin_of(&self, person: &Person<'_>) -> Option<crate::Pin<'static>> {
        let pin = match person {
            Person::Slot(slot) => self.users().find(|user| user.slot == *slot)?.person.pin(),
            Person::Pin(_) | Person::Number(_) => person.pin(),
        };
        pin.map(crate::Pin::into_owned)
    }

    fn place_of(&self, slot: u16) -> Option<usize> {
        let slot = slot.to_le_bytes();
        self.users.rows().position(|row| row.starts_with(&slot))
    }
}

impl fmt::Debug for TerminalMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalMemory")
            .field("users", &self.users.len())
            .field("records", &self.records.len())
            .field("operations", &self.operations.len())
            .field("options", &self.options.len())
            .finish_non_exhaustive()
    }
}
