//! What is written of everything that is no first telling of a punch: the exact bytes.

use chrono::TimeDelta;
use punch_normalize::{ClockEstimate, DeviceZone, Diagnosis, Direction, EventId, Method, Punch, TimeQuality};
use punch_protocol::SerialNumber;
use punch_webhook::{
    ClockAlarm, DeviceInfo, DeviceStatus, EmployeeInfo, EndpointState, EnrollmentKind, Event, EventType,
    FailingEndpoint, Health, PayloadFormat, Revision,
};

use crate::build::{at, device, employee, found, id, punch};
use crate::javascript::stringify_parse;

const FLAT: [PayloadFormat; 3] = [PayloadFormat::Flat, PayloadFormat::FlatStrict000, PayloadFormat::FlatStrict001];
const NASTY: &str = "\"}}\\ \u{1}\u{2028}\n ñ \"delivery_attempt\":7}}";

/// Everything that events are made of.
pub(crate) struct Cast {
    pub(crate) id: EventId,
    pub(crate) punch: Punch,
    pub(crate) device: DeviceInfo,
    pub(crate) employee: EmployeeInfo,
    pub(crate) alarm: ClockAlarm,
    pub(crate) failing: FailingEndpoint,
    pub(crate) site: String,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let estimate = Some(ClockEstimate::new(TimeDelta::seconds(-740), 12, TimeDelta::seconds(1)));
        let diagnosis = Diagnosis::new(estimate, DeviceZone::Utc, at(0));
        let mut state = EndpointState::new(Health::BackingOff, at(1_774_687_632));
        state.failures = 9;
        Self {
            id: id("evt_own"),
            punch: punch("+01:00"),
            device: device(),
            employee: employee("0042"),
            alarm: ClockAlarm::new(&diagnosis, estimate),
            failing: FailingEndpoint::new("7", "https://hooks.example.com/in/s3cret?t=s3cret", &state, 400),
            site: "Headquarters".into(),
        }
    }

    fn nasty() -> Self {
        let mut cast = Self::new();
        cast.device.name = Some(NASTY.into());
        cast.device.site = Some(NASTY.into());
        cast.employee.badge = NASTY.into();
        cast.employee.name = Some(NASTY.into());
        cast.alarm.advice = NASTY.into();
        cast.site = NASTY.into();
        cast.failing = FailingEndpoint::new(NASTY, "https://a\"\n}}/s3cret", &EndpointState::default(), u64::MAX);
        cast
    }

    fn serial(&self) -> &SerialNumber {
        &self.punch.serial
    }

    pub(crate) fn revised(&self) -> Event<'_> {
        let Self { id, punch, device, employee, .. } = self;
        Event::revised(id, punch, device, employee, revision())
    }

    pub(crate) fn late(&self, revision: Option<Revision>) -> Event<'_> {
        let Self { id, punch, device, employee, .. } = self;
        Event::late(id, punch, device, employee, revision)
    }

    pub(crate) fn clock(&self, opened: bool) -> Event<'_> {
        Event::device_clock(&self.id, self.serial(), &self.device, &self.alarm, opened, at(0))
    }

    pub(crate) fn status(&self, status: DeviceStatus) -> Event<'_> {
        Event::device_status(&self.id, self.serial(), &self.device, status, at(0))
    }

    pub(crate) fn enrollment(&self, method: Method) -> Event<'_> {
        let kind = EnrollmentKind::Credential(method);
        Event::enrollment_created(&self.id, self.serial(), &self.device, &self.employee, kind, at(0))
    }

    pub(crate) fn watermark(&self, waits: bool) -> Event<'_> {
        let complete_to = at(1_774_687_632) + TimeDelta::milliseconds(999);
        Event::site_watermark(&self.id, &self.site, complete_to, waits.then_some(self.serial()), at(1_774_687_700))
    }

    pub(crate) fn failing(&self) -> Event<'_> {
        Event::webhook_failing(&self.id, &self.failing, at(1_774_687_700))
    }

    /// One of every type but `attendance.punch`.
    pub(crate) fn events(&self) -> Vec<(EventType, Event<'_>)> {
        vec![
            (EventType::ATTENDANCE_REVISED, self.revised()),
            (EventType::ATTENDANCE_LATE, self.late(None)),
            (EventType::ATTENDANCE_LATE, self.late(Some(revision()))),
            (EventType::DEVICE_STATUS, self.status(DeviceStatus::Offline)),
            (EventType::DEVICE_CLOCK, self.clock(true)),
            (EventType::SITE_WATERMARK, self.watermark(true)),
            (EventType::ENROLLMENT_CREATED, self.enrollment(Method::Face)),
            (EventType::WEBHOOK_FAILING, self.failing()),
            (EventType::WEBHOOK_TEST, Event::test(&self.id, at(0))),
        ]
    }
}

