//! Commands to terminals over the API: written down before they are sent, sent as the dialect has them, followed until
//! they are answered, and never twice where twice is wrong.

use chrono::TimeDelta;
use gateway::clock::now;
use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Site, Told, device, eventually, get, post};

/// Asks something of `serial` and returns what the API says of it.
async fn ask(site: &Site, serial: &str, command: &str, payload: Value) -> Value {
    let body = json!({ "command": command, "payload": payload });
    let (status, answer) = site.post(&format!("/v1/devices/{serial}/commands"), body).await;
    assert_eq!(status, 202, "{answer}");
    answer["data"].clone()
}

async fn show(site: &Site, command: &Value) -> Value {
    let (status, answer) = site.get(&format!("/v1/commands/{}", command["id"])).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

async fn items(site: &Site, command: &Value, query: &str) -> Vec<Value> {
    let (status, answer) = site.get(&format!("/v1/commands/{}/items{query}", command["id"])).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].as_array().unwrap().clone()
}

fn texts(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.text.as_str()).collect()
}

/// A terminal that has said that it speaks access control.
async fn access_terminal(site: &Site, serial: &str) {
    let answer = post(site.gateway.device_addr, &format!("/iclock/registry?SN={serial}"), b"DeviceType=acc").await;
    assert!(answer.body.starts_with("RegistryCode="), "{}", answer.body);
}

fn two() -> Value {
    json!({ "employees": [{ "badge_number": "1042", "name": "Ana Ruiz" }, { "badge_number": "0043", "name": "Luis" }] })
}

/// S1-001, S1-021: the terminal only ever calls; nothing connects to it.
/// S2-049, S2-052, S2-053, S2-089: two people, two records, a result for each, and once more for who went wrong alone.
#[tokio::test]
async fn employees_are_written_followed_and_only_the_failed_are_written_again() {
    let site = Site::start(|_| ()).await;
    let asked = ask(&site, "T1", "sync_employees", two()).await;
    assert_eq!(
        (&asked["command"], &asked["state"], &asked["total"]),
        (&json!("sync_employees"), &json!("queued"), &json!(2))
    );
    assert!(asked["device_id"].as_str().unwrap().starts_with("dev_") && asked["device_serial"] == "T1", "{asked}");
    assert!(!asked.to_string().contains("Ana"), "people are not repeated: {asked}");
    let told = site.poll_until_told("T1").await;
    assert_eq!(
        texts(&told),
        ["DATA UPDATE USERINFO PIN=1042\tName=Ana Ruiz", "DATA UPDATE USERINFO PIN=0043\tName=Luis"]
    );
    assert_eq!(show(&site, &asked).await["state"], "sent");
    assert_eq!(site.poll("T1").await, [], "nothing is sent past what is unanswered");
    site.results("T1", &[(&told[0].id, 0), (&told[1].id, -1002)]).await;
    let shown = show(&site, &asked).await;
    let counts = ["state", "total", "done", "failed", "waiting"].map(|name| shown[name].clone());
    assert_eq!(counts, [json!("partial"), json!(2), json!(1), json!(1), json!(0)]);

    let wrong = items(&site, &asked, "?state=wrong").await;
    let [wrong] = wrong.as_slice() else { panic!("{wrong:?}") };
    assert_eq!(
        (&wrong["badge_number"], &wrong["state"], &wrong["code"]),
        (&json!("0043"), &json!("failed"), &json!(-1002))
    );
    let error = &wrong["error"];
    assert_eq!(error["code"], "terminal_refused");
    assert!(error["message"].as_str().unwrap().contains("-1002: not supported"), "{error}");
    assert!(error["doc_url"].as_str().unwrap().ends_with("#terminal_refused"), "{error}");

    let (status, again) = site.post(&format!("/v1/commands/{}/retry", asked["id"]), json!({})).await;
    assert_eq!((status, &again["data"]["waiting"]), (202, &json!(1)));
    let told = site.poll_until_told("T1").await;
    assert_eq!(texts(&told), ["DATA UPDATE USERINFO PIN=0043\tName=Luis"]);
    site.results("T1", &[(&told[0].id, 0)]).await;
    assert_eq!(show(&site, &asked).await["state"], "done");
    let (status, refused) = site.post(&format!("/v1/commands/{}/retry", asked["id"]), json!({})).await;
    assert_eq!(status, 409);
    check_error(&refused, "conflict");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0, "results of ours are no rows");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM ticket WHERE detail IS NOT NULL").await, 0, "and no names stay");
}

