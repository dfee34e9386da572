//! O01 to O26 and B01 to B03: operations, users, templates.

use punch_protocol::civil::Written;
use punch_protocol::push::{Doubt, OperationRow, Row, TaggedRow};
use serde_json::{Map, Value, json};

use super::punches::assert_points_into;
use super::{Sample, assert_fields, lossy};

#[test]
fn every_item_reads_as_the_samples_say() {
    for sample in Sample::of('O', true).into_iter().chain(Sample::of('B', true)) {
        let (id, upload) = (&sample.id, sample.upload());
        let (mut items, mut skipped) = (Vec::new(), Vec::new());
        for row in upload.rows() {
            match row {
                Ok(row) => items.push(row),
                Err(error) => {
                    assert_points_into(&error, upload.body());
                    skipped.push(json!({"line": error.line, "reason": error.kind.reason()}));
                }
            }
        }
        let expected = sample.expected["items"].as_array().unwrap();
        assert_eq!(items.len(), expected.len(), "{id}");
        for (item, expected) in items.iter().zip(expected) {
            assert_fields(id, expected, |key| item_field(item, key, expected));
        }
        let none = Vec::new();
        let expected = sample.expected["skipped"].as_array().unwrap_or(&none);
        assert_eq!(&skipped, expected, "{id}");
        sample.assert_answer("ack");
    }
}

fn item_field(row: &Row<'_>, key: &str, expected: &Value) -> Value {
    match row {
        Row::Operation(row) => operation_field(row, key),
        Row::Tagged(row) => tagged_field(row, key, expected),
        other => panic!("{other:?}"),
    }
}

fn operation_field(row: &OperationRow<'_>, key: &str) -> Value {
    match key {
        "type" => "OPLOG".into(),
        "code" => row.code().0.into(),
        "operator" => row.operator().to_text().into(),
        "time" => row.time().ok().map(|time| Written(time).to_string()).into(),
        "time_raw" => lossy(row.time_raw()).into(),
        "objects" => row.objects().map(lossy).collect(),
        unknown => panic!("nothing reads {unknown}"),
    }
}

fn tagged_field(row: &TaggedRow<'_>, key: &str, expected: &Value) -> Value {
    let fields =
        || row.pairs().map(|pair| (lossy(pair.key), pair.text().into_owned().into())).collect::<Map<String, Value>>();
    match key {
        "type" => row.tag().into(),
        "fields" => with_lengths(fields(), &expected["fields"]).into(),
        "warnings" => row.doubts().map(Doubt::reason).collect::<Vec<_>>().into(),
        unknown => panic!("nothing reads {unknown}"),
    }
}

/// O26, B01: where a row says nothing odd, no doubt is raised, cut templates and missing sizes included.
#[test]
fn rows_without_warnings_raise_no_doubt() {
    let mut doubted = Vec::new();
    for sample in Sample::of('O', true).into_iter().chain(Sample::of('B', true)) {
        for row in sample.upload().rows().flatten() {
            if matches!(row, Row::Tagged(row) if row.doubts().next().is_some()) {
                doubted.push(sample.id.clone());
            }
        }
    }
    assert_eq!(doubted, ["O11", "O12", "O13"]);
}

/// O26 gives the length of its template in place of the text.
fn with_lengths(mut fields: Map<String, Value>, expected: &Value) -> Map<String, Value> {
    if expected["TMP_len"].is_number() {
        let template = fields.remove("TMP").unwrap();
        fields.insert("TMP_len".to_owned(), template.as_str().unwrap().len().into());
    }
    fields
}

/// What must never be stored is recognised: fingers, faces, photos, templates.
#[test]
fn biometric_rows_are_told_apart() {
    for sample in Sample::of('O', true).into_iter().chain(Sample::of('B', true)) {
        for row in sample.upload().rows().flatten() {
            let Row::Tagged(row) = row else { continue };
            let expected = !matches!(row.tag(), "USER" | "IDCARD" | "ERRORLOG");
            assert_eq!(row.is_biometric(), expected, "{} {}", sample.id, row.tag());
        }
    }
}

/// O12: behind a template that a blank set apart, the row goes on.
#[test]
fn nothing_behind_a_blank_separated_template_is_lost() {
    let body = b"FP PIN=1\tFID=7\tValid=1 TMP=QUJD\tDuress=1\tNote=a TMP=b\n";
    let mut rows = punch_protocol::push::Rows::of("OPERLOG", body);
    let Some(Ok(Row::Tagged(row))) = rows.next() else { panic!() };
    let pairs: Vec<_> = row.pairs().map(|pair| (lossy(pair.key), lossy(pair.value))).collect();
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(
        pairs,
        [("PIN", "1"), ("FID", "7"), ("Valid", "1"), ("TMP", "QUJD"), ("Duress", "1"), ("Note", "a TMP=b")]
    );
}

/// Tags and keys are compared without regard to case, as the lower-case twins of access terminals suggest.
#[test]
fn a_tag_in_small_letters_is_the_tag() {
    for table in ["BIODATA", "OPERLOG", "ATTLOG"] {
        let mut rows = punch_protocol::push::Rows::of(table, b"biodata pin=7\ttmp=QUJD\n");
        let Some(Ok(Row::Tagged(row))) = rows.next() else { panic!("{table}") };
        assert_eq!((row.tag(), row.value("PIN"), row.is_biometric()), ("BIODATA", Some(&b"7"[..]), true));
    }
}
