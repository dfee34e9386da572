//! Punches become time events.

use chrono::TimeDelta;
use punch_erp::Outcome;

use super::world::{World, alice, crowd, punch, settings, words};

/// S0-042: from punch to record, and the service's key is kept.
#[test]
fn a_day() {
    let mut world = World::new();
    let day = [("08:00:00", "in"), ("13:00:00", "out"), ("14:00:00", "in"), ("18:00:00", "out")];
    let punches = day.map(|(time, direction)| alice(time, direction));
    let outcomes = world.write(&punches);
    assert_eq!(world.records(), ["10 08:00:00 P10", "10 13:00:00 P20", "10 14:00:00 P10", "10 18:00:00 P20"]);
    for (outcome, event) in outcomes.iter().zip(world.server.events()) {
        assert_eq!(*outcome, Outcome::Applied { remote_id: event.uuid.clone() });
    }
    assert_eq!(world.server.calls().len(), 2, "a token and a call");
    // Delivered again: nothing changes.
    assert_eq!(words(&world.write(&punches)), ["already"; 4]);
    assert_eq!(world.records().len(), 4);
}

/// Whatever order they come in, and in however many attempts.
#[test]
fn any_order() {
    let punches: Vec<_> = [("18:00:00", "out"), ("08:00:00", "in"), ("14:00:00", "in"), ("13:00:00", "out")]
        .map(|(time, direction)| alice(time, direction))
        .into();
    let mut world = World::new();
    for one in &punches {
        assert_eq!(words(&world.write(std::slice::from_ref(one))), ["applied"]);
    }
    let mut at_once = World::new();
    at_once.write(&punches);
    assert_eq!(world.records(), at_once.records());
    // Within a call they are in order of time, or a departure would overtake its arrival.
    let times: Vec<_> = at_once.server.events().iter().map(|event| event.at).collect();
    assert!(times.is_sorted());
}

/// SF-06: each event by itself.
#[test]
fn partial_success() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    world.server.config_mut().types.retain(|(code, _)| code != "P20");
    let outcomes = world.write(&[
        punch("9999", "08:00:00", "in"),
        alice("08:00:00", "in"),
        alice("16:00:00", "out"),
        punch("0042", "08:00:00", "in"),
        punch("", "08:00:00", "in"),
        alice("12:00:00", "unknown"),
    ]);
    let expected = ["refused", "already", "refused", "applied", "unknown_employee", "unknown_direction"];
    assert_eq!(words(&outcomes), expected);
    // The evidence is about this event alone.
    let Outcome::Park(punch_erp::ParkReason::Refused { evidence, .. }) = &outcomes[0] else { panic!("parked") };
    assert_eq!(evidence.body(), b"The assignment ID is not valid.");
    assert_eq!(evidence.status(), 201);
}

/// Two taps in one second are one event to the service; the same event twice in a batch is sent once.
#[test]
fn one_second_and_one_event() {
    let mut world = World::new();
    let (first, mut second) = (alice("08:00:00", "in"), alice("08:00:00", "in"));
    second.event_id = punch_normalize::EventId::parse("evt_second").unwrap();
    second.at += TimeDelta::milliseconds(900);
    let outcomes = world.write(&[first.clone(), second, first]);
    assert_eq!(words(&outcomes), ["applied", "already", "applied"]);
    assert_eq!(world.server.events().len(), 1);
}

/// A tenant that speaks German; without its text the refusal waits for a person.
#[test]
fn duplicates_in_another_language() {
    let german = "Es ist bereits ein Zeitereignis für diesen Mitarbeiter und Zeitstempel vorhanden.";
    for (texts, word) in [(vec![], "refused"), (vec!["BEREITS EIN ZEITEREIGNIS".to_owned()], "already")] {
        let mut own = settings();
        own.duplicate_texts = texts;
        let mut world = World::with(own);
        world.server.config_mut().duplicate_text = german.to_owned();
        world.write(&[alice("08:00:00", "in")]);
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), [word]);
    }
}

/// Times nobody can have meant are not sent.
#[test]
fn impossible_times() {
    let mut world = World::new();
    let mut punches = [alice("08:00:00", "in"), alice("08:00:00", "in")];
    punches[0].at = super::world::at("2009-12-31T23:59:59Z");
    punches[1].at = world.now + TimeDelta::days(2);
    assert_eq!(words(&world.write(&punches)), ["time_out_of_range"; 2]);
    assert!(world.server.calls().is_empty());
}

/// Who has no zone is written in UTC, and counted.
#[test]
fn punches_without_a_zone_are_counted() {
    let world = World::new();
    let mut known = alice("09:00:00", "in");
    known.local_time = Some(known.at.into());
    assert_eq!(world.flow(&[alice("08:00:00", "in"), known, punch("", "08:00:00", "in")]).without_zone(), 1);
}

/// A large batch: at most 0.01 calls a punch, each call as large as it may be, each record once.
#[test]
fn calls_per_punch() {
    let mut world = World::new();
    let punches = crowd(&mut world, 2300);
    let outcomes = world.write_until_settled(&punches);
    assert!(outcomes.iter().all(|outcome| outcome.word() == "applied"));
    assert_eq!(world.server.events().len(), punches.len());
    assert_eq!((world.server.writes(), world.server.calls().len()), (5, 6));
    assert!(world.server.calls().len() * 100 <= punches.len());
}

/// What a call has no room for says when there will be one.
#[test]
fn what_does_not_fit_is_held_back() {
    let mut world = World::new();
    let punches = crowd(&mut world, 600);
    let outcomes = world.write(&punches);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.word() == "applied").count(), 1000);
    let held = outcomes.iter().filter(|outcome| outcome.reason() == Some("held_back"));
    assert_eq!(held.clone().count(), 200);
    for outcome in held {
        let Outcome::Retry { after, reason } = outcome else { panic!("retry") };
        assert_eq!((*after, reason.may_have_happened()), (Some(TimeDelta::seconds(6)), false));
    }
}