/// The desired state is compared with what the terminal has confirmed; what changes is written, what is no more wanted goes.
#[tokio::test]
async fn what_the_terminal_has_confirmed_is_not_written_again() {
    let site = Site::start(|_| ()).await;
    let answer_all = async |told: Vec<Told>| {
        let results: Vec<(&str, i32)> = told.iter().map(|told| (told.id.as_str(), 0)).collect();
        site.results("T1", &results).await;
    };
    ask(&site, "T1", "sync_employees", two()).await;
    answer_all(site.poll_until_told("T1").await).await;
    let same = ask(&site, "T1", "sync_employees", two()).await;
    let same = eventually("it is looked at", async || {
        let shown = show(&site, &same).await;
        (shown["state"] == "done").then_some(shown)
    })
    .await;
    assert_eq!((&same["unchanged"], &same["done"]), (&json!(2), &json!(2)));
    assert_eq!(site.poll("T1").await, []);

    let renamed = json!({ "employees": [{ "badge_number": "1042", "name": "Ana Ruiz Paz" }], "remove_others": true });
    let renamed = ask(&site, "T1", "sync_employees", renamed).await;
    let told = site.poll_until_told("T1").await;
    assert_eq!(texts(&told), ["DATA UPDATE USERINFO PIN=1042\tName=Ana Ruiz Paz", "DATA DELETE USERINFO PIN=0043"]);
    answer_all(told).await;
    assert_eq!(show(&site, &renamed).await["total"], 2);
    // While a change is on its way nobody is known to be as they should be.
    let back = json!({ "employees": [{ "badge_number": "1042", "name": "Ana" }] });
    ask(&site, "T1", "sync_employees", back).await;
    let told = site.poll_until_told("T1").await;
    ask(&site, "T1", "sync_employees", json!({ "employees": [{ "badge_number": "1042", "name": "Ana Ruiz Paz" }] }))
        .await;
    answer_all(told).await;
    let told = site.poll_until_told("T1").await;
    assert_eq!(texts(&told), ["DATA UPDATE USERINFO PIN=1042\tName=Ana Ruiz Paz"]);
    answer_all(told).await;
    let forced = json!({ "employees": [{ "badge_number": "1042", "name": "Ana Ruiz Paz" }], "force": true });
    ask(&site, "T1", "sync_employees", forced).await;
    assert_eq!(site.poll_until_told("T1").await.len(), 1);
}

/// S2-051: a door is opened once, whatever is lost; nobody knows what became of it, and that is what is said.
#[tokio::test]
async fn a_door_is_never_opened_twice() {
    let site = Site::start(|_| ()).await;
    let asked = ask(&site, "T1", "unlock_door", json!({})).await;
    assert_eq!(texts(&site.poll_until_told("T1").await), ["AC_UNLOCK"]);
    assert_eq!(site.poll("T1").await, []);
    // The terminal shakes hands anew, the gateway begins a new life: it stays sent.
    get(site.gateway.device_addr, "/iclock/cdata?SN=T1&options=all").await;
    assert_eq!(site.poll("T1").await, []);
    let site = site.restart(|_| ()).await;
    assert_eq!(site.poll("T1").await, []);
    site.gateway.devices.look_at_commands(now() + TimeDelta::seconds(61)).await.unwrap();
    let shown = show(&site, &asked).await;
    assert_eq!((&shown["state"], &shown["error"]["code"]), (&json!("unknown"), &json!("outcome_unknown")));
    assert_eq!(
        site.post(&format!("/v1/commands/{}/retry", asked["id"]), json!({})).await.0,
        409,
        "not by a retry either"
    );
    assert_eq!(site.poll("T1").await, []);
    // An answer that comes late still counts.
    let id: String = site.ask("SELECT CAST(id AS TEXT) FROM ticket").await;
    site.results("T1", &[(&id, 0)]).await;
    assert_eq!(show(&site, &asked).await["state"], "done");
}

