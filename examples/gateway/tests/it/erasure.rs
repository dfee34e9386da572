//! Erasing somebody: nothing that is kept tells any more who they were, and nobody else's is touched.

use gateway::store::{Punches, Value as Stored};
use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Recorder, Site, endpoint};
use punch_webhook::PayloadFormat;

const PIN: &str = "ERASEDPIN77";
const OTHER_PIN: &str = "ERASEDPIN78";
const NAME: &str = "Erasmus Nightingale";
const CARD: &str = "990077009955";

/// What is kept: every file beside the store, or every column of every table of the server.
async fn kept(site: &Site) -> Vec<u8> {
    if site.store_path().exists() {
        let files = std::fs::read_dir(site.folder.path()).unwrap();
        return files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    }
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()";
    let mut bytes = Vec::new();
    for table in site.ask_all(tables).await {
        let read = site.gateway.store().read(move |connection| {
            connection.all(&format!("SELECT * FROM {table}"), &[], |row| {
                let mut all = Vec::new();
                for index in 0..row.columns() {
                    match row.value(index)? {
                        Stored::Text(text) => all.extend_from_slice(text.as_bytes()),
                        Stored::Bytes(bytes) => all.extend_from_slice(bytes),
                        Stored::Null | Stored::Integer(_) => {}
                    }
                    all.push(b'\n');
                }
                Ok(all)
            })
        });
        bytes.extend(read.await.unwrap().concat());
    }
    bytes
}

