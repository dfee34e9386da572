use serde_json::{Map, Value, json};

use punch_protocol::civil::Written;
use punch_protocol::push::{
    CardNumber, Deviation, Dialect, Endpoint, GuessedEvent, GuessedPunch, Handshake, IdentityPhoto, Info, Limits,
    ParseError, Parts, PhotoHeader, Poll, Query, Request, Row, RowError, Table, TaggedRow, Upload,
};

use super::access_answer::identifier;
use super::{access, commands, put, rows};

/// What a terminal said, under the contract's names.
pub(super) fn to_json(parts: Parts<'_>) -> Value {
    let (serial, request) = match Request::parse(parts, &Limits::default()) {
        Ok(parsed) => parsed,
        Err(ParseError::PackedBody { plain_len }) => {
            return json!({ "kind": "encrypted_legacy", "plain_len": plain_len });
        }
        Err(error) => return json!({ "kind": "reject", "status": error.status(), "reason": error.reason() }),
    };
    let mut decoded = request_to_json(&request, &Query::parse(parts.query));
    put(&mut decoded, "sn", serial.as_str().into());
    put(&mut decoded, "endpoint", Endpoint::of(parts.path).map(Endpoint::as_str).into());
    if parts.path.to_ascii_lowercase().trim_end_matches('/').ends_with(".aspx") {
        put(&mut decoded, "suffix", ".aspx".into());
    }
    let deviations: Vec<&str> = Deviation::of(&parts, &request).into_iter().map(Deviation::name).collect();
    if !deviations.is_empty() {
        put(&mut decoded, "deviations", deviations.into());
    }
    decoded
}

fn request_to_json(request: &Request<'_>, query: &Query<'_>) -> Value {
    match request {
        Request::Handshake(handshake) => handshake_to_json(handshake),
        Request::Alive => json!({ "kind": "alive", "ack": "OK" }),
        Request::Upload(upload) => upload_to_json(upload, query),
        Request::Poll(poll) => poll_to_json(poll),
        Request::Results(results) => commands::results_to_json(results),
        Request::QueryPage(page) => access::query_page_to_json(page),
        Request::Registry(options) => access::registry_to_json(options),
        Request::Configuration(call) => json!({ "kind": "push_config_request", "token": call.token }),
        Request::Package(upload) => json!({
            "kind": "package", "table": upload.table().as_str(), "content_type": "tgz", "len": upload.body().len(),
            "ack": "OK",
        }),
        Request::FingerImage(image) => {
            json!({ "kind": "fpimage", "pin": image.pin, "fid": image.finger, "len": image.len, "ack": "OK" })
        }
        Request::BackgroundCheck(check) => access::check_to_json(check),
        Request::CheckOutcome(body) => json!({ "kind": "post_verify_data", "len": body.len(), "ack": "OK" }),
        Request::FileDownload(url) => json!({ "kind": "file_get", "url": url }),
        Request::FilePart(part) => access::file_part_to_json(part),
        Request::Exchange(kind) => json!({ "kind": format!("exchange_{kind}"), "type": kind }),
        Request::Ping(ping) => json!({ "kind": "ping", "token": ping.token, "ack": "OK" }),
        Request::Time => json!({ "kind": "rtdata_time", "type": "time" }),
        Request::UserLookup { pin } => {
            json!({ "kind": "user_lookup", "pin": pin.to_text(), "table": query.get("table") })
        }
        _ => json!({ "kind": "unserved" }),
    }
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
        "push_flag": handshake.push_flag,
        "pushflag": handshake.push_flag,
        "dialect": dialect,
    });
    if handshake.speaks_chinese() {
        put(&mut object, "text_encoding_hint", "gb18030".into());
    }
    if handshake.dialect() != Dialect::Attendance {
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
            "bio_photo": on.comparison_photo, "visible_light": on.visible_light,
        })),
        "cards": info.cards,
        "user_pics": info.user_pictures,
        "att_photos": info.punch_photos,
    })
}

/// Whether the body is one thing, not rows.
pub(super) fn has_no_rows(upload: &Upload<'_>) -> bool {
    upload.table().is(Table::OPTIONS) || upload.table().is_picture()
}

fn upload_to_json(upload: &Upload<'_>, query: &Query<'_>) -> Value {
    let mut object = if upload.table().is(Table::OPTIONS) {
        let pairs = access::options_to_json(&upload.options());
        json!({ "kind": "options", "option_count": pairs.len(), "options": pairs })
    } else if upload.table().is_picture() {
        photo_to_json(upload)
    } else if upload.table().is(Table::RTSTATE) {
        access::state_to_json(upload)
    } else {
        rows_to_json(upload)
    };
    let table = query.get(if upload.table().is(Table::TABLEDATA) { "tablename" } else { "table" });
    put(&mut object, "table", table.into());
    put(&mut object, "ack", upload.ack().to_string().into());
    put(&mut object, "stamp", upload.stamp().into());
    put(&mut object, "cmd_id", upload.command().into());
    if let (true, Some(announced), Some(rows)) =
        (upload.table().is(Table::TABLEDATA), query.number("count"), object.get("records").and_then(Value::as_array))
        && usize::try_from(announced).is_ok_and(|announced| announced != rows.len())
    {
        put(&mut object, "warnings", json!(["count_mismatch"]));
    }
    for (name, key) in [("Count", "count"), ("PackCnt", "pack_cnt"), ("PackIdx", "pack_idx")] {
        if let Some(number) = query.number(name) {
            put(&mut object, key, number.into());
        }
    }
    object
}

