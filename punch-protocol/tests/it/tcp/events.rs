//! Events of every size, and those that nobody has described.

use proptest::prelude::*;
use punch_protocol::tcp::{Command, Event, EventCode, EventTime, LivePunch, Person, ReplyNumber};
use punch_protocol::{Pin, Status, Verify};
use serde_json::Value;

use super::{Vector, shown};

#[test]
fn every_event_reads_as_the_vectors_say() {
    let mut read = 0;
    for vector in Vector::packets().into_iter().filter(|vector| vector.packet().command == Command::EVENT) {
        let packet = vector.packet();
        assert_eq!(packet.reply, ReplyNumber::EVENT, "{}", vector.id);
        let event = Event::parse(packet.session.event(), packet.data);
        for (key, want) in vector.decode.as_object().unwrap() {
            let got: Value = match key.as_str() {
                "cmd" | "reply" | "event_name" => want.clone(),
                "event" => packet.session.0.into(),
                "body" => packet.data.len().into(),
                other => field(&event, other),
            };
            assert_eq!(*want, got, "{}: {key}", vector.id);
        }
        read += 1;
    }
    assert_eq!(read, 14);
}

fn field(event: &Event<'_>, key: &str) -> Value {
    match (event, key) {
        (Event::FingerScore(score), "score") => (*score).into(),
        (Event::Verified { slot }, "user_sn") => slot.unwrap_or(u32::MAX).into(),
        (Event::Alarm(alarm), "alarm") => alarm.reason.0.into(),
        (Event::Alarm(alarm), "user_sn") => alarm.slot.into(),
        (Event::Alarm(alarm), "match") => alarm.matched.into(),
        (Event::FingerEnrolled(enrolled), "result") => enrolled.result.into(),
        (Event::FingerEnrolled(enrolled), "fp_size") => enrolled.template_len.into(),
        (Event::FingerEnrolled(enrolled), "finger") => enrolled.finger.into(),
        (Event::FingerEnrolled(enrolled), "user_id") => shown(enrolled.person.as_ref().unwrap()),
        (Event::Punch(punch), "user_id" | "user_num") => shown(&punch.person),
        (Event::Punch(punch), "verify") => punch.verify.0.into(),
        (Event::Punch(punch), "state") => punch.state.0.into(),
        (Event::Punch(punch), "byte3") => punch.valid_and_state.into(),
        (Event::Punch(punch), "time") => punch.time.civil().unwrap().format("%Y-%m-%dT%H:%M:%S").to_string().into(),
        (event, key) => panic!("{event:?}: {key}"),
    }
}

/// Punches have six known lengths and any above 32; every other is kept with its bytes. No length stops the stream.
#[test]
fn a_punch_is_read_by_its_length() {
    let body = [7_u8; 80];
    for len in 0..=body.len() {
        let event = Event::parse(EventCode::PUNCH, &body[..len]);
        match (len, &event) {
            (10 | 14, Event::Punch(punch)) => {
                assert_eq!((punch.person.clone(), punch.state.0), (Person::Slot(0x0707), 7));
                assert_eq!(punch.tail.as_bytes().len(), len - 10);
            }
            (12, Event::Punch(punch)) => assert_eq!(punch.person, Person::Number(0x0707_0707)),
            (32.., Event::Punch(punch)) => assert_eq!(punch.tail.as_bytes().len(), len - 32),
            (_, Event::Unknown { body, .. }) => assert_eq!(body.len(), len),
            (_, other) => panic!("{len}: {other:?}"),
        }
    }
}

/// A time that is none is kept, and so is the punch.
#[test]
fn an_impossible_time_costs_no_punch() {
    let vector = Vector::named("own-event-attlog-12");
    let mut body = vector.packet().data.to_vec();
    body[7] = 13;
    let Event::Punch(punch) = Event::parse(EventCode::PUNCH, &body) else { panic!() };
    assert_eq!((punch.time.civil(), punch.time.0), (None, [26, 13, 22, 8, 30, 15]));
}

proptest! {
    #[test]
    fn no_event_panics(code in any::<u16>(), bit in 0_u32..10, body in prop::collection::vec(any::<u8>(), 0..70)) {
        for code in [EventCode(code), EventCode(1 << bit)] {
            let event = Event::parse(code, &body);
            let shown = format!("{event:?}");
            prop_assert!(!shown.is_empty());
            if let Event::Unknown { code: kept, body: bytes } = event {
                prop_assert_eq!((kept, bytes), (code, &body[..]));
            }
        }
    }
}

/// What is written back is the event as it was captured, but for the bytes of unknown meaning.
#[test]
fn every_punch_of_the_vectors_is_written_as_it_was_sent() {
    let mut written = 0;
    for vector in Vector::packets().into_iter().filter(|vector| vector.packet().command == Command::EVENT) {
        let body = vector.packet().data;
        let Event::Punch(punch) = Event::parse(vector.packet().session.event(), body) else { continue };
        let mut out = Vec::new();
        punch.write(body.len(), &mut out).unwrap();
        let known = body.len().min(32);
        assert_eq!(out[..known], body[..known], "{}", vector.id);
        assert_eq!(out.len(), body.len());
        written += 1;
    }
    assert!(written >= 6, "{written}");
}

#[test]
fn a_punch_that_its_length_cannot_say_is_not_written() {
    let (time, state) = (EventTime([26, 11, 22, 8, 30, 15]), Status::CHECK_IN);
    let punch = |person| LivePunch::new(person, time, state, Verify(1));
    let mut out = Vec::new();
    for len in [0, 11, 13, 31] {
        assert!(punch(Person::Slot(1)).write(len, &mut out).is_err(), "{len}");
    }
    for (person, len) in [(Person::Slot(1), 32), (Person::Number(1), 10), (Person::Pin(Pin::new(b"1")), 12)] {
        assert!(punch(person).write(len, &mut out).is_err(), "{len}");
    }
    assert!(punch(Person::Pin(Pin::new(&[b'1'; 25]))).write(32, &mut out).is_err());
    let mut strange = punch(Person::Slot(1));
    strange.state = Status(16);
    assert!(strange.write(10, &mut out).is_err());
    strange.state = Status(256);
    assert!(strange.write(10, &mut out).is_err());
    assert_eq!(out, b"");
}
