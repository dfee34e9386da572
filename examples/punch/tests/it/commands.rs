//! `punch devices` and `punch command`: terminals are let in, told to do something, and what became of it is said.

use serde_json::Value;

use crate::command::{Done, Running, punch as punch_binary, run};
use crate::site::{Site, exchange};

fn punch(site: &Site, arguments: &[&str]) -> Done {
    let url = format!("http://{}", site.api);
    run(&[arguments, &["--gateway", &url, "--api-key", Site::KEY]].concat(), b"")
}

/// What `T1` is told when it asks, once there is something: the id and the text of each command.
fn told(site: &Site) -> Vec<(String, String)> {
    for _ in 0..600 {
        let (_, body) = exchange(site.device, "GET", "/iclock/getrequest?SN=T1", "", "");
        if body != "OK" {
            let lines = body.lines().filter_map(|line| line.strip_prefix("C:")?.split_once(':'));
            return lines.map(|(id, text)| (id.to_owned(), text.to_owned())).collect();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("nothing was told");
}

#[test]
fn terminals_are_listed_let_in_and_kept_out() {
    let site = Site::start(&[("T1", "UTC")]);
    exchange(site.device, "GET", "/iclock/cdata?SN=NEW1&options=all&pushver=2.4.1", "", "");
    let Done { code, stdout, .. } = punch(&site, &["devices", "list"]);
    assert!(code == Some(1) && stdout.contains("NEW1                 pending"), "{stdout}");
    let Done { stdout, .. } = punch(&site, &["devices", "show", "NEW1"]);
    assert!(stdout.contains("said           push_version: 2.4.1"), "{stdout}");
    let Done { stdout, .. } = punch(&site, &["devices", "timeline", "NEW1"]);
    assert!(stdout.contains("handshake                    not_approved"), "{stdout}");
    assert_eq!(punch(&site, &["devices", "approve", "NEW1"]).code, Some(0));
    assert_eq!(exchange(site.device, "GET", "/iclock/getrequest?SN=NEW1", "", ""), (200, "OK".to_owned()));
    assert_eq!(punch(&site, &["devices", "block", "NEW1"]).code, Some(0));
    assert_eq!(exchange(site.device, "GET", "/iclock/getrequest?SN=NEW1", "", "").0, 503);
    let Done { stdout, .. } = punch(&site, &["devices", "list", "--status", "blocked", "--json"]);
    let row: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(row["serial_number"], "NEW1");
    let Done { code, stderr, .. } = punch(&site, &["devices", "show", "NOBODY"]);
    assert!(code == Some(2) && stderr.contains("see `punch devices list`"), "{stderr}");
}

/// `kill -9` between the order and its answer: the door is not opened again, the people are not lost.
#[test]
fn commands_outlive_a_kill_and_a_door_is_opened_once() {
    let mut site = Site::start(&[("T1", "UTC")]);
    let people = site.folder.path().join("people.json");
    std::fs::write(&people, r#"[{"badge_number":"1042","name":"Ana Ruiz"}]"#).unwrap();
    let file = people.to_str().unwrap();
    let send = ["command", "send", "sync_employees", "--device", "T1", "--employees", file, "--detach", "--json"];
    let Done { code, stdout, stderr } = punch(&site, &send);
    assert_eq!(code, Some(0), "{stderr}");
    let asked: Value = serde_json::from_str(&stdout).unwrap();
    let door = punch(&site, &["command", "send", "unlock_door", "--device", "T1", "--detach"]);
    assert_eq!(
        (door.code, door.stdout.as_str()),
        (Some(0), "2 is queued: 0 of 1 done, 0 went wrong, 1 on their way\n")
    );
    let mut before = told(&site);
    while before.len() < 2 {
        before.extend(told(&site));
    }
    site.restart();
    assert_eq!(exchange(site.device, "GET", "/iclock/getrequest?SN=T1", "", ""), (200, "OK".to_owned()));
    let results: String = before
        .iter()
        .map(|(id, text)| format!("ID={id}&Return={}&CMD=DATA\n", if text == "AC_UNLOCK" { 0 } else { -1002 }))
        .collect();
    assert_eq!(exchange(site.device, "POST", "/iclock/devicecmd?SN=T1", "", &results), (200, "OK".to_owned()));
    assert_eq!(punch(&site, &["command", "show", "2"]).code, Some(0), "the door was opened, once");
    let id = asked["id"].to_string();
    let Done { code, stdout, .. } = punch(&site, &["command", "show", &id]);
    assert!(code == Some(1) && stdout.contains("1042") && stdout.contains("returned -1002"), "{stdout}");
    assert_eq!(punch(&site, &["command", "retry", &id]).code, Some(0));
    assert_eq!(told(&site)[0].1, "DATA UPDATE USERINFO PIN=1042\tName=Ana Ruiz");
    let Done { stdout, .. } = punch(&site, &["command", "list", "--state", "done"]);
    assert!(stdout.contains("unlock_door") && !stdout.contains("sync_employees"), "{stdout}");
    let Done { code, stderr, .. } = punch(&site, &["command", "send", "open", "--device", "T1"]);
    assert!(code == Some(2) && stderr.contains("is no command, expected one of: sync_employees"), "{stderr}");
}

/// A terminal that pushes is told by its gateway to send a time once more: what is missing comes, and nothing comes twice.
#[test]
fn a_backfill_over_push_brings_what_is_missing_and_doubles_nothing() {
    let site = Site::start(&[("T1", "UTC")]);
    let days = [
        ("2026-03-02", "1042\t2026-03-02 08:00:00\t0\t1\n1042\t2026-03-02 17:00:00\t1\t1\n"),
        ("2026-03-03", "1042\t2026-03-03 08:00:00\t0\t1\n1043\t2026-03-03 08:01:00\t0\t1\n"),
    ];
    let upload = |rows: &str| {
        let answer = exchange(site.device, "POST", "/iclock/cdata?SN=T1&table=ATTLOG", "", rows);
        assert_eq!(answer, (200, format!("OK: {}", rows.lines().count())));
    };
    // Half of the first day is all that has come.
    upload(days[0].1.lines().next().unwrap());
    let url = format!("http://{}", site.api);
    let span = ["backfill", "--device", "T1", "--from", "2026-03-02", "--to", "2026-03-03", "--rate", "6000", "--json"];
    let backfill = Running::start(punch_binary().args(span).args(["--gateway", &url, "--api-key", Site::KEY]));
    for (day, rows) in days {
        let (id, text) = told(&site).remove(0);
        assert_eq!(text, format!("DATA QUERY ATTLOG StartTime={day} 00:00:00\tEndTime={day} 23:59:59"));
        upload(rows);
        let result = format!("ID={id}&Return=0&CMD=DATA QUERY\n");
        assert_eq!(exchange(site.device, "POST", "/iclock/devicecmd?SN=T1", "", &result).0, 200);
    }
    let done = backfill.finish();
    assert_eq!(done.code, Some(0), "{done:?}");
    let said: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&said["pieces"], &said["new"]), (&2.into(), &3.into()), "{said}");
    assert_eq!(site.rows().len(), 4);
}
