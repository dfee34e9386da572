use punch_protocol::tcp::{Event, EventCode, LivePunch, Packet, Person};
use serde_json::json;

use super::{Facts, hex, put, put_all, put_event_time};

/// What the terminal tells unasked.
pub(super) fn put_event(facts: &mut Facts, packet: &Packet<'_>) {
    let code = packet.session.event();
    put(facts, "event", code.0);
    put(facts, "body", packet.data.len());
    if let Some(name) = name(code) {
        put(facts, "event_name", name);
    }
    match Event::parse(code, packet.data) {
        Event::Punch(punch) => put_punch(facts, &punch),
        Event::FingerEnrolled(enrolled) => {
            put(facts, "result", enrolled.result);
            put_all(facts, json!({ "fp_size": enrolled.template_len, "finger": enrolled.finger }));
            if let Some(person) = &enrolled.person {
                put_person(facts, person);
            }
        }
        // All bits set are a finger nobody knows.
        Event::Verified { slot } => put(facts, "user_sn", slot.unwrap_or(u32::MAX)),
        Event::FingerScore(score) => put(facts, "score", score),
        Event::Alarm(alarm) => {
            put_all(facts, json!({ "alarm": alarm.reason.0, "alarm_name": alarm.reason.to_string() }));
            if let (Some(slot), Some(matched)) = (alarm.slot, alarm.matched) {
                put_all(facts, json!({ "user_sn": slot, "match": matched }));
            }
        }
        _ => {}
    }
}

/// The vendor's names.
fn name(code: EventCode) -> Option<&'static str> {
    Some(match code {
        EventCode::PUNCH => "EF_ATTLOG",
        EventCode::FINGER => "EF_FINGER",
        EventCode::USER_ENROLLED => "EF_ENROLLUSER",
        EventCode::FINGER_ENROLLED => "EF_ENROLLFINGER",
        EventCode::BUTTON => "EF_BUTTON",
        EventCode::UNLOCK => "EF_UNLOCK",
        EventCode::VERIFIED => "EF_VERIFY",
        EventCode::FINGER_SCORE => "EF_FPFTR",
        EventCode::ALARM => "EF_ALARM",
        _ => return None,
    })
}

fn put_person(facts: &mut Facts, person: &Person<'_>) {
    match person {
        Person::Pin(pin) => put(facts, "user_id", pin.to_text()),
        Person::Number(number) => put(facts, "user_num", *number),
        Person::Slot(slot) => put_all(facts, json!({ "uid": slot, "user_num": slot })),
        _ => {}
    }
}

fn put_punch(facts: &mut Facts, punch: &LivePunch<'_>) {
    put_person(facts, &punch.person);
    put_all(facts, json!({ "verify": punch.verify.0, "state": punch.state.0 }));
    if let Some(both) = punch.valid_and_state {
        put_all(facts, json!({ "byte3": both, "valid": both >> 4 }));
    }
    put_event_time(facts, punch.time);
    if !punch.tail.as_bytes().is_empty() {
        put(facts, "tail_hex", hex(punch.tail.as_bytes()));
    }
}
