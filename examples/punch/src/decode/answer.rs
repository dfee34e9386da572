use serde_json::{Map, Value, json};

use super::put;
use punch_protocol::push::{Endpoint, ServerAnswer, ServerOptions, TimeZoneReading, TransFlagForm};

/// What a server answered, as the terminal hears it.
pub(super) fn to_json(path: &str, status: u16, body: &[u8]) -> Value {
    match ServerAnswer::of(status, body) {
        ServerAnswer::Options(options) => options_to_json(&options),
        ServerAnswer::UnknownDevice => json!({ "kind": "unknown_device" }),
        ServerAnswer::Accepted { count } if Endpoint::of(path) != Some(Endpoint::GetRequest) => {
            json!({ "kind": "ack", "ok": true, "count": count })
        }
        ServerAnswer::Accepted { .. } => json!({ "kind": "commands", "commands": [], "idle": true }),
        _ => json!({ "kind": "ack", "ok": false, "status": status }),
    }
}

fn options_to_json(options: &ServerOptions<'_>) -> Value {
    let (mut known, mut stamps, mut unknown) = (Map::new(), Map::new(), Map::new());
    known.insert("sn".to_owned(), options.serial.into());
    for &(key, value) in &options.pairs {
        if let Some(name) = stamp_name(key) {
            stamps.insert(name.to_owned(), value.into());
        } else if let Some((name, value)) = known_option(options, key, value) {
            known.insert(name.to_owned(), value);
            if key == "PushOptions" {
                known.insert("PushOptions_count".to_owned(), value_count(options));
            }
        } else {
            unknown.insert(key.to_owned(), value.into());
        }
    }
    known.insert("stamps".to_owned(), stamps.into());
    known.insert("unknown".to_owned(), unknown.into());
    known.insert("ignored_lines".to_owned(), options.ignored.as_slice().into());
    let mut warnings = Vec::new();
    if options.unterminated.is_some() {
        warnings.push("no_final_newline");
    }
    if options.value("TimeZone").is_none() {
        warnings.push("no_time_zone");
    }
    json!({
        "kind": "handshake_response",
        "options": known,
        "device_ignores": options.unterminated.map(|key| vec![key]).unwrap_or_default(),
        "warnings": warnings,
    })
}

/// `ATTLOGStamp` marks table `ATTLOG`; the legacy names stand for themselves.
fn stamp_name(key: &str) -> Option<&str> {
    let table = key.strip_suffix("Stamp")?;
    let modern = !table.is_empty() && table.bytes().all(|byte| byte.is_ascii_uppercase());
    Some(if modern { table } else { key })
}

fn known_option<'a>(options: &ServerOptions<'_>, key: &'a str, value: &str) -> Option<(&'a str, Value)> {
    let number = |value: &str| value.parse::<i64>().map_or_else(|_| value.into(), Value::from);
    let slots = |value: &str| value.split(':').map(number).collect::<Vec<_>>();
    Some(match key {
        "ErrorDelay" | "Delay" | "TransInterval" | "Realtime" | "SupportPing" | "PushOptionsFlag" | "MaxPostSize"
        | "Timeout" | "TimeoutSec" | "ATTPHOTOBase64" | "IRTempUnitTrans" => (key, number(value)),
        "MultiBioDataSupport" | "MultiBioPhotoSupport" => (key, slots(value).into()),
        "ServerVer" | "PushProtVer" | "Encrypt" | "EncryptFlag" | "ICLOCKSVRURL" | "PushOptions"
        | "QRCodeDecryptType" | "QRCodeDecryptKey" => (key, value.into()),
        "TimeZone" => (key, time_zone(value)),
        "TransFlag" => (key, trans_flag(options)?),
        "TransTimes" => trans_times(value),
        _ => return None,
    })
}

fn value_count(options: &ServerOptions<'_>) -> Value {
    options.value("PushOptions").map(|list| list.split(',').filter(|name| !name.is_empty()).count()).into()
}

fn time_zone(value: &str) -> Value {
    match TimeZoneReading::of(value) {
        TimeZoneReading::Minutes(minutes) => json!({ "minutes": minutes }),
        wrong => json!({ "error": wrong.to_string() }),
    }
}

fn trans_times(value: &str) -> (&'static str, Value) {
    let times: Vec<&str> = value.split([';', '\t']).collect();
    let is_time = |text: &&str| text.split_once(':').is_some_and(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
    if times.iter().all(is_time) { ("TransTimes", times.into()) } else { ("TransTimes_raw", value.into()) }
}

fn trans_flag(options: &ServerOptions<'_>) -> Option<Value> {
    let flag = options.trans_flag()?;
    let mut object = match flag.form {
        TransFlagForm::Bits(bits) => json!({ "form": "bits", "bits": bits, "effective": flag.tables }),
        _ => json!({ "form": "list", "tables": flag.tables }),
    };
    if flag.space_separated {
        put(&mut object, "warning", "space_separated".into());
    }
    Some(object)
}
