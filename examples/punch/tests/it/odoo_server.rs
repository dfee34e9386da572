//! A real Odoo: a generated month through each of its doors, with accidents on the way, several writers at once, and a
//! gateway that writes by itself. `.ci/run odoo` starts one; without `PUNCH_TEST_ODOO_URL` there is none, and these tests
//! are skipped.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use punch_protocol::SerialNumber;
use punch_protocol::push::Terminal;
use serde_json::{Value, json};
use simulator::between::{Accident, Between};
use simulator::month::Delivery;
use simulator::odoo_server::{BOT, MonthAt, OFFICER, OdooServer, POOR, SPANISH, fresh_prefix};
use simulator::terminal::{Behaviour, Happening};
use simulator::world::{Dice, quiet_addr};
use tempfile::{TempDir, tempdir};
use tokio::sync::mpsc;

use crate::command::{Done, feed, punch};
use crate::kill::start;

const SERIAL: &str = "ODOO1";

/// The server, if there is one.
async fn server() -> Option<OdooServer> {
    let server =
        OdooServer::from_env().await.expect("PUNCH_TEST_ODOO_URL is set, and everything else is as it should be");
    if server.is_none() {
        eprintln!("skipped: PUNCH_TEST_ODOO_URL is not set; .ci/run odoo starts an Odoo and sets it");
    }
    server
}

/// A file with a sink of this user, by this door. Without a door it is found out.
fn config(server: &OdooServer, url: &str, user: &str, door: Option<&str>) -> TempDir {
    let folder = tempdir().unwrap();
    // JSON-2 takes a key and nothing else.
    let secret = if door == Some("json2") { &server.key } else { &server.password };
    let door = door.map_or(String::new(), |door| format!("protocol = \"{door}\"\n"));
    let text = format!(
        "store = \"sqlite:{}\"\n[[device]]\nserial = \"{SERIAL}\"\nzone = \"Europe/Madrid\"\n[[sink]]\nname = \"plant\"\n\
         kind = \"odoo\"\nurl = \"{url}\"\ndatabase = \"{}\"\nuser = \"{user}\"\nsecret = \"{secret}\"\nallow_http = true\n{door}",
        folder.path().join("punch.sqlite").display(),
        server.database
    );
    std::fs::write(folder.path().join("punch.toml"), text).unwrap();
    folder
}

async fn erp(folder: &TempDir, arguments: &[&str], input: Vec<u8>) -> Done {
    let mut command = punch();
    command.args(["erp"]).args(arguments).args(["--to", "plant", "--config", "punch.toml"]).current_dir(folder.path());
    tokio::task::spawn_blocking(move || feed(&mut command, &input)).await.unwrap()
}

fn line(Delivery { id, badge, at, direction, .. }: &Delivery) -> String {
    let at = at.to_rfc3339();
    let body = json!({ "event_id": id, "employee_id": badge, "timestamp": at, "direction": direction });
    format!("{body}\n")
}

fn input(month: &MonthAt) -> Vec<u8> {
    month.month.deliveries.iter().map(line).collect::<String>().into_bytes()
}

