//! The published middleware of twenty lines against the stand-in: what goes wrong with it is what the stand-in has to show.

use punch_erp::HttpResponse;
use punch_webhook::ReceivedPunch;
use serde_json::{Value, json};

use super::month::Month;
use super::world::{DOORS, KEY, World, alice, naive, now};

/// One call as the article makes it. `Err` holds the name of the exception.
fn call(world: &mut World, model: &str, method: &str, args: Value, named: Value) -> Result<Value, String> {
    let args = json!(["main", 5, KEY, model, method, args, named]);
    let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": args}});
    let request = http::Request::post("https://odoo.example.com/jsonrpc").header("content-type", "application/json");
    let request = request.body(bytes::Bytes::from(body.to_string())).unwrap();
    let response: HttpResponse = world.server.answer(&request, now());
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    match answer.get("error") {
        Some(error) => Err(error["data"]["name"].as_str().unwrap().rsplit('.').next().unwrap().to_owned()),
        None => Ok(answer["result"].clone()),
    }
}

/// The article's handler, with its form of time.
fn article(world: &mut World, punch: &ReceivedPunch, form: &str) -> Result<(), String> {
    let time = punch.at.format(form).to_string();
    let named = json!({"fields": ["id"], "limit": 1});
    let found = call(world, "hr.employee", "search_read", json!([[["barcode", "=", punch.badge]]]), named)?;
    let Some(employee) = found[0]["id"].as_i64() else { return Ok(()) };
    if punch.direction == punch_normalize::Direction::In {
        let row = json!([{"employee_id": employee, "check_in": time}]);
        return call(world, "hr.attendance", "create", row, json!({})).map(drop);
    }
    let domain = json!([[["employee_id", "=", employee], ["check_out", "=", false]]]);
    let named = json!({"fields": ["id"], "limit": 1, "order": "check_in desc"});
    let open = call(world, "hr.attendance", "search_read", domain, named)?;
    match open[0]["id"].as_i64() {
        Some(id) => call(world, "hr.attendance", "write", json!([[id], {"check_out": time}]), json!({})).map(drop),
        None => Ok(()),
    }
}

const MENDED: &str = "%Y-%m-%d %H:%M:%S";

/// As published, with `T` and `Z`: nothing is ever stored.
#[test]
fn as_published() {
    let mut world = World::new();
    for punch in [alice("08:00:00", "in"), alice("16:00:00", "out")] {
        let refused = article(&mut world, &punch, "%Y-%m-%dT%H:%M:%SZ");
        assert_eq!(refused.is_err(), punch.direction == punch_normalize::Direction::In, "{refused:?}");
    }
    assert!(world.server.attendances().is_empty());
}

/// Punches by time and direction, what the article makes of them, and what we do.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str], &'static [&'static str]);

/// Case by case, with the form of time mended. What we make of the same punches is the last column.
#[test]
fn case_by_case() {
    let cases: &[Case] = &[
        (&[("08:00:00", "in"), ("08:00:00", "in")], &["10 08:00:00-"], &["10 08:00:00-"]),
        // 31 hours worked.
        (
            &[("16:00:00", "out"), ("08:00:00", "in"), ("11 08:00:00", "in"), ("11 15:00:00", "out")],
            &["10 08:00:00-11 15:00:00"],
            &["10 08:00:00-16:00:00", "11 08:00:00-15:00:00"],
        ),
        // A whole day lost.
        (
            &[("11 08:00:00", "in"), ("08:00:00", "in"), ("16:00:00", "out")],
            &["11 08:00:00-"],
            &["10 08:00:00-16:00:00", "11 08:00:00-"],
        ),
        // 30 hours worked, without an alarm.
        (
            &[("08:00:00", "in"), ("11 08:00:00", "in"), ("11 14:00:00", "out")],
            &["10 08:00:00-11 14:00:00"],
            &["10 08:00:00-08:00:00", "11 08:00:00-14:00:00"],
        ),
        // Yesterday right, today lost.
        (
            &[("08:00:00", "in"), ("11 08:00:00", "in"), ("16:00:00", "out"), ("11 16:00:00", "out")],
            &["10 08:00:00-16:00:00"],
            &["10 08:00:00-16:00:00", "11 08:00:00-16:00:00"],
        ),
        // A double tap taken for leaving.
        (
            &[("08:00:00", "in"), ("08:00:01", "in"), ("16:00:00", "out")],
            &["10 08:00:00-16:00:00"],
            &["10 08:00:00-16:00:00"],
        ),
    ];
    for (punches, theirs, ours) in cases {
        let punches: Vec<_> = punches.iter().map(|(time, direction)| alice(time, direction)).collect();
        let mut world = World::new();
        for punch in &punches {
            // The script dies or logs; either way it goes on with the next webhook.
            drop(article(&mut world, punch, MENDED));
        }
        assert_eq!(world.records(), *theirs);
        let mut world = World::new();
        for known in 1..=punches.len() {
            world.write(&punches[..known]);
        }
        assert_eq!(world.records(), *ours);
    }
}

