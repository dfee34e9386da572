//! Who a PIN is: at which terminal, and when.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use gateway::core::{Bound, Clash, Identity, Periods, Register, Scope, Validity};
use gateway::store::{Place, Store};
use proptest::prelude::*;
use punch_protocol::{Pin, SerialNumber};
use rusqlite::Connection;
use serde_json::json;

use crate::api::check_error;
use crate::harness::Site;

fn serial(text: &str) -> SerialNumber {
    SerialNumber::parse(text).unwrap()
}

fn person(id: &str, pin: &'static str, scope: Scope) -> Identity {
    Identity { id: Some(id.to_owned()), scope, ..Identity::new(Pin::new(pin.as_bytes())) }
}

fn bound(text: &str) -> Option<Bound> {
    (!text.is_empty()).then(|| text.parse().unwrap())
}

fn from_to(from: &str, to: &str) -> Validity {
    Validity { from: bound(from), to: bound(to) }
}

fn at(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

fn register(identities: impl IntoIterator<Item = Identity>) -> Register {
    let mut register = Register::default();
    for identity in identities {
        register.add(identity).unwrap();
    }
    register
}

fn who(register: &Register, device: &str, site: &str, pin: &'static str, moment: &str) -> Option<String> {
    register.find(&serial(device), site, &Pin::new(pin.as_bytes()), at(moment)).map(Identity::person)
}

const NOON: &str = "2026-03-02T12:00:00-06:00";

#[test]
fn i4_the_terminals_identity_goes_before_the_sites_and_that_before_everybodys() {
    let device = |name: &str| Scope::Device(serial(name));
    let register = register([
        person("ada", "7", device("T1")),
        person("bo", "7", device("T2")),
        person("cy", "7", Scope::Site("Plant".to_owned())),
        person("di", "7", Scope::Tenant),
        person("ed", "8", device("T1")),
    ]);
    let cases = [
        ("T1", "Plant", "7", Some("ada")),
        ("T2", "Plant", "7", Some("bo")),
        ("T3", "Plant", "7", Some("cy")),
        ("T3", "Office", "7", Some("di")),
        ("T3", "", "7", Some("di")),
        ("T1", "Plant", "8", Some("ed")),
        ("T2", "Plant", "8", None),
        ("T1", "Plant", "007", None),
        ("T1", "Plant", "9", None),
    ];
    for (device, site, pin, expected) in cases {
        assert_eq!(who(&register, device, site, pin, NOON).as_deref(), expected, "{pin} at {device}, {site}");
    }
    assert!(!register.is_empty() && Register::default().is_empty());
}

#[test]
fn one_person_may_have_two_pins_and_who_has_no_id_is_called_by_the_pin() {
    let register = register([
        person("ada", "7", Scope::Tenant),
        person("ada", "A-77b", Scope::Tenant),
        Identity::new(Pin::new(b"8")),
    ]);
    assert_eq!(who(&register, "T1", "", "7", NOON), who(&register, "T1", "", "A-77b", NOON));
    assert_eq!(who(&register, "T1", "", "8", NOON).as_deref(), Some("8"));
}

/// The old person keeps the old rows, whenever they come.
#[test]
fn i6_a_pin_that_is_given_to_somebody_else_is_the_persons_who_had_it_then() {
    let had = |id, from, to| Identity { validity: from_to(from, to), ..person(id, "7", Scope::Tenant) };
    let days =
        register([had("ada", "", "2026-03-31"), had("bo", "2026-04-01", "2026-06-30"), had("cy", "2026-08-01", "")]);
    let cases = [
        ("2020-01-01T00:00:00-06:00", Some("ada")),
        ("2026-03-31T23:59:59-06:00", Some("ada")),
        ("2026-04-01T00:00:00-06:00", Some("bo")),
        // The day is the terminal's: in UTC this is the 30th of June at one, and the 1st of July at the other.
        ("2026-06-30T23:59:59-06:00", Some("bo")),
        ("2026-07-01T00:00:00+14:00", None),
        ("2026-07-15T12:00:00-06:00", None),
        ("2026-08-01T00:00:00-06:00", Some("cy")),
    ];
    for (moment, expected) in cases {
        assert_eq!(who(&days, "T1", "", "7", moment).as_deref(), expected, "{moment}");
    }
    let change = "2026-04-01T06:00:00-06:00";
    let moments = register([had("ada", "", change), had("bo", change, "")]);
    assert_eq!(who(&moments, "T1", "", "7", "2026-04-01T11:59:59Z").as_deref(), Some("ada"));
    assert_eq!(who(&moments, "T1", "", "7", "2026-04-01T12:00:00Z").as_deref(), Some("bo"), "the end is the beginning");
}

/// While a narrower identity is not valid, the wider one counts.
#[test]
fn i6_who_left_one_terminal_is_not_found_there_by_what_was_said_of_it() {
    let mut guest = person("guest", "7", Scope::Device(serial("T1")));
    guest.validity = from_to("2026-03-02", "2026-03-02");
    let register = register([person("ada", "7", Scope::Tenant), guest]);
    assert_eq!(who(&register, "T1", "", "7", "2026-03-02T23:00:00Z").as_deref(), Some("guest"));
    assert_eq!(who(&register, "T1", "", "7", "2026-03-03T00:00:00Z").as_deref(), Some("ada"));
}

#[test]
fn two_identities_that_one_row_could_be_of_are_refused() {
    let had = |id: &str, from, to| Identity { validity: from_to(from, to), ..person(id, "7", Scope::Tenant) };
    let unnamed = |from, to| Identity { validity: from_to(from, to), ..Identity::new(Pin::new(b"7")) };
    let second = |first: Identity, second: Identity| {
        let mut known = register([first]);
        known.add(second)
    };
    let cases = [
        (had("a", "", "2026-03-31"), had("b", "2026-04-01", ""), Ok(())),
        (had("a", "", "2026-03-31"), had("b", "2026-03-31", ""), Err(Clash::Taken)),
        (had("b", "2026-04-01", ""), had("a", "", "2026-03-31"), Ok(())),
        (had("b", "2026-03-31", ""), had("a", "", "2026-03-31"), Err(Clash::Taken)),
        (had("a", "", ""), had("a", "", ""), Err(Clash::Taken)),
        (had("a", "", "2026-04-01T00:00:00Z"), had("b", "2026-04-01T00:00:00Z", ""), Ok(())),
        (had("a", "", "2026-04-01T00:00:01Z"), had("b", "2026-04-01T00:00:00Z", ""), Err(Clash::Taken)),
        // A day ends last in UTC-12, and begins first in UTC+14.
        (had("a", "", "2026-03-31"), had("b", "2026-04-01T12:00:00Z", ""), Ok(())),
        (had("a", "", "2026-03-31"), had("b", "2026-04-01T11:59:59Z", ""), Err(Clash::Taken)),
        (had("a", "", "2026-03-31T10:00:00Z"), had("b", "2026-04-01", ""), Ok(())),
        (had("a", "", "2026-03-31T10:00:01Z"), had("b", "2026-04-01", ""), Err(Clash::Taken)),
        (unnamed("", "2026-03-31"), had("b", "2026-04-01", ""), Ok(())),
        (unnamed("", "2026-03-31"), unnamed("2026-04-01", ""), Err(Clash::Unnamed)),
    ];
    for (index, (one, two, expected)) in cases.into_iter().enumerate() {
        assert_eq!(second(one, two), expected, "case {index}");
    }
    let elsewhere = person("b", "7", Scope::Device(serial("T1")));
    assert_eq!(second(had("a", "", ""), elsewhere), Ok(()), "the narrower one goes before");
    let elsewhere = person("b", "7", Scope::Site("Plant".to_owned()));
    assert_eq!(second(had("a", "", ""), elsewhere), Ok(()));
}

prop_compose! {
    /// A bound within two days, at the minute.
    fn any_bound()(kind in 0..3, minute in 0..2880i64) -> Option<Bound> {
        let instant = at("2026-03-02T00:00:00Z").to_utc() + TimeDelta::minutes(minute);
        match kind {
            0 => None,
            1 => Some(Bound::Date(instant.date_naive())),
            _ => Some(Bound::Instant(instant)),
        }
    }
}

proptest! {
    /// Wherever on earth a terminal is, two that may stand side by side never both have the PIN.
    #[test]
    fn of_two_that_do_not_overlap_at_most_one_has_the_pin(
        (one_from, one_to, other_from, other_to) in (any_bound(), any_bound(), any_bound(), any_bound()),
        minute in -1440..5760i64,
        offset in -720..=840i32,
    ) {
        let (one, other) = (Validity { from: one_from, to: one_to }, Validity { from: other_from, to: other_to });
        let moment = at("2026-03-02T00:00:00Z") + TimeDelta::minutes(minute);
        let there = moment.with_timezone(&FixedOffset::east_opt(offset * 60).unwrap());
        prop_assert_eq!(one.overlaps(&other), other.overlaps(&one));
        prop_assert!(one.overlaps(&other) || !(one.covers(there) && other.covers(there)));
        prop_assert!(!one.is_empty() || !one.covers(there));
    }
}

#[test]
fn a_bound_reads_as_it_is_written_and_nothing_else_does() {
    for text in ["2026-03-02", "2026-03-02T12:00:00Z"] {
        assert_eq!(text.parse::<Bound>().unwrap().to_string(), text);
    }
    assert_eq!("2026-03-02T06:00:00-06:00".parse::<Bound>(), "2026-03-02T12:00:00Z".parse());
    for text in ["", "2026-02-30", "02/03/2026", "2026-03-02T06:00:00", "tomorrow"] {
        assert!(text.parse::<Bound>().is_err(), "{text}");
    }
}

#[test]
fn closed_days_are_told_by_the_day() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let today = day("2026-03-31");
    let none = Periods::default();
    assert_eq!(none.closed_through(today), None);
    let closed = Periods { closed_through: Some(day("2026-03-15")), close_after_days: Some(20), ..none };
    assert_eq!(closed.closed_through(today), Some(day("2026-03-15")));
    assert_eq!(
        closed.closed_through(day("2026-04-30")),
        Some(day("2026-04-09")),
        "20 days lie between, and it is over"
    );
    assert_eq!(Periods { close_after_days: Some(1), ..none }.closed_through(today), Some(day("2026-03-29")));
}

