//! Requests, byte for byte.

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, NaiveDate};
use punch_erp::humand::{
    ClockEntry, EntryKind, GetUser, Humand, ListEntries, ListUsers, MAX_COMMENT, NewEntry, PathStyle, comment,
};
use punch_erp::{Endpoint as _, HttpRequest, render_masked};
use punch_normalize::{Direction, EventId};

use super::world::{KEY, settings};

fn humand() -> Humand {
    Humand::new(settings()).unwrap()
}

fn local(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

fn body(request: &HttpRequest) -> &str {
    core::str::from_utf8(request.body()).unwrap()
}

fn headers(request: &HttpRequest) -> Vec<(&str, &str)> {
    let mut headers: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    headers.sort_unstable();
    headers
}

fn clock(humand: &Humand, employee: &str, kind: EntryKind, at: &str) -> HttpRequest {
    let id = EventId::parse("evt_a8f3k2x9m1").unwrap();
    let comment = comment(&id, Some("CZKE2241600045"));
    ClockEntry::new(humand, NewEntry::new(employee, kind, local(at), comment)).request()
}

/// S3-007, S3-010, S3-011, S3-012: three fields, the id as a text, milliseconds and an offset.
#[test]
fn clock_in_and_out() {
    let request = clock(&humand(), "43000001", EntryKind::Start, "2026-01-27T08:12:45.123-03:00");
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://api-prod.humand.co/public/api/v1/time-tracking/entries/clockIn");
    assert_eq!(
        body(&request),
        r#"{"employeeId":"43000001","now":"2026-01-27T08:12:45.123-03:00","comment":"evt_a8f3k2x9m1 CZKE2241600045"}"#
    );
    assert_eq!(
        headers(&request),
        [
            ("accept", "application/json"),
            ("authorization", format!("Basic {KEY}").as_str()),
            ("content-type", "application/json"),
        ]
    );
    let request = clock(&humand(), "0042", EntryKind::End, "2026-01-27T21:00:00.999999Z");
    assert_eq!(request.uri(), "https://api-prod.humand.co/public/api/v1/time-tracking/entries/clockOut");
    assert!(body(&request).starts_with(r#"{"employeeId":"0042","now":"2026-01-27T21:00:00.999+00:00","#));
}

/// S3-008: as the published sample prints them, or as one likes.
#[test]
fn other_addresses() {
    let with = |change: &dyn Fn(&mut punch_erp::humand::HumandSettings)| {
        let mut settings = settings();
        change(&mut settings);
        let humand = Humand::new(settings).unwrap();
        [EntryKind::Start, EntryKind::End]
            .map(|kind| clock(&humand, "1", kind, "2026-01-27T08:00:00Z").uri().to_string())
    };
    assert_eq!(
        with(&|settings| settings.path_style = PathStyle::Seed),
        ["https://api-prod.humand.co/time-tracking/clock-in", "https://api-prod.humand.co/time-tracking/clock-out"]
    );
    let custom = |settings: &mut punch_erp::humand::HumandSettings| {
        settings.path_style = PathStyle::Custom;
        settings.clock_in_url = "https://proxy.example.com/in".to_owned();
        settings.clock_out_url = "https://proxy.example.com/x/out".to_owned();
    };
    assert_eq!(with(&custom), ["https://proxy.example.com/in", "https://proxy.example.com/x/out"]);
}

/// Only an id that stays the same id becomes a number.
#[test]
fn ids_as_numbers() {
    let mut settings = settings();
    settings.employee_id_as_number = true;
    let humand = Humand::new(settings).unwrap();
    for (id, written) in [("43000001", "43000001"), ("0042", "\"0042\""), ("+1", "\"+1\""), ("7a", "\"7a\"")] {
        let request = clock(&humand, id, EntryKind::Start, "2026-01-27T08:00:00Z");
        assert!(body(&request).starts_with(&format!("{{\"employeeId\":{written},")), "{}", body(&request));
    }
}

/// All three parameters are required; nothing in an id can end its place.
#[test]
fn reading() {
    let day = |day| NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
    let request = ListEntries::new(&humand(), "a&b=c#0042", (day(26), day(28)), 2).request();
    assert_eq!(request.method(), "GET");
    assert_eq!(
        request.uri(),
        "https://api-prod.humand.co/public/api/v1/time-tracking/entries\
         ?employeeId=a%26b%3Dc%230042&startDate=2026-01-26&endDate=2026-01-28&page=2&limit=50"
    );
    assert_eq!(headers(&request), [("accept", "application/json"), ("authorization", format!("Basic {KEY}").as_str())]);
    let request = GetUser::new(&humand(), "../0042").request();
    assert_eq!(request.uri(), "https://api-prod.humand.co/public/api/v1/users/..%2F0042");
    // S3-009.
    let request = ListUsers::new(&humand(), 1).request();
    assert_eq!(request.uri(), "https://api-prod.humand.co/public/api/v1/users?page=1&limit=50");
}

#[test]
fn comments() {
    let id = EventId::parse(&"e".repeat(EventId::MAX_LEN)).unwrap();
    let long = comment(&id, Some(&"ß".repeat(300)));
    assert_eq!(long.chars().count(), MAX_COMMENT);
    assert!(long.starts_with(&format!("{} ß", id.as_str())));
}

/// A time is the same instant however it is written; where no offset is told it is UTC.
#[test]
fn offsets() {
    let at = "2026-01-27T11:12:45Z".parse().unwrap();
    let told = local("2026-01-27T08:12:45-03:00");
    assert_eq!(humand().local(at, Some(told)).to_rfc3339(), "2026-01-27T08:12:45-03:00");
    assert_eq!(humand().local(at, None).to_rfc3339(), "2026-01-27T11:12:45+00:00");
    let mut settings = settings();
    settings.time_zone = "America/New_York".to_owned();
    let humand = Humand::new(settings).unwrap();
    assert_eq!(humand.local(at, Some(told)).to_rfc3339(), "2026-01-27T06:12:45-05:00");
    let summer = "2026-07-27T11:12:45Z".parse().unwrap();
    assert_eq!(humand.local(summer, None).to_rfc3339(), "2026-07-27T07:12:45-04:00");
}

#[test]
fn directions() {
    let kinds = [
        (Direction::In, Some(EntryKind::Start)),
        (Direction::BreakIn, Some(EntryKind::Start)),
        (Direction::OvertimeIn, Some(EntryKind::Start)),
        (Direction::Out, Some(EntryKind::End)),
        (Direction::BreakOut, Some(EntryKind::End)),
        (Direction::OvertimeOut, Some(EntryKind::End)),
        (Direction::Intermediate, None),
        (Direction::Unknown, None),
    ];
    for (direction, kind) in kinds {
        assert_eq!(EntryKind::of(direction), kind, "{direction}");
    }
}

/// S3-020: a dry run shows the request as it would go out, but for the key.
#[test]
fn dry_run() {
    let request = clock(&humand(), "43000001", EntryKind::Start, "2026-01-27T08:12:45.123-03:00");
    assert_eq!(
        render_masked(&request),
        "POST https://api-prod.humand.co/public/api/v1/time-tracking/entries/clockIn\n\
         accept: application/json\n\
         authorization: Basic ***\n\
         content-type: application/json\n\
         \n\
         {\"employeeId\":\"43000001\",\"now\":\"2026-01-27T08:12:45.123-03:00\",\"comment\":\"evt_a8f3k2x9m1 CZKE2241600045\"}\n"
    );
    let headers = format!("{:?}", request.headers());
    assert!(!headers.contains(KEY), "{headers}");
    assert_eq!(request.body(), &Bytes::copy_from_slice(body(&request).as_bytes()));
}
