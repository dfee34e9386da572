//! What is read from bodies that no document shows.

use punch_webhook::{ReceiveError, ReceivedEvent, ReceivedPunch};

use crate::build::trusted;

fn read(body: &str) -> Result<ReceivedEvent, ReceiveError> {
    trusted(body.as_bytes()).event()
}

fn punch(body: &str) -> ReceivedPunch {
    match read(body) {
        Ok(ReceivedEvent::Punch(punch)) => punch,
        other => panic!("{body}: {other:?}"),
    }
}

const TIME: &str = r#""timestamp":"2026-03-28T08:47:12Z""#;

/// S0-019: the badge is text; a number is its own text, and numbers whose text is lost are refused.
#[test]
fn badges_are_text() {
    let with = |badge: &str| format!(r#"{{"event_id":"evt_1",{TIME},"employee_id":{badge}}}"#);
    assert_eq!(punch(&with("\"0042\"")).badge, "0042");
    assert_eq!(punch(&with("\" 42 \"")).badge, " 42 ");
    assert_eq!(punch(&with("1042")).badge, "1042");
    assert_eq!(punch(&with("18446744073709551615")).badge, "18446744073709551615");
    for badge in ["1042.0", "1e3", "99999999999999999999", "true", "[]", "{}"] {
        assert_eq!(read(&with(badge)).unwrap_err().reason(), "bad_field", "{badge}");
    }
    for badge in ["null", "\"\""] {
        assert_eq!(read(&with(badge)).unwrap_err().reason(), "missing_field", "{badge}");
    }
}

/// X18: `employee.id` is the sender's own id, never the badge.
#[test]
fn the_senders_employee_id_is_not_the_badge() {
    let error = read(&format!(r#"{{"event_id":"evt_1",{TIME},"employee":{{"id":"emp_1"}}}}"#)).unwrap_err();
    assert_eq!(error, ReceiveError::MissingField { field: "employee.badge_number" });
}

#[test]
fn times_need_a_zone_and_may_have_any() {
    let with = |time: &str| format!(r#"{{"event_id":"evt_1","employee_id":"1","timestamp":{time}}}"#);
    let utc = punch(&with("\"2026-03-28T08:47:12Z\"")).at;
    assert_eq!(punch(&with("\"2026-03-28T09:47:12+01:00\"")).at, utc);
    assert_eq!(punch(&with("\"2026-03-28T08:47:12.000-00:00\"")).at, utc);
    for time in ["\"2026-03-28T08:47:12\"", "\"2026-02-30T08:47:12Z\"", "1774687632", "\"today\"", "{}"] {
        assert_eq!(read(&with(time)).unwrap_err().reason(), "bad_field", "{time}");
    }
    assert_eq!(read(r#"{"event_id":"evt_1","employee_id":"1"}"#).unwrap_err().code(), "PW-RCV-005");
}

/// S2-034: `local_time` is the same instant, or nobody can tell which of the two is right.
#[test]
fn local_time_must_agree() {
    let with =
        |local: &str| format!(r#"{{"event_id":"e","employee_id":"1",{TIME},"punch":{{"local_time":"{local}"}}}}"#);
    assert!(punch(&with("2026-03-28T02:47:12-06:00")).local_time.is_some());
    assert!(punch(&with("2026-03-28T02:47:12.9-06:00")).local_time.is_some());
    assert_eq!(read(&with("2026-03-28T08:47:12-06:00")).unwrap_err(), ReceiveError::TimeConflict);
    assert_eq!(read(&with("soon")).unwrap_err().reason(), "bad_field");
}

/// S0-012, S0-021: what only informs never costs the punch.
#[test]
fn strange_details_do_not_cost_the_punch() {
    let body = format!(
        r#"{{"event_id":"evt_1",{TIME},"employee_id":"1","direction":[],"method":"telepathy","device":7,
        "punch":{{"confidence":3,"direction":9}},"metadata":{{"delivery_attempt":-1,"deduplicated":"yes"}},"x":{{}}}}"#
    );
    let punch = punch(&body);
    assert_eq!((punch.direction.as_str(), punch.method.as_str()), ("unknown", "unknown"));
    assert_eq!((punch.confidence, punch.delivery_attempt, punch.deduplicated), (None, None, None));
}

#[test]
fn the_first_known_direction_counts() {
    let with = |members: &str| punch(&format!(r#"{{"event_id":"e","employee_id":"1",{TIME},{members}}}"#)).direction;
    assert_eq!(with(r#""direction":"unknown","punch_type":"Check-Out""#).as_str(), "out");
    assert_eq!(with(r#""direction":"in","punch_type":"out""#).as_str(), "in");
    assert_eq!(with(r#""direction":1"#).as_str(), "out");
    assert_eq!(
        punch(&format!(r#"{{"event_id":"e","employee_id":"1",{TIME},"method":"FACE"}}"#)).method.as_str(),
        "face"
    );
}

#[test]
fn not_an_event() {
    let reason = |body: &[u8]| trusted(body).event().unwrap_err().reason();
    assert_eq!(reason(b""), "bad_json");
    assert_eq!(reason(b"{\"event_id\":\"\xff\"}"), "bad_json");
    assert_eq!(reason(&b"[".repeat(60_000)), "bad_json");
    assert_eq!(reason(&b" ".repeat(65_537)), "too_large");
    assert_eq!(reason(b"[]"), "not_an_object");
    assert_eq!(reason(b"{}"), "missing_event_id");
    assert_eq!(reason(br#"{"event_id":null,"event_type":"device.status"}"#), "missing_event_id");
    assert_eq!(reason(br#"{"event_id":"two words"}"#), "bad_field");
    assert_eq!(reason(br#"{"event_id":"e","event_type":{}}"#), "bad_field");
}
