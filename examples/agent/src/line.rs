use chrono::NaiveDateTime;
use punch_protocol::RawPunch;
use serde_json::{Map, Value, json};

use crate::row::{BrokenRow, Row};

/// A record as `punch pull` prints it and a gateway takes it. The event id is missing: it takes the tenant's key.
///
/// What cannot be a punch has `error`, and lacks the member that makes it so.
pub fn line(row: &Row) -> Map<String, Value> {
    let value = match row {
        Row::Punch(punch) => of_punch(punch),
        Row::Broken(broken) => of_broken(broken),
    };
    if let Value::Object(members) = value { members } else { Map::new() }
}

fn of_punch(punch: &RawPunch) -> Value {
    json!({
        "pin": punch.pin.to_text(),
        "time": written(punch.time),
        "state": punch.status.map(|code| code.0),
        "verify": punch.verify.map(|code| code.0),
        "work_code": punch.work_code.as_deref().map(work_code),
        "serial": punch.serial.as_str(),
    })
}

/// A number where it is one, so that no digit is lost.
fn work_code(text: &str) -> Value {
    let number = text.parse::<u32>().ok().filter(|number| number.to_string() == text);
    number.map_or_else(|| text.into(), Value::from)
}

fn of_broken(broken: &BrokenRow) -> Value {
    let (code, message) = match (broken.time, &broken.pin) {
        (None, _) => ("no_such_time", "the calendar has no such day; correct the terminal's clock"),
        (Some(_), None) => ("unknown_slot", "nobody has this slot any more; the person was deleted from the terminal"),
        (Some(_), Some(_)) => ("unreadable", "the record could not be read"),
    };
    json!({
        "pin": broken.pin.as_ref().map(|pin| pin.to_text()),
        "slot": broken.slot,
        "time": broken.time.map(written),
        "time_raw": broken.time_raw,
        "state": broken.state,
        "verify": broken.verify,
        "serial": broken.serial.as_str(),
        "error": { "code": code, "message": message },
    })
}

fn written(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// One line a row.
pub(crate) fn body(rows: &[Row]) -> Vec<u8> {
    let mut body = Vec::with_capacity(rows.len() * 112);
    for row in rows {
        // Texts and numbers always have a form in JSON, and a vector takes everything.
        drop(serde_json::to_writer(&mut body, &line(row)));
        body.push(b'\n');
    }
    body
}
