use serde_json::{Value, json};

use punch_protocol::push::{
    Ack, Dialect, Endpoint, Handshake, Info, Limits, ParseError, Parts, Poll, Query, Request, Row, Table, Upload,
};

use super::{put, rows};

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
        Request::Results(_) => json!({ "kind": "devicecmd", "ack": "OK" }),
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
        let pairs: serde_json::Map<_, _> =
            upload.options().pairs().map(|(key, value)| (key.into_owned(), value.as_ref().into())).collect();
        json!({ "kind": "options", "option_count": pairs.len(), "options": pairs })
    } else {
        rows_to_json(upload)
    };
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

fn rows_to_json(upload: &Upload<'_>) -> Value {
    let mut kind = kind_of(upload);
    let (mut records, mut skipped) = (Vec::new(), Vec::new());
    for row in upload.rows() {
        match row {
            Ok(row) => {
                match &row {
                    Row::Event(_) => kind = "rtlog".to_owned(),
                    Row::Punch(punch) if punch.identity_card().is_some() => kind = IDENTITY_CARD.to_owned(),
                    _ => {}
                }
                records.push(rows::row_to_json(&row));
            }
            Err(error) => skipped.push(json!({ "line": error.line, "reason": error.kind.reason() })),
        }
    }
    // A body whose rows are operations, users or templates lists items; punches and events are records.
    let list = if ["attlog", IDENTITY_CARD, "rtlog"].contains(&kind.as_str()) { "records" } else { "items" };
    let mut object = json!({ "kind": kind, list: records, "skipped": skipped });
    if kind == IDENTITY_CARD {
        // What the columns mean was announced in a handshake that this body does not show.
        put(&mut object, "requires_device_type", "pid".into());
    }
    object
}

fn kind_of(upload: &Upload<'_>) -> String {
    match (upload.table().as_str(), upload.ack()) {
        ("", Ack::Plain) => "attlog".to_owned(),
        ("USERINFO" | "FINGERTMP", _) => "operlog".to_owned(),
        (table, _) => table.to_ascii_lowercase(),
    }
}
