//! `punch decode push`: every sample exactly, captures row by row, errors in place.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::command::{Done, run};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../punch-protocol/tests/data/push-samples.jsonl");

/// Keys that say something to people, or that a decoder may leave out.
const INFORMATIVE: [&str; 7] = ["warnings", "lenient_records", "subset", "note", "reply_form", "ack_form", "match"];

fn is_informative(key: &str, value: &Value) -> bool {
    INFORMATIVE.contains(&key) || key.ends_with("_note") || value.as_str().is_some_and(|text| text.contains('<'))
}

/// The first difference, if a key or value of `want` is not in `got`. More keys in `got` are no difference.
pub(crate) fn difference(want: &Value, got: &Value, at: &str) -> Option<String> {
    let differs = || Some(format!("{at}: want {want}, got {got}"));
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            want.iter().filter(|(key, value)| !is_informative(key, value)).find_map(|(key, value)| {
                let place = format!("{at}.{key}");
                match got.get(key) {
                    Some(found) => difference(value, found, &place),
                    None => Some(format!("{place}: missing")),
                }
            })
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => want
            .iter()
            .zip(got)
            .enumerate()
            .find_map(|(index, (want, got))| difference(want, got, &format!("{at}[{index}]"))),
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            if (one - other).abs() < 1e-9 { None } else { differs() }
        }
        _ if want == got => None,
        _ => differs(),
    }
}

/// contracts.md: one object per input, in the same order, equal to `expected`.
#[test]
fn every_sample_of_the_push_protocol_decodes_to_what_is_expected() {
    let text = std::fs::read_to_string(SAMPLES).unwrap_or_else(|error| panic!("{SAMPLES}: {error}"));
    let samples: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let samples: Vec<&Value> = samples.iter().collect();
    let inputs = samples.iter().map(|sample| {
        let mut input = sample.as_object().unwrap().clone();
        for answer in ["expected", "notes", "verified", "expect"] {
            input.remove(answer);
        }
        Value::Object(input).to_string() + "\n"
    });
    let Done { code, stdout, stderr } = run(&["decode", "push", "--ndjson"], inputs.collect::<String>().as_bytes());
    assert_eq!(code, Some(0), "{stderr}");
    let answers: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids = |rows: &[&Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&answers.iter().collect::<Vec<_>>()), ids(&samples), "one object per input, in order");
    let differences: BTreeMap<&str, String> = samples
        .iter()
        .zip(&answers)
        .filter_map(|(sample, answer)| Some((sample["id"].as_str()?, difference(&sample["expected"], answer, "")?)))
        .collect();
    // C10 names an interval that its command does not hold; C19 is what a writer must refuse, and a reader cannot tell.
    assert_eq!(differences.keys().copied().collect::<Vec<_>>(), ["C10", "C19"], "{differences:#?}");
    assert_eq!(differences["C10"], ".decoded.54396080: missing");
    let letters: BTreeMap<char, usize> = samples.iter().fold(BTreeMap::new(), |mut letters, sample| {
        *letters.entry(sample["id"].as_str().unwrap().chars().next().unwrap()).or_default() += 1;
        letters
    });
    assert!(samples.len() == 157 && letters.len() == 10, "the samples are there: {letters:?}");
    assert_informative(&samples, &answers);
}