/// S2-070: what was registered is listed, a badge has one person at a place and a time, and mistakes name the field.
#[tokio::test]
async fn people_are_registered_and_listed_over_the_api() {
    let shift = "[[shift]]\nname = \"night\"\nstart = \"22:00\"\nend = \"06:00\"\n";
    let shifts = gateway::config::Config::parse(shift).unwrap().shifts;
    let site = Site::start(|config| config.shifts = shifts).await;
    let post = async |body| site.post("/v1/employees", body).await;
    let full = json!({
        "badge_number": "7", "id": "ada", "name": "Ada", "device": "T1", "valid_from": "2026-03-02",
        "valid_to": "2026-04-01T06:00:00-06:00", "shifts": ["night"],
    });
    assert_eq!(post(full).await.0, 201);
    assert_eq!(post(json!({ "badge_number": " 0042 " })).await.0, 201, "padding is no part of a PIN");
    assert_eq!(post(json!({ "badge_number": "7", "id": "bo", "site": "Plant" })).await.0, 201);

    let shown = |badge: &str, id: Option<&str>| {
        json!({
            "badge_number": badge, "id": id, "name": null, "device": null, "site": null, "valid_from": null,
            "valid_to": null, "shifts": [],
        })
    };
    let (status, list) = site.get("/v1/employees").await;
    assert_eq!(status, 200);
    let (mut ada, mut bo) = (shown("7", Some("ada")), shown("7", Some("bo")));
    for (key, value) in [
        ("name", json!("Ada")),
        ("device", json!("T1")),
        ("valid_from", json!("2026-03-02")),
        ("valid_to", json!("2026-04-01T12:00:00Z")),
        ("shifts", json!(["night"])),
    ] {
        ada[key] = value;
    }
    bo["site"] = json!("Plant");
    assert_eq!(list["data"], json!([shown("0042", None), ada, bo]));
    let (_, second) = site.get("/v1/employees?page=2&per_page=1").await;
    assert_eq!((&second["data"][0]["id"], &second["meta"]["page"]), (&json!("ada"), &json!(2)));

    let wrong = [
        (json!({ "badge_number": "\u{0}" }), "badge_number", 400),
        (json!({ "badge_number": "a\\q" }), "badge_number", 400),
        (json!({ "badge_number": "9", "id": " " }), "id", 400),
        (json!({ "badge_number": "9", "device": "no serial" }), "device", 400),
        (json!({ "badge_number": "9", "device": "T1", "site": "Plant" }), "site", 400),
        (json!({ "badge_number": "9", "valid_from": "yesterday" }), "valid_from", 400),
        (json!({ "badge_number": "9", "valid_from": "2026-03-02", "valid_to": "2026-03-01" }), "valid_to", 400),
        (json!({ "badge_number": "9", "shifts": ["late"] }), "shifts", 400),
        (json!({ "badge_number": "9", "pin": "9" }), "pin", 400),
        (json!({ "badge_number": "7", "id": "cy", "site": "Plant" }), "badge_number", 409),
        (json!({ "badge_number": "0042", "device": "T1" }), "id", 409),
    ];
    for (body, field, expected) in wrong {
        let (status, answer) = post(body.clone()).await;
        assert_eq!((status, &answer["error"]["field"]), (expected, &json!(field)), "{body}");
        check_error(&answer, if expected == 400 { "validation_failed" } else { "conflict" });
        let text = answer["error"]["message"].as_str().unwrap();
        assert!(!text.contains("0042") && !text.contains("a\\q"), "{text}");
    }
    let (_, again) = site.get("/v1/employees").await;
    assert_eq!(again["data"], list["data"], "a refusal changes nothing");
}

