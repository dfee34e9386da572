use core::hint::black_box;

use chrono::NaiveDateTime;
use punch_protocol::push::{Limits, Parts, Request, Row, RowStream, Rows, Streamed};

/// Finds every TAB and every line end and does nothing else: what any reader of fields must do.
pub fn count_separators(body: &[u8]) -> u64 {
    black_box(memchr::memchr2_iter(b'\t', b'\n', body)).count().try_into().unwrap_or(u64::MAX)
}

/// Reads PIN, time, state and method of each row, and says how many had them all.
pub fn read_punches(body: &[u8]) -> u64 {
    Rows::of("ATTLOG", body).filter(|row| row.as_ref().is_ok_and(read_punch)).count().try_into().unwrap_or(u64::MAX)
}

/// The same, from pieces of `len` bytes.
pub fn read_punches_streamed(body: &[u8], len: usize) -> u64 {
    let limits = Limits { stream: usize::MAX, ..Limits::default() };
    let parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=ATTLOG", b"");
    let Ok(Some((_, head))) = Request::streamed(parts, &limits) else { return 0 };
    let mut count = 0_u64;
    let mut sink = |seen: Streamed<'_>| {
        let Streamed::Row { row, .. } = seen else { return };
        count = count.wrapping_add(u64::from(read_punch(&row)));
    };
    let mut stream = RowStream::new(&head);
    let whole = body.chunks(len.max(1)).all(|piece| stream.feed(piece, &mut sink).is_ok());
    let finished = stream.finish(&mut sink).is_ok();
    if whole && finished { count } else { 0 }
}

#[inline]
fn read_punch(row: &Row<'_>) -> bool {
    let Row::Punch(row) = row else { return false };
    let (time, status, verify) = black_box((row.time(), row.status(), row.verify()));
    time.is_ok() && status.is_some() && verify.is_some() && !black_box(row.pin()).is_empty()
}

/// Reads time, PIN, event, side and method of each access event, and says how many had them all.
pub fn read_events(body: &[u8]) -> u64 {
    let read = |row: &Row<'_>| {
        let Row::Event(row) = row else { return false };
        let (time, event, status, verify) = black_box((row.time(), row.event(), row.status(), row.verify()));
        time.is_ok() && event.is_some() && status.is_some() && verify.is_some() && !black_box(row.pin()).is_empty()
    };
    Rows::of("rtlog", body).filter(|row| row.as_ref().is_ok_and(read)).count().try_into().unwrap_or(u64::MAX)
}

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

/// [`read_punches`], as the naive parser does it.
pub fn read_punches_naively(body: &str) -> u64 {
    let read = |row: &Option<NaiveRow>| matches!(black_box(row), Some((_, _, Some(_), Some(_))));
    naive_rows(body).filter(read).count().try_into().unwrap_or(u64::MAX)
}

/// [`read_events`], as a server does it without thinking: a list of pairs a row, searched for each key.
pub fn read_events_naively(body: &str) -> u64 {
    let read = |line: &&str| {
        let pairs: Vec<(&str, &str)> = line.split('\t').filter_map(|pair| pair.split_once('=')).collect();
        let value = |wanted: &str| pairs.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
        let number = |key: &str| value(key).and_then(|value| value.parse::<u16>().ok());
        let time = value("time").and_then(|time| NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").ok());
        let (time, pin) = black_box((time, value("pin").map(str::to_owned)));
        let numbers = black_box([number("event"), number("inoutstatus"), number("verifytype")]);
        time.is_some() && pin.is_some() && numbers.iter().all(Option::is_some)
    };
    body.lines().filter(read).count().try_into().unwrap_or(u64::MAX)
}
