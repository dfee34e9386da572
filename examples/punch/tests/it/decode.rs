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
fn difference(want: &Value, got: &Value, at: &str) -> Option<String> {
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
    let served =
        |sample: &&Value| sample["id"].as_str().unwrap().starts_with(['H', 'I', 'A', 'O', 'B', 'P', 'R', 'D', 'X']);
    let samples: Vec<&Value> = samples.iter().filter(served).collect();
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
    assert!(differences.is_empty(), "{differences:#?}");
    let letters: BTreeMap<char, usize> = samples.iter().fold(BTreeMap::new(), |mut letters, sample| {
        *letters.entry(sample["id"].as_str().unwrap().chars().next().unwrap()).or_default() += 1;
        letters
    });
    assert!(samples.len() >= 85 && letters.len() >= 6, "the samples are there: {letters:?}");
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
