use serde_json::{Map, Value, json};

use punch_protocol::push::{CommandLine, CommandResult, CommandResults, EncodedTime, PollAnswer};

use super::{put, rows};

/// The answer to a poll, as the terminal reads it.
pub(super) fn poll_answer_to_json(body: &[u8]) -> Value {
    match PollAnswer::read(&String::from_utf8_lossy(body)) {
        PollAnswer::Idle => json!({ "kind": "commands", "commands": [], "idle": true }),
        PollAnswer::Offline => json!({ "kind": "device_goes_offline" }),
        PollAnswer::Commands(commands) => {
            let mut object = json!({ "kind": "commands" });
            put(&mut object, "commands", commands.iter().map(command_to_json).collect());
            let times: Vec<String> = commands.iter().filter_map(decoded_time).collect();
            if let [time] = times.as_slice() {
                put(&mut object, "decoded_time", time.as_str().into());
            }
            let intervals: Map<String, Value> = commands.iter().flat_map(intervals).collect();
            if !intervals.is_empty() {
                put(&mut object, "decoded", intervals.into());
            }
            object
        }
        _ => json!({ "kind": "bad_command_line" }),
    }
}

fn command_to_json(command: &CommandLine<'_>) -> Value {
    let mut object = json!({ "id": command.id, "verb": command.verb });
    if let Some(table) = command.table {
        put(&mut object, "table", table.into());
    }
    let pairs = |pairs: Vec<(&str, &str)>| -> Map<String, Value> {
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
    };
    let args = pairs(command.pairs().collect());
    if !command.continuation.is_empty() {
        put(
            &mut object,
            "records",
            command.records().map(|record| pairs(record).into()).collect::<Vec<Value>>().into(),
        );
    } else if !args.is_empty() {
        put(&mut object, "args", args.into());
    } else if !command.detail.is_empty() {
        put(&mut object, "text", command.detail.into());
    }
    object
}

fn decoded_time(command: &CommandLine<'_>) -> Option<String> {
    let (_, value) = command.pairs().find(|(key, _)| *key == "DateTime")?;
    let time = EncodedTime(value.parse().ok()?).civil()?;
    Some(time.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// Time intervals of access rules: `start << 16 | end`, both as HHMM in decimal.
fn intervals(command: &CommandLine<'_>) -> Vec<(String, Value)> {
    if command.table != Some("timezone") {
        return Vec::new();
    }
    let values = command.pairs().filter(|(key, _)| key.contains("Time")).map(|(_, value)| value);
    let packed = values.filter_map(|value| Some((value, value.parse::<u32>().ok().filter(|&packed| packed > 0)?)));
    packed
        .map(|(value, packed)| (value.to_owned(), format!("{:04}-{:04}", packed >> 16, packed & 0xffff).into()))
        .collect()
}

/// The results of commands.
pub(super) fn results_to_json(results: &CommandResults<'_>) -> Value {
    let list: Vec<Value> = results.read().iter().map(result_to_json).collect();
    let mut object = json!({ "kind": "devicecmd", "ack": "OK", "results": &list });
    if list.is_empty() {
        let lenient: Vec<Value> = results.read_leniently().iter().map(result_to_json).collect();
        put(&mut object, "lenient_results", lenient.into());
    } else if results.is_newline_form() {
        put(&mut object, "form", "newline".into());
    }
    object
}

fn result_to_json(result: &CommandResult<'_>) -> Value {
    let mut object = json!({ "id": result.id, "return": result.code.map(|code| code.0), "cmd": result.command });
    if result.code.is_none() && result.code_raw.is_some() {
        put(&mut object, "return_raw", result.code_raw.as_deref().into());
    }
    if let Some(success) = result.success() {
        put(&mut object, "success", success.into());
    }
    if result.is_pending() {
        put(&mut object, "pending", true.into());
    }
    for (key, value) in [("sn", &result.serial), ("filename", &result.file_name)] {
        if let Some(value) = value {
            put(&mut object, key, value.as_ref().into());
        }
    }
    if let Some(content) = result.content {
        match core::str::from_utf8(content) {
            Ok(text) if !text.contains('\0') => put(&mut object, "content", text.into()),
            _ => put(&mut object, "content_b64", rows::base64(content).into()),
        }
    }
    for (key, pairs) in [("extra", &result.extra), ("info", &result.info)] {
        if !pairs.is_empty() {
            let pairs = pairs.iter().map(|(key, value)| (key.to_string(), value.as_ref().into()));
            put(&mut object, key, pairs.collect::<Map<String, Value>>().into());
        }
    }
    object
}
