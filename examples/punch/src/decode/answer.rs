use serde_json::{Map, Value, json};

use punch_protocol::civil::Written;

use super::{commands, put};
use punch_protocol::push::{EncodedTime, Endpoint, ServerAnswer, ServerOptions, TimeZoneReading, TransFlagForm};

/// What a server answered, as the terminal hears it.
pub(super) fn to_json(path: &str, status: u16, body: &[u8]) -> Value {
    if status == 200 && Endpoint::of(path) == Some(Endpoint::GetRequest) {
        return commands::poll_answer_to_json(body);
    }
    if status == 200
        && let Some(decoded) = access_answer(path, &String::from_utf8_lossy(body))
    {
        return decoded;
    }
    match ServerAnswer::of(status, body) {
        ServerAnswer::Options(options) => options_to_json(&options),
        ServerAnswer::UnknownDevice => json!({ "kind": "unknown_device" }),
        ServerAnswer::Accepted { count } => json!({ "kind": "ack", "ok": true, "count": count }),
        _ => json!({ "kind": "ack", "ok": false, "status": status }),
    }
}

/// Answers that only access terminals get.
fn access_answer(path: &str, body: &str) -> Option<Value> {
    let value = |key: &str| {
        body.split(['\n', ',', '\r']).find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key))
    };
    let (_, first) = body.split_once('=').unwrap_or_default();
    if Endpoint::of(path) == Some(Endpoint::Registry) {
        return Some(json!({ "kind": "registry_response", "RegistryCode": first }));
    }
    // A registered access terminal gets the same block as the answer to its handshake.
    if Endpoint::of(path) == Some(Endpoint::Push) || body.starts_with("registry=ok") {
        return Some(configuration_to_json(body));
    }
    if let Some(verdict) = body.strip_prefix("AUTH=") {
        let lines: Vec<&str> = verdict.split("\r\n").collect();
        let control = lines.iter().find_map(|line| line.strip_prefix("CONTROL DEVICE ")).and_then(control_to_json);
        return Some(json!({ "kind": "auth_verdict", "verdict": lines.first(), "control": control }));
    }
    let asked_time = [Endpoint::RtData, Endpoint::Cdata].map(Some).contains(&Endpoint::of(path)) && is_clock_text(body);
    if asked_time {
        return Some(json!({ "kind": "rtdata_time_response", "error": "no DateTime=" }));
    }
    if let Some((_, packed)) = value("DateTime") {
        let utc = EncodedTime(packed.parse().ok()?).civil().map(|time| Written(time).to_string());
        let zone = value("ServerTZ").and_then(|(_, zone)| zone_minutes(zone));
        return Some(json!({ "kind": "rtdata_time_response", "utc": utc, "tz_minutes": zone }));
    }
    None
}

/// An ISO time where `DateTime=` belongs, as one server answers.
fn is_clock_text(body: &str) -> bool {
    body.get(..19).is_some_and(|text| punch_protocol::civil::parse(text.replace('T', " ").as_bytes()).is_ok())
}

fn configuration_to_json(body: &str) -> Value {
    let mut object = json!({ "kind": "push_config" });
    for (key, value) in body.lines().filter_map(|line| line.split_once('=')) {
        let list = |separators: &[char]| value.split(separators).filter(|word| !word.is_empty()).collect::<Vec<_>>();
        let value = match key {
            "TransTimes" => list(&['\t', ';']).into(),
            "TransTables" => list(&[' ', '\t']).into(),
            "ErrorDelay" | "RequestDelay" | "TransInterval" | "Realtime" | "TimeoutSec" => {
                value.parse::<u32>().map_or_else(|_| value.into(), Value::from)
            }
            _ => value.into(),
        };
        put(&mut object, key, value);
    }
    object
}

/// `CONTROL DEVICE AABBCCDD`, as far as it opens something.
fn control_to_json(text: &str) -> Option<Value> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let target = match byte(4)? {
        1 => "lock",
        2 => "aux",
        _ => "unknown",
    };
    let action = if byte(0)? == 1 { "output" } else { "other" };
    Some(json!({ "action": action, "door": byte(2)?, "target": target, "seconds": byte(6)? }))
}

/// `+0800` and its kin.
fn zone_minutes(text: &str) -> Option<i32> {
    let number: i32 = text.trim().parse().ok()?;
    Some(number / 100 * 60 + number % 100)
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
