//! `punch normalize`: rows in, verdicts out, by the cases of the specification.

use serde_json::{Value, json};

use crate::command::{Done, run};

fn normalize(rows: &[Value], arguments: &[&str]) -> Done {
    let input: String = rows.iter().map(|row| format!("{row}\n")).collect();
    run(&[&["normalize"], arguments].concat(), input.as_bytes())
}

fn lines(done: &Done) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn row(time: &str, state: Option<u16>) -> Value {
    json!({ "serial": "T1", "pin": "1042", "time": time, "state": state })
}

/// One member of every line.
fn all(done: &Done, member: &str) -> Vec<Value> {
    lines(done).iter().map(|line| line[member].clone()).collect()
}

fn dated(zone: &str, rows: &[Value]) -> (String, String) {
    let done = normalize(rows, &["--zone", zone, "--window", "0"]);
    let last = lines(&done).pop().unwrap();
    let text = |member: &str| last[member].as_str().unwrap().to_owned();
    (text("punched_at"), text("time_quality"))
}

fn at(instant: &str, quality: &str) -> (String, String) {
    (instant.to_owned(), quality.to_owned())
}

#[test]
fn t1_to_t11_times() {
    let one = |zone, time| dated(zone, &[row(time, None)]);
    assert_eq!(one("Europe/Madrid", "2026-07-01T08:00:00"), at("2026-07-01T06:00:00Z", "exact"), "T1");
    let after = |before: &str| dated("Europe/Madrid", &[row(before, None), row("2026-10-25T02:30:00", None)]);
    assert_eq!(
        after("2026-10-25T02:10:00"),
        at("2026-10-25T00:30:00Z", "fold_order"),
        "T2: the row before is at 00:10Z"
    );
    let twice = [row("2026-10-25T01:59:00", None), row("2026-10-25T02:45:00", None), row("2026-10-25T02:30:00", None)];
    assert_eq!(dated("Europe/Madrid", &twice[..2]), at("2026-10-25T00:45:00Z", "fold_order"));
    // By the order of the upload the clock went back between the two; in time the last row is the last line.
    assert_eq!(dated("Europe/Madrid", &twice), at("2026-10-25T01:30:00Z", "fold_order"), "T3");
    let live =
        json!({ "serial": "T1", "pin": "1", "time": "2026-10-25T02:30:00", "received_at": "2026-10-25T01:30:02Z" });
    assert_eq!(dated("Europe/Madrid", &[live]), at("2026-10-25T01:30:00Z", "fold_live"), "T4");
    assert_eq!(one("Europe/Madrid", "2026-10-25T02:30:00"), at("2026-10-25T00:30:00Z", "fold_guess"), "T5");
    assert_eq!(one("Europe/Madrid", "2026-03-29T02:30:00"), at("2026-03-29T01:30:00Z", "gap"), "T6");
    assert_eq!(one("America/Santiago", "2026-04-04T23:30:00"), at("2026-04-05T02:30:00Z", "fold_guess"), "T7");
    assert_eq!(one("America/Santiago", "2026-09-06T00:30:00"), at("2026-09-06T04:30:00Z", "gap"), "T8");
    assert_eq!(one("America/Tijuana", "2026-07-01T08:00:00"), at("2026-07-01T15:00:00Z", "exact"), "T9");
    assert_eq!(one("America/Mexico_City", "2026-07-01T08:00:00"), at("2026-07-01T14:00:00Z", "exact"), "T10");
    assert_eq!(one("+05:30", "2026-07-01T08:00:00"), at("2026-07-01T02:30:00Z", "exact"), "T11");
    assert_eq!(one("-03:30", "2026-07-01T08:00:00"), at("2026-07-01T11:30:00Z", "exact"), "T11");
}

