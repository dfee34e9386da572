//! How near the readers come to the machine's limit: all of them over the same bytes in one run, taking turns, so that
//! whatever else the machine does falls on each alike. Prints medians and ratios; no figure makes it fail.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use core::cell::RefCell;
use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use punch_benches::{
    Attendance, attendance_dataset, attendance_frames, count_separators, event_body, read_attendance,
    read_attendance_plainly, read_attendance_streamed, read_events, read_events_naively, read_frames, read_punches,
    read_punches_naively, read_punches_streamed, short_attlog_body,
};
use punch_protocol::tcp::AttendanceLayout;

/// Bytes of a full run.
const BYTES: usize = 100_000_000;
/// Turns of each reader in a full run.
const ROUNDS: usize = 9;
/// Attendance records of a full run, and turns of each reader: their millions take no time.
const RECORDS: u32 = 1_000_000;
const RECORD_ROUNDS: usize = 31;

type Reader<'a> = (&'a str, &'a dyn Fn() -> u64);

fn main() {
    // Cargo's own way of asking whether a bench works: each reader once, over little.
    let quick = std::env::args().any(|argument| argument == "--test");
    let (bytes, rounds) = if quick { (100_000, 1) } else { (BYTES, ROUNDS) };

    let punches = short_attlog_body(rows(bytes, 35));
    let body = punches.as_bytes();
    compare(
        "ATTLOG, rows of 35 bytes",
        body.len(),
        rounds,
        &[
            ("find TAB and LF (memchr2)", &|| count_separators(body) / 7),
            ("punch-protocol", &|| read_punches(body)),
            ("punch-protocol, pieces of 64 KiB", &|| read_punches_streamed(body, 64 << 10)),
            ("split and chrono", &|| read_punches_naively(&punches)),
        ],
    );

    let events = event_body(rows(bytes, event_body(1000).len() / 1000));
    let body = events.as_bytes();
    compare(
        "rtlog, rows of thirteen pairs",
        body.len(),
        rounds,
        &[
            ("find TAB and LF (memchr2)", &|| count_separators(body) / 13),
            ("punch-protocol", &|| read_events(body)),
            ("split and chrono", &|| read_events_naively(&events)),
        ],
    );

    for layout in [AttendanceLayout::Text40, AttendanceLayout::Number16, AttendanceLayout::Packed8] {
        compare_attendance(layout, quick);
    }
}

/// Attendance records of port 4370. The limit is a copy of them. Everybody else checks every date, and has to come to
/// the same sum.
fn compare_attendance(layout: AttendanceLayout, quick: bool) {
    let (rows, rounds) = if quick { (1000, 1) } else { (RECORDS, RECORD_ROUNDS) };
    let (dataset, size) = (attendance_dataset(layout, rows), layout.size());
    let frames = attendance_frames(&dataset);
    let copy = RefCell::new(vec![1; dataset.len()]);
    let wanted = read_attendance(layout, &dataset);
    let agreed = |read: Attendance| if read == wanted { read.rows } else { 0 };
    let whole = u64::try_from(dataset.len()).unwrap_or(0).saturating_add(4);
    compare(
        &format!("attendance records of {size} bytes"),
        dataset.len(),
        rounds,
        &[
            ("copy (memcpy)", &|| {
                black_box(copy.borrow_mut()).copy_from_slice(black_box(&dataset));
                wanted.rows
            }),
            ("punch-protocol", &|| agreed(read_attendance(layout, black_box(&dataset)))),
            ("punch-protocol, frames of 64 KiB", &|| agreed(read_attendance_streamed(layout, black_box(&frames)))),
            ("frames and checksums alone", &|| if read_frames(black_box(&frames)) == whole { wanted.rows } else { 0 }),
            ("plain loop, own struct", &|| agreed(read_attendance_plainly(size, black_box(&dataset)))),
        ],
    );
}

fn rows(bytes: usize, row: usize) -> u32 {
    u32::try_from(bytes.checked_div(row).unwrap_or(0)).unwrap_or(u32::MAX)
}

/// Runs the readers in turns. The first is the limit that the others are compared with.
fn compare(title: &str, bytes: usize, rounds: usize, readers: &[Reader<'_>]) {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); readers.len()];
    let mut counts: Vec<u64> = Vec::new();
    for _ in 0..rounds {
        for ((_, read), times) in readers.iter().zip(&mut times) {
            let begin = now();
            counts.push(read());
            times.push(begin.elapsed());
        }
    }
    let rows = counts.first().copied().unwrap_or(0);
    assert!(rows > 0 && counts.iter().all(|count| *count == rows), "the readers disagree: {counts:?}");
    if rounds == 1 {
        return println!("{title}: the readers agree");
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    let limit = medians.first().copied().unwrap_or(f64::NAN);
    println!("\n{title}: {bytes} bytes, {rows} rows, median of {rounds}");
    println!("{:<34} {:>9} {:>8} {:>14}", "", "ns a row", "MB/s", "of the limit");
    for ((name, _), median) in readers.iter().zip(medians) {
        let (row, speed, share) = (median / float(rows) * 1e9, float(bytes) / median / 1e6, limit / median);
        println!("{name:<34} {row:>9.1} {speed:>8.0} {share:>14.2}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench is a shell")]
fn now() -> Instant {
    Instant::now()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
}

fn float(number: impl TryInto<u32>) -> f64 {
    number.try_into().map_or(f64::NAN, f64::from)
}
