//! The whole of it: one row in, with what is known about it; a verdict out, and what it changes.

use chrono::TimeDelta;
use punch_normalize::timeline::{BounceScope, Cause, Days, DirectionRule, Exceptions, Role, Schedule, ShiftPattern};
use punch_normalize::{
    ClockEstimate, ClockOffset, ClockPolicy, Direction, DirectionSource, DuplicateKind, HoldReason, Normalizer,
    Observation, Person, Punch, Rules, SavedNormalizer, TimeQuality, Verdict,
};
use punch_protocol::Status;

use crate::build::{civil_time, instant, key, later, normalizer, pin, raw, serial, utc_rules, zone};

fn fresh(verdict: Verdict) -> Punch {
    let Verdict::Fresh(punch) = verdict else { panic!("{verdict:?}") };
    *punch
}

fn at(time: &str) -> Observation {
    later(raw(&format!("2026-03-02 {time}:00")))
}

// A8: what the late row changes is told, with what was found before and why
#[test]
fn a_late_row_revises_those_behind_it() {
    let (rules, mut normalizer) = (utc_rules(), normalizer());
    for (time, direction) in [("08:00", Direction::In), ("14:00", Direction::Out), ("18:00", Direction::In)] {
        assert_eq!(fresh(normalizer.observe(&rules, at(time))).direction, direction);
        assert!(normalizer.revised().is_empty());
    }
    assert_eq!(fresh(normalizer.observe(&rules, at("13:00"))).direction, Direction::Out);
    let told = normalizer.revised().iter().map(|change| {
        let old = change.old.as_ref().unwrap().direction;
        (old, change.new.direction, change.revision, change.cause)
    });
    let wanted =
        [(Direction::Out, Direction::In, 1, Cause::LateRow), (Direction::In, Direction::Out, 1, Cause::LateRow)];
    assert_eq!(told.collect::<Vec<_>>(), wanted);
}

#[test]
fn a_batch_of_late_rows_is_told_of_once() {
    let (rules, mut normalizer) = (utc_rules(), normalizer());
    normalizer.observe_all(&rules, vec![at("08:00"), at("18:00")]);
    normalizer.observe_all(&rules, vec![at("13:00"), at("14:00")]);
    // 18:00 was a departure and is one still.
    assert!(normalizer.revised().is_empty());
}

// 6.5: time alone says that somebody has forgotten to leave
#[test]
fn whoever_has_not_left_by_then_has_forgotten_to_say_so() {
    let (rules, mut normalizer) = (utc_rules(), normalizer());
    normalizer.observe(&rules, at("08:00"));
    normalizer.pass(instant("2026-03-02T22:00:00Z"), &rules.timeline);
    assert!(normalizer.revised().is_empty());
    normalizer.pass(instant("2026-03-02T22:00:01Z"), &rules.timeline);
    let [change] = normalizer.revised() else { panic!("{:?}", normalizer.revised()) };
    assert_eq!((change.new.exceptions, change.cause), (Exceptions::MISSING_OUT, Cause::Time));
}

// D10, D6: two terminals, by scope
#[test]
fn the_scope_says_which_terminals_are_compared() {
    let judge = |scope: BounceScope, sites: [Option<&str>; 2], roles: [Option<Role>; 2]| {
        let mut rules = utc_rules();
        rules.timeline.bounce.scope = scope;
        let mut normalizer = normalizer();
        let mut rows = ["A", "B"].map(|device| {
            let mut observation = at("08:00");
            observation.raw.serial = serial(device);
            observation
        });
        rows[1].raw.time += TimeDelta::seconds(40);
        for (row, (site, role)) in rows.iter_mut().zip(sites.into_iter().zip(roles)) {
            (row.site, row.role) = (site.map(Into::into), role);
        }
        let verdicts = rows.map(|row| normalizer.observe(&rules, row));
        matches!(verdicts[1], Verdict::Duplicate { kind: DuplicateKind::Bounce, .. })
    };
    let none: [Option<Role>; 2] = [None, None];
    assert!(!judge(BounceScope::Device, [Some("here"); 2], none));
    assert!(judge(BounceScope::Site, [Some("here"); 2], none));
    assert!(!judge(BounceScope::Site, [Some("here"), Some("there")], none));
    assert!(!judge(BounceScope::Site, [None, None], none), "a terminal without a site is at none with others");
    assert!(judge(BounceScope::Employee, [Some("here"), Some("there")], none));
    assert!(!judge(BounceScope::Site, [Some("here"); 2], [Some(Role::Entry), Some(Role::Exit)]));
}

