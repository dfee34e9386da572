//! Pairs, for customers without Clock In Clock Out.

use bytes::Bytes;
use chrono::{NaiveDate, TimeDelta};
use punch_erp::successfactors::{
    Mode, SuccessFactors, SuccessFactorsSettings, WriteExternalTimes, odata_day, odata_instant, odata_time,
    parse_odata_instant,
};
use punch_erp::{Flow as _, HttpResponse, Outcome, Step, drive};
use punch_webhook::ReceivedPunch;
use serde_json::{Value, json};

use super::vectors::{check_request, text, vector};
use super::world::{SuccessFactorsFault, World, alice, at, punch, settings, words};

fn external(zone: &str) -> SuccessFactorsSettings {
    let mut external = settings();
    (external.mode, external.time_zone) = (Mode::ExternalTimeData, zone.to_owned());
    external.time_type = "WORKING_TIME".to_owned();
    external
}

fn world() -> World {
    let mut world = World::with(external("UTC"));
    world.now = at("2026-11-12T00:00:00Z");
    world
}

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, number).unwrap()
}

fn flow(world: &World, punches: &[ReceivedPunch]) -> WriteExternalTimes {
    WriteExternalTimes::new(&world.tenant, punches, &(day(10)..=day(11)), world.now).with_session(world.session.clone())
}

fn write(world: &mut World, punches: &[ReceivedPunch]) -> Vec<Outcome> {
    let mut flow = flow(world, punches);
    let outcomes = drive(&mut flow, |request| world.send(&request));
    world.session = flow.session().clone();
    outcomes
}

/// `1001-20261110-1 PT08H00M00S PT16H00M00S`
fn records(world: &World) -> Vec<String> {
    let record =
        |(code, row): (&String, &Value)| format!("{code} {} {}", text(row, "/startTime"), text(row, "/endTime"));
    world.server.external_times().iter().map(record).collect()
}

/// SF-21 to SF-23.
#[test]
fn odata() {
    let vector_21 = vector("SF-21");
    let instant = at(text(&vector_21, "/input"));
    assert_eq!(odata_instant(instant), text(&vector_21, "/expect/date_literal"));
    assert_eq!(parse_odata_instant(text(&vector_21, "/expect/date_offset_literal")), Some(instant));
    assert_eq!(odata_day(instant.date_naive()), text(&vector_21, "/expect/midnight_of_day_literal"));
    let vector_22 = vector("SF-22");
    let expected = vector_22["expect"].as_array().unwrap();
    for (input, expected) in vector_22["input"].as_array().unwrap().iter().zip(expected) {
        assert_eq!(parse_odata_instant(input.as_str().unwrap()), Some(at(expected.as_str().unwrap())));
    }
    let vector_23 = vector("SF-23");
    assert_eq!(odata_time(text(&vector_23, "/input").parse().unwrap()), text(&vector_23, "/expect"));
    for bad in [
        "/Date()/",
        "/Date(1",
        "Date(1)",
        "/Date(1.5)/",
        "/Date(1+)/",
        "/Date(--1)/",
        "/Date(+1)/",
        "/Date(1+a)/",
        "/Date(9223372036854775807)/",
        "",
    ] {
        assert_eq!(parse_odata_instant(bad), None, "{bad}");
    }
    assert_eq!(parse_odata_instant("/Date(-1-0600)/"), Some(at("1969-12-31T23:59:59.999Z")));
}