#[test]
fn t12_to_t16_clocks_that_are_wrong() {
    let one = |time: Value, received_at: Option<&str>| {
        let row = json!({ "serial": "T1", "pin": "1", "time": time, "received_at": received_at });
        let line = lines(&normalize(&[row], &["--zone", "America/Lima"])).pop().unwrap();
        [line["verdict"].clone(), line["reason"].clone(), line["time_quality"].clone()]
    };
    let receipt = Some("2026-03-02T13:00:00Z"); // 08:00 in Lima
    assert_eq!(one("2000-01-01T00:00:07".into(), receipt)[..2], ["held", "clock_reset"], "T12");
    assert_eq!(one("2009-12-31T23:59:59".into(), None)[..2], ["held", "clock_reset"], "T12");
    assert_eq!(one("2026-03-03T08:00:01".into(), receipt)[..2], ["held", "future"], "T13");
    assert_eq!(one("2026-03-03T08:00:00".into(), receipt), [json!("fresh"), Value::Null, json!("suspect")], "T14");
    assert_eq!(one("2026-03-02T08:02:00".into(), receipt)[2], "suspect", "T14");
    assert_eq!(one("2026-03-02T08:01:59".into(), receipt)[2], "exact", "T14");
    for epoch in [json!(1_772_456_400), json!("1772456400")] {
        let row = json!({ "serial": "T1", "pin": "1", "time": epoch });
        let in_zone = |zone| lines(&normalize(core::slice::from_ref(&row), &["--zone", zone])).pop().unwrap();
        let (lima, delhi) = (in_zone("America/Lima"), in_zone("+05:30"));
        assert_eq!(lima["punched_at"], "2026-03-02T13:00:00Z", "T16");
        assert_eq!((&lima["punched_at"], &lima["event_id"]), (&delhi["punched_at"], &delhi["event_id"]), "T16");
    }
}

#[test]
fn replays_and_second_punches_are_told_apart() {
    let rows = [row("2026-03-02T08:00:00", None), row("2026-03-02T08:00:59", None), row("2026-03-02T08:00:00", None)];
    let done = normalize(&rows, &[]);
    assert_eq!(all(&done, "verdict"), ["fresh", "duplicate", "duplicate"]);
    // Of one second they come in the order of the input.
    assert_eq!(all(&done, "reason"), [Value::Null, "replay".into(), "bounce".into()]);
    let ids = all(&done, "event_id");
    assert_eq!((&ids[0], all(&done, "duplicate_of")), (&ids[1], vec![Value::Null, ids[0].clone(), ids[0].clone()]));
    assert_eq!(all(&normalize(&rows[..2], &["--window", "59"]), "verdict"), ["fresh", "fresh"]);
    assert_eq!(all(&normalize(&rows[..2], &["--window", "0"]), "verdict"), ["fresh", "fresh"]);

    let elsewhere = json!({ "serial": "T2", "pin": "1042", "time": "2026-03-02T08:00:30", "state": null });
    let two = [rows[0].clone(), elsewhere];
    assert_eq!(all(&normalize(&two, &["--scope", "device"]), "verdict"), ["fresh", "fresh"]);
    assert_eq!(all(&normalize(&two, &["--scope", "employee"]), "verdict"), ["fresh", "duplicate"]);
}

#[test]
fn the_rules_say_which_way_somebody_went() {
    let day = ["08:00:00", "13:00:00", "14:00:00", "18:00:00"].map(|time| row(&format!("2026-03-02T{time}"), None));
    let by = |rule: &str| normalize(&day, &["--rule", rule, "--zone", "America/Lima"]);
    let alternate = by("alternate");
    assert_eq!(all(&alternate, "direction"), ["in", "out", "in", "out"]);
    assert_eq!(all(&alternate, "direction_source"), ["alternate"; 4]);
    assert!(all(&alternate, "session_id").iter().all(|session| *session == lines(&alternate)[0]["session_id"]));
    assert_eq!(all(&alternate, "business_date"), ["2026-03-02"; 4]);
    assert_eq!(all(&by("first-last"), "direction"), ["in", "intermediate", "intermediate", "out"]);
    // The wrong mode of the terminal is what is declared.
    let declared: Vec<Value> =
        day.iter().map(|row| json!({ "state": 0, "serial": "T1", "pin": "1", "time": row["time"] })).collect();
    let done = normalize(&declared, &[]);
    assert_eq!(all(&done, "exceptions"), [json!([]), json!(["repeat_in"]), json!(["repeat_in"]), json!(["repeat_in"])]);
    assert_eq!(all(&normalize(&declared, &["--rule", "alternate"]), "direction"), ["in", "out", "in", "out"]);
    let roles: Vec<Value> =
        day.iter().map(|row| json!({ "role": "exit", "serial": "T1", "pin": "1", "time": row["time"] })).collect();
    assert_eq!(all(&normalize(&roles, &[]), "direction_source"), ["role"; 4]);
}

