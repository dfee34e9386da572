//! `punch decode tcp`: the vectors, and samples as somebody might write them.

use serde_json::{Value, json};

use crate::command::{Done, run};
use crate::decode::difference;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../punch-protocol/tests/data/tcp-vectors.jsonl");

fn decode(samples: &[Value]) -> (Option<i32>, Vec<Value>) {
    let input: String = samples.iter().map(|sample| format!("{sample}\n")).collect();
    let Done { code, stdout, stderr } = run(&["decode", "tcp", "--ndjson"], input.as_bytes());
    assert!(!stderr.contains("panicked"), "{stderr}");
    (code, stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn one(sample: Value) -> Value {
    let (code, mut answers) = decode(&[sample]);
    assert_eq!((code, answers.len()), (Some(0), 1), "{answers:?}");
    answers.remove(0)
}

/// contracts.md: one object per input, in the same order, with the keys and values of `decode`.
#[test]
fn every_vector_of_the_tcp_protocol_decodes_to_what_is_expected() {
    let text = std::fs::read_to_string(VECTORS).unwrap_or_else(|error| panic!("{VECTORS}: {error}"));
    let vectors: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let inputs: Vec<Value> = vectors
        .iter()
        .map(|vector| {
            let mut input = vector.as_object().unwrap().clone();
            if let Some(kind) = vector["decode"].get("kind") {
                input.insert("kind".to_owned(), kind.clone());
            }
            for answer in ["decode", "notes", "verified", "expect"] {
                input.remove(answer);
            }
            input.into()
        })
        .collect();
    let (code, answers) = decode(&inputs);
    assert_eq!((code, answers.len()), (Some(0), 84));
    let mut differing = Vec::new();
    for (vector, answer) in vectors.iter().zip(&answers) {
        assert_eq!(vector["id"], answer["id"], "one object per input, in order");
        if answer.get("decode").is_none_or(|got| difference(&vector["decode"], got, "").is_some()) {
            assert_eq!(answer["error"]["code"], "PP-TCP-002", "{answer}");
            differing.push(vector["id"].as_str().unwrap());
        }
    }
    // A checksum does not hold its text, nor an encrypted frame its key: recognised and refused.
    assert_eq!(differing, ["own-secure-crc", "own-secure-frame"]);
}

/// A packet that is wrapped, with the right checksum.
fn framed(command: u16, session: u16, reply: u16, data: &[u8]) -> Value {
    use punch_protocol::tcp::{Command, Frame, Limits, Packet, ReplyNumber, SessionField};
    let mut out = Vec::new();
    let packet = Packet::new(Command(command), SessionField(session), ReplyNumber(reply), data);
    Frame::new(packet).write(&mut out, &Limits::default()).unwrap();
    let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
    one(json!({ "id": "x", "transport": "tcp", "hex": hex }))["decode"].clone()
}

fn assert_has(got: &Value, want: &Value) {
    assert_eq!(difference(want, got, ""), None, "{got}");
}

/// What answers and requests say that no vector in the file has.
#[test]
fn packets_are_read_by_what_is_in_them() {
    assert_has(&framed(2000, 9, 5, b"~SSR=1\0"), &json!({ "option": "~SSR", "value": "1" }));
    assert_has(&framed(2000, 9, 5, b"~ExtendFmt=\0"), &json!({ "option": "~ExtendFmt", "value": "" }));
    assert_has(&framed(12, 9, 5, b"LockOn=5\0"), &json!({ "option": "LockOn", "value": "5" }));
    assert_has(&framed(2000, 9, 5, b"Ver 6.60 Apr 28 2017\0"), &json!({ "version": "Ver 6.60 Apr 28 2017" }));
    assert_has(
        &framed(2000, 9, 5, &[0x58, 0x0d, 0x04, 0x23]),
        &json!({ "value": 587_468_120, "time": "2018-04-11T09:35:20" }),
    );
    assert_has(
        &framed(2000, 9, 5, &[5, 1, 0, 2, 0, 0, 0, 0x83]),
        &json!({ "group": 5, "tz": [1, 2, 0], "holiday": true, "verify_style": 3 }),
    );
    assert_has(
        &framed(2000, 9, 5, b"\0\xb4\x13\0\0\xb4\x13\0\0\xcd\xef\x23\0"),
        &json!({ "flag": 0, "size": 5044, "size2": 5044, "word3": 0x23_efcd }),
    );
    assert_has(&framed(1501, 5, 22, &[0; 4]), &json!({ "cmd": 1501, "index": 5, "reply": 22 }));
    assert_has(&framed(2000, 1, 22, &[]), &json!({ "session_field": 1 }));
    assert_has(&framed(1503, 9, 5, b"\x01\x0d\0\0\0\0\0\0\0\0\0"), &json!({ "sub": 13, "fct": 0, "ext": 0 }));
    assert_has(&framed(1102, 0x45cf, 1, &[0x61, 0x4d, 0x32, 0x3c]), &json!({ "commkey": 12, "ticks": 50 }));
    assert_has(&framed(500, 9, 5, &[0xff, 0xff, 0, 0]), &json!({ "mask": 0xffff }));
    assert_has(
        &framed(500, 1, 0, &[7, 0, 1, 0x81, 26, 11, 22, 8, 30, 15]),
        &json!({ "body": 10, "user_num": 7, "verify": 1, "state": 1, "time": "2026-11-22T08:30:15" }),
    );
    // A month 13 is shown as it is.
    assert_has(&framed(500, 1, 0, &[7, 0, 1, 0, 26, 13, 1, 0, 0, 0]), &json!({ "time_hex": "1a0d01000000" }));
    // Attendance records in one packet say their layout.
    let records = [&[16, 0, 0, 0][..], b"\x07\0\x28\0\xa8\xeb\xa7\x1e\x7b\0\x28\0\x4b\xec\xa7\x1e"].concat();
    assert_has(&framed(1501, 9, 5, &records), &json!({ "layout": "att8b", "plausible": true, "total": 16 }));
}

#[test]
fn records_and_values_are_read_by_their_kind() {
    let record = |kind: &str, hex: &str| one(json!({ "id": 1, "transport": "record", "kind": kind, "hex": hex }));
    assert_has(
        &record("oplog16", "010006005 80d04230e00000004000000".replace(' ', "").as_str())["decode"],
        &json!({ "admin": 1, "op": 6, "time": "2018-04-11T09:35:20", "params": [14, 0, 4, 0] }),
    );
    assert_eq!(record("att40", "00")["error"]["code"], "PP-TCP-010");
    assert_eq!(record("template_head", "010000000000")["error"]["code"], "PP-TCP-012");
    assert_eq!(record("nothing", "00")["error"]["code"], "PP-CAPTURE-003");
    let value = |sample: Value| one(sample)["decode"].clone();
    // The session stands beside the bytes, or in the name.
    let key = json!({ "key": 45, "session": 0x45cf, "ticks": 50 });
    assert_has(&value(json!({ "transport": "value", "kind": "commkey", "hex": "61c9323c", "session": 0x45cf })), &key);
    assert_has(
        &value(json!({ "id": "commkey-45-45cf-50", "transport": "value", "kind": "commkey", "hex": "61c9323c" })),
        &key,
    );
    let alone = one(json!({ "id": "x", "transport": "value", "kind": "commkey", "hex": "61c9323c" }));
    assert_eq!(alone["error"]["code"], "PP-CAPTURE-004");
}

/// What is no packet is refused by name, and a sample that is none costs no other.
#[test]
fn refusals_have_codes() {
    let code = |hex: &str| one(json!({ "id": "x", "transport": "tcp", "hex": hex }))["error"]["code"].clone();
    assert_eq!(code("aa010000"), "PP-TCP-003");
    assert_eq!(code("474554202f"), "PP-TCP-004");
    assert_eq!(code("5050837c20000000"), "PP-TCP-002");
    assert_eq!(code("5050827dffffffff"), "PP-TCP-006");
    assert_eq!(code("50"), "PP-TCP-008");
    let (exit, answers) = decode(&[
        json!({ "id": 1, "transport": "udp", "hex": "e80317fc0000000" }),
        json!({ "id": 2, "transport": "udp", "hex": "e80317fc00000000" }),
        json!({ "id": 3, "transport": "pigeon", "hex": "" }),
    ]);
    assert_eq!((exit, answers.len()), (Some(1), 3));
    assert_eq!((&answers[0]["error"]["code"], &answers[1]["decode"]["cmd"]), (&json!("PP-CAPTURE-002"), &json!(1000)));
    assert!(answers[2]["error"]["message"].as_str().unwrap().contains("pigeon"));
}