/// SF-24: one pair to the byte, out of punches.
#[test]
fn request() {
    let vector = vector("SF-24");
    let time = |name: &str| text(&vector["input"], name).to_owned();
    let mut punches = [alice("08:00:00", "in"), alice("09:00:00", "out")];
    for (punch, local) in punches.iter_mut().zip([time("/start_local"), time("/end_local")]) {
        punch.badge = time("/userId");
        punch.at = at(&format!("{local}Z")) - TimeDelta::hours(1);
    }
    // Berlin is one hour ahead on that day.
    let tenant = SuccessFactors::new(external("Europe/Berlin")).unwrap();
    let days = NaiveDate::from_ymd_opt(2026, 3, 28).unwrap();
    let mut flow = WriteExternalTimes::new(&tenant, &punches, &(days..=days), at("2026-03-29T00:00:00Z"));
    assert!(matches!(flow.poll(), Step::Send(request) if request.uri().path() == "/oauth2/token"));
    flow.handle(Ok(HttpResponse::new(Bytes::from_static(br#"{"access_token":"T1"}"#))));
    let Step::Send(request) = flow.poll() else { panic!("an upsert") };
    check_request(&request, &vector["expect"], "SF-24");
    assert_eq!(request.uri().path_and_query().unwrap(), text(&vector["expect"], "/path"));
    assert_eq!(request.headers()["authorization"], "Bearer T1");
}

/// SF-25: a good status with errors in it.
#[test]
fn answers() {
    let vector = vector("SF-25");
    let world = world();
    let punches = [
        ("08:00:00", "in"),
        ("09:00:00", "out"),
        ("10:00:00", "in"),
        ("11:00:00", "out"),
        ("12:00:00", "in"),
        ("13:00:00", "out"),
    ]
    .map(|(time, direction)| alice(time, direction));
    let outcomes = drive(&mut flow(&world, &punches), |request| {
        let is_token = request.uri().path() == "/oauth2/token";
        let body = if is_token { json!({ "access_token": "T" }) } else { vector["input"]["body"].clone() };
        Ok(HttpResponse::new(Bytes::from(body.to_string())))
    });
    assert_eq!(words(&outcomes), ["applied", "applied", "refused", "refused", "unconfirmed", "unconfirmed"]);
    let Outcome::Park(punch_erp::ParkReason::Refused { evidence, .. }) = &outcomes[2] else { panic!("parked") };
    assert_eq!((evidence.status(), evidence.body()), (400, text(&vector["expect"][1], "/message").as_bytes()));
    assert_eq!(outcomes[0].remote_id(), Some("20261110-1"));
}

/// A day in any order, a night over midnight, and everything again.
#[test]
fn pairs() {
    let mut world = world();
    let punches = [
        alice("18:00:00", "out"),
        alice("08:00:00", "in"),
        alice("14:00:00", "break_in"),
        alice("13:00:00", "break_out"),
        punch("0042", "22:00:00", "in"),
        punch("0042", "11 06:00:00", "out"),
    ];
    for _ in 0..2 {
        assert_eq!(words(&write(&mut world, &punches)), ["applied"; 6]);
        assert_eq!(
            records(&world),
            [
                "0042-20261110-1 PT22H00M00S PT06H00M00S",
                "1001-20261110-1 PT08H00M00S PT13H00M00S",
                "1001-20261110-2 PT14H00M00S PT18H00M00S"
            ]
        );
    }
    let night = &world.server.external_times()["0042-20261110-1"];
    assert_eq!(
        (text(night, "/startDate"), text(night, "/endDate")),
        ("/Date(1794268800000)/", "/Date(1794355200000)/")
    );
    assert!(world.server.external_times()["1001-20261110-1"].get("endDate").is_none());
}

/// A punch that comes late moves the day's pairs to where they belong; nothing is left over.
#[test]
fn late_punches() {
    let mut world = world();
    let mut punches = vec![alice("14:00:00", "in"), alice("18:00:00", "out")];
    write(&mut world, &punches);
    assert_eq!(records(&world), ["1001-20261110-1 PT14H00M00S PT18H00M00S"]);
    punches.extend([alice("08:00:00", "in"), alice("13:00:00", "out")]);
    write(&mut world, &punches);
    let expected = ["1001-20261110-1 PT08H00M00S PT13H00M00S", "1001-20261110-2 PT14H00M00S PT18H00M00S"];
    assert_eq!(records(&world), expected);
}

/// What is no pair is never made one.
#[test]
fn what_is_no_pair() {
    let mut world = world();
    let mut outcomes = |punches: &[ReceivedPunch]| {
        let outcomes = write(&mut world, punches);
        words(&outcomes).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&[alice("08:00:00", "out")]), ["orphan_out"]);
    assert_eq!(outcomes(&[alice("11 08:00:00", "in")]), ["open_arrival"]);
    assert_eq!(outcomes(&[alice("11 09:00:00", "in")]), ["incomplete"]);
    let two = [alice("08:00:00", "in"), alice("09:00:00", "in"), alice("16:00:00", "out"), alice("17:00:00", "out")];
    assert_eq!(outcomes(&two), ["open_arrival", "applied", "applied", "orphan_out"]);
    // 16 hours and a second.
    let long = [punch("0042", "08:00:00", "in"), punch("0042", "11 00:00:01", "out")];
    assert_eq!(outcomes(&long), ["open_arrival", "orphan_out"]);
    let nobody = [
        alice("08:00:00", "unknown"),
        punch("", "08:00:00", "in"),
        punch("9999", "08:00:00", "in"),
        punch("9999", "09:00:00", "out"),
    ];
    assert_eq!(outcomes(&nobody), ["unknown_direction", "unknown_employee", "refused", "refused"]);
    // Begun before the days that are asked for.
    let before = [alice("09 20:00:00", "in"), alice("10 04:00:00", "out")];
    assert_eq!(outcomes(&before), ["held_back", "held_back"]);
    assert_eq!(world.server.external_times().len(), 1);
}

/// Any fault at any request: the same records in the end.
#[test]
fn faults() {
    let punches =
        [alice("08:00:00", "in"), alice("13:00:00", "out"), alice("14:00:00", "in"), alice("18:00:00", "out")];
    for (fault, word) in [
        (SuccessFactorsFault::DropBefore, "no_answer"),
        (SuccessFactorsFault::DropAfter, "no_answer"),
        (SuccessFactorsFault::Stall, "no_answer"),
        (SuccessFactorsFault::BadGatewayAfter, "unavailable"),
        (SuccessFactorsFault::TooManyRequests(None), "busy"),
        (SuccessFactorsFault::Portal, "unreadable"),
        (SuccessFactorsFault::Redirect, "redirected"),
    ] {
        for before in 0..2 {
            let mut world = world();
            world.server.fail_next((0..before).map(|_| SuccessFactorsFault::None).chain([fault]));
            assert_eq!(words(&write(&mut world, &punches)), [word; 4], "{fault:?}");
            assert_eq!(words(&write(&mut world, &punches)), ["applied"; 4], "{fault:?}");
            assert_eq!(records(&world).len(), 2, "{fault:?}");
        }
    }
    let mut world = world();
    write(&mut world, &punches);
    world.server.fail_next([SuccessFactorsFault::Maintenance(60)]);
    let Outcome::Retry { after, .. } = &write(&mut world, &punches)[0] else { panic!("retry") };
    assert_eq!(*after, Some(TimeDelta::seconds(60)));
    world.server.fail_next([SuccessFactorsFault::TokensEnd]);
    assert_eq!(words(&write(&mut world, &punches)), ["applied"; 4], "a token is renewed");
}

/// More pairs than a call takes, and no badge in what is shown.
#[test]
fn many_and_masked() {
    let mut world = world();
    let punches = super::world::crowd(&mut world, 1100);
    let outcomes = write(&mut world, &punches);
    assert!(outcomes.iter().all(|outcome| outcome.word() == "applied"));
    assert_eq!((world.server.external_times().len(), world.server.calls().len()), (1100, 3));
    let mut flow = flow(&world, &[punch("canarybadge7Q", "08:00:00", "in"), punch("canarybadge7Q", "09:00:00", "out")]);
    loop {
        let step = flow.poll();
        let shown = format!("{flow:?} {step:?}");
        assert!(!shown.contains("canarybadge7Q"), "{shown}");
        match step {
            Step::Send(request) => {
                let answer = world.send(&request);
                flow.handle(answer);
            }
            Step::Done(outcomes) => {
                outcomes.iter().for_each(|outcome| {
                    assert!(!crate::secrecy::texts(outcome).contains("canarybadge7Q"));
                });
                break;
            }
        }
    }
}
