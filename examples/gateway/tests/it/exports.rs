//! Attendance as files, and who may have them.

use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Site};

async fn fetch(site: &Site, query: &str) -> (u16, String, Vec<u8>) {
    let path = format!("/v1/attendance/export?{query}");
    let response = site.request("GET", &path).bearer_auth(API_KEY).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, response.bytes().await.unwrap().to_vec())
}

async fn text(site: &Site, query: &str) -> String {
    let (status, _, bytes) = fetch(site, query).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(status, 200, "{query}: {text}");
    text
}

/// S0-052: who, when by UTC and by the terminal's clock, how and where; and nothing that a spreadsheet would carry out.
#[tokio::test]
async fn a_csv_has_what_an_inspector_asks_for_and_no_formula() {
    let site = Site::start(|_| ()).await;
    let name = "=HYPERLINK(\"http://evil.example\",\"a, b\")";
    for body in [json!({ "badge_number": "007", "name": name }), json!({ "badge_number": "8", "name": "Ana" })] {
        assert_eq!(site.post("/v1/employees", body).await.0, 201);
    }
    site.punch("007\t2026-03-28 08:47:12\t0\t1\n8\t2026-03-29 08:47:12\t1\t15\n").await;
    let csv = text(&site, "format=csv").await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    let names: Vec<&str> = lines[0].split(',').collect();
    for name in ["event_id", "employee", "at_utc", "at_original", "method", "device_serial"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(lines[1].starts_with("evt_") && lines[1].contains(",007,"), "zeros stay: {csv}");
    assert!(lines[1].contains("\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"a, b\"\")\""), "{csv}");
    assert!(lines[1].contains(",2026-03-28T08:47:12Z,") && lines[1].contains(",2026-03-28T08:47:12,"), "{csv}");
    assert_eq!(text(&site, "from=2026-03-29&format=csv").await.lines().count(), 2);
    assert_eq!(text(&site, "to=2026-03-28&employee=007").await.lines().count(), 2, "csv unasked");
    assert_eq!(text(&site, "from=2026-04-01").await.lines().count(), 1, "the names are always there");
}

/// More than is read at once: every row once, in the order it came, and as the list has it.
#[tokio::test]
async fn json_lines_are_the_rows_of_the_list_and_none_is_missing() {
    let site = Site::start(|_| ()).await;
    let row = |number: u32| {
        let (hour, minute, second) = (number / 3600, number / 60 % 60, number % 60);
        format!("{}\t2026-03-28 {hour:02}:{minute:02}:{second:02}\t0\t1\n", 1000 + number)
    };
    for begin in [0, 1250] {
        site.punch(&(begin..begin + 1250).map(row).collect::<String>()).await;
    }
    let path = "/v1/attendance/export?format=ndjson";
    let response = site.request("GET", path).bearer_auth(API_KEY).send().await.unwrap();
    assert_eq!(response.headers()["x-total-count"], "2500");
    let lines: Vec<Value> =
        response.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let badges: Vec<u64> =
        lines.iter().map(|line| line["employee"]["badge_number"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(badges, (1000..3500).collect::<Vec<_>>());
    let (_, list) = site.get("/v1/attendance?sort=received&per_page=3").await;
    assert_eq!(list["data"], json!(lines[..3]));
}

#[tokio::test]
async fn what_no_export_has_is_refused_by_its_name() {
    let site = Site::start(|_| ()).await;
    for (query, field) in
        [("format=xls", "format"), ("page=1", "page"), ("from=yesterday", "from"), ("device_id=NO", "device_id")]
    {
        let (status, answer) = site.get(&format!("/v1/attendance/export?{query}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{query}");
        check_error(&answer, "validation_failed");
    }
}

#[cfg(feature = "parquet")]
#[tokio::test]
async fn a_parquet_file_reads_as_what_was_written() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    let site = Site::start(|_| ()).await;
    site.punch("007\t2026-03-28 08:47:12\t0\t1\n8\t2026-03-29 08:47:12\t1\t15\n").await;
    let (status, kind, bytes) = fetch(&site, "format=parquet").await;
    assert_eq!((status, kind.as_str()), (200, "application/vnd.apache.parquet"));
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 2);
    let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert!(
        rows[0].contains("employee: \"007\"") && rows[0].contains("at_original: \"2026-03-28T08:47:12\""),
        "{rows:?}"
    );
    let moment = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
    let at = moment.get_column_iter().find(|(name, _)| *name == "at_utc").unwrap().1.to_string();
    assert!(at.contains("2026-03-28 08:47:12"), "{at}");
}
