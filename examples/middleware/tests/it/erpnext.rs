//! `erpnext`: one punch, one Employee Checkin, whatever happens on the way.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use simulator::erp::{SharedErpNext, serve_erpnext};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextFault, ErpNextShift, ErpNextStandIn};
use simulator::world::{Dice, quiet_addr};
use tempfile::tempdir;
use tokio::task::JoinSet;

use crate::program::{Program, erpnext, eventually, punch, refuses, signed};

/// A site that knows the badges 1001 to 1009.
fn site() -> SharedErpNext {
    let mut config = ErpNextConfig::new("America/Mexico_City", "key-of-the-api", "canary-of-the-api").unwrap();
    let badges = (1001..1010).map(|badge: u32| badge.to_string());
    config.employees = badges.map(|badge| ErpNextEmployee::new(&format!("HR-EMP-{badge}"), "Ada", &badge)).collect();
    Arc::new(Mutex::new(ErpNextStandIn::new(config)))
}

async fn serve(site: &SharedErpNext) -> String {
    let addr = serve_erpnext(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(site)).await.unwrap();
    format!("http://{addr}")
}

/// The checkins by event: employee, local time, direction.
fn checkins(site: &SharedErpNext) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for row in site.lock().unwrap().checkins() {
        let (event, log_type) = (row.device_id.clone().unwrap_or_default(), row.log_type.clone().unwrap_or_default());
        found.entry(event).or_default().push(format!("{} {} {log_type}", row.employee, row.time));
    }
    found
}

fn json_of((status, text): (u16, String)) -> (u16, Value) {
    (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// S0-015, S0-025, S0-028, S0-038, S0-057 to S0-060, S1-035, S1-036, S2-042: one record in local time; a repetition is said to be one.
#[tokio::test]
async fn a_signed_punch_becomes_one_checkin_however_often_it_comes() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[]).await;
    assert_eq!(json_of(program.deliver("evt_1", "1001").await), (200, json!({ "received": true, "status": "ok" })));
    program.stands_at(0, 1, 0).await;
    let expected = BTreeMap::from([("evt_1".to_owned(), vec!["HR-EMP-1001 2026-03-28 08:47:12 IN".to_owned()])]);
    assert_eq!(checkins(&site), expected);
    for _ in 0..3 {
        let again = json_of(program.deliver("evt_1", "1001").await);
        assert_eq!(again, (200, json!({ "received": true, "duplicate": true })));
    }
    program.stands_at(0, 1, 0).await;
    assert_eq!(checkins(&site), expected);
    // S0-061: the checkin is written, the attendance never.
    assert!(site.lock().unwrap().requests().iter().all(|request| !request.contains("doctype/Attendance")));
}

/// S0-065: two at once are one.
/// A secret can stand in a file, and one that cannot be read is named without what is in it.
#[tokio::test]
async fn secrets_are_read_from_files_too() {
    let (folder, site) = (tempdir().unwrap(), site());
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.display().to_string()
    };
    let (signing, api) = (file("signing", crate::program::SECRET), file("api", "canary-of-the-api"));
    let url = serve(&site).await;
    let mut command = erpnext(&url, folder.path());
    command.env_remove("WEBHOOK_SECRET").env_remove("API_SECRET");
    let program = Program::run(command, &[("WEBHOOK_SECRET_FILE", &signing), ("API_SECRET_FILE", &api)]).await;
    assert_eq!(program.deliver("evt_1", "1001").await.0, 200);
    program.stands_at(0, 1, 0).await;
    let mut command = erpnext(&url, folder.path());
    command.env_remove("WEBHOOK_SECRET").env("WEBHOOK_SECRET_FILE", "/nowhere/secret");
    refuses(&mut command, "WEBHOOK_SECRET_FILE: cannot read /nowhere/secret");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_posted_by_many_at_once_is_one_checkin() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Arc::new(Program::start(&serve(&site).await, folder.path(), &[]).await);
    let mut posts = JoinSet::new();
    for _ in 0..20 {
        let program = Arc::clone(&program);
        posts.spawn(async move { json_of(program.deliver("evt_1", "1001").await).1 });
    }
    let answers = posts.join_all().await;
    let fresh = answers.iter().filter(|answer| answer.get("duplicate").is_none()).count();
    assert_eq!((answers.len(), fresh), (20, 1), "{answers:?}");
    program.stands_at(0, 1, 0).await;
    assert_eq!(checkins(&site).values().map(Vec::len).sum::<usize>(), 1);
}

