//! Our side of the comparison with published clients: makes the dataset that all of them read, and reads it.
//!
//! `peers write LAYOUT ROWS FILE` and `peers read LAYOUT FILE SECONDS`; `benches/peers/run` runs both.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use core::hint::black_box;
use std::fs;
use std::time::Instant;

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
        ["read", layout, file, seconds] => read(layout_of(layout)?, &fs::read(file)?, seconds.parse()?),
        _ => bail!("expected: write LAYOUT ROWS FILE, or read LAYOUT FILE SECONDS"),
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
    for row in 0..rows {
        let slot = u16::try_from(row % u32::from(PEOPLE))?.saturating_add(1);
        let pin = 1000_u32.saturating_add(slot.into());
        let text = pin.to_string();
        let person = match layout.size() {
            8 => Person::Slot(slot),
            16 => Person::Number(pin),
            _ => Person::Pin(Pin::new(text.as_bytes())),
        };
        let time = start.checked_add_signed(TimeDelta::seconds(i64::from(row) * 7)).context("a year too late")?;
        let time = EncodedTime::of(time).context("a year that a terminal has")?;
        let mut record = AttendanceRecord::new(person, time, Status(u16::from(row & 1 == 1)), Verify::FINGERPRINT);
        record.slot = Some(slot);
        record.write(layout, &mut records)?;
    }
    let len = u32::try_from(records.len())?.to_le_bytes();
    Ok([&len, &records[..]].concat())
}

/// Reads it again and again for so long, and prints rows per CPU second: kept in a `Vec`, and one after the other.
fn read(layout: AttendanceLayout, bytes: &[u8], seconds: f64) -> anyhow::Result<()> {
    let records = Dataset::parse(bytes, &Limits::default())?.records;
    let rows = records.len() / layout.size();
    let kept = best(seconds, rows, || {
        let kept: Vec<_> = layout.records(black_box(records)).filter_map(row).collect();
        black_box(&kept).len()
    })?;
    let streamed = best(seconds, rows, || layout.records(black_box(records)).filter_map(row).map(black_box).count())?;
    println!("{rows} {kept:.0} {streamed:.0}");
    Ok(())
}

/// A row as the clients hand it out: who, and a moment of the calendar.
fn row(record: AttendanceRecord<'_>) -> Option<(Person<'_>, NaiveDateTime, Status, Verify)> {
    Some((record.person, record.time.civil()?, record.state, record.verify))
}

/// Rows a second in the best round. By the clock on the wall, which is never faster than the one of the CPU.
fn best(seconds: f64, rows: usize, mut round: impl FnMut() -> usize) -> anyhow::Result<f64> {
    let (begin, mut best) = (now(), f64::INFINITY);
    while begin.elapsed().as_secs_f64() < seconds || best.is_infinite() {
        let begin = now();
        let read = round();
        best = best.min(begin.elapsed().as_secs_f64());
        if read != rows {
            bail!("{read} rows of {rows}");
        }
    }
    Ok(f64::from(u32::try_from(rows)?) / best)
}

#[expect(clippy::disallowed_methods, reason = "a bench is a shell")]
fn now() -> Instant {
    Instant::now()
}
