use alloc::borrow::Cow;
use core::fmt;

use super::access::RecordRow;
use super::codes::{CardNumber, Privilege};
use super::line::decimal;
use super::tagged::{Pairs, TaggedRow};
use crate::{Pin, Verify};

/// A person as a terminal has one: a `USER` row of attendance, a `user` record of access control.
///
/// A missing key and an empty value both read as `None`. The password is never given out, only whether there is one.
/// `Debug` shows nothing of the person.
///
/// ```
/// use punch_protocol::push::{CardNumber, Privilege, Row, Rows};
///
/// let body = b"USER PIN=007\tName=Ana\tPri=14\tPasswd=1\tCard=[15CD5B07]\tGrp=1\tVerify=-1";
/// let Some(Ok(Row::Tagged(row))) = Rows::of("OPERLOG", body).next() else { panic!() };
/// let user = row.user().expect("a user");
/// assert_eq!((user.name().as_deref(), user.privilege()), (Some("Ana"), Some(Privilege::SUPER_ADMINISTRATOR)));
/// assert_eq!(user.card(), Some(CardNumber::new(123_456_789)));
/// assert!(user.has_password() && user.verify().is_none());
/// ```
#[derive(Clone, Copy)]
pub struct UserRow<'a>(Pairs<'a>);

impl<'a> TaggedRow<'a> {
    /// The row as a person, if it is one.
    pub fn user(&self) -> Option<UserRow<'a>> {
        (self.tag() == "USER").then(|| UserRow(self.pairs()))
    }
}

impl<'a> RecordRow<'a> {
    /// The record as a person, if it is one.
    pub fn user(&self) -> Option<UserRow<'a>> {
        self.table().filter(|table| table.eq_ignore_ascii_case("user")).map(|_| UserRow(self.pairs()))
    }
}

impl<'a> UserRow<'a> {
    /// The PIN; empty if the row has none.
    pub fn pin(&self) -> Pin<'a> {
        Pin::new(self.0.value(&["PIN"]).unwrap_or_default())
    }

    /// The name: UTF-8, or else the code page of Chinese firmware.
    pub fn name(&self) -> Option<Cow<'a, str>> {
        self.0.first_of(&["Name"]).map(|pair| pair.text()).filter(|name| !name.is_empty())
    }

    /// What the person may do at the terminal.
    pub fn privilege(&self) -> Option<Privilege> {
        self.0.value(&["Pri", "Privilege"]).and_then(decimal).map(Privilege)
    }

    /// Whether the person has a password.
    pub fn has_password(&self) -> bool {
        self.0.value(&["Passwd", "Password"]).is_some()
    }

    /// The card, if the person has one.
    pub fn card(&self) -> Option<CardNumber> {
        self.0.value(&["Card", "CardNo"]).and_then(CardNumber::parse).and_then(CardNumber::declared)
    }

    /// The access group.
    pub fn group(&self) -> Option<u32> {
        self.0.value(&["Grp", "Group"]).and_then(decimal)
    }

    /// How the person has to identify; `None` means as the group says (-1, empty or missing).
    pub fn verify(&self) -> Option<Verify> {
        self.0.value(&["Verify"]).and_then(decimal).map(Verify)
    }

    /// Whether the person is locked out. Attendance terminals cannot say so.
    pub fn is_disabled(&self) -> bool {
        self.0.value(&["Disable"]) == Some(b"1")
    }
}

impl fmt::Debug for UserRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserRow(..)")
    }
}
