//! Readings of forms that are in somebody's documents and tests, and that no terminal on record sends.
//!
//! Nothing here is read unless it is asked for: a guess that is wrong invents a punch.

use core::fmt;

use chrono::NaiveDateTime;

use super::errors::RowError;
use super::line::decimal;
use super::tagged::Pairs;
use crate::civil;
use crate::{Pin, Status, Verify};

/// A punch guessed from a row that the protocol does not have.
///
/// ```
/// use punch_protocol::push::{GuessedPunch, GuessedTime, Rows};
///
/// let mut rows = Rows::of("ATTLOG", b"789\t1704096000\t0\t1\t0\n");
/// let error = rows.next().unwrap().unwrap_err();
/// let guess = GuessedPunch::of(&error).expect("a reading");
/// assert_eq!(guess.time, GuessedTime::Epoch(1_704_096_000));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuessedPunch<'a> {
    /// Who it may have been.
    pub pin: Pin<'a>,
    /// When it may have been.
    pub time: GuessedTime,
    /// The attendance state.
    pub status: Option<Status>,
    /// The verification code.
    pub verify: Option<Verify>,
    /// The work code.
    pub work_code: Option<&'a [u8]>,
    /// Why it is a guess.
    pub form: GuessedForm,
}

/// The time of a [`GuessedPunch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuessedTime {
    /// A wall clock, as terminals write it.
    Civil(NaiveDateTime),
    /// Seconds, presumably since 1970 in UTC: an instant, not a wall clock.
    Epoch(u32),
}

/// The form a [`GuessedPunch`] was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuessedForm {
    /// TABs, with seconds in place of the time.
    EpochSeconds,
    /// Blanks in place of TABs, as in a pasted log.
    Blanks,
    /// Commas in place of TABs.
    Commas,
    /// `PIN=…` and `DateTime=…` pairs.
    Pairs,
}

impl<'a> GuessedPunch<'a> {
    /// Guesses what a row in error meant; `None` if nothing fits.
    pub fn of(error: &RowError<'a>) -> Option<Self> {
        let row = error.raw;
        if row.contains(&b'=') {
            return Self::of_pairs(row);
        }
        if row.contains(&b'\t') {
            let mut fields = row.split(|byte| *byte == b'\t');
            let (pin, time) = (fields.next()?, GuessedTime::Epoch(decimal(fields.next()?)?));
            return Some(Self::of_fields(pin, time, fields, GuessedForm::EpochSeconds));
        }
        if row.contains(&b',') {
            let mut fields = row.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let (pin, time) = (fields.next()?, GuessedTime::Civil(civil::parse(fields.next()?).ok()?));
            return Some(Self::of_fields(pin, time, fields, GuessedForm::Commas));
        }
        // The time itself has a blank in it: date and clock are two of these fields, with one blank between.
        let mut fields = row.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
        let (pin, date, clock) = (fields.next()?, fields.next()?, fields.next()?);
        let mut text = [b' '; civil::LEN];
        text.get_mut(..10)?.copy_from_slice(date.get(..10).filter(|_| date.len() == 10)?);
        text.get_mut(11..)?.copy_from_slice(clock.get(..8).filter(|_| clock.len() == 8)?);
        Some(Self::of_fields(pin, GuessedTime::Civil(civil::parse(&text).ok()?), fields, GuessedForm::Blanks))
    }

    fn of_pairs(row: &'a [u8]) -> Option<Self> {
        let value = |wanted: &str| {
            Pairs(Some(row), "").find(|pair| pair.key.eq_ignore_ascii_case(wanted.as_bytes())).map(|pair| pair.value)
        };
        Some(Self {
            pin: Pin::new(value("PIN")?),
            time: GuessedTime::Civil(civil::parse(value("DateTime")?).ok()?),
            status: value("InOutMode").and_then(decimal).map(Status),
            verify: value("VerifyMode").and_then(decimal).map(Verify),
            work_code: value("WorkCode"),
            form: GuessedForm::Pairs,
        })
    }

    fn of_fields(
        pin: &'a [u8],
        time: GuessedTime,
        mut rest: impl Iterator<Item = &'a [u8]>,
        form: GuessedForm,
    ) -> Self {
        let status = rest.next().and_then(decimal).map(Status);
        let verify = rest.next().and_then(decimal).map(Verify);
        Self { pin: Pin::new(pin), time, status, verify, work_code: rest.next(), form }
    }
}

impl fmt::Debug for GuessedPunch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuessedPunch").field("time", &self.time).field("form", &self.form).finish_non_exhaustive()
    }
}

/// An access event guessed from commas and positions: time, PIN, card, door, event, reader side.
///
/// One controller project describes it; no terminal on record sends it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuessedEvent<'a> {
    /// The wall clock.
    pub time: NaiveDateTime,
    /// Who it may have been, as written: `0` is nobody.
    pub pin: &'a [u8],
    /// The card, as written.
    pub card: &'a [u8],
    /// The door, as written.
    pub door: &'a [u8],
    /// The event number.
    pub event: Option<u16>,
    /// Reader side: 0 in, 1 out, 2 none.
    pub side: Option<u16>,
}

impl<'a> GuessedEvent<'a> {
    /// Guesses what a row in error meant; `None` if nothing fits.
    pub fn of(error: &RowError<'a>) -> Option<Self> {
        let mut fields = error.raw.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let time = civil::parse(fields.next()?).ok()?;
        let (pin, card, door) = (fields.next()?, fields.next()?, fields.next()?);
        let (event, side) = (fields.next().and_then(decimal), fields.next().and_then(decimal));
        Some(Self { time, pin, card, door, event, side })
    }
}

impl fmt::Debug for GuessedEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuessedEvent").field("time", &self.time).field("event", &self.event).finish_non_exhaustive()
    }
}
