use punch_protocol::civil::Written;
use serde_json::{Map, Value, json};

use punch_protocol::push::{
    BackgroundCheck, Dialect, DoorState, Endpoint, Handshake, Info, Limits, ParseError, Parts, PhotoHeader, Poll,
    Query, QueryPage, Request, Row, Table, TaggedRow, TerminalOptions, Upload,
};

use super::{commands, put, rows};

/// What a terminal said, under the contract's names.
pub(super) fn to_json(parts: Parts<'_>) -> Value {
    let (path, query) = (parts.path, parts.query);
    let (serial, request) = match Request::parse(parts, &Limits::default()) {
        Ok(parsed) => parsed,
        Err(ParseError::PackedBody { plain_len }) => {
            return json!({ "kind": "encrypted_legacy", "plain_len": plain_len });
        }
        Err(error) => return json!({ "kind": "reject", "status": error.status(), "reason": error.reason() }),
    };
    let query = Query::parse(query);
    let mut decoded = match &request {
        Request::Handshake(handshake) => handshake_to_json(handshake),
        Request::Alive => json!({ "kind": "alive", "ack": "OK" }),
        Request::Upload(upload) => upload_to_json(upload, &query),
        Request::Poll(poll) => poll_to_json(poll),
        Request::Results(results) => commands::results_to_json(results),
        Request::QueryPage(page) => query_page_to_json(page),
        Request::Registry(options) => registry_to_json(options),
        Request::Configuration(call) => json!({ "kind": "push_config_request", "token": call.token }),
        Request::Package(upload) => {
            json!({ "kind": "package", "table": upload.table().as_str(), "content_type": "tgz", "ack": "OK" })
        }
        Request::FingerImage(image) => {
            json!({ "kind": "fpimage", "pin": image.pin, "fid": image.finger, "len": image.len, "ack": "OK" })
        }
        Request::BackgroundCheck(check) => check_to_json(check),
        Request::CheckOutcome(_) => json!({ "kind": "post_verify_data", "ack": "OK" }),
        Request::FileDownload(url) => json!({ "kind": "file_get", "url": url }),
        Request::Exchange(kind) => json!({ "kind": format!("exchange_{kind}") }),
        Request::Ping(ping) => json!({ "kind": "ping", "token": ping.token, "ack": "OK" }),
        _ => json!({ "kind": "unserved" }),
    };
    if let Some(object) = decoded.as_object_mut() {
        object.insert("sn".to_owned(), serial.as_str().into());
        object.insert("endpoint".to_owned(), Endpoint::of(path).map(Endpoint::as_str).into());
        if path.to_ascii_lowercase().ends_with(".aspx") {
            object.insert("suffix".to_owned(), ".aspx".into());
        }
    }
    decoded
}

fn handshake_to_json(handshake: &Handshake) -> Value {
    let dialect = match handshake.dialect() {
        Dialect::Attendance => "att",
        Dialect::AccessControl => "acc",
        _ => "unknown_until_registry",
    };
    let mut object = json!({
        "kind": "handshake",
        "push_ver": handshake.push_version,
        "language": handshake.language,
        "pushcommkey": handshake.comm_key,
        "device_type": handshake.device_type,
        "push_options_flag": handshake.push_options_flag,
        "dialect": dialect,
    });
    if handshake.speaks_chinese() {
        put(&mut object, "text_encoding_hint", "gb18030".into());
    }
    if handshake.dialect() == Dialect::Undecided {
        put(&mut object, "ack_if_unregistered_acc", "OK".into());
    }
    object
}

fn poll_to_json(poll: &Poll) -> Value {
    json!({ "kind": "getrequest", "info": poll.info.as_ref().map(info_to_json), "ack_idle": "OK" })
}

