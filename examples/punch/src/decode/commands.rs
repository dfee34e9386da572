use serde_json::{Map, Value, json};

use punch_protocol::civil::Written;
use punch_protocol::push::{
    CommandLine, CommandResult, CommandResults, ControlDevice, EncodedTime, PollAnswer, TimeInterval,
};

use super::{access_answer, put, rows};

/// The answer to a poll, as the terminal reads it.
pub(super) fn poll_answer_to_json(body: &[u8]) -> Value {
    match PollAnswer::read(&PollAnswer::text(body)) {
        PollAnswer::Idle => json!({ "kind": "commands", "commands": [], "idle": true }),
        PollAnswer::Offline => json!({ "kind": "device_goes_offline" }),
        PollAnswer::Commands(commands) => {
            let list: Vec<Value> = commands.iter().map(command_to_json).collect();
            let mut object = json!({ "kind": "commands", "commands": list });
            if let [command] = commands.as_slice() {
                single_facts(command, &mut object);
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

/// What the numbers of a lone command mean.
fn single_facts(command: &CommandLine<'_>, object: &mut Value) {
    if let Some(time) = decoded_time(command) {
        put(object, "decoded_time", time.into());
    }
    if let Some(control) = control(command) {
        put(object, "control", access_answer::control_to_json(&control));
    }
}

fn command_to_json(command: &CommandLine<'_>) -> Value {
    let mut object = json!({ "id": command.id, "verb": command.verb, "known": command.is_known() });
    if let Some(table) = command.table {
        put(&mut object, "table", table.into());
    }
    let pairs = |pairs: Vec<(&str, &str)>| -> Map<String, Value> {
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
    };
    let args = pairs(command.pairs().collect());
    if !command.continuation.is_empty() {
        let records: Vec<Value> = command.records().map(|record| pairs(record).into()).collect();
        put(&mut object, "records", records.into());
    }
    if !args.is_empty() {
        put(&mut object, "args", args.into());
    }
    if !command.detail.is_empty() {
        put(&mut object, "text", command.detail.into());
    }
    if command.verb.eq_ignore_ascii_case("PutFile")
        && let Some((url, path)) = command.detail.split_once('\t')
    {
        put(&mut object, "url", url.into());
        put(&mut object, "path", path.split('\t').next().into());
    }
    if let Some(control) = control(command) {
        put(&mut object, "control", access_answer::control_to_json(&control));
    }
    if let Some(envelope) = command.envelope {
        put(&mut object, "sn", envelope.serial.into());
        put(&mut object, "priority", envelope.priority.into());
        put(&mut object, "cmd_id", envelope.id.into());
    }
    object
}

fn control(command: &CommandLine<'_>) -> Option<ControlDevice> {
    ControlDevice::parse(command.detail).filter(|_| command.verb.eq_ignore_ascii_case("CONTROL DEVICE"))
}

fn decoded_time(command: &CommandLine<'_>) -> Option<String> {
    let (_, value) = command.pairs().find(|(key, _)| key.eq_ignore_ascii_case("DateTime"))?;
    EncodedTime(value.parse().ok()?).civil().map(|time| Written(time).to_string())
}

fn intervals(command: &CommandLine<'_>) -> Vec<(String, Value)> {
    if !command.table.is_some_and(|table| table.eq_ignore_ascii_case("timezone")) {
        return Vec::new();
    }
    let values = command.pairs().filter(|(key, _)| key.contains("Time") && !key.ends_with("Id"));
    let packed = values.filter_map(|(_, value)| Some((value, TimeInterval(value.parse().ok()?))));
    let used = packed.filter(|(_, interval)| *interval != TimeInterval::NEVER);
    used.map(|(value, interval)| (value.to_owned(), interval.to_string().into())).collect()
}

/// The results of commands.
pub(super) fn results_to_json(results: &CommandResults<'_>) -> Value {
    let list: Vec<Value> = results.read().iter().map(result_to_json).collect();
    let mut object = json!({ "kind": "devicecmd", "ack": "OK", "results": &list });
    if list.is_empty() {
        let lenient: Vec<Value> = results.read_leniently().iter().map(result_to_json).collect();
        put(&mut object, "lenient_results", lenient.into());
    } else {
        let form = if results.is_newline_form() { "newline" } else { "amp" };
        put(&mut object, "form", form.into());
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
        put(&mut object, "content_len", content.len().into());
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