/// S0-026, S2-039, S1-042: nothing is believed before its signature is.
#[tokio::test]
async fn what_is_not_signed_is_refused_with_the_published_body() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[]).await;
    let body = punch("evt_1", "1001");
    let header = |value: &str| vec![("X-PunchConnect-Signature".to_owned(), value.to_owned())];
    let right = signed("evt_1", &body);
    let longer = right[0].1.replace("sha256=", "sha256=0");
    // The signature of Standard Webhooks without its timestamp proves nothing, nor with another one.
    let without_time: Vec<_> = right[1..].iter().filter(|(name, _)| name != "webhook-timestamp").cloned().collect();
    let mut other_time = right[1..].to_vec();
    other_time[1].1.push('0');
    let cases = [
        Vec::new(),
        header(""),
        header("sha256="),
        header("sha256=zz"),
        header(&format!("sha256={}", "0".repeat(64))),
        header(&longer),
        without_time,
        other_time,
        signed("evt_1", b"another body"),
    ];
    for headers in cases {
        let answer = program.post("/webhook", &headers, &body).await;
        assert_eq!(answer, (401, r#"{"error":"Invalid signature"}"#.to_owned()), "{headers:?}");
    }
    program.stands_at(0, 0, 0).await;
    assert!(site.lock().unwrap().requests().is_empty());
}

/// S2-040, X23: other events are taken and ignored; what can never be read is refused for good, with a code.
#[tokio::test]
async fn other_events_are_answered_200_and_unreadable_ones_400() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[]).await;
    let post = async |body: &[u8]| json_of(program.post("/webhook", &signed("evt_1", body), body).await);
    for kind in ["device.status", "webhook.test", "something.else"] {
        let body =
            format!("{{\"event_id\":\"evt_1\",\"event_type\":\"{kind}\",\"timestamp\":\"2026-03-28T14:47:12Z\"}}");
        assert_eq!(post(body.as_bytes()).await, (200, json!({ "received": true, "status": "ok" })), "{kind}");
    }
    let without_id =
        br#"{"event":"attendance.punch","employee_id":"1001","timestamp":"2026-03-28T14:47:12Z","direction":"in"}"#;
    let (status, answer) = post(without_id).await;
    assert_eq!((status, &answer["code"]), (400, &json!("missing_event_id")), "{answer}");
    for body in [&b""[..], b"{", b"[]", br#"{"event_id":"evt_1","event":"attendance.punch"}"#] {
        let (status, answer) = post(body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["code"].is_string() && answer["error"].is_string(), "{answer}");
    }
    program.stands_at(0, 0, 0).await;
    assert!(site.lock().unwrap().requests().is_empty());
}

/// contracts.md: the three published paths, and no other.
#[tokio::test]
async fn all_three_published_paths_receive() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[]).await;
    for (number, path) in ["/webhook", "/webhook/asistencia", "/webhooks/attendance"].into_iter().enumerate() {
        let (id, badge) = (format!("evt_{number}"), (1001 + number).to_string());
        let body = punch(&id, &badge);
        assert_eq!(program.post(path, &signed(&id, &body), &body).await.0, 200, "{path}");
    }
    let body = punch("evt_9", "1009");
    assert_eq!(program.post("/other", &signed("evt_9", &body), &body).await.0, 404);
    let large = [b" ".repeat(256 << 10), punch("evt_8", "1008")].concat();
    assert_eq!(program.post("/webhook", &signed("evt_8", &large), &large).await.0, 413);
    program.stands_at(0, 3, 0).await;
    assert_eq!(checkins(&site).len(), 3);
}

/// An endpoint with `batch` sends lists: each punch of one is written by itself, and none twice.
#[tokio::test]
async fn the_punches_of_a_list_are_written_one_by_one() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[]).await;
    let post = async |ids: &[&str]| {
        let bodies: Vec<Vec<u8>> = ids.iter().map(|id| punch(id, "1001")).collect();
        let body = [&b"["[..], &bodies.join(&b','), b"]"].concat();
        json_of(program.post("/webhook", &signed("batch_1", &body), &body).await)
    };
    assert_eq!(post(&["evt_1", "evt_2"]).await, (200, json!({ "received": true, "status": "ok" })));
    assert_eq!(post(&["evt_2", "evt_3"]).await, (200, json!({ "received": true, "status": "ok" })));
    assert_eq!(post(&["evt_3", "evt_1"]).await, (200, json!({ "received": true, "duplicate": true })));
    program.stands_at(0, 3, 0).await;
}

