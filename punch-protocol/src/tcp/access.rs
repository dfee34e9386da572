use super::codes::VerifyStyle;
use super::error::DataError;
use super::fields::{array_at, u16_at};

/// From when to when, as hours and minutes of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DaySpan {
    /// Hour and minute of the first minute.
    pub from: [u8; 2],
    /// Hour and minute of the last minute.
    pub to: [u8; 2],
}

/// A week of a terminal's access control: when a time zone is open, by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeZoneTable {
    /// Number of the time zone.
    pub index: u16,
    /// The days, Sunday first.
    pub days: [DaySpan; 7],
    /// Two bytes of unknown meaning.
    pub trailer: [u8; 2],
}

impl TimeZoneTable {
    /// Reads the answer to `TIME_ZONE_READ`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 32 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let week: [u8; 28] = array_at(data, 2)?;
            let mut days = [DaySpan { from: [0; 2], to: [0; 2] }; 7];
            for (day, [h1, m1, h2, m2]) in days.iter_mut().zip(week.as_chunks::<4>().0) {
                *day = DaySpan { from: [*h1, *m1], to: [*h2, *m2] };
            }
            let table = Self { index: u16_at(data, 0)?, days, trailer: array_at(data, 30)? };
            (data.len() == 32).then_some(table)
        };
        read().ok_or(DataError::Length { what: "time zone", len: data.len(), expected: "32" })
    }
}

/// When and how the people of a group may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupZones {
    /// The group.
    pub group: u8,
    /// Time zones by number; 0 is none.
    pub zones: [u16; 3],
    /// Whether holidays count (bit 7), and how to verify (the other bits).
    pub holiday_and_style: u8,
}

impl GroupZones {
    /// Reads the answer to `GROUP_TIME_ZONES_READ`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 8 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let ([group], [holiday_and_style]) = (array_at(data, 0)?, array_at(data, 7)?);
            let zones = [u16_at(data, 1)?, u16_at(data, 3)?, u16_at(data, 5)?];
            (data.len() == 8).then_some(Self { group, zones, holiday_and_style })
        };
        read().ok_or(DataError::Length { what: "time zones of a group", len: data.len(), expected: "8" })
    }

    /// Whether holidays count.
    pub fn on_holidays(self) -> bool {
        self.holiday_and_style & 0x80 != 0
    }

    /// How the group has to verify, as the number that a user's [`VerifyStyle`] has behind its top bit.
    pub fn style(self) -> u8 {
        self.holiday_and_style & 0x7f
    }
}

/// Groups whose members open a door together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Combination {
    /// Number of the combination.
    pub number: u8,
    /// One group a person; 0 is none.
    pub groups: [u8; 5],
    /// How many of the groups count.
    pub valid: u16,
}

impl Combination {
    /// Reads the answer to `COMBINATION_READ`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 8 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let [number] = array_at(data, 0)?;
            let combination = Self { number, groups: array_at(data, 1)?, valid: u16_at(data, 6)? };
            (data.len() == 8).then_some(combination)
        };
        read().ok_or(DataError::Length { what: "unlock combination", len: data.len(), expected: "8" })
    }

    /// Whether as many groups are named as count: what tells it from a group's time zones, which are as long.
    pub fn is_consistent(self) -> bool {
        self.groups.iter().filter(|group| **group != 0).count() == usize::from(self.valid)
    }
}

/// How one person has to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserVerifyStyle {
    /// The place in the table of users.
    pub slot: u16,
    /// How to verify.
    pub style: VerifyStyle,
}

impl UserVerifyStyle {
    /// Reads the data of `VERIFY_STYLE_WRITE`, or the answer to `VERIFY_STYLE_READ`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 24 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let [style] = array_at(data, 2)?;
            (data.len() == 24).then_some(Self { slot: u16_at(data, 0)?, style: VerifyStyle(style) })
        };
        read().ok_or(DataError::Length { what: "way to verify", len: data.len(), expected: "24" })
    }
}
