//! Civil times, exhaustively: what is written is read, what the calendar lacks is refused by name.

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use punch_protocol::civil::{self, CivilError, Written};

/// Every year, month and day that four, two and two digits can say between 2000 and 2099.
#[test]
fn every_date_is_read_or_refused_by_name() {
    let mut days = 0;
    let mut text = *b"0000-00-00 23:59:59";
    for (year, month, day) in (2000..=2099).flat_map(|y| (0..=99).flat_map(move |m| (0..=99).map(move |d| (y, m, d)))) {
        text[..10].copy_from_slice(format!("{year:04}-{month:02}-{day:02}").as_bytes());
        let date = NaiveDate::from_ymd_opt(year, month, day);
        let expected = match date.and_then(|date| date.and_hms_opt(23, 59, 59)) {
            Some(time) => Ok(time),
            None if (1..=12).contains(&month) && (1..=31).contains(&day) => Err(CivilError::NoSuchDate),
            None => Err(CivilError::OutOfRange),
        };
        assert_eq!(civil::parse(&text), expected, "{year}-{month}-{day}");
        if let Ok(time) = expected {
            days += 1;
            assert_eq!(Written(time).to_string().as_bytes(), text);
        }
    }
    assert_eq!(days, 36_525);
}

#[test]
fn every_time_of_day_is_read_or_refused() {
    let mut text = *b"2026-03-28 00:00:00";
    let mut seconds = 0;
    for (hour, minute, second) in (0..=99).flat_map(|h| (0..=99).flat_map(move |m| (0..=99).map(move |s| (h, m, s)))) {
        text[11..].copy_from_slice(format!("{hour:02}:{minute:02}:{second:02}").as_bytes());
        let time = NaiveDate::from_ymd_opt(2026, 3, 28).unwrap().and_hms_opt(hour, minute, second);
        seconds += u32::from(time.is_some());
        assert_eq!(civil::parse(&text), time.ok_or(CivilError::OutOfRange));
    }
    assert_eq!(seconds, 86_400);
}

/// One byte that is not of the form, wherever it stands and whatever it is.
#[test]
fn every_wrong_byte_is_refused() {
    let time = *b"2026-03-28 08:47:12";
    for (at, byte) in (0..time.len()).flat_map(|at| (0..=255_u8).map(move |byte| (at, byte))) {
        let mut text = time;
        text[at] = byte;
        let fits = if time[at].is_ascii_digit() { byte.is_ascii_digit() } else { byte == time[at] };
        assert_eq!(civil::parse(&text) != Err(CivilError::Format), fits, "{}", text.escape_ascii());
    }
}

proptest! {
    #[test]
    fn every_second_of_the_century_reads_back(second in 0_i64..3_155_760_000) {
        let start = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let time = start + TimeDelta::seconds(second);
        prop_assert_eq!(civil::parse(Written(time).to_string().as_bytes()), Ok(time));
    }

    /// Nothing but the written form is a time: whatever reads, reads back byte for byte.
    #[test]
    fn what_reads_is_the_written_form(text in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..24),
        "[0-9]{4}[-/ ][0-9+]{2}[-/][0-9]{2}[ T][0-9]{2}:[0-9 ]{2}:[0-9]{1,3}".prop_map(String::into_bytes),
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-6][0-9]:[0-6][0-9]".prop_map(String::into_bytes),
        "[0-9]{1,20}".prop_map(String::into_bytes),
    ]) {
        match civil::parse(&text) {
            Ok(time) => prop_assert_eq!(Written(time).to_string().into_bytes(), text),
            Err(CivilError::Number) => prop_assert!(!text.is_empty() && text.iter().all(u8::is_ascii_digit)),
            Err(CivilError::Format) => prop_assert!(text.len() != 19 || text[4] != b'-' || text[7] != b'-'
                || text[10] != b' ' || text[13] != b':' || text[16] != b':'
                || text.iter().filter(|byte| byte.is_ascii_digit()).count() != 14),
            Err(_) => prop_assert_eq!(text.len(), 19),
        }
    }
}

/// S2-069: the times of a dead battery are times, and are told apart.
#[test]
fn an_unset_clock_is_recognised() {
    let unset = |text: &str| civil::is_unset_clock(civil::parse(text.as_bytes()).unwrap());
    assert!(["1970-01-01 00:00:00", "2000-01-01 00:00:00", "2009-12-31 23:59:59"].into_iter().all(unset));
    assert!(!unset("2010-01-01 00:00:00"));
}