/// S0-066, S1-038, S1-044: answered 200 is on disk; a dead ERP and a killed program lose nothing.
#[tokio::test]
async fn punches_taken_while_the_erp_is_down_are_written_after_a_kill_and_a_restart() {
    let (folder, site, addr) = (tempdir().unwrap(), site(), quiet_addr());
    let url = format!("http://{addr}");
    let program = Program::start(&url, folder.path(), &[]).await;
    for (id, badge) in [("evt_1", "1001"), ("evt_2", "1002"), ("evt_3", "1001")] {
        assert_eq!(json_of(program.deliver(id, badge).await), (200, json!({ "received": true, "status": "ok" })));
    }
    program.stands_at(3, 0, 0).await;
    program.kill();

    serve_erpnext(addr, Arc::clone(&site)).await.unwrap();
    let program = Program::start(&url, folder.path(), &[]).await;
    // evt_3 is the same employee at the same second in the same direction: ERPNext calls it a duplicate, and so it is done.
    program.stands_at(0, 3, 0).await;
    let written = checkins(&site);
    assert!(
        written.contains_key("evt_2") && (written.contains_key("evt_1") || written.contains_key("evt_3")),
        "{written:?}"
    );
    assert!(written.values().all(|rows| rows.len() == 1), "{written:?}");
    let again = json_of(program.deliver("evt_2", "1002").await);
    assert_eq!(again.1, json!({ "received": true, "duplicate": true }), "remembered over the kill");
}

/// S0-010 for the middleware: killed at any moment, every event answered 200 is in the ERP once.
#[tokio::test]
async fn kills_at_any_moment_lose_and_double_nothing_that_was_answered() {
    let (folder, site) = (tempdir().unwrap(), site());
    let (url, mut dice) = (serve(&site).await, Dice::new(7));
    let mut answered = Vec::new();
    for round in 0..15 {
        let program = Program::start(&url, folder.path(), &[]).await;
        let delay = std::time::Duration::from_millis(dice.below(60));
        let posts = async {
            for number in 0.. {
                // Each punch in a second of its own, so that only a repetition is a repetition.
                let (id, badge) = (format!("evt_{round}_{number}"), (1001 + number % 9).to_string());
                let seconds = round * 100 + number;
                let time =
                    format!("2026-03-28T{:02}:{:02}:{:02}Z", 10 + seconds / 3600, seconds / 60 % 60, seconds % 60);
                let body = String::from_utf8(punch(&id, &badge)).unwrap().replace("2026-03-28T14:47:12Z", &time);
                if let Ok((200, _)) = program.try_post("/webhook", &signed(&id, body.as_bytes()), body.as_bytes()).await
                {
                    answered.push(id);
                }
                if number == 99 {
                    break;
                }
            }
        };
        tokio::select! {
            () = posts => {}
            () = tokio::time::sleep(delay) => {}
        }
        program.kill();
    }
    assert!(answered.len() > 15, "the kills came too early to prove anything: {}", answered.len());
    let _program = Program::start(&url, folder.path(), &[]).await;
    eventually("every answered event is in the ERP", async || {
        let written = checkins(&site);
        answered.iter().all(|id| written.contains_key(id)).then_some(())
    })
    .await;
    let doubled: Vec<_> = checkins(&site).into_iter().filter(|(_, rows)| rows.len() != 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
}

/// S0-027, X7: whom the ERP does not know is set aside, and nobody waits for that.
#[tokio::test]
async fn an_unknown_employee_is_parked_and_the_others_go_on() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[]).await;
    for (id, badge) in [("evt_1", "9999"), ("evt_2", "1002"), ("evt_3", "9999"), ("evt_4", "1004")] {
        assert_eq!(program.deliver(id, badge).await.0, 200);
    }
    program.stands_at(0, 2, 2).await;
    assert_eq!(checkins(&site).keys().cloned().collect::<Vec<_>>(), ["evt_2", "evt_4"]);
}

/// S0-034, S0-056, S0-062: as the published samples answer, if that is asked for: 404 for whom nobody knows, 500 for a write
/// that failed. The event is kept all the same, and written when it comes again.
#[tokio::test]
async fn with_the_answers_of_the_samples_the_sender_is_told_what_the_erp_said() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[("SAMPLE_ANSWERS", "true")]).await;
    let ok = (200, json!({ "received": true, "status": "ok" }));
    assert_eq!(json_of(program.deliver("evt_1", "1001").await), ok);
    assert_eq!(json_of(program.deliver("evt_1", "1001").await), ok);
    let (status, body) = json_of(program.deliver("evt_2", "9999").await);
    assert!(status == 404 && body["error"].as_str().unwrap().ends_with("unknown_employee"), "{body}");
    program.stands_at(0, 1, 1).await;
    site.lock().unwrap().config_mut().employees.push(ErpNextEmployee::new("HR-EMP-9999", "New", "9999"));
    // A table of employees that was read just now is not read again for a badge that was not in it.
    eventually("the new employee is found", async || {
        (json_of(program.deliver("evt_2", "9999").await) == ok).then_some(())
    })
    .await;
    site.lock().unwrap().fail_next([ErpNextFault::DatabaseDown]);
    assert_eq!(program.deliver("evt_3", "1002").await.0, 500);
    assert_eq!(site.lock().unwrap().checkins().len(), 2);
    program.stands_at(1, 2, 0).await;
}

