use core::fmt;

use chrono::NaiveDateTime;

use super::attlog::Fields;
use super::codes::Operation;
use super::line::{cut, decimal};
use crate::Pin;
use crate::civil::{self, CivilError};

/// One `OPLOG` row: something an administrator or the terminal itself did.
#[derive(Clone, Copy)]
pub struct OperationRow<'a> {
    code: Operation,
    operator: &'a [u8],
    time: &'a [u8],
    objects: Option<&'a [u8]>,
}

impl<'a> OperationRow<'a> {
    /// Reads what follows the tag `OPLOG `.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (code, rest) = cut(text, b'\t');
        let (operator, rest) = cut(rest?, b'\t');
        let (time, objects) = cut(rest?, b'\t');
        Some(Self { code: Operation(decimal(code)?), operator, time, objects })
    }

    /// The operation.
    pub fn code(&self) -> Operation {
        self.code
    }

    /// PIN of the administrator; `0` if it was nobody.
    pub fn operator(&self) -> Pin<'a> {
        Pin::new(self.operator)
    }

    /// The terminal's wall clock.
    ///
    /// # Errors
    ///
    /// Operations without a time carry `0`.
    pub fn time(&self) -> Result<NaiveDateTime, CivilError> {
        civil::parse(self.time)
    }

    /// The bytes of the time field.
    pub fn time_raw(&self) -> &'a [u8] {
        self.time
    }

    /// What the operation was about, up to four values. The manual's names for them are not reliable.
    pub fn objects(&self) -> Fields<'a> {
        Fields(self.objects)
    }
}

impl fmt::Debug for OperationRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationRow").field("code", &self.code).field("time", &self.time()).finish_non_exhaustive()
    }
}
