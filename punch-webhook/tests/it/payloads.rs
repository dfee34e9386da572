//! What is written: the exact bytes of every shape.

use punch_normalize::{Direction, Method};
use punch_webhook::{Event, EventType, PayloadFormat, ReceivedEvent, Revision};

use crate::build::{device, employee, found, id, punch, trusted};
use crate::javascript::stringify_parse;

fn written(event: &Event<'_>, format: PayloadFormat) -> String {
    String::from_utf8(event.body(format).into_bytes()).unwrap()
}

/// S1-008, S2-030, S2-031, S2-032, S2-033, S2-034, S2-035, with our own members in `metadata`.
#[test]
fn nested() {
    let (punch, device, employee) = (punch("+01:00"), device(), employee("1042"));
    let event = Event::punch(&punch, &device, &employee).with_confidence(0.97).with_deduplicated(true);
    assert_eq!(
        written(&event, PayloadFormat::Nested),
        format!(
            concat!(
                r#"{{"event_id":"{}","event_type":"attendance.punch","timestamp":"2026-03-28T07:47:12Z","#,
                r#""device":{{"id":"dev_9x8y7z","serial_number":"CZKE2241600045","name":"Main Entrance","#,
                r#""site":"Headquarters"}},"#,
                r#""employee":{{"id":"emp_4k5l6m","badge_number":"1042","name":"Sarah Chen"}},"#,
                r#""punch":{{"direction":"in","method":"fingerprint","confidence":0.97,"#,
                r#""local_time":"2026-03-28T08:47:12+01:00"}},"#,
                r#""metadata":{{"deduplicated":true,"direction_source":"state","time_quality":"exact","#,
                r#""device_local":"2026-03-28T08:47:12","received_at":"2090-01-01T00:00:07Z","delivery_attempt":1}}}}"#,
            ),
            punch.event_id
        )
    );
}

