use base64::Engine as _;
use serde_json::{Map, Value, json};

use punch_protocol::civil::{self, CivilError, Written};
use punch_protocol::push::{
    AttlogRow, Doubt, EncodedTime, GuessedEvent, GuessedPunch, GuessedTime, KeyedRow, OperationRow, Pair, RecordRow,
    Row, Rows, TaggedRow,
};

use super::access_answer::identifier;

/// Every row of a body, errors in place.
pub(super) fn file_rows(table: &str, body: &[u8]) -> Vec<Value> {
    Rows::of(table, body)
        .map(|row| match row {
            Ok(row) => row_to_json(&row),
            Err(error) => json!({
                "error": {
                    "code": error.kind.code(),
                    "line": error.line,
                    "column": error.column,
                    "span": [error.span.start, error.span.end],
                    "message": error.to_string(),
                },
                "raw": text(error.raw),
            }),
        })
        .collect()
}

pub(super) fn row_to_json(row: &Row<'_>) -> Value {
    match row {
        Row::Punch(punch) => punch_to_json(punch),
        Row::Event(event) => event_to_json(event),
        Row::Operation(operation) => operation_to_json(operation),
        Row::Tagged(tagged) => tagged_to_json(tagged),
        Row::Record(record) => record_to_json(record),
        Row::Unknown(line) => json!({ "raw": text(line) }),
        _ => Value::Null,
    }
}

pub(super) fn punch_to_json(row: &AttlogRow<'_>) -> Value {
    let mut record = json!({
        "pin": row.pin().to_text(),
        "time": row.time().ok().map(|time| Written(time).to_string()),
        "status": row.status().map(|status| status.0),
        "verify": row.verify().map(|verify| verify.0),
        "workcode": row.work_code().map(text),
        "rest": row.rest().map(text).collect::<Vec<_>>(),
        "mask": row.mask().map(u8::from),
        "temperature": row.temperature(),
        "conv_temperature": row.converted_temperature(),
        "time_offset_s": row.time_offset_seconds(),
    });
    let Some(object) = record.as_object_mut() else { return record };
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    for (key, index) in [("reserved1", 5), ("reserved2", 6)] {
        if let Some(field) = row.field(index) {
            put(key, text(field).into());
        }
    }
    // Text where a number belongs is no number, and never 0.
    for (key, index, read) in [("status_raw", 2, row.status().is_some()), ("verify_raw", 3, row.verify().is_some())] {
        if let Some(field) = row.field(index).filter(|field| !read && !field.is_empty()) {
            put(key, text(field).into());
        }
    }
    if let Err(error) = row.time() {
        put("time_raw", text(row.time_raw()).into());
        put("time_error", time_error(error).into());
    }
    if row.time().is_ok_and(civil::is_unset_clock) {
        put("suspicious_clock", true.into());
    }
    if row.pin().is_empty() {
        put("anonymous", true.into());
    }
    if let Some(extension) = row.extension() {
        // Some firmware cuts the padding off.
        let letters = text(extension);
        let json = base64::engine::general_purpose::STANDARD_NO_PAD.decode(letters.trim_end_matches('=')).ok();
        let value = json.and_then(|json| serde_json::from_slice(&json).ok());
        put("extend", value.unwrap_or_else(|| text(extension).into()));
    }
    if let Some(card) = row.identity_card() {
        put("id_num", text(card.number).into());
        put("type", card.kind.into());
        let verdict = row.status().and_then(|status| ["ok", "failed", "blacklist"].get(usize::from(status.0)).copied());
        put("verdict", verdict.filter(|_| card.kind == 1).into());
    }
    record
}

pub(super) fn event_to_json(row: &KeyedRow<'_>) -> Value {
    let mut object = Map::new();
    for pair in row.pairs() {
        insert_pair(&mut object, &pair, &["event", "inoutstatus", "maskflag"]);
    }
    object.entry("event").or_insert(Value::Null);
    if let Some(bits) = row.verify_bits() {
        object.insert("verify_methods".to_owned(), bits.methods().map(identifier).collect::<Vec<_>>().into());
        object.insert("verify_all".to_owned(), bits.all_of().into());
        object.insert("verify_logic".to_owned(), if bits.all_of() { "and" } else { "or" }.into());
    }
    if let Some(trigger) = row.trigger_event() {
        object.insert("trigger_event".to_owned(), trigger.0.into());
    }
    if let Err(error) = row.time() {
        object.insert("time".to_owned(), Value::Null);
        object.insert("time_raw".to_owned(), row.value("time").map(text).into());
        object.insert("time_error".to_owned(), time_error(error).into());
    }
    Value::Object(object)
}