fn has(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

async fn erase(site: &Site, body: Value) -> (u16, Value) {
    site.post("/v1/employees/erase", body).await
}

/// Somebody in every table there is: registered twice, punching, held, wrong, replayed, written to a terminal, answered for.
async fn lived_in(punches: Punches) -> (Site, Recorder) {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        config.retention.erased_punches = punches;
        let formats = [PayloadFormat::Nested, PayloadFormat::Flat];
        let events = ["attendance.punch", "attendance.revised"].map(ToOwned::to_owned);
        for format in formats {
            let mut to = endpoint(&format!("{}/{}", receiver.url(), format.as_str()), format);
            if format == PayloadFormat::Nested {
                to.events = events.to_vec();
            }
            config.endpoints.push(to);
        }
    })
    .await;
    for badge in [PIN, OTHER_PIN] {
        let (status, answer) =
            site.post("/v1/employees", json!({ "badge_number": badge, "id": "erasmus", "name": NAME })).await;
        assert_eq!(status, 201, "{answer}");
    }
    assert_eq!(site.post("/v1/employees", json!({ "badge_number": "8", "name": "Somebody Else" })).await.0, 201);
    let rows = [(PIN, 28), (OTHER_PIN, 27), ("8", 28)]
        .map(|(pin, day)| format!("{pin}\t2026-03-{day} 08:00:00\t0\t1\n{pin}\t2026-03-{day} 17:00:00\t1\t1\n"));
    site.punch(&rows.concat()).await;
    for (table, body) in [
        ("ATTLOG", format!("{PIN}\t2000-01-01 00:00:00\t0\t1\n{PIN} {NAME} {CARD}\n{CARD} junk\n8 junk\n")),
        (
            "OPERLOG",
            format!("OPLOG 4\t0\t2026-03-28 09:00:00\t{PIN}\t0\t0\t0\nOPLOG 4\t0\t2026-03-28 09:00:00\t8\t0\t0\t0\n"),
        ),
    ] {
        assert_eq!(site.upload("T1", table, body).await.status, 200);
    }
    let row = json!({ "pin": PIN, "time": "2026-03-28T12:47:12", "state": 0, "name": NAME, "card": CARD }).to_string();
    let brought = site.request("POST", "/v1/devices/T1/punches").bearer_auth(API_KEY).body(row);
    assert_eq!(site.call(brought).await.0, 200);
    let event: String = site.ask("SELECT id FROM row WHERE fate = 'delivered' ORDER BY seq LIMIT 1").await;
    let by_hand = json!({ "direction": "out", "note": format!("{NAME} said so") });
    assert_eq!(site.post(&format!("/v1/attendance/{event}/direction"), by_hand).await.0, 200);
    // A terminal has them, and one step of a command went wrong.
    let people = json!({ "employees": [{ "badge_number": PIN, "name": NAME, "card_number": CARD }] });
    let request =
        site.request("POST", "/v1/devices/T1/commands").bearer_auth(API_KEY).header("Idempotency-Key", "people");
    let request = request.header("Content-Type", "application/json");
    let body = json!({ "command": "sync_employees", "payload": people }).to_string();
    assert_eq!(site.call(request.body(body)).await.0, 202);
    let told = site.poll_until_told("T1").await;
    let (status, refused) = erase(&site, json!({ "id": "erasmus" })).await;
    assert_eq!(status, 409, "a command is on its way: {refused}");
    check_error(&refused, "conflict");
    let (status, registered) = {
        let request = site.request("POST", "/v1/employees").bearer_auth(API_KEY).header("Idempotency-Key", "badge");
        let request = request.header("Content-Type", "application/json");
        site.call(request.body(json!({ "badge_number": PIN, "id": "erasmus", "name": NAME }).to_string())).await
    };
    assert_eq!(status, 201, "{registered}");
    site.results("T1", &[(&told[0].id, 0)]).await;
    site.delivered_all().await;
    (site, receiver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_kept_tells_who_somebody_was_who_was_erased() {
    for punches in [Punches::Pseudonymous, Punches::Removed] {
        let (site, receiver) = lived_in(punches).await;
        let before = kept(&site).await;
        for word in [PIN, OTHER_PIN, NAME, CARD] {
            assert!(has(&before, word), "{word} was kept");
        }
        let delivered = receiver.seen().len();
        let (status, erased) = erase(&site, json!({ "id": "erasmus", "also": [CARD] })).await;
        assert_eq!(status, 200, "{erased}");
        let erased = &erased["data"];
        assert_eq!((&erased["identities"], &erased["still_on"]), (&json!(2), &json!(["T1"])), "{erased}");
        assert!(erased["rows"].as_u64().unwrap() >= 9 && erased["bodies"].as_u64().unwrap() >= 10, "{erased}");
        let after = kept(&site).await;
        for word in [PIN, OTHER_PIN, NAME, "Nightingale", CARD, "erasmus"] {
            assert!(!has(&after, word), "{word} is still kept with {punches:?}");
        }
        // Who asked for it is in the log, and not for whom.
        let pseudonym = erased["pseudonym"].as_str().unwrap();
        let (_, log) = site.get("/v1/audit?per_page=1").await;
        let entry = &log["data"][0]["entry"];
        assert_eq!(entry["deed"]["action"], "POST /v1/employees/erase");
        assert_eq!((&entry["deed"]["target"], &entry["outcome"]), (&json!(pseudonym), &json!("done")));
        // Nobody else's is touched.
        let of_other: i64 = site.ask("SELECT count(*) FROM row WHERE person = '8' AND length(raw) > 0").await;
        assert_eq!(of_other, 2);
        assert_eq!(site.get("/v1/employees").await.1["meta"]["total"], 1);
        let (_, attendance) = site.get("/v1/attendance").await;
        let badges: Vec<&Value> =
            attendance["data"].as_array().unwrap().iter().map(|punch| &punch["employee"]["badge_number"]).collect();
        match punches {
            Punches::Pseudonymous => {
                assert_eq!(badges.iter().filter(|badge| **badge == pseudonym).count(), 5, "{attendance}");
                assert_eq!(site.get(&format!("/v1/attendance?employee={pseudonym}")).await.1["meta"]["total"], 5);
            }
            Punches::Removed => assert_eq!(badges, ["8", "8"]),
        }
        // A terminal that sends it all again brings nothing back.
        let again = format!("{OTHER_PIN}\t2026-03-27 08:00:00\t0\t1\n{OTHER_PIN}\t2026-03-27 17:00:00\t1\t1\n");
        site.punch(&again).await;
        assert!(!has(&kept(&site).await, OTHER_PIN), "the row is known, and stays as it is");
        site.delivered_all().await;
        assert_eq!(receiver.seen().len(), delivered, "nothing is sent of it");
        let (status, gone) = erase(&site, json!({ "id": "erasmus" })).await;
        assert_eq!(status, 404, "{gone}");
    }
}

#[tokio::test]
async fn a_pin_that_somebody_else_has_too_erases_only_what_is_certain() {
    let site = Site::start(|_| ()).await;
    for (id, from, to) in [("ana", "2026-01-01", "2026-03-31"), ("eva", "2026-04-01", "2026-12-31")] {
        let entry = json!({ "badge_number": "42", "id": id, "valid_from": from, "valid_to": to });
        assert_eq!(site.post("/v1/employees", entry).await.0, 201);
    }
    site.punch("42\t2026-03-28 08:00:00\t0\t1\n42\t2026-04-28 08:00:00\t0\t1\n").await;
    assert_eq!(erase(&site, json!({ "id": "ana" })).await.0, 200);
    let people = site.ask_all("SELECT person FROM row ORDER BY seq").await;
    assert!(people[0].starts_with("erased_") && people[1] == "eva", "{people:?}");
    assert_eq!(site.raw("SELECT raw FROM row ORDER BY seq").await[1], "42\t2026-04-28 08:00:00\t0\t1");
}

#[tokio::test]
async fn whoever_nobody_registered_is_erased_by_badge_and_what_waits_is_said() {
    let receiver = Recorder::always(503).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(&format!("{PIN}\t2026-03-28 08:00:00\t0\t1\n")).await;
    site.attempts(1).await;
    for (body, field) in [
        (json!({}), "id"),
        (json!({ "id": "a", "badge_number": "b" }), "id"),
        (json!({ "id": "" }), "id"),
        (json!({ "badge_number": PIN, "also": ["x"] }), "also"),
        (json!({ "badge_number": PIN, "who": "x" }), "who"),
    ] {
        let (status, refused) = erase(&site, body).await;
        assert_eq!((status, &refused["error"]["field"]), (400, &json!(field)), "{refused}");
    }
    assert_eq!(erase(&site, json!({ "badge_number": "nobody" })).await.0, 404);
    let (status, waits) = erase(&site, json!({ "badge_number": PIN })).await;
    assert_eq!((status, &waits["error"]["field"]), (409, &json!("force")), "{waits}");
    check_error(&waits, "conflict");
    assert!(has(&kept(&site).await, PIN), "nothing was changed");
    let (status, erased) = erase(&site, json!({ "badge_number": PIN, "force": true })).await;
    assert_eq!(status, 200, "{erased}");
    assert!(!has(&kept(&site).await, PIN));
    // What waits goes out under the pseudonym.
    let (_, waiting) = site.get("/v1/deliveries/1").await;
    let (state, badge) = (&waiting["data"]["state"], &waiting["data"]["body"]["employee"]["badge_number"]);
    assert_eq!((state, badge), (&json!("waiting"), &erased["data"]["pseudonym"]), "{waiting}");
}
