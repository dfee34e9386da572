//! Every list: narrowed, sorted, in pages and behind a cursor, and what cannot be is named.

use punch_normalize::DeviceZone;
use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{Site, device, get};

async fn list(site: &Site, path: &str, member: &str) -> Vec<Value> {
    let (status, answer) = site.get(path).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer["data"].as_array().unwrap().iter().map(|row| row.pointer(member).cloned().unwrap_or_default()).collect()
}

/// S2-075, S2-078: days are those of the place, both included; moments are moments.
#[tokio::test]
async fn attendance_is_found_by_day_terminal_site_and_person() {
    let site = Site::start(|config| {
        let mut lima = device("LIMA1");
        lima.profile.zone = DeviceZone::parse("America/Lima").unwrap();
        lima.site = "Lima".to_owned();
        config.devices.push(lima);
    })
    .await;
    // In Lima it is still the first when it is the second in UTC.
    site.punch("7\t2026-03-01 08:00:00\t0\t1\n7\t2026-03-02 08:00:00\t0\t1\n8\t2026-03-03 08:00:00\t1\t1\n").await;
    assert_eq!(site.upload("LIMA1", "ATTLOG", "7\t2026-03-01 22:00:00\t0\t1\n").await.body, "OK: 1");
    let times = async |query: &str| list(&site, &format!("/v1/attendance?sort=timestamp&{query}"), "/timestamp").await;
    let [first, second, in_lima, third] =
        ["2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z", "2026-03-02T03:00:00Z", "2026-03-03T08:00:00Z"];
    assert_eq!(times("").await, [first, in_lima, second, third]);
    assert_eq!(times("start_date=2026-03-01&end_date=2026-03-01").await, [first, in_lima]);
    assert_eq!(times("start_date=2026-03-02").await, [second, third]);
    assert_eq!(times("start_date=2026-03-02T03:00:00Z&end_date=2026-03-02T08:00:00Z").await, [in_lima, second]);
    assert_eq!(times("device_id=LIMA1").await, [in_lima]);
    assert_eq!(times("site=Plant&employee=7").await, [first, second]);
    assert_eq!(times("employee=8").await, [third]);
    assert_eq!(times("direction=out").await, [third]);
    let (_, devices) = site.get("/v1/devices/LIMA1").await;
    let id = devices["data"]["id"].as_str().unwrap();
    assert_eq!(times(&format!("device_id={id}")).await, [in_lima], "by its id in payloads too");
    for (query, field) in [
        ("start_date=yesterday", "start_date"),
        ("end_date=2026-02-30", "end_date"),
        ("device_id=NOBODY", "device_id"),
        ("direction=up", "direction"),
        ("sort=name", "sort"),
        ("since=2026-03-01", "since"),
        ("cursor=1&sort=timestamp", "cursor"),
    ] {
        let (status, answer) = site.get(&format!("/v1/attendance?{query}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{query}: {answer}");
        check_error(&answer, "validation_failed");
    }
}

/// Pages shift while punches come; a cursor does not.
#[tokio::test]
async fn a_cursor_neither_repeats_nor_skips_while_punches_come() {
    let site = Site::start(|_| ()).await;
    let row = |minute: u32| format!("{minute}\t2026-03-01 08:{minute:02}:00\t0\t1\n");
    site.punch(&(0..5).map(row).collect::<String>()).await;
    let mut seen = Vec::new();
    let mut path = "/v1/attendance?per_page=2".to_owned();
    loop {
        let (_, answer) = site.get(&path).await;
        seen.extend(answer["data"].as_array().unwrap().iter().map(|row| row["employee"]["badge_number"].clone()));
        site.punch(&row(10 + u32::try_from(seen.len()).unwrap())).await;
        let Some(next) = answer["meta"]["next_cursor"].as_str() else { break };
        path = format!("/v1/attendance?per_page=2&cursor={next}");
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
}

/// S2-074 to S2-077, S2-079: the others.
#[tokio::test]
async fn terminals_people_endpoints_and_sites_are_narrowed_and_sorted() {
    let site = Site::start(|config| {
        let mut other = device("A2");
        (other.site, other.name) = ("Depot".to_owned(), "Zulu".to_owned());
        config.devices.push(other);
    })
    .await;
    get(site.gateway.device_addr, "/iclock/getrequest?SN=T1").await;
    get(site.gateway.device_addr, "/iclock/getrequest?SN=NEW1").await;
    let serials = async |query: &str| list(&site, &format!("/v1/devices?{query}"), "/serial_number").await;
    assert_eq!(serials("").await, ["A2", "NEW1", "T1"]);
    assert_eq!(serials("sort=-serial_number").await, ["T1", "NEW1", "A2"]);
    assert_eq!(serials("sort=-name&admission=approved").await, ["A2", "T1"]);
    assert_eq!(serials("status=online").await, ["T1"]);
    assert_eq!(serials("status=unheard").await, ["A2"]);
    assert_eq!(serials("status=pending").await, ["NEW1"]);
    assert_eq!(serials("site=Depot").await, ["A2"]);
    let (_, first) = site.get("/v1/devices?per_page=2").await;
    assert_eq!((&first["meta"]["total"], &first["meta"]["next_cursor"]), (&json!(3), &json!("NEW1")));
    assert_eq!(serials("per_page=2&cursor=NEW1").await, ["T1"]);

    for (badge, name, place) in
        [("2", "Ana", json!({})), ("1", "Zoe", json!({})), ("1", "Bob", json!({ "site": "Depot" }))]
    {
        let mut body = json!({ "badge_number": badge, "name": name, "id": name });
        body.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        assert_eq!(site.post("/v1/employees", body).await.0, 201);
    }
    let names = async |query: &str| list(&site, &format!("/v1/employees?{query}"), "/name").await;
    assert_eq!(names("sort=name").await, ["Ana", "Bob", "Zoe"]);
    assert_eq!(names("badge_number=1&site=Depot").await, ["Bob"]);
    assert_eq!(names("id=Ana").await, ["Ana"]);
    let (_, page) = site.get("/v1/employees?per_page=1").await;
    let next = page["meta"]["next_cursor"].as_str().unwrap().replace(' ', "%20");
    assert_eq!(names(&format!("per_page=5&cursor={next}")).await.len(), 2);

    for path in ["b", "a"] {
        let body = json!({ "url": format!("http://127.0.0.1:9/{path}"), "events": ["attendance.punch"] });
        assert_eq!(site.post("/v1/webhooks", body).await.0, 201);
    }
    let ids = async |query: &str| list(&site, &format!("/v1/webhooks?{query}"), "/id").await;
    assert_eq!(ids("sort=url").await, [2, 1]);
    assert_eq!(ids("state=paused").await, [0; 0]);
    assert_eq!(ids("event=attendance.punch&state=healthy").await, [1, 2]);
    site.upload("T1", "ATTLOG", "junk\n\t2026-03-02 08:00:00\t0\t1\n").await;
    let reasons = async |query: &str| list(&site, &format!("/v1/quarantine?{query}"), "/reason").await;
    assert_eq!(reasons("sort=reason").await, ["anonymous", "malformed"]);
    assert_eq!(reasons("sort=received_at").await, ["malformed", "anonymous"]);
}

/// S2-008, S2-074: what a list cannot be asked is refused by the name of the field.
#[tokio::test]
async fn what_no_list_has_is_refused_by_its_name() {
    let site = Site::start(|_| ()).await;
    for path in
        ["devices", "employees", "webhooks", "sites", "quarantine", "deliveries", "jobs", "commands", "api-keys"]
    {
        for (query, field) in
            [("color=red", "color"), ("sort=color", "sort"), ("per_page=0", "per_page"), ("page=1&page=2", "page")]
        {
            let (status, answer) = site.get(&format!("/v1/{path}?{query}")).await;
            assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{path}?{query}: {answer}");
        }
    }
    let (status, answer) = site.get("/v1/devices?cursor=GONE").await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("cursor")));
    for (query, field) in [("state=lost", "state"), ("endpoint_id=x", "endpoint_id"), ("since=x", "since")] {
        let (status, answer) = site.get(&format!("/v1/deliveries?{query}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{query}");
    }
}