#[test]
fn a_terminal_that_stands_in_one_mode_is_not_believed() {
    let mut rows = Vec::new();
    for day in 2..8 {
        for person in 0..12 {
            for hour in [8, 17] {
                let time = format!("2026-03-{day:02}T{hour:02}:{person:02}:00");
                rows.push(json!({ "serial": "T1", "pin": format!("{person}"), "time": time, "state": 0 }));
            }
        }
    }
    let done = normalize(&rows, &[]);
    assert!(lines(&done).iter().all(|line| line["direction_source"] == "alternate" && line["exceptions"] == json!([])));
}

#[test]
fn shifts_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shifts.toml");
    let path = file.to_str().unwrap();
    let text = "[[shift]]\nname = \"night\"\nstart = \"18:00\"\nend = \"07:00\"\nfrom = \"2026-03-02\"\nto = \"2026-03-02\"\n\
                people = [\"1042\"]\n[[shift]]\nname = \"evening\"\nstart = \"14:00\"\nend = \"20:00\"\nfrom = \"2026-03-03\"\n\
                to = \"2026-03-03\"\npeople = [\"1042\"]\n[[shift]]\nstart = \"09:00\"\nend = \"17:00\"\ndays = [\"mon\", \"tue\"]\n";
    std::fs::write(&file, text).unwrap();
    let times = ["02T18:30:00", "03T07:10:00", "03T13:50:00", "03T20:05:00"];
    let rows = times.map(|time| row(&format!("2026-03-{time}"), None));
    let done = normalize(&rows, &["--rule", "schedule", "--schedule", path]);
    assert_eq!(all(&done, "direction"), ["in", "out", "in", "out"]);
    assert_eq!(all(&done, "business_date"), ["2026-03-02", "2026-03-02", "2026-03-03", "2026-03-03"]);

    std::fs::write(&file, "[[shift]]\nstart = \"25:00\"\ndays = [\"lunes\"]\n").unwrap();
    let wrong = normalize(&rows, &["--rule", "schedule", "--schedule", path]);
    assert_eq!(wrong.code, Some(2));
    for complaint in ["shift[1].start", "shift[1].end", "lunes"] {
        assert!(wrong.stderr.contains(complaint), "{wrong:?}");
    }
    let missing = normalize(&rows, &["--rule", "schedule"]);
    assert!(missing.code == Some(2) && missing.stderr.contains("--schedule FILE"), "{missing:?}");
}