/// What a checker passes over is there all the same: warnings, and readings of what is in error.
fn assert_informative(samples: &[&Value], answers: &[Value]) {
    let mut compared = 0;
    for (sample, answer) in samples.iter().zip(answers) {
        let lenient = &sample["expected"]["lenient_records"];
        if !lenient.is_null() {
            assert_eq!(difference(lenient, &answer["lenient_records"], ""), None, "{}", sample["id"]);
            compared += 1;
        }
        let own = sample["expected"].as_object().unwrap();
        let items = own.get("items").and_then(Value::as_array).into_iter().flatten();
        let given = answer["items"].as_array().into_iter().flatten();
        for (want, got) in items.zip(given).chain([(&sample["expected"], answer)]) {
            for warning in want["warnings"].as_array().into_iter().flatten() {
                assert!(got["warnings"].as_array().unwrap().contains(warning), "{}: {warning}", sample["id"]);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 12);
}

#[test]
fn the_comparison_sees_differences_and_forgives_only_what_it_should() {
    let want = json!({ "kind": "attlog", "records": [{ "pin": "1", "temperature": 36.5 }], "warnings": ["x"], "ack_note": "y" });
    let got = json!({ "kind": "attlog", "records": [{ "pin": "1", "temperature": 36.5, "more": 1 }], "id": "A01" });
    assert_eq!(difference(&want, &got, ""), None);
    for (pointer, value) in
        [("/kind", json!("x")), ("/records/0/pin", json!(1)), ("/records", json!([])), ("/records/0", json!({}))]
    {
        let mut wrong = got.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert!(difference(&want, &wrong, "").is_some(), "{pointer}");
    }
}

fn rows(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// Sample A14 as a capture: the good rows are rows, the bad ones are errors where they stand.
#[test]
fn a_capture_decodes_row_by_row_with_errors_in_place_and_exit_code_1() {
    let body = "100\t2024-01-01 08:00:00\t0\t1\t0\njunk\n300\t2024-01-01 09:00:00\t0\t1\t0\n";
    let head = "POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999 HTTP/1.1\r\nHost: x\r\nContent-Length: 65\r\n\r\n";
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("capture.http");
    std::fs::write(&whole, format!("{head}{body}")).unwrap();
    let as_edited = format!("{head}{body}").replace("\r\n", "\n");
    let captures = [
        run(&["decode", "push", whole.to_str().unwrap()], b""),
        run(&["decode", "push", "-"], as_edited.as_bytes()),
        run(&["decode", "push", "-", "--table", "ATTLOG"], body.as_bytes()),
    ];
    for done in captures {
        assert_eq!(done.code, Some(1), "{done:?}");
        let rows = rows(&done.stdout);
        assert_eq!(rows.len(), 3);
        assert_eq!((&rows[0]["pin"], &rows[2]["pin"]), (&json!("100"), &json!("300")));
        let error = &rows[1]["error"];
        assert_eq!(rows[1]["raw"], "junk");
        assert_eq!((&error["line"], &error["column"], &error["span"]), (&json!(2), &json!(1), &json!([30, 34])));
        assert!(error["code"].as_str().unwrap().starts_with("PP-"), "{error}");
        assert!(error["message"].as_str().unwrap().starts_with(error["code"].as_str().unwrap()), "{error}");
        assert!(done.stderr.contains("1 of 3 rows"), "{}", done.stderr);
    }
}

#[test]
fn a_capture_without_errors_ends_with_0() {
    let request =
        "GET /iclock/getrequest?SN=T1&INFO=Ver 8.0.4.2-20190708,3,2,120,192.168.1.201,10,7,15,0,111 HTTP/1.0\n\n";
    let done = run(&["decode", "push", "-"], request.as_bytes());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(rows(&done.stdout)[0]["info"]["firmware"], "Ver 8.0.4.2-20190708");
    let response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nGET OPTION FROM: T1\nTimeZone=330\nStamp=0\n";
    let done = run(&["decode", "push", "-"], response.as_bytes());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(rows(&done.stdout)[0]["options"]["TimeZone"]["minutes"], 330);
    // Nothing at all is no capture, and no panic.
    for nothing in [&b""[..], b"\xff\xfe", b"GET", b"\n\n", b"HTTP/1.1 x\n\n"] {
        let done = run(&["decode", "push", "-"], nothing);
        assert!(matches!(done.code, Some(1..=3)) && !done.stderr.contains("panicked"), "{nothing:?}: {done:?}");
    }
}

const DUMP: &str = "GET /iclock/cdata?SN=T1&options=all&pushver=2.4.1 HTTP/1.1\r\nHost: x\r\n\r\n\
    HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 41\r\n\r\nGET OPTION FROM: T1\nTimeZone=330\nStamp=0\n\
    POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=9 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
    5\r\n1\t202\r\n13\r\n6-01-01 00:00:00\t0\n\r\n0\r\n\r\n\
    POST /iclock/cdata?SN=T1&table=tabledata&tablename=user&count=1 HTTP/1.1\r\nContent-Length: 10\r\n\r\nuser pin=1\
    HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nOK: 1\
    HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nuser=1\
    GET /iclock/getrequest?SN=T1&INFO=Ver 6.60 b,1 HTTP/1.0\n\n\
    HTTP/1.0 200 OK\n\nOK\n\n\
    POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\nContent-Length: 60\n\n\
    1\t2026-01-01 00:00:00\t0\t1\r\n2\t2026-01-01 00:00:01\t0\t1\t0\t000\r\n";

/// Requests and answers of a kept-alive connection, pipelined too: each answer goes with its own request.
#[test]
fn a_dump_of_a_connection_decodes_message_by_message() {
    let edited = DUMP.rsplit_once("\n\n").unwrap();
    let without_cr = format!("{}\n\n{}", edited.0, edited.1.replace("\r\n", "\n"));
    for dump in [DUMP, &without_cr] {
        let done = run(&["decode", "push", "-"], dump.as_bytes());
        assert_eq!(done.code, Some(0), "{done:?}");
        let rows = rows(&done.stdout);
        let kinds: Vec<_> = rows.iter().map(|row| (row["message"].as_u64().unwrap(), row["kind"].as_str())).collect();
        let expected = [
            (1, Some("handshake")),
            (2, Some("handshake_response")),
            (3, None),
            (4, None),
            (5, Some("ack")),
            (6, Some("ack")),
            (7, Some("getrequest")),
            (8, Some("commands")),
            (9, None),
            (9, None),
        ];
        assert_eq!(kinds, expected);
        assert_eq!((&rows[2]["time"], &rows[3]["pin"]), (&json!("2026-01-01 00:00:00"), &json!("1")));
        assert_eq!((&rows[4]["count"], &rows[5]["table"]), (&json!(1), &json!("user")));
        assert_eq!((&rows[6]["info"]["firmware"], &rows[7]["idle"]), (&json!("Ver 6.60 b"), &json!(true)));
    }
}

/// A message that is cut, refused or none at all is told in its place; the others are read.
#[test]
fn a_message_in_error_costs_no_other() {
    let dump = "stray\nGET /iclock/ping?SN=../x HTTP/1.0\n\n\
        POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.0\nContent-Length: 99\n\n1\t2026-01-01 00:00:00\t0\n\
        GET /iclock/ping?SN=T1 HTTP/1.0\n\nHTTP/1.1 200 OK\nContent-Length: 9\n\nOK";
    let done = run(&["decode", "push", "-"], dump.as_bytes());
    assert_eq!(done.code, Some(1), "{done:?}");
    let rows = rows(&done.stdout);
    let codes: Vec<_> =
        rows.iter().map(|row| (row["message"].as_u64().unwrap(), row["error"]["code"].as_str())).collect();
    let expected = [
        (0, Some("PP-CAPTURE-001")),
        (1, Some("PP-PUSH-002")),
        (2, Some("PP-PUSH-006")),
        (3, None),
        (4, Some("PP-PUSH-006")),
    ];
    assert_eq!(codes, expected);
    let error = &rows[2]["error"];
    assert_eq!((&error["line"], &error["span"]), (&json!(4), &json!([41, 87])));
    assert_eq!(rows[2]["raw"].as_str(), dump.get(41..87));
    assert!(done.stderr.contains("4 of 5 rows"), "{}", done.stderr);
    // More than was announced belongs to nobody, and says what to do about it.
    let longer = "POST /iclock/ping?SN=T1 HTTP/1.0\nContent-Length: 1\n\nxyz";
    let done = run(&["decode", "push", "-"], longer.as_bytes());
    assert!(done.code == Some(1) && done.stdout.contains("Content-Length or remove that line"), "{done:?}");
}

/// Whatever a dump is cut to, every row that is printed is JSON and nothing panics.
#[test]
fn a_dump_may_end_anywhere() {
    for end in (0..DUMP.len()).step_by(7) {
        let done = run(&["decode", "push", "-"], &DUMP.as_bytes()[..end]);
        assert!(!done.stderr.contains("panicked") && matches!(done.code, Some(0..=2)), "{end}: {done:?}");
        assert!(rows(&done.stdout).iter().all(Value::is_object));
    }
}

/// Templates and pictures are measured in a table for people; samples keep them, as their contract says.
#[test]
fn no_template_is_printed_from_a_capture() {
    let body = "FP PIN=1\tFID=1\tSize=8\tValid=1\tTMP=c2VjcmV0\nBIOPHOTO PIN=1\tContent=c2VjcmV0\n\
        BIODATA Pin=1\tTmp=c2VjcmV0\nbad TMP=c2VjcmV0\n";
    let done = run(&["decode", "push", "-", "--table", "OPERLOG"], body.as_bytes());
    assert!(done.code == Some(1) && !done.stdout.contains("c2VjcmV0"), "{done:?}");
    let read = rows(&done.stdout);
    assert_eq!((&read[0]["fields"]["TMP_len"], &read[1]["fields"]["Content_len"]), (&json!(8), &json!(8)));
    assert_eq!(read[3]["raw"], "bad TMP=(8 bytes)");
    let records = "biophoto pin=1\tcontent=c2VjcmV0\n";
    let head = "POST /iclock/cdata?SN=T1&table=tabledata&tablename=biophoto&count=1 HTTP/1.0\n\n";
    for input in
        [format!("{head}{records}"), "HTTP/1.1 200 OK\n\nC:1:DATA UPDATE BIOPHOTO PIN=1\tContent=c2VjcmV0\n".to_owned()]
    {
        let done = run(&["decode", "push", "-"], input.as_bytes());
        assert!(done.code == Some(0) && !done.stdout.contains("c2VjcmV0"), "{done:?}");
    }
}

/// Samples are recognised without a flag, and one that is none costs no other.
#[test]
fn samples_are_taken_as_they_are() {
    let sample =
        r#"{"id":"x","direction":"device->server","method":"GET","path_and_query":"/iclock/ping?SN=T1","body":""}"#;
    let input = format!("{sample}\n{{\"id\":\n\n{sample}\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("samples.jsonl");
    std::fs::write(&file, &input).unwrap();
    let file = file.to_str().unwrap();
    for done in [
        run(&["decode", "push", "--ndjson"], input.as_bytes()),
        run(&["decode", "push", "-"], input.as_bytes()),
        run(&["decode", "push", file], b""),
        run(&["decode", "push", "--ndjson", file], b""),
    ] {
        assert_eq!(done.code, Some(1), "{done:?}");
        let rows = rows(&done.stdout);
        assert_eq!((rows.len(), &rows[0], &rows[0]["kind"]), (3, &rows[2], &json!("ping")));
        assert_eq!((&rows[1]["error"]["line"], &rows[1]["error"]["code"]), (&json!(2), &json!("PP-CAPTURE-002")));
    }
}

#[test]
fn what_is_no_capture_names_the_cure() {
    let done = run(&["decode", "push", "-"], b"1042\t2026-03-28 08:47:12\t0\n");
    assert!(done.code == Some(2) && done.stderr.contains("--table ATTLOG"), "{done:?}");
    let done = run(&["decode", "push", "/no/such/file"], b"");
    assert!(done.code == Some(3) && done.stderr.contains("/no/such/file"), "{done:?}");
    assert_eq!(run(&["decode", "push"], b"").code, Some(2));
}
