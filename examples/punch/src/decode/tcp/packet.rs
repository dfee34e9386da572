use punch_protocol::tcp::{
    Announcement, AttendanceLayout, BufferPiece, BufferRequest, Command, Dataset, EncodedTime, EventMask, Limits,
    OptionPair, Packet, ReplyNumber, Scramble, Surroundings, TemplateHead, UserLayout, UserVerifyStyle,
};
use serde_json::{Value, json};

use super::{Facts, ascii, event, hex, put, put_all, put_time, record, reply};

/// What one packet says, as far as it can be told without the one it answers.
pub(super) fn facts(packet: &Packet<'_>) -> Facts {
    let mut facts = Facts::new();
    put(&mut facts, "cmd", packet.command.0);
    put(&mut facts, "name", packet.command.to_string());
    put(&mut facts, "reply", packet.reply.0);
    put(&mut facts, "session", packet.session.0);
    put(&mut facts, "session_field", packet.session.0);
    if !packet.data.is_empty() {
        put(&mut facts, "data_len", packet.data.len());
    }
    match packet.command {
        // Events are told with reply number 0; a client that asks for them counts its request.
        Command::EVENT if packet.reply == ReplyNumber::EVENT => event::put_event(&mut facts, packet),
        Command::EVENT => put_mask(&mut facts, packet.data),
        Command::DATA => put_data(&mut facts, packet),
        command if command.is_success() => reply::put_reply(&mut facts, packet),
        command if command.is_answer() => {}
        _ => put_request(&mut facts, packet),
    }
    if !packet.data.is_empty() {
        put(&mut facts, "data_hex", hex(packet.data));
        if let Some(text) = ascii(packet.data) {
            put(&mut facts, "data_ascii", text);
        }
    }
    facts
}

fn put_mask(facts: &mut Facts, data: &[u8]) {
    if let Ok(mask) = data.try_into().map(u32::from_le_bytes).map(EventMask) {
        put(facts, "mask", mask.0);
    }
}

/// What a client asks, or a terminal announces.
fn put_request(facts: &mut Facts, packet: &Packet<'_>) {
    let data = packet.data;
    match packet.command {
        Command::OPTIONS_READ | Command::OPTIONS_WRITE => {
            if let Some(pair) = OptionPair::parse(data) {
                put_option(facts, pair);
            }
        }
        Command::AUTH => {
            if let Ok(proof) = Scramble::parse(data) {
                let key = proof.key_number(packet.session.0);
                put_all(facts, json!({ "commkey": key, "ticks": proof.ticks(), "key_hex": hex(data) }));
            }
        }
        Command::PREPARE_DATA => {
            // Too much to be accepted is still what the bytes say.
            let limits = Limits { dataset: usize::MAX, ..Limits::default() };
            if let Ok(Announcement { size, packet_max, .. }) = Announcement::parse(data, &limits) {
                put_all(facts, json!({ "size": size, "max_data": packet_max }));
            }
        }
        Command::PREPARE_BUFFER => {
            if let Ok(request) = BufferRequest::parse(data) {
                put_buffer_request(facts, request);
            }
        }
        Command::READ_BUFFER => {
            if let Ok(BufferPiece { offset, len, .. }) = BufferPiece::parse(data) {
                put_all(facts, json!({ "offset": offset, "length": len }));
            }
        }
        Command::SET_TIME => {
            if let Ok(time) = data.try_into().map(u32::from_le_bytes).map(EncodedTime) {
                put(facts, "value", time.0);
                put_time(facts, time);
            }
        }
        Command::VERIFY_STYLE_WRITE => put_style(facts, data),
        Command::USER_WRITE => {
            let layout = UserLayout::ALL.into_iter().find(|layout| layout.size() == data.len());
            if let Some(user) = layout.and_then(|layout| record::user(layout, data)) {
                put(facts, "user", user);
            }
        }
        Command::DATASET_READ if data.len() == 1 => put(facts, "fct", data.first().copied()),
        _ => put_numbers(facts, packet),
    }
}

/// Commands whose data is one small number.
fn put_numbers(facts: &mut Facts, packet: &Packet<'_>) {
    let number = match *packet.data {
        [byte] => Some(u32::from(byte)),
        [low, high] => Some(u16::from_le_bytes([low, high]).into()),
        [a, b, c, d] => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    };
    let key = match packet.command {
        Command::DELETE_USER | Command::VERIFY_STYLE_READ => "uid",
        Command::UNLOCK => "delay",
        Command::DISABLE_DEVICE => "seconds",
        _ => "value",
    };
    if let Some(number) = number {
        put(facts, key, number);
    }
}

pub(super) fn put_option(facts: &mut Facts, pair: OptionPair<'_>) {
    put(facts, "option", String::from_utf8_lossy(pair.name()));
    if let Some(value) = pair.value() {
        put(facts, "value", String::from_utf8_lossy(value));
    }
}

pub(super) fn put_style(facts: &mut Facts, data: &[u8]) {
    if let Ok(UserVerifyStyle { slot, style, .. }) = UserVerifyStyle::parse(data) {
        put_all(facts, json!({ "user_sn": slot, "verify_style": style.0, "style": style.to_string() }));
    }
}

fn put_buffer_request(facts: &mut Facts, request: BufferRequest) {
    let (from, to) = (request.kind.0, request.extra);
    put_all(facts, json!({ "sub": request.command.0, "fct": from, "ext": to }));
    if request.command == Command::ATTENDANCE_BY_TIME {
        let times = [from, to].map(|time| EncodedTime(time).civil().map(super::civil));
        put(facts, "between", json!(times));
    }
}

/// A piece of a dataset, or a whole one: then its records say what they are.
fn put_data(facts: &mut Facts, packet: &Packet<'_>) {
    put(facts, "index", packet.session.0);
    let Ok(dataset) = Dataset::parse(packet.data, &Limits::default()) else { return };
    let whole = dataset.missing() == 0 && dataset.surplus == 0;
    if !whole || dataset.records.is_empty() {
        return;
    }
    put(facts, "total", dataset.announced);
    put(facts, "records_expected", dataset.records.len() / AttendanceLayout::Text40.size());
    let plausible = put_records(facts, dataset.records);
    put(facts, "plausible", plausible);
}

/// Reads the records of a whole dataset; false if they are none that are known.
fn put_records(facts: &mut Facts, records: &[u8]) -> bool {
    let (limits, nothing) = (Limits::default(), Surroundings::default());
    let now = gateway::clock::now().naive_utc();
    if let Ok(choice) = UserLayout::choose(records, nothing, &limits) {
        let users: Vec<Value> =
            records.chunks_exact(choice.layout.size()).filter_map(|one| record::user(choice.layout, one)).collect();
        put(facts, "users", users);
        put(facts, "trailing_bytes", choice.trailing);
        return true;
    }
    if let Ok(choice) = AttendanceLayout::choose(records, nothing, &limits, now) {
        let behind = records.get(choice.noise..).unwrap_or_default();
        let punches: Vec<Value> = choice.layout.records(behind).map(|one| record::punch(choice.layout, &one)).collect();
        put(facts, "records", punches);
        put(facts, "layout", record::name(choice.layout));
        put(facts, "trailing_bytes", choice.trailing);
        return true;
    }
    let templates: Result<Vec<Value>, _> = TemplateHead::list(records).map(|head| head.map(record::template)).collect();
    match templates {
        Ok(templates) => {
            put(facts, "templates", templates);
            true
        }
        Err(_) => false,
    }
}
