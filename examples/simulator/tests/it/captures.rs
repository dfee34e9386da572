use std::collections::BTreeMap;

use punch_protocol::push::{Row, Rows};
use serde_json::Value;
use simulator::captures::{BOCK, Capture, SENSEFACE_3A};
use simulator::terminal::rows_of;

/// The samples that the captures name as their origin.
fn samples() -> BTreeMap<String, Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../punch-protocol/tests/data/push-samples.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect()
}

fn captures() -> impl Iterator<Item = Capture> {
    SENSEFACE_3A.into_iter().chain(BOCK)
}

#[test]
fn every_capture_is_byte_for_byte_the_sample_it_names() {
    let samples = samples();
    for capture in captures() {
        let (_, id) = capture.source.rsplit_once("sample ").unwrap();
        let sample = &samples[id.trim_end_matches(')')];
        assert_eq!(sample["body"].as_str(), Some(capture.body), "{}", capture.source);
        let target = sample["path_and_query"].as_str().unwrap();
        assert!(target.contains(&format!("SN={}&", capture.serial)), "{target}");
    }
}

#[test]
fn every_row_of_the_captures_reads_as_a_punch_and_none_is_lost_in_cutting() {
    let mut rows = 0;
    for capture in captures() {
        let cut = rows_of(capture.body.as_bytes());
        assert_eq!(cut.len(), capture.body.lines().count());
        for row in &cut {
            let read: Vec<_> = Rows::of("ATTLOG", row).collect();
            assert!(matches!(read.as_slice(), [Ok(Row::Punch(punch))] if punch.time().is_ok()), "{}", capture.source);
            assert!(!row.ends_with(b"\r"));
        }
        rows += cut.len();
    }
    assert_eq!(rows, 6);
}