fn info_to_json(info: &Info) -> Value {
    json!({
        "firmware": info.firmware,
        "users": info.users,
        "fingerprints": info.fingerprints,
        "attlogs": info.punches,
        "ip": info.address,
        "fp_alg": info.finger_algorithm,
        "face_alg": info.face_algorithm,
        "faces_per_user": info.faces_per_user,
        "faces": info.faces,
        "functions": info.functions.map(|on| json!({
            "fp": on.fingerprint, "face": on.face, "user_pic": on.user_picture,
        })),
    })
}

/// Whether the body is one thing, not rows.
pub(super) fn has_no_rows(upload: &Upload<'_>) -> bool {
    upload.table().is(Table::OPTIONS) || upload.table().is_picture()
}

fn upload_to_json(upload: &Upload<'_>, query: &Query<'_>) -> Value {
    let mut object = if upload.table().is(Table::OPTIONS) {
        let pairs = options_to_json(&upload.options());
        json!({ "kind": "options", "option_count": pairs.len(), "options": pairs })
    } else if upload.table().is_picture() {
        photo_to_json(upload)
    } else if upload.table().is(Table::RTSTATE) {
        state_to_json(upload)
    } else {
        rows_to_json(upload)
    };
    if upload.table().is(Table::TABLEDATA) {
        put(&mut object, "table", query.get("tablename").into());
    }
    put(&mut object, "ack", upload.ack().to_string().into());
    put(&mut object, "stamp", upload.stamp().into());
    put(&mut object, "cmd_id", upload.command().into());
    for (name, key) in [("Count", "count"), ("PackCnt", "pack_cnt"), ("PackIdx", "pack_idx")] {
        if let Some(number) = query.number(name) {
            put(&mut object, key, number.into());
        }
    }
    object
}

/// Punches of a terminal that reads identity cards.
const IDENTITY_CARD: &str = "attlog_idcard";

fn registry_to_json(options: &TerminalOptions<'_>) -> Value {
    let supported = options.value("EventTypes").map(|bits| events_supported(&bits));
    json!({ "kind": "registry", "options": options_to_json(options), "event_supported": supported })
}

fn options_to_json(options: &TerminalOptions<'_>) -> Map<String, Value> {
    options.pairs().map(|(key, value)| (key.into_owned(), value.as_ref().into())).collect()
}

/// Event `n` is bit `n % 8` of byte `n / 8`, the lowest bit first.
fn events_supported(hex: &str) -> Map<String, Value> {
    let bytes =
        hex.as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok());
    let bits = bytes.flat_map(|byte| (0..8u8).map(move |bit| byte >> bit & 1 == 1));
    bits.enumerate().map(|(event, on)| (event.to_string(), on.into())).collect()
}

fn check_to_json(check: &BackgroundCheck<'_>) -> Value {
    if let Some(event) = check.event() {
        return json!({ "kind": "auth_device", "record": rows::event_to_json(&event) });
    }
    let pair = |wanted: &[u8]| check.pairs().find(|pair| pair.key.eq_ignore_ascii_case(wanted));
    let size = pair(b"Size").and_then(|pair| pair.text().parse::<u64>().ok());
    json!({ "kind": "auth_request", "auth_type": check.kind, "pin": pair(b"PIN").map(|pair| pair.text()), "size": size })
}

fn state_to_json(upload: &Upload<'_>) -> Value {
    let mut object = json!({ "kind": upload.table().as_str().to_ascii_lowercase() });
    let Some(Ok(Row::Event(state))) = upload.rows().next() else { return object };
    for pair in state.pairs() {
        put(&mut object, &rows::text(pair.key), pair.text().into());
    }
    put(&mut object, "doors", state.doors().iter().map(door_to_json).collect::<Vec<_>>().into());
    object
}

fn door_to_json(door: &DoorState) -> Value {
    let sensor = match door.sensor {
        0 => "none",
        1 => "closed",
        2 => "open",
        _ => "unknown",
    };
    json!({ "sensor": sensor, "relay": door.relay, "alarms": door.alarms().collect::<Vec<_>>() })
}

