//! The audit log: who changed what, in the transaction of the change, in a chain in which nothing can be altered unseen.

use chrono::{DateTime, TimeDelta};
use gateway::config::RetentionConfig;
use gateway::core::{AuditEntry, Break, Check, Deed, Head, Linked, Outcome, Problem};
use gateway::delivery::retention::pass;
use gateway::store::audit_after;
use proptest::prelude::{Strategy, any, prop_assert};
use serde_json::{Value, json};

use crate::api::check_error;
use crate::api_keys::make;
use crate::harness::{API_KEY, Recorder, Site, Visitor};

/// The whole log, as the export has it.
async fn exported(site: &Site) -> Vec<Linked> {
    let text = site.request("GET", "/v1/audit/export").bearer_auth(API_KEY).send().await.unwrap().text().await.unwrap();
    text.lines().map(|line| Linked::parse(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn check(entries: &[Linked], noted: Option<Head>) -> Result<Head, Break> {
    let mut check = Check::new(Head::START, noted);
    entries.iter().try_for_each(|linked| check.take(linked))?;
    check.finish()
}

/// What stands in an entry, without when and where.
fn told(linked: &Linked) -> String {
    let AuditEntry { deed, outcome, status, .. } = &linked.entry;
    let Deed { via, key, scope, action, target, detail, .. } = deed;
    let key = key.map_or("-".to_owned(), |key| key.to_string());
    let (scope, target) = (scope.as_deref().unwrap_or("-"), target.as_deref().unwrap_or("-"));
    let detail: Vec<String> = detail.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let status = status.map(|status| format!(" {status}")).unwrap_or_default();
    format!("{via} {key}/{scope} {action} [{target}] {}{status}{}", outcome.as_str(), detail.concat())
}

async fn call(site: &Site, key: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = site.request(method, path).bearer_auth(key).header("Content-Type", "application/json");
    site.call(request.body(body.to_string())).await
}

#[tokio::test]
async fn whatever_changes_something_is_written_down_with_who_and_what_came_of_it() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|_| ()).await;
    let (id, reader) = make(&site, "reader of Ana Torres", "read").await;
    let calls = [
        ("POST", "/v1/devices", json!({ "serial_number": "T2" }), 201),
        ("PATCH", "/v1/devices/T2", json!({ "admission": "blocked" }), 200),
        ("POST", "/v1/employees", json!({ "badge_number": "90019", "name": "Ana Torres" }), 201),
        ("POST", "/v1/employees", json!({ "badge_number": "90019", "id": "x", "name": "Eva" }), 201),
        ("POST", "/v1/employees", json!({ "badge_number": "90019", "id": "y", "name": "Eva" }), 409),
        ("POST", "/v1/webhooks", json!({ "url": receiver.url(), "events": ["attendance.punch"] }), 201),
        ("POST", "/v1/webhooks", json!({ "url": "no" }), 400),
        ("PATCH", "/v1/webhooks/1", json!({ "state": "paused" }), 200),
        ("POST", "/v1/devices/T1/commands", json!({ "command": "restart" }), 202),
        ("DELETE", &*format!("/v1/api-keys/{id}"), json!({}), 200),
        ("DELETE", "/v1/jobs/99", json!({}), 404),
    ];
    let (status, refused) = call(&site, &reader, "POST", "/v1/devices", json!({ "serial_number": "T3" })).await;
    assert_eq!(status, 403, "{refused}");
    for (method, path, body, expected) in calls {
        let (status, answer) = call(&site, API_KEY, method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    // Looking changes nothing, and what is not let in at all leaves nothing.
    site.get("/v1/employees").await;
    assert_eq!(call(&site, "wrong", "POST", "/v1/devices", json!({})).await.0, 401);
    let log = exported(&site).await;
    let lines: Vec<String> = log.iter().map(told).collect();
    let key = format!("api 0/admin DELETE /v1/api-keys/{{id}} [{id}] done");
    let expected = [
        "configuration -/- start [-] done devices=1".to_owned(),
        format!("api 0/admin POST /v1/api-keys [{id}] done scope=read"),
        format!("api {id}/read POST /v1/devices [-] refused 403"),
        "api 0/admin POST /v1/devices [T2] done".to_owned(),
        "api 0/admin PATCH /v1/devices/{serial} [T2] done admission=blocked".to_owned(),
        "api 0/admin POST /v1/employees [-] done".to_owned(),
        "api 0/admin POST /v1/employees [-] done".to_owned(),
        "api 0/admin POST /v1/employees [-] refused 409".to_owned(),
        "api 0/admin POST /v1/webhooks [1] done".to_owned(),
        "api 0/admin POST /v1/webhooks [-] refused 400".to_owned(),
        "api 0/admin PATCH /v1/webhooks/{id} [1] done state=paused".to_owned(),
        "api 0/admin POST /v1/devices/{serial}/commands [T1] done command=restart command_id=1".to_owned(),
        key,
        "api 0/admin DELETE /v1/jobs/{id} [99] refused 404".to_owned(),
    ];
    assert_eq!(lines, expected);
    assert!(log.iter().skip(1).all(|linked| linked.entry.deed.source.as_deref() == Some("127.0.0.1")));
    let text = serde_json::to_string(&log).unwrap();
    for personal in ["90019", "Ana", "Eva", "whsec", "pk_", &receiver.url()] {
        assert!(!text.contains(personal), "{personal} is in the log");
    }
    let head = check(&log, None).unwrap();
    let (_, noted) = site.get("/v1/audit/head").await;
    assert_eq!((&noted["data"]["head"], head.seq), (&json!(head.to_string()), 14));
}

#[tokio::test]
async fn the_log_is_listed_with_filters_and_for_those_who_may_see_it() {
    let site = Site::start(|_| ()).await;
    let (_, inspector) = make(&site, "inspection", "inspector").await;
    let (_, writer) = make(&site, "erp", "write").await;
    assert_eq!(call(&site, &writer, "POST", "/v1/devices", json!({ "serial_number": "T2" })).await.0, 201);
    for (key, expected) in [(API_KEY, 200), (&*inspector, 200), (&*writer, 403)] {
        for path in ["/v1/audit", "/v1/audit/head", "/v1/audit/export"] {
            assert_eq!(site.request("GET", path).bearer_auth(key).send().await.unwrap().status(), expected, "{path}");
        }
    }
    let count = async |query: &str| {
        let (status, answer) = site.get(&format!("/v1/audit?{query}")).await;
        assert_eq!(status, 200, "{answer}");
        (answer["meta"]["total"].as_u64().unwrap(), answer["data"][0]["entry"]["seq"].as_u64())
    };
    assert_eq!(count("").await, (4, Some(4)), "the newest first");
    assert_eq!(count("sort=seq").await, (4, Some(1)));
    assert_eq!(count("via=configuration").await, (1, Some(1)));
    assert_eq!(count("key_id=2&outcome=done&target=T2").await, (1, Some(4)));
    assert_eq!(count("action=POST%20%2Fv1%2Fapi-keys").await, (2, Some(3)));
    assert_eq!(count("until=2000-01-01T00:00:00Z").await, (0, None));
    let (status, wrong) = site.get("/v1/audit?outcome=good").await;
    assert_eq!(status, 400);
    check_error(&wrong, "validation_failed");
    let (_, rest) = site.get("/v1/audit?per_page=3").await;
    assert!(rest["meta"]["next_cursor"].is_string(), "{rest}");
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let site = Site::start(|_| ()).await;
    site.edit("ALTER TABLE audit RENAME TO audit_gone").await;
    let (status, answer) = site.post("/v1/employees", json!({ "badge_number": "1", "name": "Ana" })).await;
    assert_eq!(status, 503, "{answer}");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM employee").await, 0);
    // What terminals send waits for no log.
    site.punch("7\t2026-03-28 08:47:12\t0\t1\n").await;
    site.edit("ALTER TABLE audit_gone RENAME TO audit").await;
    assert_eq!(site.post("/v1/employees", json!({ "badge_number": "1" })).await.0, 201);
}

#[tokio::test]
async fn a_call_that_is_repeated_is_written_down_once() {
    let site = Site::start(|_| ()).await;
    let before = exported(&site).await.len();
    for _ in 0..3 {
        let request = site.request("POST", "/v1/devices").bearer_auth(API_KEY).header("Idempotency-Key", "once");
        let request = request.header("Content-Type", "application/json").body(r#"{"serial_number":"T2"}"#);
        assert_eq!(site.call(request).await.0, 201);
    }
    // What an agent brings is written down if it is new.
    let row = json!({ "pin": "7", "time": "2026-03-28T09:47:12", "state": 0 }).to_string();
    for _ in 0..2 {
        let request = site.request("POST", "/v1/devices/T1/punches").bearer_auth(API_KEY).body(row.clone());
        assert_eq!(site.call(request).await.0, 200);
    }
    let lines: Vec<String> = exported(&site).await[before..].iter().map(told).collect();
    let expected =
        ["api 0/admin POST /v1/devices [T2] done", "api 0/admin POST /v1/devices/{serial}/punches [T1] done"];
    assert_eq!(lines, expected);
    let site = site.restart(|_| ()).await;
    assert_eq!(exported(&site).await.len(), before + 2, "the file says nothing new");
}

#[tokio::test]
async fn what_is_done_on_the_dashboard_is_written_down_with_its_session() {
    let site = Site::start(|_| ()).await;
    let before = exported(&site).await.len();
    let mut visitor = Visitor::logged_in(&site).await;
    visitor.read("/dashboard/devices").await;
    assert_eq!(visitor.submit("/dashboard/devices/approve", &[("serial", "T7")]).await.status, 303);
    assert_eq!(visitor.submit("/dashboard/devices/block", &[("serial", "T8")]).await.status, 404);
    assert_eq!(visitor.submit("/dashboard/logout", &[]).await.status, 303);
    let log = exported(&site).await;
    let log = &log[before..];
    let lines: Vec<String> = log.iter().map(told).collect();
    let expected = [
        "dashboard 0/admin POST /dashboard/login [-] done",
        "dashboard 0/admin POST /dashboard/devices/approve [T7] done",
        "dashboard 0/admin POST /dashboard/devices/block [-] refused 404",
        "dashboard 0/admin POST /dashboard/logout [-] done",
    ];
    assert_eq!(lines, expected);
    let sessions: Vec<_> = log.iter().map(|linked| linked.entry.deed.session.clone().unwrap()).collect();
    assert!(sessions.iter().all(|session| *session == sessions[0] && session.len() == 8), "{sessions:?}");
    let cookie = &visitor.cookies;
    assert!(cookie.values().all(|value| !value.contains(&sessions[0])), "the word opens nothing");
}

/// S0-008: a log that somebody has changed in the store itself says where.
#[tokio::test]
async fn an_entry_that_is_changed_in_the_store_is_found() {
    let site = Site::start(|_| ()).await;
    for serial in ["T2", "T3", "T4"] {
        assert_eq!(site.post("/v1/devices", json!({ "serial_number": serial })).await.0, 201);
    }
    let head = check(&exported(&site).await, None).unwrap();
    let stored = async || {
        let entries = site.gateway.store().read(|connection| audit_after(connection, 0, 100));
        check(&entries.await.unwrap(), Some(head))
    };
    assert_eq!(stored().await, Ok(head));
    for (change, undo, seq) in [
        ("UPDATE audit SET target = 'T9' WHERE seq = 3", "UPDATE audit SET target = 'T3' WHERE seq = 3", 3),
        ("UPDATE audit SET detail = '[' WHERE seq = 2", "UPDATE audit SET detail = '{}' WHERE seq = 2", 2),
        ("UPDATE audit SET outcome = 'x' WHERE seq = 2", "UPDATE audit SET outcome = 'done' WHERE seq = 2", 2),
        ("UPDATE audit SET seq = 9 WHERE seq = 4", "UPDATE audit SET seq = 4 WHERE seq = 9", 4),
        ("UPDATE audit SET key = 1 WHERE seq = 1", "UPDATE audit SET key = NULL WHERE seq = 1", 1),
    ] {
        assert_eq!(site.edit(change).await, 1, "{change}");
        assert_eq!(stored().await.unwrap_err().seq, seq, "{change}");
        assert_eq!(site.edit(undo).await, 1, "{undo}");
        assert_eq!(stored().await, Ok(head), "{undo}");
    }
    site.edit("DELETE FROM audit WHERE seq = 4").await;
    let cut = Break { seq: 4, problem: Problem::CutOff { noted: 4 } };
    assert_eq!(stored().await, Err(cut), "the end is missing");
    assert!(cut.to_string().contains("entry 4"), "{cut}");
}

/// S0-008: what retention has removed is said in the log, and what is left proves itself to whoever exports it.
#[tokio::test]
async fn old_entries_go_by_retention_and_an_export_of_the_rest_is_whole() {
    let site = Site::start(|_| ()).await;
    for serial in ["T2", "T3"] {
        assert_eq!(site.post("/v1/devices", json!({ "serial_number": serial })).await.0, 201);
    }
    let noted = check(&exported(&site).await, None).unwrap();
    let later = gateway::clock::now() + TimeDelta::days(60);
    let kept = |days| RetentionConfig { audit: Some(TimeDelta::days(days)), ..RetentionConfig::default() };
    assert_eq!(
        pass(site.gateway.store(), RetentionConfig::default(), later).await.unwrap().audit,
        0,
        "for ever unasked"
    );
    assert_eq!(pass(site.gateway.store(), kept(61), later).await.unwrap().audit, 0);
    assert_eq!(pass(site.gateway.store(), kept(30), later).await.unwrap().audit, 3);
    assert_eq!(site.post("/v1/devices", json!({ "serial_number": "T4" })).await.0, 201);
    let left = exported(&site).await;
    let expected = [
        format!("retention -/- remove old entries [-] done removed_through={noted}"),
        "api 0/admin POST /v1/devices [T4] done".to_owned(),
    ];
    assert_eq!(left.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(check(&left, Some(noted)).unwrap().seq, 5);
    let another = Head { hash: [7; 32], ..noted };
    assert_eq!(check(&left, Some(another)).unwrap_err().problem, Problem::NotAsNoted);
    assert_eq!(check(&left[1..], None).unwrap_err().problem, Problem::Missing { found: 5 });
    let (_, listed) = site.get("/v1/audit?via=retention").await;
    assert_eq!(listed["meta"]["total"], 1, "{listed}");
}

fn entries() -> impl Strategy<Value = Vec<Linked>> {
    let deed = ("[a-z]{1,4}", any::<Option<i64>>(), "[a-z ]{0,6}", any::<Option<u16>>(), 0..4_usize, any::<u32>());
    proptest::collection::vec(deed, 1..12).prop_map(|deeds| {
        let mut head = Head::START;
        let link = |(via, key, action, status, outcome, millis): (String, _, String, _, usize, u32)| {
            let deed = Deed { via, key, action, ..Deed::default() };
            let at = DateTime::from_timestamp_millis(millis.into()).unwrap();
            let entry = AuditEntry { seq: head.seq + 1, at, deed, outcome: Outcome::ALL[outcome], status };
            let linked = Linked::behind(&head, entry);
            head = linked.head();
            linked
        };
        deeds.into_iter().map(link).collect()
    })
}

/// Changes one entry, keeping its number.
fn change(entry: &mut AuditEntry, how: usize) {
    match how {
        0 => entry.at += TimeDelta::milliseconds(1),
        1 => entry.deed.via.push('x'),
        2 => entry.deed.key = Some(entry.deed.key.map_or(0, |key| key.wrapping_add(1))),
        3 => entry.deed.action.push(' '),
        4 => entry.deed.target = Some(entry.deed.target.take().map_or(String::new(), |target| target + "x")),
        5 => drop(entry.deed.detail.insert("x".to_owned(), "y".to_owned())),
        6 => entry.status = Some(entry.status.map_or(0, |status| status.wrapping_add(1))),
        _ => entry.outcome = if entry.outcome == Outcome::Done { Outcome::Failed } else { Outcome::Done },
    }
}

proptest::proptest! {
    #[test]
    fn any_entry_that_is_changed_removed_inserted_or_swapped_is_found(
        log in entries(), place: proptest::sample::Index, other: proptest::sample::Index, how in 0..8_usize,
    ) {
        let whole = check(&log, None).unwrap();
        let (at, with) = (place.index(log.len()), other.index(log.len()));
        let seq = u64::try_from(at).unwrap() + 1;
        let mut changed = log.clone();
        change(&mut changed[at].entry, how);
        prop_assert!(check(&changed, Some(whole)).unwrap_err().seq == seq);
        // Its own hash made anew: the next one does not follow, and the last is not the one that was noted.
        let before = log[..at].last().map_or(Head::START, Linked::head);
        changed[at] = Linked::behind(&before, changed[at].entry.clone());
        prop_assert!(check(&changed, Some(whole)).is_err());
        let mut removed = log.clone();
        removed.remove(at);
        prop_assert!(check(&removed, Some(whole)).unwrap_err().seq == seq);
        let mut inserted = log.clone();
        inserted.insert(at, log[with].clone());
        prop_assert!(check(&inserted, Some(whole)).is_err());
        let mut swapped = log.clone();
        swapped.swap(at, with);
        prop_assert!(at == with || check(&swapped, Some(whole)).unwrap_err().seq <= seq.max(1 + with as u64));
        // As lines, byte for byte.
        for linked in &log {
            let line = serde_json::to_string(linked).unwrap();
            prop_assert!(Linked::parse(&line).as_ref() == Ok(linked));
            let others = [line.clone() + " ", line.replacen(':', ": ", 1)];
            prop_assert!(others.iter().all(|other| Linked::parse(other).is_err()));
        }
    }

    #[test]
    fn the_whole_log_written_anew_or_cut_is_found_by_a_head_that_was_noted(log in entries(), cut: proptest::sample::Index) {
        let noted = check(&log, None).unwrap();
        prop_assert!(noted.to_string().parse::<Head>() == Ok(noted));
        let rest = &log[..cut.index(log.len())];
        prop_assert!(check(rest, None).is_ok(), "by itself it looks whole");
        let cut_off = Problem::CutOff { noted: noted.seq };
        prop_assert!(check(rest, Some(noted)).unwrap_err().problem == cut_off);
        let mut head = Head::START;
        let anew: Vec<Linked> = log.iter().map(|linked| {
            let mut entry = linked.entry.clone();
            entry.deed.action.push('x');
            let linked = Linked::behind(&head, entry);
            head = linked.head();
            linked
        }).collect();
        prop_assert!(check(&anew, None).is_ok(), "by itself it looks whole");
        prop_assert!(check(&anew, Some(noted)).unwrap_err().problem == Problem::NotAsNoted);
    }
}