fn watermark(number: u32, site: &str, complete_to: &str) -> Vec<u8> {
    let body = json!({
        "event_id": format!("evt_watermark_{number}"), "event_type": "site.watermark", "timestamp": complete_to,
        "site": site, "complete_to": complete_to,
    });
    body.to_string().into_bytes()
}

/// Auto attendance may close what lies before the earliest watermark of the sites, and before every punch that is not written.
#[tokio::test]
async fn the_mark_of_a_shift_type_follows_what_is_written() {
    let (folder, site) = (tempdir().unwrap(), site());
    site.lock().unwrap().config_mut().shifts = vec![ErpNextShift::new("Day")];
    let program = Program::start(&serve(&site).await, folder.path(), &[("ERPNEXT_SHIFTS", "Day")]).await;
    let tell = async |number: u32, name: &str, complete_to: &str| {
        let body = watermark(number, name, complete_to);
        let id = format!("evt_watermark_{number}");
        assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
    };
    let stands_at = async |local: &str| {
        eventually(local, async || {
            let mark = site.lock().unwrap().config_mut().shifts[0].last_sync_of_checkin;
            (mark? == local.parse().unwrap()).then_some(())
        })
        .await;
    };
    // Mexico City is six hours behind; the punches are of 14:47:12.
    tell(1, "HQ", "2026-03-28T14:00:00Z").await;
    stands_at("2026-03-28T08:00:00").await;
    // Nobody has that badge, so the mark waits for it.
    program.deliver("evt_1", "9999").await;
    program.stands_at(0, 0, 1).await;
    tell(2, "HQ", "2026-03-28T18:00:00Z").await;
    stands_at("2026-03-28T08:47:12").await;
    // Another site is not as far, and what it says does not take anything back.
    tell(3, "Plant", "2026-03-28T10:00:00Z").await;
    tell(4, "HQ", "2026-03-28T12:00:00Z").await;
    tell(5, "Plant", "2026-03-28T14:47:11Z").await;
    tell(6, "Plant", "2026-03-28T16:00:00Z").await;
    assert_eq!(program.deliver("evt_2", "1001").await.0, 200);
    program.stands_at(0, 1, 1).await;
    stands_at("2026-03-28T08:47:12").await;
}

/// S3-020: prints the request, masks the secret, calls nobody.
#[tokio::test]
async fn a_dry_run_prints_the_request_masked_and_sends_nothing() {
    let (folder, site) = (tempdir().unwrap(), site());
    let program = Program::start(&serve(&site).await, folder.path(), &[("DRY_RUN", "true")]).await;
    assert_eq!(program.deliver("evt_1", "1001").await.0, 200);
    let said = eventually("the request is shown", async || {
        let said = program.said();
        said.contains("evt_1").then_some(said)
    })
    .await;
    assert!(said.contains("POST ") && said.contains("Employee%20Checkin"), "{said}");
    assert!(said.contains("2026-03-28 08:47:12") && said.contains("\"IN\""), "{said}");
    assert!(said.to_ascii_lowercase().contains("authorization: "), "{said}");
    assert!(!said.contains("canary-of-the-api"), "{said}");
    assert!(site.lock().unwrap().requests().is_empty());
}

#[test]
fn a_missing_or_wrong_setting_is_named_and_its_value_is_not() {
    let folder = tempdir().unwrap();
    let program = || erpnext("http://127.0.0.1:9", folder.path());
    for variable in ["WEBHOOK_SECRET", "ERPNEXT_URL", "API_KEY", "API_SECRET", "SITE_ZONE"] {
        refuses(program().env_remove(variable), variable);
    }
    let wrong = [
        ("PORT", "80x", "PORT"),
        ("SITE_ZONE", "Mexico", "zone"),
        ("ERPNEXT_URL", "erp.example.com", "base"),
        ("WEBHOOK_SECRET", "", "WEBHOOK_SECRET"),
    ];
    for (variable, value, named) in wrong {
        refuses(program().env(variable, value), named);
    }
}
