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
    let mut body = String::new();
    for row in 0..rows {
        let pin = row.wrapping_mul(37).checked_rem(900).unwrap_or(0).saturating_add(1001);
        let time = time_of(row);
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

/// A body of `rows` attendance rows of 35 bytes: seven fields, a PIN of five digits.
///
/// ```
/// let body = punch_benches::short_attlog_body(2);
/// assert_eq!(body, "10001\t2026-03-02 05:00:00\t0\t1\t\t0\t0\n\
///                   10038\t2026-03-02 05:00:07\t0\t1\t\t0\t0\n");
/// assert_eq!(body.len(), 2 * 35);
/// ```
pub fn short_attlog_body(rows: u32) -> String {
    let mut body = String::with_capacity(usize::try_from(rows).unwrap_or(0).saturating_mul(35));
    for row in 0..rows {
        let pin = row.wrapping_mul(37).checked_rem(90_000).unwrap_or(0).saturating_add(10_001);
        // Writing to a String cannot fail.
        let _ = writeln!(body, "{pin}\t{}\t0\t1\t\t0\t0", time_of(row));
    }
    body
}

/// A body of `rows` access events as a SenseFace 3A writes them (sample R06).
///
/// ```
/// let body = punch_benches::event_body(1);
/// assert_eq!(body, "time=2026-03-02 05:00:00\tpin=1001\tcardno=0\teventaddr=1\tevent=3\tinoutstatus=0\t\
///                   verifytype=15\tindex=0\tsitecode=0\tlinkid=0\tmaskflag=0\ttemperature=0\t\
///                   convtemperature=0\n");
/// ```
pub fn event_body(rows: u32) -> String {
    let mut body = String::new();
    for row in 0..rows {
        let pin = row.wrapping_mul(37).checked_rem(900).unwrap_or(0).saturating_add(1001);
        let (time, side) = (time_of(row), row.checked_rem(2).unwrap_or(0));
        // Writing to a String cannot fail.
        let _ = writeln!(
            body,
            "time={time}\tpin={pin}\tcardno=0\teventaddr=1\tevent=3\tinoutstatus={side}\tverifytype=15\tindex={row}\t\
             sitecode=0\tlinkid=0\tmaskflag=0\ttemperature=0\tconvtemperature=0"
        );
    }
    body
}

pub(super) fn time_of(row: u32) -> NaiveDateTime {
    let start = DateTime::from_timestamp(1_772_427_600, 0).unwrap_or_default().naive_utc();
    start.checked_add_signed(TimeDelta::seconds(i64::from(row).saturating_mul(7))).unwrap_or(start)
}