/// How often each outcome was said.
fn outcomes(done: &Done) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in done.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        *counts.entry(line["outcome"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

async fn is_right(server: &OdooServer, month: &MonthAt) {
    let wrongs = month.wrongs(server).await.unwrap();
    assert!(wrongs.is_empty(), "{} wrongs: {:#?}", wrongs.len(), &wrongs[..wrongs.len().min(5)]);
}

/// S0-001, S0-035 to S0-037: every pair to the second, nothing invented; and a second pass writes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_there_to_the_second_by_every_door() {
    let Some(server) = server().await else { return };
    let doors: &[_] = if server.version >= 19 { &["jsonrpc", "xmlrpc", "json2"] } else { &["jsonrpc", "xmlrpc"] };
    for (seed, door) in (1..).zip(doors) {
        let (month, folder) =
            (MonthAt::new(&server, seed).await.unwrap(), config(&server, &server.url, BOT, Some(door)));
        let checked = erp(&folder, &["check", "--events", "-"], input(&month)).await;
        assert_eq!(checked.code, Some(0), "{door}: {}", checked.stdout);
        let done = erp(&folder, &["write"], input(&month)).await;
        assert_eq!(outcomes(&done).get("retry"), None, "{door}: {}", done.stderr);
        is_right(&server, &month).await;
        let again = erp(&folder, &["write"], input(&month)).await;
        assert_eq!(outcomes(&again).get("applied"), None, "{door}: {}", again.stderr);
        is_right(&server, &month).await;
    }
}

/// S0-010: answers that are lost, requests that arrive when nobody waits for them any more, and `kill -9` in between.
#[tokio::test(flavor = "multi_thread")]
async fn neither_accidents_nor_kills_lose_or_double_anything() {
    let Some(server) = server().await else { return };
    for (seed, door) in (10..).zip(["jsonrpc", "xmlrpc"]) {
        let between = Between::start(&server.url, seed).await.unwrap();
        let (month, folder) =
            (MonthAt::new(&server, seed).await.unwrap(), config(&server, &between.url, BOT, Some(door)));
        let (mut dice, events) = (Dice::new(seed), folder.path().join("events.ndjson"));
        std::fs::write(&events, input(&month)).unwrap();
        between.accidents(25, &[Accident::Before, Accident::After, Accident::Late(Duration::from_millis(700))]);
        for _ in 0..12 {
            let mut command = punch();
            command.args(["erp", "write", "--to", "plant", "--config", "punch.toml"]).current_dir(folder.path());
            command.stdin(File::open(&events).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut writer = command.spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(100 + dice.below(900))).await;
            writer.kill().unwrap();
            writer.wait().unwrap();
        }
        let (_, happened) = between.counts();
        assert!(happened > 3, "{happened} accidents");
        between.accidents(0, &[]);
        // What was late is there by now.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let done = erp(&folder, &["write"], input(&month)).await;
        assert_eq!(outcomes(&done).get("retry"), None, "{door}: {}", done.stderr);
        is_right(&server, &month).await;
    }
}

/// Several writers of one month at once, who are refused in Spanish: the texts of a refusal say nothing to us.
#[tokio::test(flavor = "multi_thread")]
async fn several_writers_at_once_agree() {
    let Some(server) = server().await else { return };
    let (month, folder) =
        (MonthAt::new(&server, 20).await.unwrap(), config(&server, &server.url, SPANISH, Some("jsonrpc")));
    let writer = || erp(&folder, &["write"], input(&month));
    let (one, two, three) = tokio::join!(writer(), writer(), writer());
    for one in [one, two, three] {
        assert_eq!(outcomes(&one).get("retry"), None, "{}", one.stderr);
        assert!(!one.stdout.contains("\"refused\""), "{}", one.stderr);
    }
    is_right(&server, &month).await;
}

/// A terminal that sends the month to a gateway, which is killed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_writes_the_month_by_itself() {
    let Some(server) = server().await else { return };
    let (month, folder) = (MonthAt::new(&server, 30).await.unwrap(), config(&server, &server.url, BOT, None));
    let file = folder.path().join("punch.toml").display().to_string();
    let device_addr = quiet_addr();
    let (sender, happenings) = mpsc::channel(64);
    let mut behaviour = Behaviour::new(format!("http://{device_addr}"));
    behaviour.error_delay = TimeDelta::milliseconds(50);
    let serial = SerialNumber::parse(SERIAL).unwrap();
    let terminal = Terminal::new(serial.clone()).with_batch(50);
    let terminal = tokio::spawn(simulator::terminal::run(terminal, behaviour, happenings));
    let rows: Vec<_> = month.month.deliveries.iter().map(|delivery| MonthAt::row(&serial, delivery)).collect();
    let punching = tokio::spawn(async move {
        for row in rows {
            sender.send(Happening::Punch(Box::new(row))).await.unwrap();
        }
    });
    for _ in 0..4 {
        let gateway = start(&file, device_addr);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        gateway.kill();
    }
    let gateway = start(&file, device_addr);
    punching.await.unwrap();
    terminal.await.unwrap().unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(300);
    while !month.wrongs(&server).await.unwrap().is_empty() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    is_right(&server, &month).await;
    assert_eq!(gateway.terminate().code, Some(0));
}

/// What is wrong with the login, the rights and the people is said before a punch is written.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let Some(server) = server().await else { return };
    let says = async |server: &OdooServer, user: &str, door: Option<&str>, word: &str| {
        let done = erp(&config(server, &server.url, user, door), &["check"], Vec::new()).await;
        assert!(done.stdout.contains(word), "{user} {door:?}: no `{word}` in {}", done.stdout);
        done.code
    };
    let doors: &[_] = if server.version >= 19 { &["jsonrpc", "xmlrpc", "json2"] } else { &["jsonrpc", "xmlrpc"] };
    for door in doors {
        let mut wrong = server.clone();
        (wrong.password, wrong.key) = ("wrong".to_owned(), "wrong".to_owned());
        assert_eq!(says(&wrong, BOT, Some(door), "PE-CALL-001").await, Some(1));
        wrong = server.clone();
        wrong.database = "elsewhere".to_owned();
        assert_eq!(says(&wrong, BOT, Some(door), "PE-CALL-004").await, Some(1));
    }
    assert_eq!(says(&server, POOR, None, "PE-CALL-002").await, Some(1));
    // Somebody who left, and somebody who is not known.
    let badges: Vec<String> = ["1", "2"].map(|number| format!("{}{number}", fresh_prefix())).into();
    let people = server.hire(badges[..1].to_vec()).await.unwrap();
    let archived = json!([people.values().collect::<Vec<_>>(), { "active": false }]);
    server.call("hr.employee", "write", archived, json!({})).await.unwrap();
    let punch = |badge: &String| json!({ "event_id": format!("evt_{badge}"), "employee_id": badge, "timestamp": "2026-03-02T08:00:00Z", "direction": "in" });
    let input: String = badges.iter().map(|badge| format!("{}\n", punch(badge))).collect();
    let folder = config(&server, &server.url, BOT, None);
    let done = erp(&folder, &["write"], input.into_bytes()).await;
    assert!(done.stdout.contains("employee_inactive") && done.stdout.contains("unknown_employee"), "{}", done.stdout);
    // Rights over the attendances of some people are not seen before the first is written.
    let badge = format!("{}3", fresh_prefix());
    server.hire([badge.clone()]).await.unwrap();
    let folder = config(&server, &server.url, OFFICER, None);
    let done = erp(&folder, &["write", "--patience", "0"], punch(&badge).to_string().into_bytes()).await;
    assert!(server.version < 19 || done.stdout.contains("\"forbidden\""), "{}", done.stdout);
}