/// Whoever is registered again is changed: a name, an id for somebody who had none, an end and a successor.
#[tokio::test]
async fn registering_somebody_again_changes_what_is_known_of_them() {
    let site = Site::start(|_| ()).await;
    let steps = [
        (json!({ "badge_number": "7" }), 201),
        (json!({ "badge_number": "7", "name": "Ada" }), 201),
        (json!({ "badge_number": "7", "id": "ada", "name": "Ada" }), 201),
        (json!({ "badge_number": "7", "id": "bo", "valid_from": "2026-04-01" }), 409),
        (json!({ "badge_number": "7", "id": "ada", "name": "Ada", "valid_to": "2026-03-31" }), 201),
        (json!({ "badge_number": "7", "id": "bo", "valid_from": "2026-04-01" }), 201),
    ];
    for (body, expected) in steps {
        assert_eq!(site.post("/v1/employees", body.clone()).await.0, expected, "{body}");
    }
    let (_, list) = site.get("/v1/employees").await;
    let told = list["data"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|one| json!([one["id"], one["valid_from"], one["valid_to"]])).collect();
    assert_eq!(told, [json!(["ada", null, "2026-03-31"]), json!(["bo", "2026-04-01", null])]);
    let store = site.gateway.store();
    let register = store.read(|connection| Register::of_pin(connection, &Pin::new(b"7"))).await.unwrap();
    assert_eq!(who(&register, "T1", "", "7", "2026-03-31T23:00:00-06:00").as_deref(), Some("ada"), "I6");
    assert_eq!(who(&register, "T1", "", "7", "2026-04-01T00:00:00-06:00").as_deref(), Some("bo"), "I6");
}

