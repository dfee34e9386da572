use serde_json::{Map, Value, json};

use punch_protocol::push::{
    BackgroundCheck, DoorState, EventSet, FilePart, KeyedRow, PackageHeader, QueryPage, Row, TerminalOptions, Upload,
};

use super::access_answer::identifier;
use super::{put, rows};

/// A registration: what the terminal is and can do.
pub(super) fn registry_to_json(options: &TerminalOptions<'_>) -> Value {
    let pairs = options_to_json(options);
    let events = EventSet::of(options);
    let supported: Map<String, Value> = events.bits().map(|(event, on)| (event.0.to_string(), on.into())).collect();
    json!({ "kind": "registry", "option_count": pairs.len(), "options": pairs, "event_supported": supported })
}

pub(super) fn options_to_json(options: &TerminalOptions<'_>) -> Map<String, Value> {
    options.pairs().map(|(key, value)| (key.into_owned(), value.as_ref().into())).collect()
}

/// Somebody waits at a door.
pub(super) fn check_to_json(check: &BackgroundCheck<'_>) -> Value {
    if let Some(event) = check.event() {
        return json!({ "kind": "auth_device", "record": rows::event_to_json(&event) });
    }
    let pair = |wanted: &[u8]| check.pairs().find(|pair| pair.key.eq_ignore_ascii_case(wanted));
    let size = pair(b"Size").and_then(|pair| pair.text().parse::<u64>().ok());
    json!({ "kind": "auth_request", "auth_type": check.kind, "pin": pair(b"PIN").map(|pair| pair.text()), "size": size })
}

/// The state of doors: the last row of the body, which is what holds now.
pub(super) fn state_to_json(upload: &Upload<'_>) -> Value {
    let mut object = json!({ "kind": upload.table().as_str().to_ascii_lowercase() });
    let states: Vec<KeyedRow<'_>> = upload
        .rows()
        .filter_map(|row| match row {
            Ok(Row::Event(state)) => Some(state),
            _ => None,
        })
        .collect();
    let Some(state) = states.last() else { return object };
    for pair in state.pairs() {
        put(&mut object, &rows::text(pair.key), pair.text().into());
    }
    put(&mut object, "doors", state.doors().iter().map(door_to_json).collect::<Vec<_>>().into());
    put(&mut object, "records", states.iter().map(rows::event_to_json).collect::<Vec<_>>().into());
    object
}

fn door_to_json(door: &DoorState) -> Value {
    json!({ "sensor": door.sensor.to_string(), "relay": door.relay, "alarms": door.alarms().map(identifier).collect::<Vec<_>>() })
}

/// A page of the answer to a query.
pub(super) fn query_page_to_json(page: &QueryPage<'_>) -> Value {
    let mut object = json!({
        "kind": "querydata", "type": page.kind, "cmd_id": page.command, "table": page.table, "url_count": page.count,
        "pack_cnt": page.pages, "pack_idx": page.page, "ack": format!("{}={}", page.table, page.count),
    });
    if let Some(package) = page.package() {
        put(&mut object, "datafmt", page.format.into());
        package_to_json(&package, &mut object);
    } else if let Some(count) = page.counted() {
        put(&mut object, "count", count.into());
        put(&mut object, "record_count", count.into());
    } else if page.kind.eq_ignore_ascii_case("options") {
        put(&mut object, "options", options_to_json(&page.options()).into());
    } else {
        let records: Vec<Value> = page.records().map(|row| rows::record_to_json(&row)).collect();
        if usize::try_from(page.count).is_ok_and(|count| count != records.len()) {
            put(&mut object, "warnings", json!(["count_mismatch"]));
        }
        put(&mut object, "record_count", records.len().into());
        put(&mut object, "records", records.into());
    }
    object
}

fn package_to_json(package: &PackageHeader<'_>, object: &mut Value) {
    let facts = json!({
        "name": package.name, "size": package.size, "datacode": package.encoding, "datatype": package.kind,
        "content_len": package.content.len(),
    });
    for (key, value) in facts.as_object().into_iter().flatten() {
        put(object, key, value.clone());
    }
    put(object, "package", facts);
}

/// A part of a file from a controller.
pub(super) fn file_part_to_json(part: &FilePart<'_>) -> Value {
    let kind = part.packed.then_some("tgz");
    json!({ "kind": "file_post", "fileseq": part.sequence, "content_type": kind, "len": part.body.len(), "ack": "OK" })
}