/// S2-047, S2-051: the same call under its key is one order.
#[tokio::test]
async fn the_same_call_twice_under_one_key_opens_a_door_once() {
    let site = Site::start(|_| ()).await;
    let call = || {
        let request = site.request("POST", "/v1/devices/T1/commands").bearer_auth(API_KEY);
        let request = request.header("Content-Type", "application/json").header("Idempotency-Key", "door-1");
        site.call(request.body(json!({ "command": "unlock_door" }).to_string()))
    };
    let (first, second) = (call().await, call().await);
    assert_eq!((first.0, &first), (202, &second));
    assert_eq!(site.poll_until_told("T1").await.len(), 1);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM ticket").await, 1);
}

/// S2-050: who passes a door is changed once, however often the call comes.
#[tokio::test]
async fn the_same_call_twice_under_one_key_changes_who_passes_once() {
    let site = Site::start(|_| ()).await;
    access_terminal(&site, "T1").await;
    for command in ["disable_employee", "enable_employee"] {
        let call = || {
            let request = site.request("POST", "/v1/devices/T1/commands").bearer_auth(API_KEY);
            let request = request.header("Content-Type", "application/json").header("Idempotency-Key", command);
            site.call(request.body(json!({ "command": command, "payload": { "badge_number": "7" } }).to_string()))
        };
        let (first, second) = (call().await, call().await);
        assert_eq!((first.0, &first), (202, &second));
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM command").await, 2);
}

/// Nobody stands at the door any more: it is not opened.
#[tokio::test]
async fn what_was_not_asked_for_in_time_is_not_sent() {
    let site = Site::start(|_| ()).await;
    let door = ask(&site, "T1", "unlock_door", json!({})).await;
    eventually("it is a command", async || (site.ask::<i64>("SELECT count(*) FROM ticket").await == 1).then_some(()))
        .await;
    site.gateway.devices.look_at_commands(now() + TimeDelta::seconds(61)).await.unwrap();
    assert_eq!(site.poll("T1").await, []);
    let shown = show(&site, &door).await;
    assert_eq!((&shown["state"], &shown["error"]["code"]), (&json!("expired"), &json!("command_expired")));
}

/// S2-051: somebody stands at the door while 400 people are written.
#[tokio::test]
async fn a_door_does_not_wait_for_a_long_list() {
    let site = Site::start(|_| ()).await;
    let employees: Vec<Value> =
        (1..=400).map(|badge| json!({ "badge_number": badge.to_string(), "name": "x" })).collect();
    let list = ask(&site, "T1", "sync_employees", json!({ "employees": employees })).await;
    let first = site.poll_until_told("T1").await;
    ask(&site, "T1", "unlock_door", json!({})).await;
    assert_eq!(texts(&site.poll_until_told("T1").await), ["AC_UNLOCK"]);
    let mut told = first;
    let mut written = Vec::new();
    while !told.is_empty() {
        written.extend(told.iter().map(|told| told.text.clone()));
        let results: Vec<(&str, i32)> = told.iter().map(|told| (told.id.as_str(), 0)).collect();
        site.results("T1", &results).await;
        told = site.poll("T1").await;
    }
    let expected: Vec<String> = (1..=400).map(|badge| format!("DATA UPDATE USERINFO PIN={badge}\tName=x")).collect();
    assert_eq!(written, expected, "everybody once, in order");
    assert_eq!(show(&site, &list).await["done"], 400);
}

/// What is on its way when the gateway stops is neither lost nor, where that is wrong, repeated; results of before count.
#[tokio::test]
async fn a_restart_neither_loses_nor_repeats_a_command() {
    let site = Site::start(|_| ()).await;
    let people = ask(&site, "T1", "sync_employees", two()).await;
    let told = site.poll_until_told("T1").await;
    let restart = ask(&site, "T1", "restart", json!({})).await;
    let more = ask(&site, "T1", "info", json!({})).await;
    assert_eq!(texts(&site.poll_until_told("T1").await), ["REBOOT"]);
    let site = site.restart(|_| ()).await;
    // The terminal answers the second of those it was sent in the earlier life; the first is sent again in its time.
    site.results("T1", &[(&told[1].id, 0)]).await;
    assert_eq!(show(&site, &people).await["done"], 1);
    assert_eq!(site.poll("T1").await, [], "the restart is not repeated, and nothing overtakes");
    site.edit("UPDATE ticket SET sent_at = sent_at - 61000 WHERE state = 'sent'").await;
    let site = site.restart(|_| ()).await;
    let again = site.poll("T1").await;
    assert_eq!(again[0], told[0], "under the same id");
    site.results("T1", &[(&again[0].id, 0)]).await;
    assert_eq!(show(&site, &people).await["state"], "done");
    let told = if again.len() > 1 { again[1..].to_vec() } else { site.poll_until_told("T1").await };
    assert_eq!(texts(&told), ["INFO"]);
    let info = format!("ID={}&Return=0&CMD=INFO\n~DeviceName=F22\nUserCount=2\nComPwd=123456\n", told[0].id);
    site.say_results("T1", &info).await;
    let shown = show(&site, &more).await;
    assert_eq!(
        (&shown["state"], &shown["answer"]),
        (&json!("done"), &json!({ "DeviceName": "F22", "UserCount": "2" }))
    );
    assert_eq!(show(&site, &restart).await["state"], "sent");
}

/// The power goes with a door just opened and people on their way: what is on disk is enough for another life.
#[tokio::test]
async fn a_power_cut_neither_loses_nor_repeats_a_command() {
    let site = Site::start(|_| ()).await;
    if !site.store_path().exists() {
        // A server is not cut off with the gateway.
        return;
    }
    let people = ask(&site, "T1", "sync_employees", two()).await;
    eventually("it is commands", async || (site.ask::<i64>("SELECT count(*) FROM ticket").await == 2).then_some(()))
        .await;
    let door = ask(&site, "T1", "unlock_door", json!({})).await;
    eventually("so is the door", async || (site.ask::<i64>("SELECT count(*) FROM ticket").await == 3).then_some(()))
        .await;
    let before = tempfile::tempdir().unwrap();
    let copy = |to: &std::path::Path| {
        for file in std::fs::read_dir(site.folder.path()).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    };
    copy(before.path());
    let told = site.poll("T1").await;
    assert_eq!(told.len(), 3);
    let after = tempfile::tempdir().unwrap();
    copy(after.path());

    let lived_before = Site::start_in(before, |_| ()).await.unwrap();
    assert_eq!(lived_before.poll("T1").await, told, "what was not sent is sent");
    let lived_after = Site::start_in(after, |_| ()).await.unwrap();
    assert_eq!(lived_after.poll("T1").await, [], "what was sent waits for its answer");
    lived_after.edit("UPDATE ticket SET sent_at = sent_at - 61000").await;
    let lived_after = lived_after.restart(|_| ()).await;
    let again = lived_after.poll("T1").await;
    let doors = again.iter().filter(|told| told.text == "AC_UNLOCK").count();
    assert_eq!((again.len(), doors), (2, 0), "people are written again, the door is not opened again");
    let results: Vec<(&str, i32)> = told.iter().map(|told| (told.id.as_str(), 0)).collect();
    lived_after.results("T1", &results).await;
    for command in [people, door] {
        assert_eq!(show(&lived_after, &command).await["state"], "done");
    }
}

/// What one dialect has no word for is refused when it is asked, and said so.
#[tokio::test]
async fn each_dialect_gets_its_own_words() {
    let site = Site::start(|config| config.devices.push(device("ACC1"))).await;
    access_terminal(&site, "ACC1").await;
    let reload = json!({ "start_date": "2026-03-01", "end_date": "2026-03-02" });
    let person = json!({ "badge_number": "7" });
    let door = json!({ "door": 2, "seconds": 9 });
    for (serial, command, payload, expected) in [
        ("T1", "delete_employee", &person, "DATA DELETE USERINFO PIN=7"),
        ("T1", "restart", &json!({}), "REBOOT"),
        ("T1", "sync_time", &json!({}), "CHECK"),
        (
            "T1",
            "query_attendance",
            &reload,
            "DATA QUERY ATTLOG StartTime=2026-03-01 00:00:00\tEndTime=2026-03-02 23:59:59",
        ),
        ("T1", "info", &json!({}), "INFO"),
        (
            "ACC1",
            "sync_employees",
            &json!({ "employees": [{ "badge_number": "7", "name": "Ana", "card_number": "99" }] }),
            "DATA UPDATE user Pin=7\tName=Ana\tCardNo=99",
        ),
        ("ACC1", "disable_employee", &person, "DATA UPDATE user Pin=7\tDisable=1"),
        ("ACC1", "enable_employee", &person, "DATA UPDATE user Pin=7\tDisable=0"),
        ("ACC1", "delete_employee", &person, "DATA DELETE user Pin=7"),
        ("ACC1", "unlock_door", &door, "CONTROL DEVICE 01020109"),
        ("ACC1", "restart", &json!({}), "CONTROL DEVICE 03000000"),
        ("ACC1", "query_attendance", &reload, "DATA QUERY tablename=transaction,fielddesc=*,filter=*"),
    ] {
        ask(&site, serial, command, payload.clone()).await;
        let told = site.poll_until_told(serial).await;
        assert_eq!(texts(&told), [expected], "{command}");
        site.results(serial, &[(&told[0].id, 0)]).await;
    }
    // The time is that of the moment it is sent.
    ask(&site, "ACC1", "sync_time", json!({})).await;
    let told = site.poll_until_told("ACC1").await;
    let seconds: u32 = told[0].text.strip_prefix("SET OPTIONS DateTime=").unwrap().parse().unwrap();
    let shown = punch_protocol::push::EncodedTime(seconds).civil().unwrap();
    assert!((now().naive_utc() - shown).abs() < TimeDelta::seconds(60), "{shown}");
    site.results("ACC1", &[(&told[0].id, 0)]).await;

    for (serial, command, payload) in [
        ("T1", "disable_employee", &person),
        ("T1", "enable_employee", &person),
        ("T1", "unlock_door", &json!({ "door": 2 })),
        ("T1", "unlock_door", &json!({ "seconds": 9 })),
    ] {
        let body = json!({ "command": command, "payload": payload });
        let (status, answer) = site.post(&format!("/v1/devices/{serial}/commands"), body).await;
        assert_eq!(status, 422, "{answer}");
        check_error(&answer, "unsupported_command");
        assert_eq!(answer["error"]["field"], "command");
    }
    assert_eq!(site.poll("T1").await, []);
}

/// Whoever is not on the terminal any more has been removed.
#[tokio::test]
async fn to_remove_somebody_who_is_not_there_is_done() {
    let site = Site::start(|config| config.devices.push(device("ACC1"))).await;
    access_terminal(&site, "ACC1").await;
    for (serial, code) in [("T1", -10), ("ACC1", -27)] {
        let asked = ask(&site, serial, "delete_employee", json!({ "badge_number": "7" })).await;
        let told = site.poll_until_told(serial).await;
        site.results(serial, &[(&told[0].id, code)]).await;
        assert_eq!(show(&site, &asked).await["state"], "done", "{code}");
    }
}

/// A master takes it on, and answers again.
#[tokio::test]
async fn a_promise_of_an_answer_is_no_answer() {
    let site = Site::start(|config| config.devices.push(device("ACC1"))).await;
    access_terminal(&site, "ACC1").await;
    let asked = ask(&site, "ACC1", "sync_employees", two()).await;
    let told = site.poll_until_told("ACC1").await;
    site.results("ACC1", &[(&told[0].id, -5000), (&told[1].id, 0)]).await;
    let waiting = items(&site, &asked, "?state=accepted").await;
    assert_eq!(waiting.len(), 1);
    let site = site.restart(|config| config.devices.push(device("ACC1"))).await;
    assert_eq!(site.poll("ACC1").await, []);
    site.results("ACC1", &[(&told[0].id, 0)]).await;
    assert_eq!(show(&site, &asked).await["state"], "done");
}

#[tokio::test]
async fn what_was_not_sent_can_be_taken_back() {
    let site = Site::start(|_| ()).await;
    let employees: Vec<Value> = (1..=200).map(|badge| json!({ "badge_number": badge.to_string() })).collect();
    let asked = ask(&site, "T1", "sync_employees", json!({ "employees": employees })).await;
    let told = site.poll_until_told("T1").await;
    let cancel = site.request("DELETE", &format!("/v1/commands/{}", asked["id"])).bearer_auth(API_KEY);
    let (status, answer) = site.call(cancel).await;
    assert_eq!(status, 200, "{answer}");
    let sent = u64::try_from(told.len()).unwrap();
    assert_eq!((&answer["data"]["cancelled"], &answer["data"]["waiting"]), (&json!(200 - sent), &json!(sent)));
    let results: Vec<(&str, i32)> = told.iter().map(|told| (told.id.as_str(), 0)).collect();
    site.results("T1", &results).await;
    assert_eq!(site.poll("T1").await, []);
    assert_eq!(site.poll("T1").await, [], "not later either");
    let shown = show(&site, &asked).await;
    assert_eq!((&shown["state"], &shown["done"]), (&json!("partial"), &json!(sent)));
    let cancel = site.request("DELETE", &format!("/v1/commands/{}", asked["id"])).bearer_auth(API_KEY);
    assert_eq!(site.call(cancel).await.0, 409);
}

#[tokio::test]
async fn a_command_that_cannot_be_names_the_field_at_fault() {
    let site = Site::start(|_| ()).await;
    let employee = |employee: Value| json!({ "employees": [{ "badge_number": "1" }, employee] });
    let long = "x".repeat(101);
    for (command, payload, field) in [
        ("open_sesame", json!({}), "command"),
        ("restart", json!([]), "payload"),
        ("restart", json!({ "when": 1 }), "payload.when"),
        ("sync_employees", json!({}), "payload.employees"),
        ("sync_employees", json!({ "employees": [] }), "payload.employees"),
        ("sync_employees", json!({ "employees": ["1042"] }), "payload.employees[0]"),
        ("sync_employees", json!({ "employees": [{}], "force": 1 }), "payload.employees[0].badge_number"),
        ("sync_employees", employee(json!({ "badge_number": 1042 })), "payload.employees[1].badge_number"),
        ("sync_employees", employee(json!({ "badge_number": "1" })), "payload.employees[1].badge_number"),
        ("sync_employees", employee(json!({ "badge_number": "2", "name": long })), "payload.employees[1].name"),
        ("sync_employees", employee(json!({ "badge_number": "2", "name": "a\tPri=14" })), "payload.employees[1]"),
        ("sync_employees", employee(json!({ "badge_number": "2\nC:9:CLEAR DATA" })), "payload.employees[1]"),
        ("sync_employees", employee(json!({ "badge_number": "2", "card_number": "0x1" })), "payload.employees[1]"),
        ("sync_employees", employee(json!({ "badge_number": "2", "password": "1" })), "payload.employees[1].password"),
        ("delete_employee", json!({}), "payload.badge_number"),
        ("unlock_door", json!({ "door": 0 }), "payload.door"),
        ("unlock_door", json!({ "seconds": 255 }), "payload.seconds"),
        ("query_attendance", json!({ "start_date": "2026-03-01" }), "payload.end_date"),
        ("query_attendance", json!({ "start_date": "2026-03-02", "end_date": "2026-03-01" }), "payload.end_date"),
        ("query_attendance", json!({ "start_date": "yesterday", "end_date": "2026-03-01" }), "payload.start_date"),
    ] {
        let body = json!({ "command": command, "payload": payload });
        let (status, answer) = site.post("/v1/devices/T1/commands", body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{command} {payload}: {answer}");
        check_error(&answer, "validation_failed");
    }
    for ttl in [0, -1, 61, i64::MAX] {
        let (status, answer) =
            site.post("/v1/devices/T1/commands", json!({ "command": "unlock_door", "ttl_seconds": ttl })).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("ttl_seconds")), "{ttl}");
    }
    assert_eq!(site.post("/v1/devices/NOBODY/commands", json!({ "command": "info" })).await.0, 404);
    get(site.gateway.device_addr, "/iclock/getrequest?SN=NEW1").await;
    let (status, answer) = site.post("/v1/devices/NEW1/commands", json!({ "command": "info" })).await;
    assert_eq!(status, 409);
    check_error(&answer, "device_not_approved");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM command").await, 0);
}