// I4, I6: who somebody is, is the caller's to say
#[test]
fn two_pins_can_be_one_person_and_one_pin_two() {
    let (rules, mut normalizer) = (utc_rules(), normalizer());
    let mut observe = |time: &str, device: &str, pin_text: &str, person: Option<&str>| {
        let mut observation = at(time);
        (observation.raw.serial, observation.raw.pin) = (serial(device), pin(pin_text));
        observation.person = person.map(Person::new);
        fresh(normalizer.observe(&rules, observation)).direction
    };
    assert_eq!(observe("08:00", "A", "7", Some("ana")), Direction::In);
    assert_eq!(observe("08:30", "B", "7", Some("luis")), Direction::In);
    assert_eq!(observe("17:00", "B", "1007", Some("ana")), Direction::Out);
    assert_eq!(observe("18:00", "B", "7", Some("luis")), Direction::Out);
    assert_eq!(observe("19:00", "A", "7", None), Direction::In);
}

#[test]
fn a_person_s_own_shifts_go_before_those_of_the_rules() {
    let night = ShiftPattern {
        name: "night".into(),
        start: civil_time("2026-01-01 22:00:00").time(),
        end: civil_time("2026-01-01 06:00:00").time(),
        before: TimeDelta::hours(2),
        after: TimeDelta::hours(2),
        days: Days::ALL,
        from: None,
        to: None,
    };
    let (mut rules, mut normalizer) = (utc_rules(), normalizer());
    rules.timeline.direction = DirectionRule::Schedule;
    normalizer.assign(Person::new("1042"), Schedule { assigned: vec![night], default: Vec::new() });
    let punch = fresh(normalizer.observe(&rules, at("06:05")));
    assert_eq!((punch.direction, punch.direction_source), (Direction::Out, DirectionSource::Schedule));
}

fn clock(seconds: i64) -> Option<ClockOffset> {
    ClockOffset::measured(Some(ClockEstimate::new(TimeDelta::seconds(seconds), 32, TimeDelta::seconds(1))))
}

// C2, C3, C6: the three policies, from the row to the punch
#[test]
fn a_clock_s_error_is_told_corrected_or_held_as_the_policy_says() {
    let judge = |policy: ClockPolicy, seconds: i64| {
        let mut rules = utc_rules();
        rules.clock = policy;
        let mut observation = at("08:00");
        observation.clock = clock(seconds);
        normalizer().observe(&rules, observation)
    };
    let eight = instant("2026-03-02T08:00:00Z");
    let flagged = fresh(judge(ClockPolicy::Flag, 47));
    assert_eq!((flagged.punched_at, flagged.time_quality), (eight, TimeQuality::Exact));
    assert_eq!(flagged.clock_offset_s, Some(47));

    let adjusted = fresh(judge(ClockPolicy::Adjust, 47));
    assert_eq!((adjusted.punched_at, adjusted.time_quality), (eight + TimeDelta::seconds(47), TimeQuality::Adjusted));
    assert_eq!(adjusted.device_local, civil_time("2026-03-02 08:00:00"));
    assert_eq!(adjusted.local_time, adjusted.punched_at);
    // The identity is of what the terminal said.
    assert_eq!(adjusted.event_id, flagged.event_id);

    let zone_wrong = fresh(judge(ClockPolicy::AdjustWrong, -1798));
    assert_eq!((zone_wrong.punched_at, zone_wrong.clock_offset_s), (eight, Some(-1798)));
    let held = judge(ClockPolicy::Quarantine, -1798);
    assert!(matches!(held, Verdict::Held { reason: HoldReason::ClockWrong, .. }));
    assert!(judge(ClockPolicy::Quarantine, 47).fresh().is_some());
}

