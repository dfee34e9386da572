//! Attendance records as a careful program reads them without a library: its own struct, the date checked by hand.

use core::hint::black_box;

use super::attendance::{Attendance, pin_value};

/// A row of any of the three layouts.
struct PlainRow<'a> {
    pin: &'a [u8],
    number: u32,
    time: u32,
    state: u8,
    verify: u8,
}

/// Reads a dataset of 40, 16 or 8 bytes a row, the last as slot, verify, time and state.
pub fn read_attendance_plainly(size: usize, dataset: &[u8]) -> Attendance {
    let mut read = Attendance::default();
    match size {
        40 => read.add_plain(dataset.chunks_exact(40).filter_map(row_of_40)),
        16 => read.add_plain(dataset.chunks_exact(16).filter_map(row_of_16)),
        _ => read.add_plain(dataset.chunks_exact(8).filter_map(row_of_8)),
    }
    black_box(read)
}

impl Attendance {
    #[inline]
    fn add_plain<'a>(&mut self, rows: impl Iterator<Item = PlainRow<'a>>) {
        for row in rows.filter(|row| is_date(row.time)) {
            let person = if row.pin.is_empty() { row.number.into() } else { pin_value(row.pin) };
            self.add(person, row.time, row.state.into(), row.verify.into());
        }
    }
}

fn row_of_40(row: &[u8]) -> Option<PlainRow<'_>> {
    let pin = row.get(2..26)?;
    let end = pin.iter().position(|byte| *byte == 0).unwrap_or(24);
    Some(PlainRow {
        pin: pin.get(..end)?,
        number: 0,
        time: u32::from_le_bytes(*row.get(27..)?.first_chunk()?),
        state: *row.get(31)?,
        verify: *row.get(26)?,
    })
}

fn row_of_16(row: &[u8]) -> Option<PlainRow<'_>> {
    Some(PlainRow {
        pin: &[],
        number: u32::from_le_bytes(*row.first_chunk()?),
        time: u32::from_le_bytes(*row.get(4..)?.first_chunk()?),
        state: *row.get(8)?,
        verify: *row.get(9)?,
    })
}

fn row_of_8(row: &[u8]) -> Option<PlainRow<'_>> {
    Some(PlainRow {
        pin: &[],
        number: u16::from_le_bytes(*row.first_chunk()?).into(),
        time: u32::from_le_bytes(*row.get(3..)?.first_chunk()?),
        state: *row.get(7)?,
        verify: *row.get(2)?,
    })
}

/// Whether the calendar has the day of a packed time.
#[expect(clippy::arithmetic_side_effects, reason = "written as it would be; a packed time has no year above 2133")]
fn is_date(time: u32) -> bool {
    let days = time / 86_400;
    let (year, month, day) = (2000 + days / 31 / 12, days / 31 % 12 + 1, days % 31 + 1);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    day <= last
}
