//! A01 to A42: what an attendance upload holds. S1-056: one fixture per family of terminals is among them.

use punch_protocol::civil::{CivilError, Written, is_unset_clock};
use punch_protocol::push::{AttlogRow, Endpoint, KeyedRow, Row, RowError, Rows};
use punch_protocol::{Status, Verify};
use serde_json::{Value, json};

use super::{Sample, assert_fields, lenient, lossy};

/// Keys that tell a reader of the file something, or name what no function of the crate reads.
const INFORMATIVE: [&str; 6] = ["ack_note", "requires_device_type", "count", "pack_cnt", "pack_idx", "verdict"];

#[test]
fn every_row_reads_as_the_samples_say() {
    for sample in Sample::of('A', true) {
        let (id, upload) = (&sample.id, sample.upload());
        let (mut records, mut skipped, mut guesses) = (Vec::new(), Vec::new(), Vec::new());
        for row in upload.rows() {
            match row {
                Ok(row) => records.push(row),
                Err(error) => {
                    assert_points_into(&error, upload.body());
                    if let Some(wanted) = sample.expected["lenient_records"].get(guesses.len()) {
                        guesses.push(lenient::punch(&error, wanted));
                    }
                    skipped.push(json!({"line": error.line, "reason": error.kind.reason()}));
                }
            }
        }
        let expected = sample.expected["records"].as_array().unwrap();
        assert_eq!(records.len(), expected.len(), "{id}");
        for (record, expected) in records.iter().zip(expected) {
            let mut expected = expected.clone();
            expected.as_object_mut().unwrap().retain(|key, _| !INFORMATIVE.contains(&key.as_str()));
            assert_fields(id, &expected, |key| record_field(record, key));
        }
        assert_fields(id, &sample.expected, |key| match key {
            "kind" => kind(&records, &sample.expected),
            "records" => sample.expected["records"].clone(),
            "skipped" => Value::from(skipped.clone()),
            "lenient_records" => Value::from(guesses.clone()),
            "ack" => upload.ack().to_string().into(),
            "stamp" => upload.stamp().into(),
            "cmd_id" => upload.command().into(),
            "endpoint" => Endpoint::of(&sample.path).unwrap().as_str().into(),
            informative if INFORMATIVE.contains(&informative) => sample.expected[informative].clone(),
            unknown => panic!("{id}: nothing reads {unknown}"),
        });
        sample.assert_answer("ack");
    }
}

