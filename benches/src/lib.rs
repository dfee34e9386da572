//! What the benches measure with: bodies that are the same on every machine, and the parser a server writes
//! without thinking, to compare with.

use core::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, TimeDelta};

/// A body of `rows` attendance rows as current firmware writes them: eleven fields, the last one empty.
///
/// ```
/// let body = punch_benches::attlog_body(2);
/// assert_eq!(body, "1001\t2026-03-02 05:00:00\t255\t15\t0\t0\t0\t0\t0\t0\t\n\
///                   1038\t2026-03-02 05:00:07\t0\t1\t0\t0\t0\t0\t0\t0\t\n");
/// ```
pub fn attlog_body(rows: u32) -> String {
    let start = DateTime::from_timestamp(1_772_427_600, 0).unwrap_or_default().naive_utc();
    let mut body = String::new();
    for row in 0..rows {
        let pin = row.wrapping_mul(37).checked_rem(900).unwrap_or(0).saturating_add(1001);
        let time = start.checked_add_signed(TimeDelta::seconds(i64::from(row).saturating_mul(7))).unwrap_or(start);
        let (status, verify) = match row.checked_rem(3) {
            Some(0) => (255, 15),
            Some(1) => (0, 1),
            _ => (1, 4),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(body, "{pin}\t{time}\t{status}\t{verify}\t0\t0\t0\t0\t0\t0\t");
    }
    body
}

/// Two rows of a SenseFace 3A, as captured (sample A02).
pub const CAPTURE: &str = "1\t2026-09-14 18:24:18\t255\t1\t0\t0\t0\t0\t0\t0\t\n\
                           3\t2026-09-15 15:35:43\t255\t1\t0\t0\t0\t0\t0\t0\t\n";

/// One row as the naive parser keeps it.
pub type NaiveRow = (String, NaiveDateTime, Option<u16>, Option<u16>);

/// Splits at line ends and TABs, and gives the time to chrono; `None` for a row that does not read.
///
/// ```
/// let rows: Vec<_> = punch_benches::naive_rows(punch_benches::CAPTURE).collect();
/// assert_eq!(rows[1].as_ref().map(|row| (row.0.as_str(), row.2)), Some(("3", Some(255))));
/// ```
pub fn naive_rows(body: &str) -> impl Iterator<Item = Option<NaiveRow>> {
    body.lines().filter(|line| !line.is_empty()).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let time = NaiveDateTime::parse_from_str(fields.get(1)?, "%Y-%m-%d %H:%M:%S").ok()?;
        let number = |index: usize| fields.get(index).and_then(|field| field.parse().ok());
        Some(((*fields.first()?).to_owned(), time, number(2), number(3)))
    })
}
