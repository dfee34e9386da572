//! Passages are observations like any other: identity, second punches, directions.

use punch_erp::hikcentral::{GetPerson, HikCentralRules, KnownPeople, Unresolved, read_notification};
use punch_erp::passage::{Passage, PersonKey, PersonScheme, Reading};
use punch_erp::{CallError, Endpoint as _};
use punch_normalize::{DeviceZone, DirectionSource, Normalizer, Rules, TenantKey, Verdict};
use serde_json::{Value, json};

use super::world::{World, at, local};
use crate::hikcentral_server::DoorEvent;

fn event(id: &str, time: &str, more: &Value) -> Value {
    let mut event = json!({
        "eventId": id, "eventType": 196_893, "happenTime": time, "srcIndex": "7", "srcName": "T", "data": { "personId": "11" },
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn read(event: &Value, rules: &HikCentralRules) -> Reading {
    let body = json!({ "params": { "ability": "event_acs", "events": [event] } });
    read_notification(body.to_string().as_bytes(), rules).unwrap().remove(0)
}

fn passage(event: &Value, rules: &HikCentralRules) -> Passage {
    read(event, rules).passage().unwrap().clone()
}

fn observe(normalizer: &mut Normalizer, passage: &Passage) -> Verdict {
    let rules = Rules::new(passage.zone());
    normalizer.observe(&rules, passage.observation(at("2026-01-27T20:00:00Z")))
}

/// S3-024, S3-025: pushed and listed, under two ids and written in two offsets, it is one punch.
#[test]
fn pushed_and_listed_it_is_one_punch() {
    let mut world = World::with(|config| config.ids_differ = true, |_| {});
    let pushed = passage(&event("p1", "2026-01-27T08:00:00.250-03:00", &json!({})), &world.rules);
    world.server.happen(DoorEvent::face("p1", at("2026-01-27T11:00:00Z").fixed_offset(), "11", "7"));
    let listed = world.read_day().unwrap().readings[0].passage().unwrap().clone();
    assert_ne!(pushed.event_id, listed.event_id);
    assert_eq!(pushed.natural_key(), listed.natural_key());
    let mut normalizer = Normalizer::new(TenantKey::new([7; 32]));
    let Verdict::Fresh(punch) = observe(&mut normalizer, &pushed) else { panic!("the first is fresh") };
    assert_eq!(punch.local_time.to_rfc3339(), "2026-01-27T08:00:00-03:00");
    assert_eq!((punch.direction.as_str(), punch.direction_source), ("in", DirectionSource::Role));
    assert!(matches!(observe(&mut normalizer, &listed), Verdict::Duplicate { .. }));
}

/// The core's rules apply: 60 s of the same person at the same door are one punch.
#[test]
fn a_second_look_is_no_second_punch() {
    let (rules, mut normalizer) = (World::new().rules, Normalizer::new(TenantKey::new([7; 32])));
    let verdicts = ["08:00:00", "08:00:40", "08:02:00"].map(|time| {
        let at = format!("2026-01-27T{time}-03:00");
        matches!(observe(&mut normalizer, &passage(&event(time, &at, &json!({})), &rules)), Verdict::Fresh(_))
    });
    assert_eq!(verdicts, [true, false, true]);
}

/// The event's word counts, then the reader's, then the door's; nobody is forced.
#[test]
fn direction_by_event_reader_and_door() {
    let mut rules = World::new().rules;
    rules.passage.readers.insert("12".into(), punch_normalize::Direction::Out);
    let time = "2026-01-27T08:00:00-03:00";
    for (more, direction, source) in [
        (json!({ "data": { "personId": "11", "readerIndexCode": "12", "checkInAndOutType": 1 } }), "in", "event"),
        (json!({ "data": { "personId": "11", "readerIndexCode": "12", "checkInAndOutType": 0 } }), "out", "door_map"),
        (json!({ "data": { "personId": "11", "readerIndexCode": "13" } }), "in", "door_map"),
        (json!({ "srcIndex": "9" }), "unknown", "none"),
        (json!({ "data": { "personId": "11", "checkInAndOutType": 5 } }), "overtime_in", "event"),
        (json!({ "data": { "personId": "11", "checkInAndOutType": "6" } }), "overtime_out", "event"),
        (json!({ "data": { "personId": "11", "checkInAndOutType": 99 } }), "in", "door_map"),
    ] {
        let passage = passage(&event("x", time, &more), &rules);
        assert_eq!((passage.direction.as_str(), passage.direction_source.as_str()), (direction, source), "{more}");
    }
}

#[test]
fn what_is_no_punch_says_why() {
    let mut rules = World::new().rules;
    rules.passage.attendance_doors = Some(["7".to_owned()].into());
    let time = "2026-01-27T08:00:00-03:00";
    for (more, word, reason) in [
        (json!({ "eventType": "196893" }), "punch", None),
        (json!({ "eventType": 197_151 }), "drop", Some("event_type_not_granted")),
        (json!({ "eventType": null }), "drop", Some("event_type_not_granted")),
        (json!({ "eventId": "" }), "quarantine", Some("missing_event_id")),
        (json!({ "eventId": "a.b" }), "quarantine", Some("bad_event_id")),
        (json!({ "happenTime": "1999-12-31T23:59:59+00:00" }), "quarantine", Some("bad_time")),
        (json!({ "happenTime": "2026-01-27T08:00:00" }), "quarantine", Some("bad_time")),
        (json!({ "srcIndex": "8" }), "drop", Some("other_door")),
        (json!({ "srcIndex": null }), "quarantine", Some("bad_device")),
        (json!({ "srcIndex": "a b" }), "quarantine", Some("bad_device")),
    ] {
        let reading = read(&event("x", time, &more), &rules);
        assert_eq!((reading.word(), reading.reason()), (word, reason), "{more}");
    }
    let other = json!({ "params": { "ability": "event_vss", "events": [{}] } });
    let readings = read_notification(other.to_string().as_bytes(), &rules).unwrap();
    assert_eq!((readings[0].word(), readings[0].reason()), ("ignore", Some("not_access_control")));
}

#[test]
fn a_time_without_an_offset_is_of_the_configured_zone_and_says_so() {
    let mut rules = World::new().rules;
    rules.passage.zone = Some(DeviceZone::parse("America/Argentina/Buenos_Aires").unwrap());
    let passage = passage(&event("x", "2026-01-27 08:00:00", &json!({})), &rules);
    assert_eq!((passage.at, passage.is_zone_assumed), (local("08:00:00"), true));
}

#[test]
fn bodies_that_are_none_are_refused_with_a_code() {
    let rules = HikCentralRules::default();
    let code = |body: &str| read_notification(body.as_bytes(), &rules).unwrap_err().code();
    assert_eq!([code("<html>"), code("{}"), code(r#"{"params":{"events":3}}"#)], ["PE-SRC-001"; 3]);
    let many = format!(r#"{{"params":{{"events":[{}1]}}}}"#, "1,".repeat(1000));
    assert_eq!(code(&many), "PE-SRC-003");
    assert_eq!(code(&" ".repeat((4 << 20) + 1)), "PE-SRC-002");
}

/// S3-022: a listed event has no person code, so the person is looked up once, and found for a day.
#[test]
fn the_code_of_a_person_is_looked_up_and_remembered() {
    let (mut world, mut people) = (World::new(), KnownPeople::default());
    let passage = passage(&event("x", "2026-01-27T08:00:00-03:00", &json!({})), &world.rules);
    let (scheme, now) = (PersonScheme::PersonCode, at("2026-01-27T12:00:00Z"));
    let Err(Unresolved::Ask(key)) = people.resolve(&passage, &scheme, now) else { panic!("nothing is known yet") };
    let call = GetPerson::new(&world.site.clone(), key, world.stamp()).unwrap();
    let person = call.response(&world.send(&call.request()).unwrap()).unwrap();
    people.put(person, now);
    let found = people.resolve(&passage, &scheme, now).unwrap();
    assert_eq!(found.value, "EMP11");
    let custom = people.resolve(&passage, &"custom:dni".parse().unwrap(), now).unwrap();
    assert_eq!(custom.value, "dni-11");
    assert_eq!(people.resolve(&passage, &"custom:x".parse().unwrap(), now), Err(Unresolved::Nobody));
    assert!(people.resolve(&passage, &scheme, at("2026-01-28T12:00:00Z")).is_err());
    let keyed = passage.clone().with_employee(found);
    assert_eq!((keyed.employee.value.as_str(), keyed.natural_key()), ("EMP11", passage.natural_key()));
}

#[test]
fn a_person_that_is_not_there_is_no_failure_of_the_server() {
    let mut world = World::new();
    let key = PersonKey::new(PersonScheme::PersonCode, "nobody").unwrap();
    let call = GetPerson::new(&world.site.clone(), key, world.stamp()).unwrap();
    let answer = call.response(&world.send(&call.request()).unwrap());
    assert!(matches!(answer, Err(CallError::NotFound(_))));
    assert!("badge".parse::<PersonScheme>().is_err());
}
