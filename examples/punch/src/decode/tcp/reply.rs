use punch_protocol::tcp::{
    BufferReady, Combination, EncodedTime, FreeSizes, GroupZones, MachineState, OptionPair, Packet, TimeZoneTable,
};
use serde_json::json;

use super::packet::{put_option, put_style};
use super::{Facts, ascii, civil, hex, put, put_all, text};

/// An `ACK_OK` does not say what it answers; its length and its content do.
pub(super) fn put_reply(facts: &mut Facts, packet: &Packet<'_>) {
    let data = packet.data;
    if let Some(pair) = ascii(data).and_then(|_| OptionPair::parse(data)).filter(|pair| pair.value().is_some()) {
        return put_option(facts, pair);
    }
    if ascii(data).is_some() && data.len() > 4 {
        put(facts, if data.starts_with(b"Ver ") { "version" } else { "text" }, text(data));
        return;
    }
    match data.len() {
        0 if MachineState::named().any(|state| state == packet.session.state()) => {
            put(facts, "state", packet.session.0);
        }
        1 => put(facts, "value", data.first().copied()),
        4 => put_word(facts, data),
        8 => put_access(facts, data),
        13 => {
            if let Ok(BufferReady { flag, size, size_again, unknown, .. }) = BufferReady::parse(data) {
                put_all(facts, json!({ "flag": flag, "size": size, "size2": size_again, "word3": unknown }));
            }
        }
        24 => put_style(facts, data),
        32 => put_time_zone(facts, data),
        80.. => put_free_sizes(facts, FreeSizes::new(data)),
        _ => {}
    }
}

/// A time, or counts that a unit does not tell.
fn put_word(facts: &mut Facts, data: &[u8]) {
    let Ok(word) = data.try_into().map(u32::from_le_bytes) else { return };
    put(facts, "value", word);
    let time = EncodedTime(word).civil().filter(|time| !punch_protocol::civil::is_unset_clock(*time));
    if let Some(time) = time {
        put(facts, "time", civil(time));
    }
}

/// A combination and a group's time zones are equally long.
fn put_access(facts: &mut Facts, data: &[u8]) {
    match (Combination::parse(data), GroupZones::parse(data)) {
        (Ok(comb), _) if comb.is_consistent() => {
            put_all(facts, json!({ "comb": comb.number, "groups": comb.groups, "valid_groups": comb.valid }));
        }
        (_, Ok(zones)) => put_all(
            facts,
            json!({
                "group": zones.group, "tz": zones.zones, "holiday": zones.on_holidays(), "verify_style": zones.style(),
            }),
        ),
        _ => {}
    }
}

fn put_time_zone(facts: &mut Facts, data: &[u8]) {
    const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let Ok(table) = TimeZoneTable::parse(data) else { return };
    put(facts, "tz_index", table.index);
    for (day, span) in DAYS.into_iter().zip(table.days) {
        let clock = |[hour, minute]: [u8; 2]| format!("{hour:02}:{minute:02}");
        put(facts, day, json!([clock(span.from), clock(span.to)]));
    }
    put(facts, "trailer_hex", hex(&table.trailer));
}

fn put_free_sizes(facts: &mut Facts, sizes: FreeSizes<'_>) {
    let counts = [
        ("users", sizes.users()),
        ("fingers", sizes.fingers()),
        ("records", sizes.records()),
        ("oplog", sizes.operations()),
        ("admins", sizes.administrators()),
        ("passwords", sizes.passwords()),
        ("fp_cap", sizes.finger_capacity()),
        ("user_cap", sizes.user_capacity()),
        ("rec_cap", sizes.record_capacity()),
        ("fp_free", sizes.fingers_free()),
        ("user_free", sizes.users_free()),
        ("rec_free", sizes.records_free()),
        ("faces", sizes.faces()),
        ("face_cap", sizes.face_capacity()),
    ];
    for (key, count) in counts {
        if let Some(count) = count {
            put(facts, key, count);
        }
    }
}
