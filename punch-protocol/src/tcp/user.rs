use alloc::vec::Vec;
use core::fmt;

use super::error::WriteError;
use super::fields::{array_at, text_at, u16_at, u32_at, until_nul};
use super::person::Person;
use crate::Pin;
use crate::privilege::Privilege;

/// How users lie in a dataset. A terminal does not say which; [`UserLayout::choose`] finds out.
///
/// [`UserLayout::choose`]: super::UserLayout::choose
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UserLayout {
    /// 28 bytes with a number for a PIN.
    Number28,
    /// 72 bytes with a text for a PIN.
    Text72,
}

impl UserLayout {
    /// Every layout, the shortest first.
    pub const ALL: [Self; 2] = [Self::Number28, Self::Text72];

    /// Bytes of a record.
    pub fn size(self) -> usize {
        match self {
            Self::Number28 => 28,
            Self::Text72 => 72,
        }
    }

    /// Reads the record at the beginning of `bytes`; `None` if there are fewer than [`UserLayout::size`].
    pub fn record(self, bytes: &[u8]) -> Option<User<'_>> {
        let bytes = bytes.get(..self.size())?;
        let [rights] = array_at(bytes, 2)?;
        let (slot, rights) = (u16_at(bytes, 0)?, Rights(rights));
        Some(match self {
            Self::Number28 => {
                let [group] = array_at(bytes, 21)?;
                User {
                    slot,
                    rights,
                    password: Password(text_at(bytes, 3, 5)?),
                    name: text_at(bytes, 8, 8)?,
                    card: u32_at(bytes, 16)?,
                    group,
                    person: Person::Number(u32_at(bytes, 24)?),
                    zones: UserZones::Mask(u16_at(bytes, 22)?),
                }
            }
            Self::Text72 => {
                let [group] = array_at(bytes, 39)?;
                let zones = [u16_at(bytes, 42)?, u16_at(bytes, 44)?, u16_at(bytes, 46)?];
                User {
                    slot,
                    rights,
                    password: Password(text_at(bytes, 3, 8)?),
                    name: text_at(bytes, 11, 24)?,
                    card: u32_at(bytes, 35)?,
                    group,
                    person: Person::Pin(Pin::new(text_at(bytes, 48, 24)?)),
                    zones: UserZones::Listed { own: u16_at(bytes, 40)?, zones },
                }
            }
        })
    }

    /// The users of a dataset in order, without its length in front. Bytes at the end that are no whole record are left
    /// out.
    pub fn records(self, records: &[u8]) -> impl Iterator<Item = User<'_>> {
        records.chunks_exact(self.size()).filter_map(move |record| self.record(record))
    }
}

/// One person a terminal knows. `Debug` shows nothing of the person; the password is never given out.
///
/// ```
/// use punch_protocol::tcp::{Person, Password, User, UserLayout};
///
/// let mut user = User::new(14, Person::Number(1003));
/// (user.name, user.password) = (b"Ana", Password::new(b"99"));
/// let mut record = Vec::new();
/// user.write(UserLayout::Number28, &mut record)?;
/// let read = UserLayout::Number28.record(&record).expect("28 bytes");
/// assert_eq!((read.slot, read.name, read.person), (14, &b"Ana"[..], Person::Number(1003)));
/// assert!(read.password.is_set());
/// # Ok::<(), punch_protocol::tcp::WriteError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct User<'a> {
    /// The place in the table of users (`uid`).
    pub slot: u16,
    /// What the person may do at the terminal, and whether the person is locked out.
    pub rights: Rights,
    /// The password.
    pub password: Password<'a>,
    /// The name, in the terminal's code page.
    pub name: &'a [u8],
    /// The number of the card; 0 is none.
    pub card: u32,
    /// The access group.
    pub group: u8,
    /// The PIN: a text in 72 bytes, a number in 28.
    pub person: Person<'a>,
    /// When the person may pass.
    pub zones: UserZones,
}

impl<'a> User<'a> {
    /// A person without name, password or card, in group 1, who follows the group's time zones.
    pub fn new(slot: u16, person: Person<'a>) -> Self {
        Self {
            slot,
            rights: Rights(0),
            password: Password(&[]),
            name: &[],
            card: 0,
            group: 1,
            person,
            zones: UserZones::Listed { own: 0, zones: [0; 3] },
        }
    }