fn photo_to_json(upload: &Upload<'_>) -> Value {
    let Some(header) = PhotoHeader::parse(upload.body()) else {
        return json!({ "kind": "attphoto", "image_len": upload.body().len(), "warnings": ["no_header"] });
    };
    let mut object = json!({
        "kind": "attphoto", "file_name": header.file_name, "pin": header.pin(), "size": header.size,
        "image_len": header.picture_len, "time": header.time().map(|time| Written(time).to_string()),
        "cmd": header.command, "header_sn": header.serial, "anonymous": header.pin().is_none(),
    });
    if let Some(IdentityPhoto { kind, number, .. }) = header.identity() {
        put(&mut object, "type", kind.0.into());
        put(&mut object, "id_num", number.into());
        put(&mut object, "verdict", identifier(&kind.to_string()).into());
        put(&mut object, "requires_device_type", "pid".into());
    }
    let whole = header.size.is_none_or(|size| u64::try_from(header.picture_len).is_ok_and(|len| len == size));
    if !whole {
        put(&mut object, "warnings", json!(["size_mismatch"]));
    }
    object
}

/// Punches of a terminal that reads identity cards.
const IDENTITY_CARD: &str = "attlog_idcard";

/// What the rows of one body have in common.
#[derive(Default)]
struct Gathered {
    records: Vec<Value>,
    items: Vec<Value>,
    skipped: Vec<Value>,
    lenient: Vec<Value>,
    facts: Map<String, Value>,
    events: bool,
    commas: bool,
    identity_cards: bool,
}

impl Gathered {
    fn take(&mut self, row: &Row<'_>) {
        match row {
            Row::Event(event) => {
                self.events = true;
                self.commas |= event.is_comma_separated();
            }
            Row::Tagged(user) => self.facts.extend(user_facts(user)),
            Row::Punch(punch) => self.identity_cards |= punch.identity_card().is_some(),
            _ => {}
        }
        let record = matches!(row, Row::Punch(_) | Row::Event(_) | Row::Record(_));
        if record { &mut self.records } else { &mut self.items }.push(rows::row_to_json(row));
    }

    fn skip(&mut self, error: &RowError<'_>) {
        self.skipped.push(json!({ "line": error.line, "reason": error.kind.reason() }));
        let punches = error.table.is_empty() || error.table.eq_ignore_ascii_case(Table::ATTLOG);
        let guess = if punches {
            GuessedPunch::of(error).as_ref().map(rows::guessed_punch_to_json)
        } else {
            GuessedEvent::of(error).as_ref().map(rows::guessed_event_to_json)
        };
        self.lenient.extend(guess);
    }
}

fn rows_to_json(upload: &Upload<'_>) -> Value {
    let mut gathered = Gathered::default();
    for row in upload.rows() {
        match row {
            Ok(row) => gathered.take(&row),
            Err(error) => gathered.skip(&error),
        }
    }
    let Gathered { records, items, skipped, lenient, facts, events, commas, identity_cards } = gathered;
    let table = if upload.table().as_str().is_empty() { "attlog" } else { upload.table().as_str() };
    let kind = match (events, identity_cards) {
        (true, _) => "rtlog".to_owned(),
        (false, true) => IDENTITY_CARD.to_owned(),
        (false, false) => table.to_ascii_lowercase(),
    };
    let mut object = json!({ "kind": kind, "skipped": skipped });
    // Punches and events are records; operations, users and templates are items.
    let of_records = ["attlog", IDENTITY_CARD, "rtlog", "tabledata"].contains(&kind.as_str());
    if of_records || !records.is_empty() {
        put(&mut object, "records", records.into());
    }
    if !of_records || !items.is_empty() {
        put(&mut object, "items", items.into());
    }
    if !lenient.is_empty() {
        put(&mut object, "lenient_records", lenient.into());
    }
    for (key, value) in facts {
        put(&mut object, &key, value);
    }
    if commas {
        put(&mut object, "separator", "comma".into());
    }
    if identity_cards {
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
    // A number in decimal needs no second telling.
    let packed = user.value("Card").filter(|card| card.starts_with(b"["));
    if let Some(number) = packed.and_then(CardNumber::parse) {
        facts.insert("card_decimal".to_owned(), number.get().into());
    }
    facts
}