/// A8: a row that was kept back changes what came after it, and says how often.
#[test]
fn a_stream_tells_what_every_row_changes() {
    let rows = ["08:00:00", "14:00:00", "18:00:00", "13:00:00"].map(|time| row(&format!("2026-03-02T{time}"), None));
    let done = normalize(&rows, &["--stream"]);
    let told: Vec<(String, String, u64)> = lines(&done)
        .iter()
        .map(|line| {
            let text = |member: &str| line[member].as_str().unwrap().to_owned();
            (text("time")[11..16].to_owned(), text("direction"), line["revision"].as_u64().unwrap())
        })
        .collect();
    let told: Vec<(&str, &str, u64)> =
        told.iter().map(|(time, way, turn)| (time.as_str(), way.as_str(), *turn)).collect();
    let expected = [
        ("08:00", "in", 0),
        ("14:00", "out", 0),
        ("18:00", "in", 0),
        ("13:00", "out", 0),
        ("14:00", "in", 1),
        ("18:00", "out", 1),
    ];
    assert_eq!(told, expected);
    // D8: what was told stays, whoever comes late.
    let late = ["08:01:40", "08:01:10"].map(|time| row(&format!("2026-03-02T{time}"), None));
    assert_eq!(all(&normalize(&late, &["--stream"]), "verdict"), ["fresh", "duplicate"]);
    assert_eq!(all(&normalize(&late, &[]), "verdict"), ["fresh", "duplicate"]);
    assert_eq!(lines(&normalize(&late, &[]))[0]["time"], "2026-03-02T08:01:10", "of a whole history the first is kept");
}

#[test]
fn any_order_of_the_input_gives_the_same() {
    let times = ["08:00:00", "08:00:30", "13:00:00", "14:00:00", "18:00:00", "18:00:59"];
    let rows = times.map(|time| row(&format!("2026-03-02T{time}"), None));
    let forward = lines(&normalize(&rows, &[]));
    let mut backward = rows.to_vec();
    backward.reverse();
    assert_eq!(lines(&normalize(&backward, &[])), forward);
}

#[test]
fn tables_and_what_a_pull_prints_are_read_too() {
    let csv = "serial,pin,time,state,verify\r\nT1,0042,2026-03-02 08:00:00,0,1\r\nT1,\"a,b\",2026-03-02T09:00:00,,\r\n";
    let done = run(&["normalize", "--zone", "UTC"], csv.as_bytes());
    assert_eq!((all(&done, "pin"), done.code), (vec!["0042".into(), "a,b".into()], Some(0)));
    let headless = run(&["normalize"], b"T1,0042,2026-03-02 08:00:00\n");
    assert_eq!(headless.code, Some(2));
    let nothing = run(&["normalize"], b"");
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), ""), "a terminal without punches");
}

#[test]
fn rows_that_cannot_be_read_are_told_and_cost_nobody() {
    let rows = [
        row("2026-03-02T08:00:00", None),
        row("2026-02-30T08:00:00", None),
        json!({ "serial": "../x", "pin": "1", "time": "2026-03-02T08:00:00" }),
        json!({ "serial": "T1", "pin": "1", "time": "2026-03-02T08:00:00", "state": "in" }),
        json!({ "serial": "T1", "pin": "", "time": "2026-03-02T08:00:00" }),
    ];
    let done = normalize(&rows, &[]);
    assert_eq!(done.code, Some(1));
    let reasons = all(&done, "reason");
    assert_eq!(reasons, [Value::Null, "anonymous".into(), "malformed".into(), "malformed".into(), "malformed".into()]);
    assert_eq!(lines(&done)[2]["error"]["line"], 2);
    for bad in
        [&["--zone", "Mars"][..], &["--window", "soon"], &["--max-shift", "h"], &["--day-start", "4"], &["--rule", "x"]]
    {
        assert_eq!(normalize(&rows, bad).code, Some(2), "{bad:?}");
    }
}

/// The identities of the published vectors.
#[test]
fn identities_are_those_of_the_vectors() {
    let vectors = include_str!("../../../../punch-normalize/tests/data/identity-vectors.jsonl");
    let mut count = 0;
    for vector in vectors.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let member = |name: &str| vector[name].clone();
        let row = json!({
            "serial": member("serial"), "pin": member("pin"), "time": member("time"), "state": member("state"),
        });
        let done = normalize(&[row], &["--tenant-key", vector["tenant_key_hex"].as_str().unwrap()]);
        assert_eq!(all(&done, "event_id"), [member("event_id")], "{}", vector["id"]);
        count += 1;
    }
    assert_eq!(count, 12);
}
