use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use chrono::{Datelike as _, NaiveDateTime};
use zeroize::Zeroizing;

use super::super::codes::Privilege;
use super::super::handshake::Dialect;
use super::data::{DataRecord, check_value};
use super::error::CommandError;
use crate::Verify;

/// A person as a server writes one to a terminal. What is `None` stays as the terminal has it.
///
/// `Debug` shows nothing of the person, and the password is wiped when dropped.
///
/// ```
/// use punch_protocol::push::{Command, CommandError, Dialect, UserRecord};
///
/// let mut user = UserRecord::new("1001")?;
/// user.set_name("Ana Ruiz")?;
/// let command = Command::update_user(user);
/// assert_eq!(command.text(Dialect::Attendance)?, "DATA UPDATE USERINFO PIN=1001\tName=Ana Ruiz");
/// assert_eq!(command.text(Dialect::AccessControl)?, "DATA UPDATE user Pin=1001\tName=Ana Ruiz");
/// # Ok::<(), CommandError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserRecord {
    pin: String,
    name: Option<String>,
    password: Option<Zeroizing<String>>,
    card: Option<String>,
    /// What the person may do at the terminal.
    pub privilege: Option<Privilege>,
    /// Access group.
    pub group: Option<u32>,
    /// How the person has to identify.
    pub verify: Option<Verify>,
    /// From when to when the person may pass, on the terminal's clock. Access terminals go by days.
    pub valid: Option<(NaiveDateTime, NaiveDateTime)>,
    /// Whether the person is locked out. Attendance terminals cannot be told so.
    pub disabled: Option<bool>,
}

impl UserRecord {
    /// The longest PIN terminals take, in bytes.
    pub const PIN_MAX: usize = 24;

    /// A person about whom nothing but the PIN is said.
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] if the PIN is not 1 to 24 bytes, [`CommandError::Separator`] if it holds what the
    /// protocol cannot carry.
    pub fn new(pin: &str) -> Result<Self, CommandError> {
        check_pin(pin)?;
        Ok(Self {
            pin: pin.to_owned(),
            name: None,
            password: None,
            card: None,
            privilege: None,
            group: None,
            verify: None,
            valid: None,
            disabled: None,
        })
    }

    /// Sets the name; terminals show 24 bytes or so of it.
    ///
    /// # Errors
    ///
    /// [`CommandError::Separator`] if it holds what the protocol cannot carry.
    pub fn set_name(&mut self, name: &str) -> Result<(), CommandError> {
        check_value("the name", name)?;
        self.name = Some(name.to_owned());
        Ok(())
    }

    /// Sets the password typed at the terminal. It travels in clear text.
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] if it is not made of digits; the empty text removes it.
    pub fn set_password(&mut self, password: &str) -> Result<(), CommandError> {
        if !password.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CommandError::OutOfRange { key: "the password", expected: "digits" });
        }
        self.password = Some(Zeroizing::new(password.to_owned()));
        Ok(())
    }

    /// Sets the number of the card, in decimal; the empty text removes it.
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] if it is not made of digits.
    pub fn set_card(&mut self, card: &str) -> Result<(), CommandError> {
        if !card.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CommandError::OutOfRange { key: "the card", expected: "digits" });
        }
        self.card = Some(card.to_owned());
        Ok(())
    }

    /// The person's PIN.
    pub fn pin(&self) -> &str {
        &self.pin
    }

    pub(super) fn attendance(&self) -> Result<DataRecord, CommandError> {
        if self.disabled == Some(true) {
            return Err(CommandError::Unsupported { command: "disabling a user", dialect: Dialect::Attendance });
        }
        let mut record = DataRecord::new();
        record.push("PIN", self.pin.as_str());
        self.push(&mut record, ["Name", "Pri", "Passwd", "Card", "Grp", "Verify"]);
        if let Some((from, to)) = self.valid {
            record.push("StartDatetime", from.format("%Y-%m-%dT%H:%M:%S").to_string());
            record.push("EndDatetime", to.format("%Y-%m-%dT%H:%M:%S").to_string());
            record.push("Expires", "1");
        }
        Ok(record)
    }

    pub(super) fn access(&self) -> DataRecord {
        let mut record = DataRecord::new();
        record.push("Pin", self.pin.as_str());
        self.push(&mut record, ["Name", "Privilege", "Password", "CardNo", "Group", "Verify"]);
        if let Some((from, to)) = self.valid {
            let day = |time: NaiveDateTime| format!("{:04}{:02}{:02}", time.year(), time.month(), time.day());
            record.push("StartTime", day(from));
            record.push("EndTime", day(to));
        }
        if let Some(disabled) = self.disabled {
            record.push("Disable", u8::from(disabled).to_string());
        }
        record
    }

    /// What both dialects have, each under its own keys.
    fn push(&self, record: &mut DataRecord, keys: [&'static str; 6]) {
        let values = [
            self.name.clone(),
            self.privilege.map(|Privilege(privilege)| privilege.to_string()),
            self.password.as_deref().cloned(),
            self.card.clone(),
            self.group.map(|group| group.to_string()),
            self.verify.map(|Verify(verify)| verify.to_string()),
        ];
        for (key, value) in keys.into_iter().zip(values) {
            if let Some(value) = value {
                record.push(key, value);
            }
        }
    }
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserRecord(..)")
    }
}

pub(super) fn check_pin(pin: &str) -> Result<(), CommandError> {
    check_value("the PIN", pin)?;
    if pin.is_empty() || pin.len() > UserRecord::PIN_MAX {
        return Err(CommandError::OutOfRange { key: "the PIN", expected: "1 to 24 bytes" });
    }
    Ok(())
}