/// An empty badge books on the first who has none.
#[test]
fn an_empty_badge() {
    let mut world = World::new();
    let mut nobody = alice("08:00:00", "in");
    nobody.badge.clear();
    article(&mut world, &nobody, MENDED).unwrap();
    assert_eq!(world.server.attendances()[0].employee, 1);
}

/// The month is as hard as it is meant to be: of its pairs the article gets some half right, and it invents others.
#[test]
fn the_month() {
    let month = Month::new(1);
    let mut world = month.world(18, punch_erp::odoo::Protocol::JsonRpc);
    for punch in month.punches() {
        drop(article(&mut world, punch, MENDED));
    }
    let (right, invented) = month.score(&world);
    println!("{right} % right, {invented} invented");
    assert!((30..80).contains(&right) && invented > 30, "{right} % right, {invented} invented");
}

/// The rules of overlapping, at their edges, each by the name of the exception.
#[test]
fn rules_of_the_server() {
    let create = |world: &mut World, check_in: &str, check_out: Option<&str>| {
        let text = |time: &str| naive(time).format(MENDED).to_string();
        let mut row = json!({"employee_id": 11, "check_in": text(check_in)});
        if let Some(check_out) = check_out {
            row["check_out"] = json!(text(check_out));
        }
        call(world, "hr.attendance", "create", json!([row]), json!({})).map(drop)
    };
    let refused = Err("ValidationError".to_owned());
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        for _ in 0..3 {
            assert_eq!(create(&mut world, "16:00:00", Some("16:00:00")), Ok(()), "no length, with nothing before it");
        }
        let mut world = World::at_door(version, protocol);
        assert_eq!(create(&mut world, "08:00:00", Some("07:59:59")), refused);
        assert_eq!(create(&mut world, "12:00:00", Some("13:00:00")), Ok(()));
        assert_eq!(create(&mut world, "11:00:00", Some("12:00:00")), Ok(()), "touching");
        assert_eq!(create(&mut world, "12:00:00", Some("13:00:00")), refused, "an exact repetition");
        assert_eq!(create(&mut world, "12:30:00", None), refused, "open within a closed one");
        assert_eq!(create(&mut world, "10:00:00", Some("14:00:00")), refused, "around");
        assert_eq!(create(&mut world, "08:00:00", None), Ok(()), "open before closed ones");
        assert_eq!(create(&mut world, "14:00:00", None), refused, "a second open one");
        assert_eq!(create(&mut world, "14:00:00", Some("15:00:00")), Ok(()), "a pair behind an open one");
        assert_eq!(create(&mut world, "07:00:00", Some("09:00:00")), refused, "over the begin of the open one");
        assert_eq!(create(&mut world, "16:00:00", Some("16:00:00")), Ok(()), "no length");
        assert_eq!(
            create(&mut world, "16:00:00", Some("16:00:00")),
            refused,
            "no length, once more, with another one before it"
        );
        let open = world.server.attendances().iter().find(|row| row.check_out.is_none()).unwrap().id;
        let mut close = |end: &str| {
            let end = json!([[open], {"check_out": format!("2026-11-10 {end}")}]);
            call(&mut world, "hr.attendance", "write", end, json!({})).map(drop)
        };
        assert_eq!(close("11:30:00"), refused, "past the next one");
        assert_eq!(close("11:00:00"), Ok(()));
    }
}

/// Forms of time: what is refused, and what is taken without a word.
#[test]
fn forms_of_time() {
    for (text, stored) in [
        ("2026-11-10 08:00:00", Some("08:00:00")),
        ("2026-11-10 08:00", Some("08:00:00")),
        ("2026-11-10", Some("00:00:00")),
        ("2026-11-10T08:00:00", None),
        ("2026-11-10T08:00:00Z", None),
        ("2026-11-10 08:00:00+01:00", None),
        ("2026-11-10 08:00:00.5", None),
        (" 2026-11-10 08:00:00", None),
    ] {
        let mut world = World::new();
        let row = json!([{"employee_id": 11, "check_in": text}]);
        let answer = call(&mut world, "hr.attendance", "create", row, json!({}));
        let found = world.server.attendances().first().map(|row| row.check_in);
        assert_eq!(found, stored.map(naive), "{text}");
        assert_eq!(answer.is_err(), stored.is_none());
    }
    let mut world = World::new();
    call(&mut world, "hr.attendance", "create", json!([{"employee_id": 11}]), json!({})).unwrap();
    assert_eq!(world.server.attendances()[0].check_in, now().naive_utc(), "a missing time is now");
}
