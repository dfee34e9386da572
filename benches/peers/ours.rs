//! Our side of the comparison with published clients: makes the dataset that all of them read, and reads it.
//!
//! `peers write LAYOUT ROWS FILE` and `peers keep|stream|check LAYOUT FILE ROUNDS`; `benches/peers/run` runs them, and
//! measures.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use core::hint::black_box;
use std::fs;

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use punch_protocol::tcp::{AttendanceLayout, AttendanceRecord, Dataset, EncodedTime, Limits, Person};
use punch_protocol::{Pin, Status, Verify};

/// People that the dataset is of: as many as the terminals of the clients' own tests have.
const PEOPLE: u16 = 10;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", layout, rows, file] => Ok(fs::write(file, dataset(layout_of(layout)?, rows.parse()?)?)?),
        [how, layout, file, rounds] => read(how, layout_of(layout)?, &fs::read(file)?, rounds.parse()?),
        _ => bail!("expected: write LAYOUT ROWS FILE, or keep|stream|check LAYOUT FILE ROUNDS"),
    }
}

fn layout_of(name: &str) -> anyhow::Result<AttendanceLayout> {
    match name {
        "40" => Ok(AttendanceLayout::Text40),
        "16" => Ok(AttendanceLayout::Number16),
        "8a" => Ok(AttendanceLayout::Packed8),
        _ => bail!("layout {name}, expected 40, 16 or 8a"),
    }
}

/// A dataset as terminals send it: its length in front, one record a person in turn.
fn dataset(layout: AttendanceLayout, rows: u32) -> anyhow::Result<Vec<u8>> {
    let start = DateTime::from_timestamp(1_735_711_200, 0).unwrap_or_default().naive_utc();
    let mut records = Vec::new();
    for (row, slot) in (0..rows).zip((1..=PEOPLE).cycle()) {
        let pin = 1000_u32.saturating_add(slot.into());
        let text = pin.to_string();
        let person = match layout.size() {
            8 => Person::Slot(slot),
            16 => Person::Number(pin),
            _ => Person::Pin(Pin::new(text.as_bytes())),
        };
        let time = start
            .checked_add_signed(TimeDelta::seconds(i64::from(row).saturating_mul(7)))
            .context("a year too late")?;
        let time = EncodedTime::of(time).context("a year that a terminal has")?;
        let mut record = AttendanceRecord::new(person, time, Status(u16::from(row & 1 == 1)), Verify::FINGERPRINT);
        record.slot = Some(slot);
        record.write(layout, &mut records)?;
    }
    let len = u32::try_from(records.len())?.to_le_bytes();
    Ok([&len, &records[..]].concat())
}

/// Reads it so many times, and prints how many rows it has.
fn read(how: &str, layout: AttendanceLayout, bytes: &[u8], rounds: u32) -> anyhow::Result<()> {
    let limits = Limits { dataset: bytes.len(), ..Limits::default() };
    let dataset = Dataset::parse(bytes, &limits)?.records;
    let mut count = 0;
    for _ in 0..rounds {
        let records = layout.records(black_box(dataset));
        count = match how {
            "keep" => {
                let mut kept = Vec::with_capacity(dataset.len().checked_div(layout.size()).unwrap_or(0));
                kept.extend(records.filter_map(row));
                black_box(kept).len()
            }
            "stream" => records.filter_map(row).map(black_box).count(),
            "check" => records.filter(|record| record.time.is_date()).map(black_box).count(),
            _ => bail!("{how}, expected keep, stream or check"),
        };
    }
    println!("{count}");
    Ok(())
}

/// A row as the clients hand it out: who, and a moment of the calendar.
fn row(record: AttendanceRecord<'_>) -> Option<(Person<'_>, NaiveDateTime, Status, Verify)> {
    Some((record.person, record.time.civil()?, record.state, record.verify))
}
