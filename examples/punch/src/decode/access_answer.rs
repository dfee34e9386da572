use serde_json::{Map, Value, json};

use punch_protocol::civil::Written;
use punch_protocol::push::{
    AuthVerdict, Configuration, ControlDevice, Endpoint, OutputTime, Query, RegistrationAnswer, ServerTime,
};

use super::answer::{number, slots};
use super::{put, rows};

/// Answers that only access terminals get; `None` if this is none of them.
pub(super) fn to_json(endpoint: Option<Endpoint>, query: &Query<'_>, status: u16, body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    if endpoint == Some(Endpoint::Registry) {
        return Some(registration_to_json(status, &text));
    }
    if status != 200 {
        return None;
    }
    match endpoint {
        Some(Endpoint::Push) => {
            return Configuration::parse(&text).map(|block| configuration_to_json("push_config", &block));
        }
        Some(Endpoint::Exchange) => return exchange_to_json(&text),
        Some(Endpoint::File) => return Some(json!({ "kind": "file_content", "len": body.len() })),
        _ => {}
    }
    // A registered terminal gets the block of `push` as the answer to its handshake.
    if let Some(block) = Configuration::parse(&text).filter(Configuration::is_registered) {
        let mut object = configuration_to_json("handshake_response", &block);
        put(&mut object, "registered", true.into());
        // Where the attendance handshake has them too.
        put(&mut object, "options", configuration(&block).into());
        put(&mut object, "dialect", "acc".into());
        return Some(object);
    }
    if let Some(verdict) = AuthVerdict::parse(&text) {
        return Some(json!({
            "kind": "auth_verdict",
            "verdict": verdict.verdict,
            "record": verdict.event.as_ref().map(rows::event_to_json),
            "control": verdict.control.as_ref().map(control_to_json),
        }));
    }
    let asked_time = query.get("type").is_some_and(|kind| kind.eq_ignore_ascii_case("time"));
    (asked_time || text.starts_with("DateTime=")).then(|| match ServerTime::parse(&text) {
        Some(time) => json!({
            "kind": "rtdata_time_response", "utc": Written(time.utc).to_string(), "tz_minutes": time.offset_minutes,
        }),
        None => json!({ "kind": "rtdata_time_response", "error": "no DateTime=" }),
    })
}

fn registration_to_json(status: u16, body: &str) -> Value {
    match RegistrationAnswer::of(status, body) {
        RegistrationAnswer::Accepted { code } => {
            json!({ "kind": "registry_response", "RegistryCode": code, "accepted": true })
        }
        RegistrationAnswer::Refused => {
            json!({ "kind": "registry_response", "accepted": false, "refused": true, "status": status })
        }
        _ => json!({ "kind": "registry_response", "accepted": false, "refused": false, "status": status }),
    }
}

fn exchange_to_json(body: &str) -> Option<Value> {
    let (key, value) = body.split_once('=')?;
    Some(json!({ "kind": format!("exchange_{}_response", key.to_ascii_lowercase()), "len": value.trim().len() }))
}

fn configuration_to_json(kind: &str, block: &Configuration<'_>) -> Value {
    let mut object = configuration(block);
    object.insert("kind".to_owned(), kind.into());
    object.into()
}

fn configuration(block: &Configuration<'_>) -> Map<String, Value> {
    let typed = |key: &str, value: &str| match key {
        "TransTimes" => block.times().collect::<Vec<_>>().into(),
        "TransTables" => block.tables().collect::<Vec<_>>().into(),
        "MultiBioDataSupport" | "MultiBioPhotoSupport" => slots(value),
        "ErrorDelay" | "RequestDelay" | "TransInterval" | "Realtime" | "TimeoutSec" | "BioPhotoFun" | "BioDataFun"
        | "IRTempUnitTrans" | "QRCodeDecryptType" => number(value),
        _ => value.into(),
    };
    block.pairs.iter().map(|&(key, value)| (key.to_owned(), typed(key, value))).collect()
}

/// What a terminal has to do at once.
pub(super) fn control_to_json(control: &ControlDevice) -> Value {
    let mut object = json!({ "action": identifier(&control.action.to_string()), "hex": control.to_string() });
    if let Some(door) = control.door() {
        put(&mut object, "door", door.into());
    }
    if let Some((output, time)) = control.output() {
        put(&mut object, "target", output.to_string().into());
        match time {
            OutputTime::Seconds(seconds) => put(&mut object, "seconds", seconds.into()),
            OutputTime::Off => put(&mut object, "state", "off".into()),
            _ => put(&mut object, "state", "normal_open".into()),
        }
    }
    object
}

/// A name for people as a word for scripts: `forced open` becomes `forced_open`.
pub(super) fn identifier(name: &str) -> String {
    name.replace([' ', '-'], "_")
}
