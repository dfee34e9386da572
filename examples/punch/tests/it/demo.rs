//! `punch demo`: the line that scripts read, and that it is true.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::{Done, run};

/// `demo: N punches, N delivered once, 0 lost, 0 doubled, p50 … ms, p99 … ms`: N, if the line is exactly so.
fn punches_of(summary: &str) -> Option<usize> {
    let rest = summary.strip_prefix("demo: ")?;
    let (punches, rest) = rest.split_once(" punches, ")?;
    let (once, rest) = rest.split_once(" delivered once, 0 lost, 0 doubled, p50 ")?;
    let (p50, rest) = rest.split_once(" ms, p99 ")?;
    let p99 = rest.strip_suffix(" ms")?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<usize>().ok())?;
    (number(p50)? <= number(p99)? && punches == once).then(|| number(punches))?
}

fn rows_of(Done { code, stdout, stderr }: &Done) -> (Vec<Value>, usize) {
    assert_eq!(*code, Some(0), "{stdout}\n{stderr}");
    let mut lines: Vec<&str> = stdout.lines().collect();
    let last = lines.pop().unwrap();
    let punches = punches_of(last).unwrap_or_else(|| panic!("not the contract's last line: {last}"));
    let rows = lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")));
    (rows.collect(), punches)
}

/// S0-013, S1-002, S1-005, S1-009, S2-018, S2-096, contracts.md: and how long each took, by which S2-009, S2-010 and S2-091
/// are looked at.
#[test]
fn the_demo_shows_every_punch_once_and_the_same_ones_for_the_same_seed() {
    let demo = || run(&["demo", "--punches", "8", "--rate", "40", "--seed", "7", "--json"], b"");
    let badges = [demo(), demo()].map(|done| {
        let (rows, punches) = rows_of(&done);
        assert_eq!(rows.len(), punches, "one object a punch");
        // Three rows each were recorded, one of them twice on the first terminal; eight live ones each.
        assert_eq!(punches, 5 + 16);
        let ids: BTreeSet<&str> = rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), punches, "each once");
        for row in &rows {
            let [durable, delivered, written] =
                ["durable_ms", "delivered_ms", "written_ms"].map(|key| row[key].as_i64());
            assert!(durable.is_some() && delivered.is_some() && written.is_some(), "{row}");
        }
        let mut badges: Vec<(String, String)> = rows
            .iter()
            .map(|row| ["badge", "device"].map(|key| row[key].as_str().unwrap().to_owned()).into())
            .collect();
        badges.sort();
        badges
    });
    assert_eq!(badges[0], badges[1]);
    let devices: BTreeSet<&str> = badges[0].iter().map(|(_, device)| device.as_str()).collect();
    assert_eq!(devices.len(), 2);
}

#[test]
fn the_table_of_the_demo_ends_with_the_contracts_line() {
    let done = run(&["demo", "--punches", "0"], b"");
    assert_eq!(done.code, Some(0), "{done:?}");
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[0].starts_with("badge"), "{}", done.stdout);
    assert_eq!(punches_of(lines[lines.len() - 1]), Some(5), "{}", done.stdout);
    assert_eq!(lines.len(), 1 + 5 + 1, "{}", done.stdout);
    assert!(!done.stdout.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn the_reader_of_the_last_line_refuses_losses() {
    let line = |lost: u32, once: u32| {
        format!("demo: 5 punches, {once} delivered once, {lost} lost, 0 doubled, p50 1 ms, p99 2 ms")
    };
    assert_eq!(punches_of(&line(0, 5)), Some(5));
    assert_eq!(punches_of(&line(1, 4)), None);
    assert_eq!(punches_of(&line(0, 4)), None);
}

/// S3-013: one program, which says which version it is.
#[test]
fn the_program_says_its_version() {
    let done = run(&["--version"], b"");
    assert_eq!((done.code, done.stdout.trim()), (Some(0), concat!("punch ", env!("CARGO_PKG_VERSION"))));
}
