use agent::terminal::{BrokenRow, Row};
use chrono::NaiveDateTime;
use punch_normalize::TenantKey;
use punch_protocol::SerialNumber;
use serde_json::{Value, json};

/// A record as one line of output.
pub(super) fn of(row: &Row, serial: &SerialNumber, key: &TenantKey) -> Value {
    match row {
        Row::Punch { punch, work_code } => json!({
            "pin": punch.pin.to_text(),
            "time": written(punch.time),
            "state": punch.status.map(|status| status.0),
            "verify": punch.verify.map(|verify| verify.0),
            "work_code": work_code,
            "serial": serial.as_str(),
            "event_id": key.event_id(punch).as_str(),
        }),
        Row::Broken(broken) => json!({
            "pin": broken.pin.as_ref().map(|pin| pin.to_text()),
            "slot": broken.slot,
            "time": broken.time.map(written),
            "time_raw": broken.time_raw.0,
            "state": broken.state,
            "verify": broken.verify,
            "serial": serial.as_str(),
            "error": error(broken),
        }),
    }
}

fn error(broken: &BrokenRow) -> Value {
    let (code, message) = if broken.time.is_none() {
        ("no_such_time", "the calendar has no such day; correct the terminal's clock")
    } else {
        ("unknown_slot", "nobody has this slot any more; the person was deleted from the terminal")
    };
    json!({ "code": code, "message": message })
}

fn written(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}