fn query_page_to_json(page: &QueryPage<'_>) -> Value {
    let mut object = json!({
        "kind": "querydata", "type": page.kind, "cmd_id": page.command, "table": page.table, "url_count": page.count,
        "pack_cnt": page.pages, "pack_idx": page.page, "ack": format!("{}={}", page.table, page.count),
    });
    if page.kind == "options" {
        put(&mut object, "options", options_to_json(&page.options()).into());
    } else {
        let records: Vec<Value> = page.records().map(|row| rows::record_to_json(&row)).collect();
        put(&mut object, "record_count", records.len().into());
        put(&mut object, "records", records.into());
    }
    object
}

fn photo_to_json(upload: &Upload<'_>) -> Value {
    let Some(header) = PhotoHeader::parse(upload.body()) else { return json!({ "kind": "attphoto" }) };
    let mut object = json!({
        "kind": "attphoto", "file_name": header.file_name, "pin": header.pin(), "size": header.size,
        "image_len": header.picture_len, "time": header.time().map(|time| Written(time).to_string()),
    });
    let whole = header.size.is_none_or(|size| u64::try_from(header.picture_len).is_ok_and(|len| len == size));
    if !whole {
        put(&mut object, "warnings", json!(["size_mismatch"]));
    }
    object
}

fn rows_to_json(upload: &Upload<'_>) -> Value {
    let mut kind = kind_of(upload);
    let (mut records, mut skipped, mut commas, mut facts) = (Vec::new(), Vec::new(), false, Map::new());
    for row in upload.rows() {
        match row {
            Ok(row) => {
                match &row {
                    Row::Event(event) => {
                        kind = "rtlog".to_owned();
                        commas |= event.is_comma_separated();
                    }
                    Row::Tagged(user) => facts.extend(user_facts(user)),
                    Row::Punch(punch) if punch.identity_card().is_some() => kind = IDENTITY_CARD.to_owned(),
                    _ => {}
                }
                records.push(rows::row_to_json(&row));
            }
            Err(error) => skipped.push(json!({ "line": error.line, "reason": error.kind.reason() })),
        }
    }
    // A body whose rows are operations, users or templates lists items; punches and events are records.
    let list =
        if ["attlog", IDENTITY_CARD, "rtlog", "tabledata"].contains(&kind.as_str()) { "records" } else { "items" };
    let mut object = json!({ "kind": kind, list: records, "skipped": skipped });
    for (key, value) in facts {
        put(&mut object, &key, value);
    }
    if commas {
        put(&mut object, "separator", "comma".into());
    }
    if kind == IDENTITY_CARD {
        // What the columns mean was announced in a handshake that this body does not show.
        put(&mut object, "requires_device_type", "pid".into());
    }
    object
}

/// What a user's fields do not show: the code page of a name, and the number of a card written as bytes.
fn user_facts(user: &TaggedRow<'_>) -> Map<String, Value> {
    let mut facts = Map::new();
    if user.value("Name").is_some_and(|name| core::str::from_utf8(name).is_err()) {
        facts.insert("name_encoding".to_owned(), "gb18030".into());
    }
    if let Some(number) = user.value("Card").and_then(card_number) {
        facts.insert("card_decimal".to_owned(), number.into());
    }
    facts
}

/// The number of a card in the form `[15CD5B07]`: its bytes in hex, the lowest first.
fn card_number(text: &[u8]) -> Option<u64> {
    let digits = core::str::from_utf8(text.strip_prefix(b"[")?.strip_suffix(b"]")?).ok()?;
    let pairs = digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    let mut whole = [0; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    (!bytes.is_empty()).then(|| u64::from_le_bytes(whole))
}

fn kind_of(upload: &Upload<'_>) -> String {
    match upload.table().as_str() {
        "" => "attlog".to_owned(),
        "USERINFO" | "FINGERTMP" => "operlog".to_owned(),
        table => table.to_ascii_lowercase(),
    }
}