    /// Appends the record. Time zones of the other layout's form are written as none.
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if a text is longer than its field, or the PIN is of the wrong kind; nothing is appended.
    pub fn write(&self, layout: UserLayout, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let mut record = Vec::with_capacity(layout.size());
        record.extend_from_slice(&self.slot.to_le_bytes());
        record.push(self.rights.0);
        match layout {
            UserLayout::Number28 => {
                let Person::Number(number) = self.person else { return Err(pin_error("a number for a PIN")) };
                put_text(&mut record, "the password", self.password.0, 5)?;
                put_text(&mut record, "the name", self.name, 8)?;
                record.extend_from_slice(&self.card.to_le_bytes());
                record.extend_from_slice(&[0, self.group]);
                let mask = if let UserZones::Mask(mask) = self.zones { mask } else { 0 };
                record.extend_from_slice(&mask.to_le_bytes());
                record.extend_from_slice(&number.to_le_bytes());
            }
            UserLayout::Text72 => {
                let Person::Pin(pin) = &self.person else { return Err(pin_error("a text for a PIN")) };
                put_text(&mut record, "the password", self.password.0, 8)?;
                put_text(&mut record, "the name", self.name, 24)?;
                record.extend_from_slice(&self.card.to_le_bytes());
                record.push(self.group);
                let (own, [one, two, three]) = match self.zones {
                    UserZones::Listed { own, zones } => (own, zones),
                    UserZones::Mask(_) => (0, [0; 3]),
                };
                record.extend([own, one, two, three].into_iter().flat_map(u16::to_le_bytes));
                put_text(&mut record, "the PIN", pin.as_bytes(), 24)?;
            }
        }
        out.append(&mut record);
        Ok(())
    }
}

fn pin_error(expected: &'static str) -> WriteError {
    WriteError::Field { field: "the PIN", expected }
}

/// Appends a text and the NULs that fill its field.
pub(super) fn put_text(record: &mut Vec<u8>, field: &'static str, text: &[u8], len: usize) -> Result<(), WriteError> {
    let expected = "a text without NUL that fits its field";
    let fill = len.checked_sub(text.len()).filter(|_| !text.contains(&0));
    let fill = fill.ok_or(WriteError::Field { field, expected })?;
    record.extend_from_slice(text);
    record.extend(core::iter::repeat_n(0, fill));
    Ok(())
}

impl fmt::Debug for User<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("User(..)")
    }
}

/// A password as a record holds it: digits, in the clear. It can be written and asked for, not read.
#[derive(Clone, Copy)]
pub struct Password<'a>(&'a [u8]);

impl<'a> Password<'a> {
    /// A password to be written, up to its first NUL.
    pub fn new(password: &'a [u8]) -> Self {
        Self(until_nul(password))
    }

    /// Whether there is one.
    pub fn is_set(self) -> bool {
        !self.0.is_empty()
    }
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The byte of a user that says what the person may do. Bit 0 locks the person out.
///
/// ```
/// use punch_protocol::tcp::{Privilege, Rights};
///
/// assert_eq!(Rights(14).privilege(), Privilege::SUPER_ADMINISTRATOR);
/// assert!(Rights(7).is_disabled() && Rights(7).privilege() == Privilege::ADMINISTRATOR);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a byte with a meaning; it never grows a field")]
pub struct Rights(pub u8);

impl Rights {
    /// The privilege: the byte without bit 0. Firmware before 5.04 had plain numbers from 0 to 3 instead.
    pub fn privilege(self) -> Privilege {
        Privilege((self.0 & !1).into())
    }

    /// Whether the person is locked out.
    pub fn is_disabled(self) -> bool {
        self.0 & 1 == 1
    }
}

/// When a person may pass, as the two layouts say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserZones {
    /// Up to three time zones of the person's own.
    Listed {
        /// 0 as the group does, 1 by `zones`; 4 to 7 are on record too.
        own: u16,
        /// Time zones by number; 0 is none.
        zones: [u16; 3],
    },
    /// Time zones as bits.
    Mask(u16),
}