/// `attlog`, unless the rows say otherwise; a sample without records keeps the kind it has.
fn kind(records: &[Row<'_>], expected: &Value) -> Value {
    match records.first() {
        Some(Row::Event(_)) => "rtlog".into(),
        Some(Row::Punch(row)) if row.identity_card().is_some() => "attlog_idcard".into(),
        Some(Row::Punch(_)) => "attlog".into(),
        None => expected["kind"].clone(),
        Some(other) => panic!("{other:?}"),
    }
}

fn record_field(row: &Row<'_>, key: &str) -> Value {
    match row {
        Row::Punch(row) => punch_field(row, key),
        Row::Event(row) => event_field(row, key),
        other => panic!("{other:?}"),
    }
}

fn punch_field(row: &AttlogRow<'_>, key: &str) -> Value {
    let card = || row.identity_card().unwrap();
    match key {
        "pin" => row.pin().to_text().into(),
        "time" => row.time().ok().map(|time| Written(time).to_string()).into(),
        "time_raw" => lossy(row.time_raw()).into(),
        "time_error" => match row.time().unwrap_err() {
            CivilError::NoSuchDate => "no_such_date".into(),
            CivilError::OutOfRange => "out_of_range".into(),
            other => panic!("{other}"),
        },
        "suspicious_clock" => is_unset_clock(row.time().unwrap()).into(),
        "status" => row.status().map(|status| status.0).into(),
        "verify" => row.verify().map(|verify| verify.0).into(),
        "workcode" => row.work_code().map(lossy).into(),
        "rest" => row.rest().map(lossy).collect(),
        "reserved1" => row.field(5).map(lossy).into(),
        "reserved2" => row.field(6).map(lossy).into(),
        "mask" => row.mask().map(u8::from).into(),
        "temperature" => row.temperature().into(),
        "conv_temperature" => row.converted_temperature().into(),
        "time_offset_s" => row.time_offset_seconds().into(),
        "anonymous" => row.pin().is_empty().into(),
        "extend" => decode(row.extension().unwrap()),
        "id_num" => lossy(card().number).into(),
        "type" => card().kind.into(),
        unknown => panic!("nothing reads {unknown}"),
    }
}

fn decode(extension: &[u8]) -> Value {
    use base64::Engine as _;
    let json = base64::engine::general_purpose::STANDARD.decode(extension).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn event_field(row: &KeyedRow<'_>, key: &str) -> Value {
    match key {
        "time" => row.time().ok().map(|time| Written(time).to_string()).into(),
        "pin" => row.pin().to_text().into(),
        "event" => row.event().map(|event| event.0).into(),
        "inoutstatus" => row.status().map(|status| status.0).into(),
        "verifytype" => row.verify().map(|verify| verify.0.to_string()).into(),
        other => row.value(other).map(lossy).into(),
    }
}

pub(super) fn assert_points_into(error: &RowError<'_>, body: &[u8]) {
    assert_eq!(&body[error.span.clone()], error.raw, "{error}");
    let line_ends = body[..error.span.start].iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(usize::try_from(error.line).unwrap(), line_ends + 1, "{error}");
    let column = usize::try_from(error.column).unwrap();
    assert!((1..=error.raw.len() + 1).contains(&column), "{error}");
}

/// A14: the column is where the eye should go, not only somewhere in the row.
#[test]
fn a_bad_time_is_pointed_at() {
    let sample = Sample::of('A', true).into_iter().find(|sample| sample.id == "A14").unwrap();
    let upload = sample.upload();
    let errors: Vec<_> = upload.rows().filter_map(Result::err).collect();
    let [junk, bad_time] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((junk.line, junk.column, junk.raw), (2, 1, &b"junk"[..]));
    assert_eq!((bad_time.line, bad_time.column), (3, 5));
    assert!(bad_time.raw[4..].starts_with(b"bad-ts"));
}

/// S2-072, S0-012: what the numbers of A06 and A10 mean, and an unknown one survives (A22).
#[test]
fn numbers_have_the_published_meaning() {
    let first = |id: &str| {
        let sample = Sample::all().into_iter().find(|sample| sample.id == id).unwrap();
        let upload = sample.upload();
        let Some(Ok(Row::Punch(row))) = upload.rows().next() else { panic!("{id}") };
        (row.status(), row.verify())
    };
    assert_eq!(first("A06"), (Some(Status::CHECK_IN), Some(Verify::FINGERPRINT)));
    assert_eq!(first("A10"), (Some(Status::CHECK_OUT), Some(Verify::FACE)));
    assert_eq!(first("A01"), (Some(Status::NONE), Some(Verify::FINGERPRINT)));
    assert_eq!(first("A22"), (Some(Status(99)), Some(Verify::FINGERPRINT)));
    assert_eq!(Verify(4), Verify::CARD);
}

/// A08, A09: key=value rows of a passing person are punches.
#[test]
fn passing_a_door_is_a_punch() {
    for id in ["A08", "A09"] {
        let sample = Sample::all().into_iter().find(|sample| sample.id == id).unwrap();
        let upload = sample.upload();
        assert!(upload.rows().all(|row| matches!(row, Ok(Row::Event(row)) if row.is_punch())), "{id}");
    }
}

/// A04, A05: field 8 is a mask only as 0 or 1 in a row of ten fields; a counter of older firmware is none.
#[test]
fn a_mask_is_read_only_where_firmware_writes_one() {
    let row = |tail: &str| {
        let body = format!("1\t2026-03-28 08:47:12\t0\t1\t0\t0\t0\t{tail}");
        let mut rows = Rows::of("ATTLOG", body.as_bytes());
        let Some(Ok(Row::Punch(row))) = rows.next() else { panic!("{tail}") };
        (row.mask(), row.temperature().map(str::to_owned), row.time_offset_seconds())
    };
    let warm = || Some("36.5".to_owned());
    assert_eq!(row("1"), (None, None, None));
    assert_eq!(row("1\t36.5"), (None, warm(), None));
    assert_eq!(row("1\t36.5\t97.7"), (Some(true), warm(), None));
    assert_eq!(row("2\t36.5\t97.7"), (None, warm(), None));
    assert_eq!(row("0\t-\t\t6"), (Some(false), None, None));
    assert_eq!(row("0\t.5\t5.\t-12600"), (Some(false), None, Some(-12_600)));
}

/// PIN 0 is nobody, and a refusal at the door (event 27) is no punch; without an event number it is one.
#[test]
fn a_door_event_is_a_punch_only_if_somebody_passed() {
    let is_punch = |pairs: &str| {
        let body = format!("time=2026-03-28 08:47:12\t{pairs}");
        let mut rows = Rows::of("rtlog", body.as_bytes());
        let Some(Ok(Row::Event(row))) = rows.next() else { panic!("{pairs}") };
        row.is_punch()
    };
    assert!(
        ["pin=7", "pin=7\tevent=0", "pin=7\tevent=3", "event=19\tPIN=7", "pin=7\tevent=232"].into_iter().all(is_punch)
    );
    assert!(
        !["pin=0\tevent=0", "event=0", "pin=7\tevent=27", "pin=7\tevent=4", "pin=\tevent=0"].into_iter().any(is_punch)
    );
}