// T15
#[test]
fn what_is_older_than_the_go_live_date_is_historic() {
    let mut rules = utc_rules();
    rules.horizon.go_live = Some("2026-03-03".parse().unwrap());
    assert!(fresh(normalizer().observe(&rules, at("08:00"))).is_historic);
    let next = later(raw("2026-03-03 00:00:00"));
    assert!(!fresh(normalizer().observe(&rules, next)).is_historic);
}

// T16
#[test]
fn firmware_that_counts_seconds_says_utc_whatever_the_zone() {
    let mut rules = utc_rules();
    rules.zone = zone("America/Mexico_City");
    let mut observation = at("14:47");
    observation.raw.is_utc = true;
    let punch = fresh(normalizer().observe(&rules, observation));
    assert_eq!(punch.punched_at, instant("2026-03-02T14:47:00Z"));
    assert_eq!(punch.local_time.to_rfc3339(), "2026-03-02T08:47:00-06:00");
}

#[test]
fn what_another_version_saved_is_refused() {
    let mut normalizer = normalizer();
    let mut observation = at("08:00");
    observation.raw.status = Some(Status::CHECK_IN);
    normalizer.observe(&utc_rules(), observation);
    let text = serde_json::to_string(&normalizer.save()).unwrap();
    let newer: SavedNormalizer = serde_json::from_str(&text.replace(r#""v":1"#, r#""v":2"#)).unwrap();
    let error = Normalizer::restore(key(), newer).unwrap_err();
    assert_eq!(
        error.to_string(),
        "saved normalizer: found version 2, expected 1; open it with the version that wrote it"
    );
}

// T12, T13: somebody says what the clock was off by; what it showed, and the identity, stay
#[test]
fn a_row_of_an_unset_clock_is_dated_once_somebody_says_by_how_much() {
    let mut observation = later(raw("2000-01-01 00:00:07"));
    observation.received_at = instant("2026-03-02T20:00:00Z");
    let held = normalizer().observe(&utc_rules(), observation.clone());
    assert!(matches!(held, Verdict::Held { reason: HoldReason::ClockReset, .. }));
    observation.shift = Some(civil_time("2026-03-02 08:00:00") - civil_time("2000-01-01 00:00:00"));
    let punch = fresh(normalizer().observe(&utc_rules(), observation.clone()));
    assert_eq!((punch.punched_at, punch.time_quality), (instant("2026-03-02T08:00:07Z"), TimeQuality::Reanchored));
    assert_eq!((punch.device_local, &punch.event_id), (civil_time("2000-01-01 00:00:07"), held.event_id()));
    // Far ahead by what somebody says: it is theirs to say.
    observation.shift = Some(TimeDelta::days(365 * 27));
    assert!(normalizer().observe(&utc_rules(), observation).fresh().is_some());
}

// T12, T16: what counts seconds is in no zone, shifted or not
#[test]
fn a_shifted_row_that_counts_seconds_stays_in_utc() {
    let mut observation = later(raw("2000-01-01 00:00:07"));
    observation.raw.is_utc = true;
    observation.received_at = instant("2026-03-02T20:00:00Z");
    observation.shift = Some(civil_time("2026-03-02 08:00:00") - civil_time("2000-01-01 00:00:00"));
    let mexico = Rules::new(zone("America/Mexico_City"));
    let punch = fresh(normalizer().observe(&mexico, observation));
    assert_eq!(punch.punched_at, instant("2026-03-02T08:00:07Z"));
    assert_eq!(punch.local_time.to_rfc3339(), "2026-03-02T02:00:07-06:00");
}

#[test]
fn a_row_that_names_nobody_is_somebody_s_once_somebody_says_so() {
    let mut observation = at("08:00");
    observation.raw.pin = pin("");
    let held = normalizer().observe(&utc_rules(), observation.clone());
    assert!(matches!(held, Verdict::Held { reason: HoldReason::Anonymous, .. }));
    observation.person = Some(Person::new("ana"));
    assert_eq!(&fresh(normalizer().observe(&utc_rules(), observation)).event_id, held.event_id());
}