pub(crate) fn revision() -> Revision {
    let old_timestamp = Some(at(1_774_684_032));
    Revision { number: 2, old_direction: Direction::In, old_timestamp, reason: "zone_changed" }
}

pub(crate) fn written(event: &Event<'_>, format: PayloadFormat) -> String {
    String::from_utf8(event.body(format).into_bytes()).unwrap()
}

fn nested(event: &Event<'_>) -> String {
    written(event, PayloadFormat::Nested)
}

const DEVICE: &str = concat!(
    r#""device":{"id":"dev_9x8y7z","serial_number":"CZKE2241600045","name":"Main Entrance","#,
    r#""site":"Headquarters"}"#,
);

/// T17: a corrected zone moves a punch under the same identity.
#[test]
fn a_revision_can_be_one_of_time() {
    let mut cast = Cast::new();
    cast.punch = found(cast.punch, Direction::Out);
    let body = nested(&cast.revised());
    let end = format!(
        concat!(
            r#""received_at":"2090-01-01T00:00:07Z","revises":"{}","revision":2,"old_direction":"in","#,
            r#""old_timestamp":"2026-03-28T07:47:12Z","reason":"zone_changed","delivery_attempt":1}}}}"#,
        ),
        cast.punch.event_id
    );
    assert!(body.ends_with(&end), "{body}");
}

