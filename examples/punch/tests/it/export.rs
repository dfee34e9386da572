//! `punch export` and `punch report`: attendance as files.

use crate::command::{Done, run};
use crate::site::{Site, exchange};

fn punch(site: &Site, arguments: &[&str]) -> Done {
    let url = format!("http://{}", site.api);
    run(&[arguments, &["--gateway", &url, "--api-key", Site::KEY]].concat(), b"")
}

fn site() -> Site {
    let site = Site::start(&[("T1", "UTC")]);
    let rows = "7\t2026-03-02 08:00:00\t0\t1\n7\t2026-03-02 17:00:00\t1\t1\n8\t2026-03-03 08:00:00\t0\t1\n";
    let answer = exchange(site.device, "POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999", "", rows);
    assert_eq!(answer, (200, "OK: 3".to_owned()));
    site
}

#[test]
fn an_export_is_written_whole_or_not_at_all() {
    let site = site();
    let file = site.folder.path().join("march.ndjson");
    let path = file.to_str().unwrap();
    let Done { code, stdout, stderr } = punch(&site, &["export", "--to", "2026-03-02", "--output", path]);
    assert!(code == Some(0) && stdout.is_empty() && stderr.contains("march.ndjson: "), "{stderr}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        text.lines().filter(|line| line.starts_with('{')).count(),
        2,
        "JSON lines, by the name of the file: {text}"
    );
    let Done { code, stdout, .. } = punch(&site, &["export", "--employee", "8"]);
    assert_eq!((code, stdout.lines().count()), (Some(0), 2), "{stdout}");
    assert!(stdout.starts_with("event_id,employee,"), "{stdout}");

    let missing = site.folder.path().join("none.csv");
    let wrong = ["export", "--from", "yesterday", "--output", missing.to_str().unwrap()];
    let Done { code, stderr, .. } = punch(&site, &wrong);
    assert!(code == Some(2) && stderr.contains("'from': expected a day such as"), "{stderr}");
    assert!(!missing.exists());
}

#[test]
fn a_day_is_reported_as_a_table_an_object_or_a_page() {
    let site = site();
    let Done { code, stdout, .. } = punch(&site, &["report", "2026-03-02"]);
    assert_eq!((code, stdout.lines().count()), (Some(0), 3), "{stdout}");
    let Done { stdout, .. } = punch(&site, &["report", "2026-03-02", "--format", "json"]);
    assert!(stdout.contains("\"badge_number\":\"7\"") && !stdout.contains("\"badge_number\":\"8\""), "{stdout}");
    let Done { stdout, .. } = punch(&site, &["report", "2026-03-03", "--format", "html"]);
    assert!(stdout.starts_with("<!DOCTYPE html>"), "{stdout}");
    let Done { code, stderr, .. } = punch(&site, &["report", "today"]);
    assert!(code == Some(2) && stderr.contains("'date': expected a day"), "{stderr}");
}
