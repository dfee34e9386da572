use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use core::fmt;

use super::super::handshake::Dialect;
use super::data::DataRecord;
use super::error::CommandError;
use super::user::check_pin;

/// An enrolment that a server starts and a person finishes at the terminal. `Debug` does not show who.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    pin: String,
    what: What,
    retries: u8,
    overwrite: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Finger(u8),
    Card,
    Biometric(u8),
}

impl Enrolment {
    /// Tries a terminal gives a person unless told otherwise.
    pub const RETRIES_DEFAULT: u8 = 3;

    /// A finger, 0 (left little finger) to 9. Attendance terminals only; others take [`Enrolment::biometric`].
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the PIN is none or the finger is not 0 to 9.
    pub fn finger(pin: &str, finger: u8) -> Result<Self, CommandError> {
        if finger > 9 {
            return Err(CommandError::OutOfRange { key: "the finger", expected: "0 to 9" });
        }
        Self::new(pin, What::Finger(finger))
    }

    /// A card. Attendance terminals only.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the PIN is none.
    pub fn card(pin: &str) -> Result<Self, CommandError> {
        Self::new(pin, What::Card)
    }

    /// A template by the number of its kind: 1 finger, 8 palm vein, 9 face, 10 palm, and so on.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the PIN is none or the kind is over 10.
    pub fn biometric(pin: &str, kind: u8) -> Result<Self, CommandError> {
        if kind > 10 {
            return Err(CommandError::OutOfRange { key: "the kind of template", expected: "0 to 10" });
        }
        Self::new(pin, What::Biometric(kind))
    }

    fn new(pin: &str, what: What) -> Result<Self, CommandError> {
        check_pin(pin)?;
        Ok(Self { pin: pin.to_owned(), what, retries: Self::RETRIES_DEFAULT, overwrite: false })
    }

    /// Replaces what is enrolled already.
    #[must_use]
    pub fn overwriting(mut self) -> Self {
        self.overwrite = true;
        self
    }

    /// The verb, and what follows it.
    pub(super) fn attendance(&self) -> (&'static str, DataRecord) {
        let mut record = DataRecord::new();
        let verb = match self.what {
            What::Finger(finger) => {
                record.push("PIN", self.pin.as_str());
                record.push("FID", finger.to_string());
                "ENROLL_FP"
            }
            What::Card => {
                record.push("PIN", self.pin.as_str());
                record.push("RETRY", self.retries.to_string());
                return ("ENROLL_MF", record);
            }
            What::Biometric(kind) => {
                record.push("TYPE", kind.to_string());
                record.push("PIN", self.pin.as_str());
                record.push("CardNo", "");
                "ENROLL_BIO"
            }
        };
        record.push("RETRY", self.retries.to_string());
        record.push("OVERWRITE", u8::from(self.overwrite).to_string());
        (verb, record)
    }

    /// Access terminals have one verb for every kind.
    pub(super) fn access(&self) -> Result<(&'static str, DataRecord), CommandError> {
        match self.what {
            What::Biometric(_) => Ok(self.attendance()),
            What::Finger(_) | What::Card => {
                Err(CommandError::Unsupported { command: "this enrolment", dialect: Dialect::AccessControl })
            }
        }
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(..)")
    }
}