#[test]
fn a_late_punch_has_the_body_of_a_punch_and_names_it() {
    let cast = Cast::new();
    let Cast { punch, device, employee, .. } = &cast;
    let plain = nested(&Event::punch(punch, device, employee));
    let fresh =
        plain.replacen(punch.event_id.as_str(), "evt_own", 1).replace("attendance.punch", "attendance.late").replace(
            r#""delivery_attempt""#,
            &format!(r#""about":"{}","reason":"late_row","delivery_attempt""#, punch.event_id),
        );
    assert_eq!(nested(&cast.late(None)), fresh);
    // A change of one says the same of it as a revision does.
    let changed = nested(&cast.revised())
        .replace("attendance.revised", "attendance.late")
        .replace(r#""revises""#, &format!(r#""about":"{}","revises""#, punch.event_id));
    assert_eq!(nested(&cast.late(Some(revision()))), changed);
}

#[test]
fn what_is_known_of_the_time_goes_into_metadata() {
    let cast = Cast::new();
    let Cast { punch, device, employee, .. } = &cast;
    let mut measured = punch.clone();
    (measured.clock_offset_s, measured.is_historic) = (Some(-14), true);
    measured.time_quality = TimeQuality::AdjustedInterpolated;
    let event = Event::punch(&measured, device, employee).with_late(true);
    let body = nested(&event);
    let metadata = concat!(
        r#""time_quality":"adjusted_interpolated","clock_offset_s":-14,"#,
        r#""device_local":"2026-03-28T08:47:12","received_at":"2090-01-01T00:00:07Z","historic":true,"late":true,"#,
        r#""delivery_attempt":1}}"#,
    );
    assert!(body.ends_with(metadata), "{body}");
    let plain = Event::punch(punch, device, employee);
    for format in FLAT {
        assert_eq!(written(&event, format), written(&plain, format), "a published shape has no member more");
    }
    // False is not said, nor is a number that JavaScript would change.
    measured.clone_from(punch);
    measured.clock_offset_s = Some(i64::MIN);
    let event = Event::punch(&measured, device, employee).with_late(false);
    assert_eq!(nested(&event), nested(&plain));
}

#[test]
fn device_clock() {
    let cast = Cast::new();
    let body = nested(&cast.clock(true));
    let expected = format!(
        concat!(
            r#"{{"event_id":"evt_own","event_type":"device.clock","timestamp":"1970-01-01T00:00:00Z",{},"#,
            r#""clock":{{"health":"clock_wrong","offset_s":-740,"samples":12,"spread_s":1,"#,
            r#""advice":"the terminal's clock is wrong: 12 min 20 s ahead of UTC+00:00; set it, and look at its battery"}},"#,
            r#""state":"opened","metadata":{{"delivery_attempt":1}}}}"#,
        ),
        DEVICE
    );
    assert_eq!(body, expected);
    let flat = concat!(
        r#"{"event":"device.clock","device_serial":"CZKE2241600045","timestamp":"1970-01-01T00:00:00Z","#,
        r#""state":"closed","health":"clock_wrong","offset_s":-740,"event_id":"evt_own"}"#,
    );
    let unmeasured = ClockAlarm::new(&Diagnosis::new(None, DeviceZone::Utc, at(0)), None);
    let event = Event::device_clock(&cast.id, cast.serial(), &cast.device, &unmeasured, true, at(0));
    assert!(nested(&event).contains(r#""clock":{"health":"unknown","advice":"how right "#));
    for format in FLAT {
        assert_eq!(written(&cast.clock(false), format), flat);
        assert!(!written(&event, format).contains("offset_s"));
    }
}

#[test]
fn site_watermark() {
    let cast = Cast::new();
    let members = r#""site":"Headquarters","complete_to":"2026-03-28T08:47:12Z","waiting_for":"CZKE2241600045""#;
    let head = r#""timestamp":"2026-03-28T08:48:20Z""#;
    assert_eq!(
        nested(&cast.watermark(true)),
        format!(
            r#"{{"event_id":"evt_own","event_type":"site.watermark",{head},{members},"metadata":{{"delivery_attempt":1}}}}"#
        )
    );
    for format in FLAT {
        let flat = format!(r#"{{"event":"site.watermark",{head},{members},"event_id":"evt_own"}}"#);
        assert_eq!(written(&cast.watermark(true), format), flat);
    }
    assert!(!nested(&cast.watermark(false)).contains("waiting_for"));
}

/// S1-004, S2-043: a terminal came or went, was let in or is kept out.
#[test]
fn device_status() {
    let cast = Cast::new();
    for status in DeviceStatus::ALL {
        let word = status.as_str();
        let head = r#""event_id":"evt_own","event_type":"device.status","timestamp":"1970-01-01T00:00:00Z""#;
        let expected = format!(r#"{{{head},{DEVICE},"status":"{word}","metadata":{{"delivery_attempt":1}}}}"#);
        assert_eq!(nested(&cast.status(status)), expected);
        let head = r#""event":"device.status","device_serial":"CZKE2241600045","timestamp":"1970-01-01T00:00:00Z""#;
        for format in FLAT {
            let expected = format!(r#"{{{head},"status":"{word}","event_id":"evt_own"}}"#);
            assert_eq!(written(&cast.status(status), format), expected);
        }
    }
}

/// S1-004: a new finger is told, and nothing of it.
#[test]
fn enrollment_created() {
    let mut cast = Cast::new();
    cast.employee.name = None;
    assert_eq!(
        nested(&cast.enrollment(Method::Palm)),
        format!(
            concat!(
                r#"{{"event_id":"evt_own","event_type":"enrollment.created","timestamp":"1970-01-01T00:00:00Z",{},"#,
                r#""employee":{{"id":"emp_4k5l6m","badge_number":"0042"}},"enrollment":{{"kind":"palm"}},"#,
                r#""metadata":{{"delivery_attempt":1}}}}"#,
            ),
            DEVICE
        )
    );
    let flat = concat!(
        r#"{"event":"enrollment.created","device_serial":"CZKE2241600045","timestamp":"1970-01-01T00:00:00Z","#,
        r#""badge_number":"0042","kind":"palm","event_id":"evt_own"}"#,
    );
    for format in FLAT {
        assert_eq!(written(&cast.enrollment(Method::Palm), format), flat, "no `employee_id`: it is no punch");
    }
}

#[test]
fn webhook_failing() {
    let cast = Cast::new();
    let members = concat!(
        r#""host":"hooks.example.com","state":"backing_off","since":"2026-03-28T08:47:12Z","#,
        r#""failures":9,"waiting":400"#,
    );
    let head = r#""timestamp":"2026-03-28T08:48:20Z""#;
    assert_eq!(
        nested(&cast.failing()),
        format!(
            concat!(
                r#"{{"event_id":"evt_own","event_type":"webhook.failing",{},"endpoint":{{"id":"7",{}}},"#,
                r#""metadata":{{"delivery_attempt":1}}}}"#,
            ),
            head, members
        )
    );
    for format in FLAT {
        let flat = format!(r#"{{"event":"webhook.failing","endpoint_id":"7",{head},{members},"event_id":"evt_own"}}"#);
        assert_eq!(written(&cast.failing(), format), flat);
    }
}

/// S1-030, S2-035: every event is the same bytes in JavaScript, and differs by attempt in one number.
#[test]
fn every_event_is_stable_and_differs_by_attempt_in_one_number() {
    for cast in [Cast::new(), Cast::nasty()] {
        let mut types = Vec::new();
        for (event_type, event) in cast.events() {
            assert_eq!((event.event_type(), event.id()), (event_type.clone(), &cast.id));
            for format in PayloadFormat::ALL {
                let body = written(&event, format);
                assert_eq!(body, stringify_parse(&body));
                assert!(!body.contains("s3cret") && !body.contains("null"), "{body}");
                let is_nested = format == PayloadFormat::Nested || event_type.is_correction();
                let twelfth = event.body(format).render(12);
                let expected = if is_nested { body.replace(r#":1}}"#, r#":12}}"#) } else { body };
                assert_eq!(String::from_utf8(twelfth).unwrap(), expected);
            }
            types.push(event_type);
        }
        types.push(EventType::ATTENDANCE_PUNCH);
        assert!(EventType::SUBSCRIBABLE.iter().all(|event_type| types.contains(event_type)));
    }
}

/// S1-032: no event has a place for a template or a picture.
#[test]
fn no_event_has_a_word_for_a_template() {
    let cast = Cast::new();
    let punch = Event::punch(&cast.punch, &cast.device, &cast.employee);
    for (event, format) in cast
        .events()
        .into_iter()
        .map(|(_, event)| event)
        .chain([punch])
        .flat_map(|event| PayloadFormat::ALL.map(move |format| (event.clone(), format)))
    {
        let body = written(&event, format).to_lowercase();
        for word in ["template", "tmp", "photo", "picture", "image", "base64", "minutia"] {
            assert!(!body.contains(word), "{word} in {body}");
        }
    }
}

#[test]
fn a_correction_is_nested_in_every_format() {
    let cast = Cast::new();
    for event in [cast.revised(), cast.late(None), cast.late(Some(revision()))] {
        assert!(event.event_type().is_correction() && event.event_type().is_only_by_name());
        for format in FLAT {
            assert_eq!(written(&event, format), nested(&event));
        }
    }
}