/// A pair under its key in lower case, which is how most firmware spells it, and under its own spelling if that is
/// another. Values of `numbers` are numbers where they read as such.
fn insert_pair(object: &mut Map<String, Value>, pair: &Pair<'_>, numbers: &[&str]) {
    let spelled = text(pair.key);
    let key = spelled.to_ascii_lowercase();
    let value = pair.text();
    let number = value.parse::<u32>().ok().filter(|_| numbers.contains(&key.as_str()));
    let value = number.map_or_else(|| value.as_ref().into(), Value::from);
    if spelled != key {
        object.insert(spelled, value.clone());
    }
    object.insert(key, value);
}

pub(super) fn operation_to_json(row: &OperationRow<'_>) -> Value {
    let mut record = json!({
        "type": "OPLOG",
        "code": row.code().0,
        "operator": row.operator().to_text(),
        "time": row.time().ok().map(|time| Written(time).to_string()),
        "objects": row.objects().map(text).collect::<Vec<_>>(),
    });
    if let (Some(object), Err(_)) = (record.as_object_mut(), row.time()) {
        object.insert("time_raw".to_owned(), text(row.time_raw()).into());
    }
    record
}

pub(super) fn tagged_to_json(row: &TaggedRow<'_>) -> Value {
    let mut fields: Map<String, Value> =
        row.pairs().map(|pair| (text(pair.key), pair.text().into_owned().into())).collect();
    for key in ["TMP", "Tmp", "Content"] {
        if let Some(template) = fields.get(key).and_then(Value::as_str) {
            let len = template.len();
            fields.insert(format!("{key}_len"), len.into());
        }
    }
    let mut object = json!({ "type": row.tag(), "fields": fields });
    let doubts: Vec<&str> = row.doubts().map(Doubt::reason).collect();
    if !doubts.is_empty() {
        super::put(&mut object, "warnings", doubts.into());
    }
    object
}

/// What a row in error may have meant. It is never among the records.
pub(super) fn guessed_punch_to_json(guess: &GuessedPunch<'_>) -> Value {
    let mut object = json!({
        "pin": guess.pin.to_text(),
        "status": guess.status.map(|status| status.0),
        "verify": guess.verify.map(|verify| verify.0),
        "workcode": guess.work_code.map(text),
    });
    match guess.time {
        GuessedTime::Civil(time) => super::put(&mut object, "time", Written(time).to_string().into()),
        GuessedTime::Epoch(seconds) => super::put(&mut object, "time_epoch", seconds.into()),
        _ => {}
    }
    object
}

pub(super) fn guessed_event_to_json(guess: &GuessedEvent<'_>) -> Value {
    json!({
        "time": Written(guess.time).to_string(),
        "pin": text(guess.pin),
        "cardno": text(guess.card),
        "eventaddr": text(guess.door),
        "event": guess.event,
        "inoutstatus": guess.side,
    })
}

pub(super) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A stored record of an access terminal. Numbers that the protocol defines are numbers.
pub(super) fn record_to_json(row: &RecordRow<'_>) -> Value {
    let mut object = Map::new();
    for pair in row.pairs() {
        insert_pair(&mut object, &pair, &["eventtype", "inoutstate"]);
    }
    let packed = object.get("time_second").and_then(Value::as_str).and_then(|text| text.parse().ok());
    if let Some(packed) = packed {
        let time = EncodedTime(packed).civil().map(|time| Written(time).to_string());
        object.insert("time".to_owned(), time.into());
    }
    Value::Object(object)
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn time_error(error: CivilError) -> &'static str {
    match error {
        CivilError::NoSuchDate => "no_such_date",
        CivilError::OutOfRange => "out_of_range",
        _ => "bad_time",
    }
}
