use core::fmt;

use chrono::NaiveDateTime;

use super::errors::RowErrorKind;
use super::line::{cut, decimal};
use crate::civil::{self, CivilError};
use crate::{Pin, Status, Verify};

/// One row of table `ATTLOG`: a punch. Borrows from the body.
///
/// Two fields are certain, PIN and time; terminals write 2 to 12. What the fields after the work code mean
/// depends on firmware, so they are available as they stand ([`AttlogRow::rest`]) and, where a rule makes
/// the reading safe, by name.
#[derive(Clone, Copy)]
pub struct AttlogRow<'a> {
    pin: &'a [u8],
    time: &'a [u8],
    reading: Result<NaiveDateTime, CivilError>,
    after_time: Option<&'a [u8]>,
}

impl<'a> AttlogRow<'a> {
    /// Reads a row. On failure the second value is the byte column, from 0, where the trouble is.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, (RowErrorKind, usize)> {
        let (pin, Some(tail)) = cut(line, b'\t') else {
            let separated = line.iter().any(|byte| matches!(byte, b' ' | b','));
            return Err((if separated { RowErrorKind::NoTab } else { RowErrorKind::TooFewFields }, 0));
        };
        let time_column = pin.len().saturating_add(1);
        let (time, after_time) = match tail.split_at_checked(civil::LEN) {
            Some((time, [])) => (time, None),
            Some((time, [b'\t', rest @ ..])) => (time, Some(rest)),
            Some(_) | None => cut(tail, b'\t'),
        };
        match civil::parse(time) {
            Err(CivilError::Format) => Err((RowErrorKind::BadTime, time_column)),
            Err(CivilError::Number) => Err((RowErrorKind::NumericTime, time_column)),
            reading => Ok(Self { pin, time, reading, after_time }),
        }
    }

    /// Who the terminal says it was; empty for a stranger.
    pub fn pin(&self) -> Pin<'a> {
        Pin::new(self.pin)
    }

    /// The terminal's wall clock.
    ///
    /// # Errors
    ///
    /// The field has the right form but names no moment (30 February, hour 25). It is never rolled over.
    pub fn time(&self) -> Result<NaiveDateTime, CivilError> {
        self.reading
    }

    /// The bytes of the time field.
    pub fn time_raw(&self) -> &'a [u8] {
        self.time
    }

    /// The attendance state; `None` if the field is missing, empty or not a number.
    pub fn status(&self) -> Option<Status> {
        self.field(2).and_then(decimal).map(Status)
    }

    /// The verification code; `None` if the field is missing, empty or not a number.
    pub fn verify(&self) -> Option<Verify> {
        self.field(3).and_then(decimal).map(Verify)
    }

    /// The work code as it stands; `None` if the row ends before it.
    pub fn work_code(&self) -> Option<&'a [u8]> {
        self.field(4)
    }

    /// The fields after the work code.
    pub fn rest(&self) -> Fields<'a> {
        let mut fields = Fields(self.after_time);
        for _ in 0..3 {
            fields.next();
        }
        fields
    }

    /// Field `index`, counted from 0 with the PIN as field 0.
    pub fn field(&self, index: usize) -> Option<&'a [u8]> {
        match index {
            0 => Some(self.pin),
            1 => Some(self.time),
            _ => Fields(self.after_time).nth(index.saturating_sub(2)),
        }
    }

    /// How many fields the row has.
    pub fn field_count(&self) -> usize {
        Fields(self.after_time).count().saturating_add(2)
    }

    /// Whether a mask was worn: field 8, read only if it is 0 or 1 and the row has ten fields. Other firmware
    /// keeps a running counter there.
    pub fn mask(&self) -> Option<bool> {
        let flag = self.field(7).filter(|_| self.field_count() >= 10)?;
        match flag {
            b"0" => Some(false),
            b"1" => Some(true),
            _ => None,
        }
    }

    /// Body temperature as text: field 9, if it reads as a decimal.
    pub fn temperature(&self) -> Option<&'a str> {
        self.field(8).and_then(decimal_text)
    }

    /// Converted temperature as text, in the unit of `IRTempUnitTrans`: field 10, if it reads as a decimal.
    pub fn converted_temperature(&self) -> Option<&'a str> {
        self.field(9).and_then(decimal_text)
    }

    /// The terminal's own UTC offset in seconds: field 11, read only with an explicit sign. Some firmware
    /// writes a small unsigned number of unknown meaning there.
    pub fn time_offset_seconds(&self) -> Option<i32> {
        let field = self.field(10)?;
        let signed = matches!(field.first(), Some(b'+' | b'-'));
        core::str::from_utf8(field).ok().filter(|_| signed)?.parse().ok()
    }

    /// The extension, base64 of JSON: field 12.
    pub fn extension(&self) -> Option<&'a [u8]> {
        self.field(11).filter(|field| !field.is_empty())
    }

    /// The row as an identity-card terminal (`DeviceType=pid`) means it: field 8 the card's number, field 9
    /// the kind of record. Only the handshake tells for sure; an 18-character citizen number tells too.
    pub fn identity_card(&self) -> Option<IdentityCard<'a>> {
        let number = self.field(7).filter(|field| is_citizen_number(field))?;
        let kind = self.field(8).and_then(decimal)?;
        Some(IdentityCard { number, kind })
    }
}

impl fmt::Debug for AttlogRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttlogRow")
            .field("pin", &self.pin())
            .field("time", &self.reading)
            .field("status", &self.status())
            .field("verify", &self.verify())
            .finish_non_exhaustive()
    }
}

/// What an identity-card terminal adds to a row.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityCard<'a> {
    /// Number of the card.
    pub number: &'a [u8],
    /// 0 attendance, 1 identity check.
    pub kind: u8,
}

impl fmt::Debug for IdentityCard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityCard").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// TAB-separated fields. A trailing TAB is one more, empty, field.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub(super) Option<&'a [u8]>);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (field, rest) = cut(self.0?, b'\t');
        self.0 = rest;
        Some(field)
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fields").field(&self.count()).finish()
    }
}

fn decimal_text(field: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(field).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then_some(text)
}

pub(super) fn is_citizen_number(field: &[u8]) -> bool {
    let (last, digits) = match field.split_last() {
        Some(parts) if field.len() == 18 => parts,
        Some(_) | None => return false,
    };
    digits.iter().all(u8::is_ascii_digit) && (last.is_ascii_digit() || *last == b'X')
}