/// The file goes before what the store had of the same badge, place and time; what it no longer names stays.
#[tokio::test]
async fn the_file_has_the_last_word_about_whom_it_names() {
    let had = |id: Option<&str>, pin: &'static [u8], from, to| Identity {
        id: id.map(ToOwned::to_owned),
        validity: from_to(from, to),
        ..Identity::new(Pin::new(pin))
    };
    let first = vec![had(None, b"7", "", ""), had(Some("cy"), b"8", "", "")];
    let site = Site::start(|config| config.employees = first).await;
    let second = vec![had(Some("bo"), b"7", "2026-04-01", ""), had(Some("ada"), b"7", "", "2026-03-31")];
    let people = second.clone();
    let site = site.restart(|config| config.employees = people).await;
    let site = site.restart(|config| config.employees = second).await;
    let rows = site
        .ask_all("SELECT coalesce(id, '-') || ' ' || valid_from || '/' || valid_to FROM employee ORDER BY badge, id");
    assert_eq!(rows.await, ["ada /2026-03-31", "bo 2026-04-01/", "cy /"]);
}

/// Who was registered before badges had places and times has theirs everywhere and always.
#[tokio::test]
async fn people_of_an_older_layout_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("punch.sqlite");
    let old = Connection::open(&path).unwrap();
    for layout in [
        include_str!("../../src/store/schema_1.sql"),
        include_str!("../../src/store/schema_2.sql"),
        include_str!("../../src/store/schema_3.sql"),
    ] {
        old.execute_batch(layout).unwrap();
    }
    old.execute_batch("INSERT INTO employee VALUES ('7', 'Ada'), ('8', NULL); PRAGMA user_version = 3;").unwrap();
    drop(old);
    let store = Store::open(&Place::File(path)).unwrap();
    let ada = Identity { name: Some("Ada".to_owned()), ..Identity::new(Pin::new(b"7")) };
    assert!(store.read(Identity::all).await.unwrap() == [ada, Identity::new(Pin::new(b"8"))]);
}

#[test]
fn neither_an_identity_nor_a_register_shows_a_person() {
    let known = Identity { name: Some("Canary".to_owned()), ..person("canary", "7canary", Scope::Tenant) };
    let mut register = register([known.clone()]);
    assert_eq!(register.add(known.clone()), Err(Clash::Taken));
    assert!(!format!("{known:?} {register:?}").to_lowercase().contains("canary"), "{register:?}");
}
