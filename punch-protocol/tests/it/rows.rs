//! What holds for every body, tried on random ones: S2-068, one bad row never costs its neighbours.

use core::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use punch_protocol::push::{Row, Rows};

use crate::fuzzed::{self, TABLES};
use crate::seen;

/// Bytes that mean something to a reader, so that random bodies come near to real ones.
const PIECES: [&str; 24] = [
    "\t",
    "\t",
    "\t",
    " ",
    "=",
    ",",
    ";",
    "0",
    "1",
    "255",
    "1042",
    "2026-03-28 08:47:12",
    "2026-02-30 08:00:00",
    "-1",
    "OPLOG ",
    "OPLOG",
    "USER PIN=",
    "FP PIN=1",
    " TMP=",
    "BIODATA Pin=",
    "time=2026-03-28 08:47:12",
    "pin=",
    "\0",
    "ñ",
];

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..6),
    ]
}

/// A line that is not empty and has no line end in it.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let filled = |pieces: Vec<Vec<u8>>| {
        let line: Vec<u8> = pieces.concat().into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
        if line.is_empty() { b"x".to_vec() } else { line }
    };
    vec(piece(), 1..12).prop_map(filled)
}

/// Lines with any ends, blank lines between them, and perhaps no end behind the last.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let end = select(&["\n", "\r\n", "\r", "\n\n", "\r\r\n", "\n\r", ""][..]);
    vec((line(), end), 0..40)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end.as_bytes().to_vec()].concat()).collect())
}

/// A pair of an access event, as firmware writes it or nearly so.
fn event_pair() -> impl Strategy<Value = String> {
    let key = "(?i:time|pin|event|inoutstatus|verifytype)|temperature|eventaddr|index|pi|";
    let value = prop_oneof![Just("=2026-03-28 08:47:12"), Just("=0"), Just("=1"), Just("=27"), Just("="), Just("")];
    (key, value).prop_map(|(key, value)| key + value)
}

fn table() -> impl Strategy<Value = &'static str> {
    prop_oneof![select(&TABLES[..]), select(&["attlog", "USERINFO", "FINGERTMP", "BIODATA", "tabledata", "\n"][..])]
}

/// The ranges of the lines that are not empty, found the slow way.
fn lines(body: &[u8]) -> Vec<Range<usize>> {
    let ends = body.iter().enumerate().filter(|(_, byte)| matches!(byte, b'\n' | b'\r')).map(|(at, _)| at);
    let mut start = 0;
    let mut lines = Vec::new();
    for end in ends.chain([body.len()]) {
        if start < end {
            lines.push(start..end);
        }
        start = end + 1;
    }
    lines
}

proptest! {
    #[test]
    fn no_body_panics(table in table(), body in prop_oneof![body(), vec(any::<u8>(), 0..300)]) {
        prop_assert!(Rows::of(table, &body).count() <= body.len());
        for first in 0..8 {
            fuzzed::rows(&[&[first], body.as_slice()].concat());
        }
    }

    /// Keys in any order and case, twice, without a value: the first of each counts, as `fuzzed` checks.
    #[test]
    fn the_first_of_each_key_counts(pairs in vec(event_pair(), 1..12), separator in select(&["\t", "\t\t", ","][..])) {
        fuzzed::rtlog(pairs.join(separator).as_bytes());
    }

    #[test]
    fn every_line_is_one_row_or_one_error_in_order(table in table(), body in body()) {
        let expected = lines(&body);
        let rows: Vec<_> = Rows::of(table, &body).collect();
        prop_assert_eq!(rows.len(), expected.len());
        let mut last = 0;
        for (row, range) in rows.iter().zip(expected) {
            match row {
                Ok(Row::Punch(row)) => {
                    let fields: Vec<&[u8]> = (0..row.field_count()).filter_map(|index| row.field(index)).collect();
                    prop_assert_eq!(fields.join(&b'\t'), &body[range]);
                }
                Ok(Row::Unknown(line)) => prop_assert_eq!(*line, &body[range]),
                Ok(_) => {}
                Err(error) => {
                    prop_assert_eq!((&error.span, error.raw), (&range, &body[range.clone()]));
                    prop_assert!(last <= error.span.start, "spans overlap");
                    last = error.span.end;
                    let text = String::from_utf8_lossy(&body[..range.start]).replace("\r\n", "\n");
                    let before = text.matches(['\n', '\r']).count();
                    prop_assert_eq!(usize::try_from(error.line).unwrap(), before + 1);
                }
            }
        }
    }

    #[test]
    fn line_ends_do_not_change_the_rows(table in table(), lines in vec(line(), 1..12), last in any::<bool>()) {
        let joined = |end: &[u8]| {
            let mut body = lines.join(end);
            body.extend_from_slice(if last { end } else { b"" });
            seen::all(table, &body)
        };
        let rows = joined(b"\n");
        prop_assert_eq!(rows.len(), lines.len());
        prop_assert_eq!(&joined(b"\r\n"), &rows);
        prop_assert_eq!(&joined(b"\r"), &rows);
    }

    #[test]
    fn a_body_may_be_cut_at_any_line_end(table in table(), body in body()) {
        let whole = seen::all(table, &body);
        for cut in (0..body.len()).filter(|at| matches!(body[*at], b'\n' | b'\r')) {
            let (head, tail) = body.split_at(cut + 1);
            let halves = [seen::all(table, head), seen::all(table, tail)].concat();
            prop_assert_eq!(&halves, &whole, "cut behind byte {}", cut);
        }
    }

    /// A14: a bad line in front changes nothing about the lines behind it.
    #[test]
    fn a_bad_row_costs_no_neighbour(table in table(), lines in vec(line(), 1..8), bad in line(), at in any::<prop::sample::Index>()) {
        let at = at.index(lines.len() + 1);
        let mut mixed = lines.clone();
        mixed.insert(at, bad);
        let mut rows = seen::all(table, &mixed.join(&b'\n'));
        rows.remove(at);
        prop_assert_eq!(rows, seen::all(table, &lines.join(&b'\n')));
    }
}
