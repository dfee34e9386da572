use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::Pin;

/// A person a terminal knows. Values are text, as commands and rows carry them.
///
/// ```
/// use punch_protocol::Pin;
/// use punch_protocol::push::TerminalUser;
///
/// let mut user = TerminalUser::new(Pin::new(b"007").into_owned());
/// user.name = "Ana".into();
/// assert_eq!(format!("{user:?}"), "TerminalUser(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TerminalUser {
    /// The number typed at the terminal.
    pub pin: Pin<'static>,
    /// The name shown.
    pub name: String,
    /// 0 user, 2 enroller, 6 administrator, 14 super administrator.
    pub privilege: String,
    /// The password, in the clear as terminals keep it.
    pub password: String,
    /// The card, decimal or `[hex]`.
    pub card: String,
    /// The group, 1 unless told.
    pub group: String,
    /// Time zones, 16 digits.
    pub time_zones: String,
    /// How the person must verify; `-1` as the group.
    pub verify: String,
    /// A second card.
    pub second_card: String,
    /// Valid from; 0 for always.
    pub start: String,
    /// Valid until; 0 for always.
    pub end: String,
}

impl TerminalUser {
    /// A user with the values a terminal fills in.
    pub fn new(pin: Pin<'static>) -> Self {
        Self {
            pin,
            name: String::new(),
            privilege: "0".to_owned(),
            password: String::new(),
            card: String::new(),
            group: "1".to_owned(),
            time_zones: "0000000000000000".to_owned(),
            verify: "0".to_owned(),
            second_card: String::new(),
            start: "0".to_owned(),
            end: "0".to_owned(),
        }
    }

    /// Takes one value of a command. A key nobody knows is ignored; an empty value overwrites.
    pub(super) fn take(&mut self, key: &str, value: &str) {
        let field = match key.to_ascii_lowercase().as_str() {
            "name" => &mut self.name,
            "pri" | "privilege" => &mut self.privilege,
            "passwd" | "password" => &mut self.password,
            "card" | "cardno" => &mut self.card,
            "grp" | "group" => &mut self.group,
            "tz" => &mut self.time_zones,
            "verify" => &mut self.verify,
            "vicecard" => &mut self.second_card,
            "startdatetime" | "starttime" => &mut self.start,
            "enddatetime" | "endtime" => &mut self.end,
            _ => return,
        };
        value.clone_into(field);
    }
}

impl fmt::Debug for TerminalUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TerminalUser(..)")
    }
}

/// Everybody a terminal knows, by PIN.
#[derive(Clone, Default)]
pub(super) struct Register(BTreeMap<Vec<u8>, TerminalUser>);

impl Register {
    /// Adds or changes a user; `None` if there is no room, else whether the user is new.
    pub(super) fn put(&mut self, user: TerminalUser, limit: usize) -> Option<bool> {
        let known = self.0.contains_key(user.pin.as_bytes());
        if !known && self.0.len() >= limit {
            return None;
        }
        self.0.insert(user.pin.as_bytes().to_vec(), user);
        Some(!known)
    }

    pub(super) fn get(&self, pin: &str) -> Option<&TerminalUser> {
        self.0.get(Pin::new(pin.as_bytes()).as_bytes())
    }

    pub(super) fn remove(&mut self, pin: &str) -> bool {
        self.0.remove(Pin::new(pin.as_bytes()).as_bytes()).is_some()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &TerminalUser> {
        self.0.values()
    }

    /// The users named: one, or everybody.
    pub(super) fn select(&self, pin: Option<&str>) -> Vec<&TerminalUser> {
        match pin {
            Some(pin) => self.get(pin).into_iter().collect(),
            None => self.all().collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
