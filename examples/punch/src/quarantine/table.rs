use serde_json::Value;

use crate::api::text;

/// A line a row.
pub(super) fn print(rows: &[Value]) {
    crate::say(format_args!("{:<30} {:<18} {:<20} {:<19} row", "id", "reason", "terminal", "its clock"));
    for row in rows {
        let (id, reason, serial) = (text(row, "id"), text(row, "reason"), text(row, "device_serial"));
        let (local, raw) = (text(row, "device_local"), text(row, "raw").replace('\t', " "));
        crate::say(format_args!("{id:<30} {reason:<18} {serial:<20} {local:<19} {raw}"));
    }
    crate::say(format_args!("{} rows; `punch quarantine show ID` says what to do", rows.len()));
}

/// One row, with what to do.
pub(super) fn describe(row: &Value) {
    let (id, fate, reason) = (text(row, "id"), text(row, "fate"), text(row, "reason"));
    crate::say(format_args!(
        "{id} from terminal {}, received {}",
        text(row, "device_serial"),
        text(row, "received_at")
    ));
    crate::say(format_args!("{fate}: {reason}; {}", text(row, "advice")));
    if let Some(problem) = row.get("problem").and_then(Value::as_str) {
        crate::say(format_args!("why: {problem}"));
    }
    crate::say(format_args!("row: {}", text(row, "raw").replace('\t', " ")));
    if let Some(why) = row.get("put_away").and_then(Value::as_str) {
        crate::say(format_args!("put away: {why}"));
        return crate::say(format_args!("next: punch quarantine retry {id}, if it is wanted after all"));
    }
    let next = match reason {
        "unregistered_badge" => "register the badge with POST /v1/employees, and it is released by itself".to_owned(),
        "anonymous" => format!("punch quarantine fix {id} --pin PIN"),
        "clock_reset" => {
            format!("punch quarantine reanchor {} --shift-seconds SECONDS", text(row, "device_serial"))
        }
        "malformed" => format!("punch quarantine fix {id} --text 'PIN\\tYYYY-MM-DD hh:mm:ss\\tSTATE\\tVERIFY'"),
        _ => format!("punch quarantine fix {id} --shift-seconds SECONDS, or put the zone right in punch.toml"),
    };
    crate::say(format_args!("next: {next}; or punch quarantine discard {id} --reason WHY"));
}
