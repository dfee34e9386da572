use serde_json::{Map, Value, json};

use punch_protocol::push::{
    Endpoint, Query, ServerAnswer, ServerOptions, TableAck, Target, TimeZoneReading, TransFlagForm,
};

use super::{access_answer, commands, put};

/// What a server answered to a request for `target`, as the terminal hears it.
pub(super) fn to_json(target: Target<'_>, status: u16, body: &[u8]) -> Value {
    let endpoint = Endpoint::of(target.path);
    let answer = ServerAnswer::of(status, body);
    if answer == ServerAnswer::UnknownDevice {
        return json!({ "kind": "unknown_device" });
    }
    if endpoint == Some(Endpoint::GetRequest) && status == 200 {
        return commands::poll_answer_to_json(body);
    }
    let query = Query::parse(target.query);
    if let Some(decoded) = access_answer::to_json(endpoint, &query, status, body) {
        return decoded;
    }
    let handshake = query.get("options").is_some();
    let for_records = endpoint == Some(Endpoint::QueryData) || query.get("tablename").is_some();
    match (answer, TableAck::parse(body)) {
        (ServerAnswer::Options(options), _) => options_to_json(&options),
        // Only the announced table and number stop an access terminal from sending its records again.
        (_, Some(TableAck { table, count })) if for_records && status == 200 => {
            json!({ "kind": "ack", "ok": true, "table": table, "count": count })
        }
        (ServerAnswer::Accepted { .. }, None) if for_records => json!({ "kind": "ack", "ok": false, "status": status }),
        (ServerAnswer::Accepted { count }, _) => {
            let mut object = json!({ "kind": "ack", "ok": true, "count": count, "status": status });
            if handshake {
                // A terminal that is not registered goes on to `registry`; an attendance unit keeps its options.
                put(&mut object, "registered", false.into());
            } else if !is_plain_ack(body) {
                put(&mut object, "warnings", json!(["ok_inside_other_text"]));
            }
            object
        }
        _ => json!({ "kind": "ack", "ok": false, "status": status }),
    }
}

/// `OK`, `OK: n` and nothing else.
fn is_plain_ack(body: &[u8]) -> bool {
    let rest = body.trim_ascii().strip_prefix(b"OK").map(|rest| rest.strip_prefix(b":").unwrap_or(rest));
    rest.is_some_and(|rest| rest.trim_ascii().iter().all(u8::is_ascii_digit))
}

fn options_to_json(options: &ServerOptions<'_>) -> Value {
    let (mut known, mut unknown) = (Map::new(), Map::new());
    let mut stamps: Map<String, Value> = options.stamps().map(|(name, mark)| (name.to_owned(), mark.into())).collect();
    known.insert("sn".to_owned(), options.serial.into());
    for &(key, value) in &options.pairs {
        if let Some((name, value)) = known_option(options, key, value) {
            known.insert(name.to_owned(), value);
        } else if !is_stamp(options, key) {
            unknown.insert(key.to_owned(), value.into());
            if key.ends_with("Stamp") {
                stamps.insert(key.to_owned(), value.into());
            }
        }
    }
    if let Some(list) = options.value("PushOptions") {
        let count = list.split(',').filter(|name| !name.is_empty()).count();
        known.insert("PushOptions_count".to_owned(), count.into());
    }
    known.insert("stamps".to_owned(), stamps.into());
    known.insert("unknown".to_owned(), unknown.into());
    known.insert("ignored_lines".to_owned(), options.ignored.as_slice().into());
    json!({
        "kind": "handshake_response",
        "options": known,
        "device_ignores": options.unterminated.map(|key| vec![key]).unwrap_or_default(),
        "warnings": warnings(options),
    })
}

fn warnings(options: &ServerOptions<'_>) -> Vec<&'static str> {
    let space_separated = options.trans_flag().is_some_and(|flag| flag.space_separated);
    let bad_zone =
        options.value("TimeZone").is_some_and(|text| !matches!(TimeZoneReading::of(text), TimeZoneReading::Minutes(_)));
    let warnings = [
        (options.unterminated.is_some(), "no_final_newline"),
        (options.value("TimeZone").is_none(), "no_time_zone"),
        (bad_zone, "bad_time_zone"),
        (space_separated, "space_separated"),
    ];
    warnings.into_iter().filter_map(|(holds, warning)| holds.then_some(warning)).collect()
}

fn is_stamp(options: &ServerOptions<'_>, key: &str) -> bool {
    let table = key.strip_suffix("Stamp");
    options.stamps().any(|(name, _)| name == key || Some(name) == table)
}

fn known_option<'a>(options: &ServerOptions<'_>, key: &'a str, value: &str) -> Option<(&'a str, Value)> {
    Some(match key {
        "ErrorDelay" | "Delay" | "TransInterval" | "Realtime" | "SupportPing" | "PushOptionsFlag" | "MaxPostSize"
        | "Timeout" | "TimeoutSec" | "ATTPHOTOBase64" | "IRTempUnitTrans" | "QRCodeDecryptType" => (key, number(value)),
        "MultiBioDataSupport" | "MultiBioPhotoSupport" => (key, slots(value)),
        "ServerVer" | "PushProtVer" | "Encrypt" | "EncryptFlag" | "ICLOCKSVRURL" | "PushOptions"
        | "QRCodeDecryptKey" => (key, value.into()),
        "TimeZone" => (key, time_zone(value)),
        "TransFlag" => (key, trans_flag(options)?),
        "TransTimes" => trans_times(value),
        _ => return None,
    })
}

/// A number, or the text if it is none.
pub(super) fn number(value: &str) -> Value {
    value.parse::<i64>().map_or_else(|_| value.into(), Value::from)
}

/// `0:1:1`, one slot for each biometric type.
pub(super) fn slots(value: &str) -> Value {
    value.split(':').map(number).collect()
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
