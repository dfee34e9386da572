//! The report of a day.

use serde_json::{Value, json};

use crate::api::check_error;
use crate::api_keys::make;
use crate::harness::{API_KEY, Site};

/// A day in which somebody forgot to leave, one row is held, and a terminal was away.
async fn day() -> Site {
    let site = Site::start(|_| ()).await;
    assert_eq!(site.post("/v1/employees", json!({ "badge_number": "7", "name": "<Ana>" })).await.0, 201);
    assert_eq!(site.post("/v1/employees", json!({ "badge_number": "8", "name": "Bea" })).await.0, 201);
    site.punch("7\t2026-03-02 08:00:00\t0\t1\n7\t2026-03-02 17:00:00\t1\t1\n8\t2026-03-02 09:00:00\t1\t1\n").await;
    site.punch("7\t2026-03-03 08:00:00\t0\t1\n").await;
    // Nobody has 9.
    site.punch("9\t2026-03-02 10:00:00\t0\t1\n").await;
    for (number, status, at) in [(901, "offline", "2026-03-02T11:00:00Z"), (902, "online", "2026-03-02T12:30:00Z")] {
        let body = json!({
            "event_id": format!("evt_{number}"), "event_type": "device.status", "timestamp": at,
            "device": { "serial_number": "T1", "site": "Plant" }, "status": status,
            "metadata": { "delivery_attempt": 1 },
        });
        let millis = at.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis();
        let work = move |tx: &mut gateway::store::Transaction<'_>| {
            let sql = "INSERT INTO event (id, type, lane, created_at, nested) VALUES (?1, 'device.status', 1, ?2, ?3)";
            tx.execute(sql, &[&format!("evt_{number}"), &millis, &body.to_string().as_bytes()])
        };
        site.gateway.store().write(work).await.unwrap();
    }
    site
}

async fn report(site: &Site, key: &str, query: &str) -> (u16, String, String) {
    let path = format!("/v1/reports/daily?{query}");
    let response = site.request("GET", &path).bearer_auth(key).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, response.text().await.unwrap())
}

#[tokio::test]
async fn a_day_tells_who_did_what_and_what_may_be_missing() {
    let site = day().await;
    let (_, inspector) = make(&site, "labour office", "inspector").await;
    let request = site.request("GET", "/v1/reports/daily?date=2026-03-02").bearer_auth(&inspector);
    let (status, answer) = site.call(request).await;
    assert_eq!(status, 200, "{answer}");
    let day = &answer["data"];
    let badges: Vec<&Value> = day["employees"].as_array().unwrap().iter().map(|one| &one["badge_number"]).collect();
    assert_eq!(badges, ["7", "8"]);
    let ana = &day["employees"][0];
    let times: Vec<&Value> = ana["punches"].as_array().unwrap().iter().map(|punch| &punch["punched_at"]).collect();
    assert_eq!(times, ["2026-03-02T08:00:00Z", "2026-03-02T17:00:00Z"]);
    assert_eq!((&ana["sessions"][0]["minutes"], &ana["exceptions"]), (&json!(540), &json!([])), "{ana}");
    assert!(ana["punches"][0]["late_minutes"].as_i64().unwrap() > 60, "it came long after it was made");
    let bea = &day["employees"][1];
    assert_eq!(bea["exceptions"][0]["reason"], "missing_in", "{bea}");
    assert_eq!(bea["exceptions"][0]["meaning"], "a departure without an arrival");
    assert_eq!(day["held"], json!({ "unregistered_badge": 1 }), "{day}");
    let gap = &day["gaps"][0];
    assert_eq!((&gap["device_serial"], &gap["from"]), (&json!("T1"), &json!("2026-03-02T11:00:00Z")), "{gap}");
    let (_, none) = site.get("/v1/reports/daily?date=2026-03-02&site=Elsewhere").await;
    assert_eq!((&none["data"]["employees"], &none["data"]["gaps"]), (&json!([]), &json!([])), "{none}");
    let (_, next) = site.get("/v1/reports/daily?date=2026-03-03").await;
    assert_eq!(next["data"]["gaps"], json!([]), "a gap that ended the day before");
    for (query, field) in [("", "date"), ("date=today", "date"), ("date=2026-03-02&format=pdf", "format")] {
        let (status, answer) = site.get(&format!("/v1/reports/daily?{query}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{query}");
        check_error(&answer, "validation_failed");
    }
}

#[tokio::test]
async fn a_day_is_a_table_and_a_page_too() {
    let site = day().await;
    let (status, kind, csv) = report(&site, API_KEY, "date=2026-03-02&format=csv").await;
    assert!(status == 200 && kind.starts_with("text/csv"), "{csv}");
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.lines().last().unwrap().contains(",missing_in,"), "{csv}");
    let (status, kind, page) = report(&site, API_KEY, "date=2026-03-02&format=html").await;
    assert!(status == 200 && kind.starts_with("text/html"), "{page}");
    assert!(page.contains("&lt;Ana&gt;") && !page.contains("<Ana>") && !page.contains("<script"), "{page}");
    assert!(page.contains("missing_in: a departure without an arrival") && page.contains("540 minutes"), "{page}");
    assert!(!page.contains("src=") && !page.contains("href="), "it is a file of its own");
}

/// What was found later is told as what it is now, with what it was.
#[tokio::test]
async fn what_was_told_anew_says_what_it_was_before() {
    let site = day().await;
    let (_, list) = site.get("/v1/attendance?employee=8").await;
    let id = list["data"][0]["event_id"].as_str().unwrap();
    let body = json!({ "direction": "in", "note": "pressed the wrong key" });
    assert_eq!(site.post(&format!("/v1/attendance/{id}/direction"), body).await.0, 200);
    let (_, answer) = site.get("/v1/reports/daily?date=2026-03-02").await;
    let punch = &answer["data"]["employees"][1]["punches"][0];
    let revision = &punch["revisions"][0];
    assert_eq!((&revision["old_direction"], &revision["new_direction"]), (&json!("out"), &json!("in")), "{punch}");
    assert_eq!((&punch["direction"], &punch["direction_source"]), (&json!("in"), &json!("manual")), "{punch}");
}