/// S2-032: the name can be kept back; what is not known is left out, not sent as `null`.
#[test]
fn absent_members_are_left_out() {
    let (punch, device, employee) = (punch("UTC"), Default::default(), punch_webhook::EmployeeInfo::new("0042"));
    let body = written(&Event::punch(&punch, &device, &employee), PayloadFormat::Nested);
    assert!(body.contains(r#""device":{"serial_number":"CZKE2241600045"},"employee":{"badge_number":"0042"},"#));
    assert!(!body.contains("null") && !body.contains("confidence") && !body.contains("name\""));
    assert!(body.contains(r#""local_time":"2026-03-28T08:47:12+00:00""#), "a numeric offset, never Z: {body}");
}

/// S0-016 to S0-024 and S1-014, S1-015: the strict shapes have exactly the members of the published samples.
#[test]
fn flat() {
    let (punch, device, employee) = (punch("UTC"), device(), employee("0042"));
    let event = Event::punch(&punch, &device, &employee);
    let id = punch.event_id.as_str();
    let seed_000 = format!(
        concat!(
            r#"{{"event":"attendance.punch","device_serial":"CZKE2241600045","employee_id":"0042","#,
            r#""timestamp":"2026-03-28T08:47:12Z","direction":"in","method":"fingerprint","event_id":"{}"}}"#,
        ),
        id
    );
    let seed_001 = format!(
        concat!(
            r#"{{"event_id":"{}","employee_id":"0042","timestamp":"2026-03-28T08:47:12Z","#,
            r#""device_serial":"CZKE2241600045","punch_type":"in"}}"#,
        ),
        id
    );
    assert_eq!(written(&event, PayloadFormat::FlatStrict000), seed_000);
    assert_eq!(written(&event, PayloadFormat::FlatStrict001), seed_001);
    let both = seed_000.replace(r#""}"#, r#"","punch_type":"in"}"#);
    assert_eq!(written(&event, PayloadFormat::Flat), both);
}

/// S0-021: flat receivers know three words; nested ones get the exact one.
#[test]
fn breaks_and_overtime_are_plain_in_flat_shapes() {
    let (mut punch, device, employee) = (punch("UTC"), device(), employee("1042"));
    for (direction, plain) in
        [(Direction::BreakOut, "out"), (Direction::OvertimeIn, "in"), (Direction::Unknown, "unknown")]
    {
        punch.direction = direction;
        let event = Event::punch(&punch, &device, &employee);
        assert!(written(&event, PayloadFormat::Flat).contains(&format!(r#""direction":"{plain}""#)));
        assert!(written(&event, PayloadFormat::FlatStrict001).contains(&format!(r#""punch_type":"{plain}""#)));
        assert!(written(&event, PayloadFormat::Nested).contains(&format!(r#""direction":"{direction}""#)));
    }
}

/// What the punches around it say goes before the punch's own key, and its details under `metadata` alone.
#[test]
fn a_finding_gives_the_direction_and_says_the_rest_in_metadata() {
    let (said, device, employee) = (punch("UTC"), device(), employee("1042"));
    let punch = found(said.clone(), Direction::Out);
    let event = Event::punch(&punch, &device, &employee);
    let body = written(&event, PayloadFormat::Nested);
    assert!(body.contains(r#""punch":{"direction":"out","method":"fingerprint","local_time""#), "{body}");
    let session = punch.event_id.as_str().replace("evt_", "ses_");
    let metadata = format!(
        concat!(
            r#""metadata":{{"deduplicated":false,"direction_source":"role","confidence":0.95,"session_id":"{}","#,
            r#""business_date":"2026-03-28","exceptions":["missing_in"],"time_quality":"exact","#,
        ),
        session
    );
    assert!(body.contains(&metadata), "{body}");
    assert_eq!(body, stringify_parse(&body));
    let Ok(ReceivedEvent::Punch(read)) = trusted(body.as_bytes()).event() else { panic!("{body}") };
    assert_eq!((read.direction, read.confidence), (Direction::Out, None), "the terminal did not say how sure it was");
    // The flat shapes have the direction and not a member more.
    for format in [PayloadFormat::Flat, PayloadFormat::FlatStrict000, PayloadFormat::FlatStrict001] {
        let plain = written(&Event::punch(&said, &device, &employee), format);
        assert_eq!(written(&event, format), plain.replace(r#"":"in""#, r#"":"out""#));
    }
}

#[test]
fn a_punch_between_first_and_last_is_unknown_in_every_published_shape() {
    let (mut punch, device, employee) = (punch("UTC"), device(), employee("1042"));
    punch.direction = Direction::Intermediate;
    let event = Event::punch(&punch, &device, &employee);
    for format in PayloadFormat::ALL {
        let body = written(&event, format);
        assert!(body.contains(r#"":"unknown""#) && !body.contains("intermediate"), "{body}");
    }
}

#[test]
fn a_revision_has_an_identity_of_its_own_and_names_the_punch() {
    let (punch, device, employee) = (found(punch("UTC"), Direction::Out), device(), employee("1042"));
    let own = id("evt_rev");
    let revision =
        Revision { number: 2, old_direction: Direction::Intermediate, old_timestamp: None, reason: "late_row" };
    let event = Event::revised(&own, &punch, &device, &employee, revision);
    assert_eq!((event.id().as_str(), event.event_type()), ("evt_rev", EventType::ATTENDANCE_REVISED));
    let body = written(&event, PayloadFormat::Nested);
    assert!(body.starts_with(r#"{"event_id":"evt_rev","event_type":"attendance.revised","timestamp":"2026-03-28T"#));
    let revises = format!(
        r#""revises":"{}","revision":2,"old_direction":"unknown","reason":"late_row","delivery_attempt":1}}}}"#,
        punch.event_id
    );
    assert!(body.ends_with(&revises) && body.contains(r#""direction":"out""#), "{body}");
    // In no shape does anybody take it for a punch.
    for format in PayloadFormat::ALL {
        let body = written(&event, format);
        assert_eq!(body, stringify_parse(&body));
        let read = trusted(body.as_bytes()).event().unwrap();
        assert!(matches!(read, ReceivedEvent::Revised(_)), "{body}");
        assert_eq!(read.event_id().as_str(), "evt_rev");
    }
}

/// S1-030: `JSON.stringify(JSON.parse(body))` are the same bytes, whatever people put into names.
#[test]
fn bodies_are_javascript_stable() {
    let (mut punch, mut device, mut employee) = (punch("-03:30"), device(), employee("ñ-7"));
    punch.method = Method::Multi;
    device.name = Some("Größe \"A\" \\ / \u{1}\u{7f}\u{2028}\t\n\r\u{8}\u{c} 王小明 🖐".into());
    employee.name = Some("José Ñandú".into());
    for confidence in [0.0, -0.0, 1.0, 0.97, 1e-6, 1e-9, 1.0 / 3.0, 0.9999999, f64::NAN, 2.0] {
        let event = Event::punch(&punch, &device, &employee).with_confidence(confidence);
        for format in PayloadFormat::ALL {
            let body = written(&event, format);
            assert_eq!(body, stringify_parse(&body));
        }
    }
}

/// X13, S2-035: the attempt number is all that changes; flat bodies never do.
#[test]
fn attempts_differ_in_one_number() {
    let (punch, device) = (punch("UTC"), device());
    let mut employee = employee("1042");
    employee.name = Some(r#"Bobby "delivery_attempt":7}}"#.into());
    let event = Event::punch(&punch, &device, &employee);
    for attempt in [1, 2, 10, 22, u32::MAX] {
        let nested = String::from_utf8(event.body(PayloadFormat::Nested).render(attempt)).unwrap();
        let expected = format!("\"delivery_attempt\":{attempt}}}}}");
        assert_eq!(nested, written(&event, PayloadFormat::Nested).replace("\"delivery_attempt\":1}}", &expected));
        assert!(nested.ends_with(&expected));
        for format in [PayloadFormat::Flat, PayloadFormat::FlatStrict000, PayloadFormat::FlatStrict001] {
            assert_eq!(event.body(format).render(attempt), event.body(format).as_bytes());
        }
    }
}
