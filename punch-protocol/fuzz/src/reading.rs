//! Reads everything a row offers, and checks where it came from.

use core::hint::black_box;

use punch_protocol::push::{KeyedRow, Row, RowError, Rows};
use punch_protocol::{Pin, civil};

/// Every line that is not empty is one row or one error, in order; an error's place is where its bytes are.
pub(super) fn check_rows<'a>(rows: Rows<'_, 'a>, body: &'a [u8]) {
    let mut lines = lines(body);
    for row in rows {
        let line = lines.next().expect("a row for each line, no more");
        match row {
            Ok(row) => check_row(&row, line),
            Err(error) => check_error(&error, line, body),
        }
    }
    assert!(lines.next().is_none(), "a line without a row");
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty())
}

fn check_error(error: &RowError<'_>, line: &[u8], body: &[u8]) {
    assert_eq!(body[error.span.clone()].as_ptr_range(), line.as_ptr_range());
    assert_eq!(error.raw.as_ptr_range(), line.as_ptr_range());
    let column = usize::try_from(error.column).expect("a column");
    assert!((1..=line.len() + 1).contains(&column));
    assert!(error.to_string().starts_with(error.kind.code()));
}

/// Reads everything a row offers, and checks that it was cut from `line`.
fn check_row(row: &Row<'_>, line: &[u8]) {
    let inside = |piece: &[u8]| {
        let (line, piece) = (line.as_ptr_range(), piece.as_ptr_range());
        assert!(line.start <= piece.start && piece.end <= line.end, "a row with the bytes of another");
    };
    let inside_or_empty = |piece: &[u8]| {
        if !piece.is_empty() {
            inside(piece);
        }
    };
    let _read = black_box(format!("{row:?}"));
    match row {
        Row::Punch(row) => {
            inside(row.time_raw());
            let fields: Vec<&[u8]> = (0..row.field_count()).filter_map(|index| row.field(index)).collect();
            assert_eq!(fields.join(&b'\t'), line);
            assert_eq!(row.rest().count(), fields.len().saturating_sub(5));
            let _read = black_box((row.pin().to_text().len(), row.status(), row.verify(), row.work_code(), row.mask()));
            let _read =
                black_box((row.temperature(), row.converted_temperature(), row.time_offset_seconds(), row.extension()));
            let _read = black_box(row.identity_card());
            if let Ok(time) = row.time() {
                assert_eq!(civil::Written(time).to_string().as_bytes(), row.time_raw(), "a time reads as another");
            }
        }
        Row::Event(row) => {
            row.pairs().for_each(|pair| [pair.key, pair.value].into_iter().for_each(inside_or_empty));
            read_event(row);
        }
        Row::Operation(row) => {
            inside(row.time_raw());
            row.objects().for_each(inside);
            let _read = black_box((row.time(), row.operator().to_text().len(), row.code()));
        }
        Row::Tagged(row) => {
            row.pairs().for_each(|pair| drop(black_box(pair.text())));
            assert!(row.pairs().next().is_some());
            let _read = black_box((row.value("PIN"), row.is_biometric(), row.has_blank_separator()));
        }
        Row::Record(row) => row.pairs().for_each(|pair| [pair.key, pair.value].into_iter().for_each(inside_or_empty)),
        Row::Unknown(bytes) => assert_eq!(*bytes, line),
        other => panic!("{other:?}"),
    }
}

pub(super) fn read_event(row: &KeyedRow<'_>) {
    // The values whose places are known are those that a search finds.
    let number = |key: &str| -> Option<u16> {
        let text = core::str::from_utf8(row.value(key)?).ok()?.trim_ascii();
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
    };
    assert_eq!(row.time(), civil::parse(row.value("Time").expect("a time")));
    assert_eq!(row.pin(), Pin::new(row.value("PIN").filter(|pin| *pin != b"0").unwrap_or_default()));
    assert_eq!(row.event().map(|event| event.0), number("Event"));
    let side = row.value("InOutStatus").filter(|side| matches!(side, [b'0' | b'1']));
    assert_eq!(row.status().map(|status| status.0), side.and_then(|_| number("InOutStatus")));
    let verify = row.value("VerifyType").filter(|bits| bits.len() < 16).and_then(|_| number("VerifyType"));
    assert_eq!(row.verify().map(|verify| verify.0), verify);
    let _read = black_box((row.is_punch(), row.trigger_event(), row.is_comma_separated()));
    assert!(row.doors().iter().all(|door| door.alarms().count() <= 8));
    if let Some(bits) = row.verify_bits() {
        assert!(row.verify().is_none() && bits.methods().count() <= 11, "a bit string was read as a number");
    }
}