/// The id of a terminal in payloads names it as its serial number does: the published sample has the one.
#[tokio::test]
async fn a_terminal_is_named_by_its_id_too() {
    let site = Site::start(|_| ()).await;
    let id = ask(&site, "T1", "info", json!({})).await["device_id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&site, &id, "info", json!({})).await["device_serial"], "T1");
    let (status, listed) = site.get(&format!("/v1/devices/{id}/commands")).await;
    assert_eq!((status, listed["data"].as_array().unwrap().len()), (200, 2));
}

/// S2-074 to S2-077: filters, pages, a cursor and an order that stays.
#[tokio::test]
async fn commands_are_listed_by_terminal_state_and_kind() {
    let site = Site::start(|config| config.devices.push(device("T2"))).await;
    for serial in ["T1", "T2", "T1"] {
        ask(&site, serial, "info", json!({})).await;
    }
    ask(&site, "T2", "restart", json!({})).await;
    let list = async |query: &str| {
        let (status, answer) = site.get(&format!("/v1/commands{query}")).await;
        assert_eq!(status, 200, "{answer}");
        let ids: Vec<u64> = answer["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect();
        (ids, answer["meta"].clone())
    };
    assert_eq!(list("").await.0, [4, 3, 2, 1]);
    assert_eq!(list("?device_id=T1").await.0, [3, 1]);
    assert_eq!(list("?command=restart").await.0, [4]);
    assert_eq!(list("?state=done").await.0, [0_u64; 0]);
    assert_eq!(list("?sort=id").await.0, [1, 2, 3, 4]);
    assert_eq!(list("?sort=-device_serial").await.0, [4, 2, 3, 1]);
    let (first, meta) = list("?per_page=2").await;
    assert_eq!((first, &meta["total"], &meta["next_cursor"]), (vec![4, 3], &json!(4), &json!("3")));
    ask(&site, "T1", "info", json!({})).await;
    let (second, meta) = list("?per_page=2&cursor=3").await;
    assert_eq!((second, &meta["page"]), (vec![2, 1], &Value::Null), "what came in between shifts nothing");
    for (query, field) in [
        ("?state=lost", "state"),
        ("?command=x", "command"),
        ("?device_id=NOBODY", "device_id"),
        ("?job_id=x", "job_id"),
        ("?sort=color", "sort"),
        ("?color=red", "color"),
        ("?page=0", "page"),
        ("?cursor=x", "cursor"),
        ("?cursor=1&page=2", "cursor"),
        ("?cursor=1&sort=state", "cursor"),
        ("?state=done&state=sent", "state"),
    ] {
        let (status, answer) = site.get(&format!("/v1/commands{query}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{query}: {answer}");
    }
}
