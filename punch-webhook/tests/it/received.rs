//! What was written reads back, type by type; what only informs costs no event; a correction is never a fresh punch.

use chrono::{DateTime, NaiveDate, TimeDelta};
use proptest::prelude::*;
use punch_normalize::timeline::{Closing, Mark, Role, SyntheticOut, TimelineRules, infer};
use punch_normalize::{ClockEstimate, DeviceZone, Diagnosis, Direction, Method, Punch, TimeQuality};
use punch_webhook::{
    ClockAlarm, DeviceStatus, EndpointState, EnrollmentKind, Event, EventType, FailingEndpoint, Health, PayloadFormat,
    ReceiveError, ReceivedDevice, ReceivedEvent, Revision,
};

use crate::build::{at, found, id, trusted};
use crate::events::{Cast, revision, written};

fn read(event: &Event<'_>, format: PayloadFormat) -> ReceivedEvent {
    let body = written(event, format);
    trusted(body.as_bytes()).event().unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn refused(body: &str) -> ReceiveError {
    trusted(body.as_bytes()).event().expect_err(body)
}

/// The terminal in the shape: a flat one has no more than its serial number.
fn is_the_terminal(device: &ReceivedDevice, cast: &Cast, format: PayloadFormat) -> bool {
    let nested = format == PayloadFormat::Nested;
    let shown = |text: &Option<String>| text.clone().filter(|text| nested && !text.is_empty());
    device.serial.as_deref() == Some(cast.punch.serial.as_str())
        && (&device.id, &device.name, &device.site)
            == (&shown(&cast.device.id), &shown(&cast.device.name), &shown(&cast.device.site))
}

#[test]
fn every_event_reads_back_as_its_type_in_every_shape() {
    let cast = Cast::new();
    for (event_type, event) in cast.events() {
        for format in PayloadFormat::ALL {
            let read = read(&event, format);
            assert_eq!((read.event_type(), read.event_id()), (event_type.clone(), event.id()));
            assert!(!matches!(read, ReceivedEvent::Punch(_) | ReceivedEvent::Other { .. }), "{read:?}");
        }
    }
    let unknown = br#"{"event_id":"e","event_type":"payroll.closed","employee_id":"1"}"#;
    let event_type = EventType::new("payroll.closed");
    assert_eq!(trusted(unknown).event(), Ok(ReceivedEvent::Other { event_id: id("e"), event_type }));
}

/// Whoever matches `Punch` alone books no correction, whatever members it has and whichever name the type goes by.
#[test]
fn a_correction_is_never_a_fresh_punch() {
    let cast = Cast::new();
    for event in [cast.revised(), cast.late(None), cast.late(Some(revision()))] {
        let body = written(&event, PayloadFormat::Nested);
        let other_name = body.replace(r#""event_type""#, r#""event""#);
        for body in [body, other_name] {
            let (own, about) = match trusted(body.as_bytes()).event() {
                Ok(ReceivedEvent::Revised(revision)) => (revision.event_id, revision.punch.event_id),
                Ok(ReceivedEvent::Late(late)) => (late.event_id, late.punch.event_id),
                other => panic!("{other:?}"),
            };
            assert_eq!((own, about), (cast.id.clone(), cast.punch.event_id.clone()));
        }
    }
}

/// What stands for the departure of somebody who came, and came again the next day.
fn nobody_left(punch: &Punch) -> SyntheticOut {
    let day = TimeDelta::days(1);
    let (came, again) = (punch.event_id.clone(), id("evt_again"));
    let mut marks = [
        Mark::new(came, punch.punched_at, punch.device_local),
        Mark::new(again, punch.punched_at + day, punch.device_local + day),
    ];
    marks.iter_mut().for_each(|mark| mark.role = Some(Role::Entry));
    let rules = TimelineRules { closing: Closing::Cap(TimeDelta::hours(8)), ..TimelineRules::default() };
    infer(&mut marks, &rules, None)[0].synthetic_out.unwrap()
}

#[test]
fn what_the_sender_knows_of_a_punch_is_read() {
    let mut cast = Cast::new();
    cast.punch = found(cast.punch, Direction::Out);
    (cast.punch.clock_offset_s, cast.punch.is_historic) = (Some(-740), true);
    cast.punch.time_quality = TimeQuality::AdjustedInterpolated;
    let local = cast.punch.device_local;
    cast.punch.synthetic_out = Some(nobody_left(&cast.punch));
    let event = Event::punch(&cast.punch, &cast.device, &cast.employee).with_late(true);
    let ReceivedEvent::Punch(punch) = read(&event, PayloadFormat::Nested) else { panic!("a punch") };
    let metadata = punch.metadata;
    assert_eq!(metadata.direction_source.as_deref(), Some("role"));
    assert_eq!((metadata.confidence, punch.confidence), (Some(0.95), None));
    assert!(metadata.session_id.is_some_and(|session| session.starts_with("ses_")));
    assert_eq!(metadata.business_date, NaiveDate::from_ymd_opt(2026, 3, 28));
    assert_eq!(metadata.exceptions, ["missing_in"]);
    let out = metadata.synthetic_out.unwrap();
    assert_eq!((out.local_time, out.reason.as_deref()), (local + TimeDelta::hours(8), Some("max_shift")));
    assert_eq!(metadata.time_quality.as_deref(), Some("adjusted_interpolated"));
    assert_eq!(metadata.clock_offset_s, Some(-740));
    assert_eq!(metadata.device_local, Some(local));
    assert_eq!(metadata.received_at, Some(cast.punch.received_at));
    assert!(metadata.historic && metadata.late);
    let ReceivedEvent::Punch(flat) = read(&event, PayloadFormat::Flat) else { panic!("a punch") };
    assert_eq!(flat.metadata, Default::default());
}

/// S0-012: what only informs never costs the event.
#[test]
fn other_events_need_nothing_but_their_identity() {
    for event_type in ["device.status", "device.clock", "enrollment.created", "webhook.failing", "webhook.test"] {
        for members in [
            "",
            r#","timestamp":"soon","device":7,"status":"asleep","state":[],"clock":{"health":{},"offset_s":"1"}"#,
            r#","employee":[],"enrollment":{"kind":"telepathy"},"endpoint":{"id":{},"failures":-1,"waiting":0.5}"#,
        ] {
            let body = format!(r#"{{"event_id":"e","event_type":"{event_type}"{members}}}"#);
            let read = trusted(body.as_bytes()).event().unwrap();
            assert_eq!((read.event_type().as_str(), read.event_id().as_str()), (event_type, "e"));
            assert!(!format!("{read:?}").contains("Some"), "{read:?}");
        }
    }
}

#[test]
fn a_correction_that_names_no_punch_is_refused() {
    let cast = Cast::new();
    let revised = written(&cast.revised(), PayloadFormat::Nested);
    let without = revised.replace("revises", "was");
    assert_eq!(refused(&without), ReceiveError::MissingField { field: "metadata.revises" });
    let bad = revised.replace(r#""revises":""#, r#""revises":" "#);
    assert_eq!(refused(&bad).reason(), "bad_field");
    for number in ["0", "-1", "1.5", "4294967296", r#""2""#, "null"] {
        let bad = revised.replace(r#""revision":2"#, &format!(r#""revision":{number}"#));
        assert_eq!(refused(&bad).code(), "PW-RCV-006", "{number}");
    }
    let late = written(&cast.late(Some(revision())), PayloadFormat::Nested);
    assert_eq!(refused(&late.replace("about", "was")), ReceiveError::MissingField { field: "metadata.about" });
    assert_eq!(refused(&late.replace(r#""revision":2"#, r#""revision":0"#)).code(), "PW-RCV-006");
    assert_eq!(refused(&late.replace("badge_number", "badge")).code(), "PW-RCV-005");
    assert_eq!(refused(&revised.replace(r#""timestamp""#, r#""when""#)).code(), "PW-RCV-005");
}

#[test]
fn a_watermark_without_site_or_time_is_refused() {
    let cast = Cast::new();
    let body = written(&cast.watermark(true), PayloadFormat::Nested);
    assert_eq!(refused(&body.replace(r#""site""#, r#""sight""#)), ReceiveError::MissingField { field: "site" });
    assert_eq!(refused(&body.replace(r#""Headquarters""#, "{}")).reason(), "bad_field");
    assert_eq!(refused(&body.replace("complete_to", "from")), ReceiveError::MissingField { field: "complete_to" });
    let (with_zone, without) = (r#""complete_to":"2026-03-28T08:47:12Z""#, r#""complete_to":"2026-03-28T08:47:12""#);
    assert_eq!(refused(&body.replace(with_zone, without)).reason(), "bad_field");
}

fn directions() -> impl Strategy<Value = Direction> {
    use Direction::{BreakIn, BreakOut, In, Out, OvertimeIn, OvertimeOut, Unknown};
    proptest::sample::select(vec![In, Out, BreakOut, BreakIn, OvertimeIn, OvertimeOut, Unknown])
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

const SECONDS: core::ops::Range<i64> = -2_000_000_000..253_402_300_800;

proptest! {
    #[test]
    fn corrections_read_back(
        badge in "\\PC{1,14}", number in 1_u32.., old in directions(), old_at in proptest::option::of(SECONDS),
        late in any::<bool>(), direction in directions(),
    ) {
        let mut cast = Cast::new();
        cast.employee.badge.clone_from(&badge);
        cast.punch.direction = direction;
        let old_timestamp = old_at.map(at);
        let revision = Revision { number, old_direction: old, old_timestamp, reason: "zone_changed" };
        let (change, punch) = if late {
            let event = Event::late(&cast.id, &cast.punch, &cast.device, &cast.employee, Some(revision));
            let ReceivedEvent::Late(read) = read(&event, PayloadFormat::Nested) else { panic!("late") };
            prop_assert_eq!(read.event_id, cast.id);
            prop_assert_eq!(&read.reason, &text("zone_changed"));
            (read.change.unwrap(), read.punch)
        } else {
            let event = Event::revised(&cast.id, &cast.punch, &cast.device, &cast.employee, revision);
            let ReceivedEvent::Revised(read) = read(&event, PayloadFormat::Nested) else { panic!("revised") };
            prop_assert_eq!(read.event_id, cast.id);
            (read.change, read.punch)
        };
        prop_assert_eq!((change.number, change.old_direction, change.old_at), (number, Some(old), old_timestamp));
        prop_assert_eq!(change.reason, text("zone_changed"));
        prop_assert_eq!((punch.badge, punch.direction, punch.at), (badge, direction, cast.punch.punched_at));
        prop_assert_eq!(punch.event_id, cast.punch.event_id);
    }

    #[test]
    fn events_of_a_terminal_read_back(
        name: String, badge in "\\PC{1,14}", yes: bool, offset in -8_640_000_i64..8_640_000, samples in 0_u16..,
        spread in 0_i64..6, kind in 0_usize..10, at_s in SECONDS,
    ) {
        use Method::{Card, Face, Fingerprint, Multi, Palm, Password, Pin, Unknown, Vein};
        let methods = [Fingerprint, Face, Card, Pin, Password, Palm, Vein, Multi, Unknown];
        let kind = methods.get(kind).map_or(EnrollmentKind::User, |method| EnrollmentKind::Credential(*method));
        let mut cast = Cast::new();
        cast.device.name = Some(name.clone());
        cast.employee.badge.clone_from(&badge);
        cast.employee.name = Some(name.clone());
        let estimate =
            Some(ClockEstimate::new(TimeDelta::seconds(offset), samples.into(), TimeDelta::seconds(spread)));
        cast.alarm = ClockAlarm::new(&Diagnosis::new(estimate, DeviceZone::Utc, at(0)), estimate);
        let Cast { id, punch, device, employee, alarm, .. } = &cast;
        let (serial, when) = (&punch.serial, at(at_s));
        for format in PayloadFormat::ALL {
            let nested = format == PayloadFormat::Nested;
            let told = DeviceStatus::ALL[usize::from(samples) % DeviceStatus::ALL.len()];
            let event = Event::device_status(id, serial, device, told, when);
            let ReceivedEvent::DeviceStatus(status) = read(&event, format) else { panic!("status") };
            prop_assert!(is_the_terminal(&status.device, &cast, format));
            prop_assert_eq!((status.at, status.status), (Some(when), Some(told)));

            let event = Event::device_clock(id, serial, device, alarm, yes, when);
            let ReceivedEvent::DeviceClock(clock) = read(&event, format) else { panic!("clock") };
            prop_assert!(is_the_terminal(&clock.device, &cast, format));
            prop_assert_eq!((clock.at, clock.opened, clock.offset_s), (Some(when), Some(yes), Some(offset)));
            prop_assert_eq!(clock.health.as_deref(), Some(alarm.health.as_str()));
            let details = (clock.samples, clock.spread_s, clock.advice);
            let told = (Some(samples.into()), Some(spread), Some(alarm.advice.clone()));
            prop_assert_eq!(details, if nested { told } else { (None, None, None) });

            let event = Event::enrollment_created(id, serial, device, employee, kind, when);
            let ReceivedEvent::Enrollment(enrollment) = read(&event, format) else { panic!("enrolment") };
            prop_assert!(is_the_terminal(&enrollment.device, &cast, format));
            prop_assert_eq!((enrollment.at, enrollment.kind), (Some(when), kind));
            prop_assert_eq!(enrollment.badge.as_ref(), Some(&badge));
            prop_assert_eq!(enrollment.employee_name, text(&name).filter(|_| nested));
            prop_assert_eq!(enrollment.employee_ref, employee.id.clone().filter(|_| nested));
        }
    }

    #[test]
    fn watermarks_read_back(site in ".{1,40}", to in SECONDS, waits: bool, at_s in SECONDS) {
        let cast = Cast::new();
        let serial = &cast.punch.serial;
        let event = Event::site_watermark(&cast.id, &site, at(to), waits.then_some(serial), at(at_s));
        for format in PayloadFormat::ALL {
            let ReceivedEvent::SiteWatermark(read) = read(&event, format) else { panic!("watermark") };
            prop_assert_eq!((&read.site, read.complete_to, read.at), (&site, at(to), Some(at(at_s))));
            prop_assert_eq!(read.waiting_for.as_deref(), waits.then_some(serial.as_str()));
        }
    }

    #[test]
    fn failing_endpoints_read_back(
        endpoint in ".{1,40}", since in proptest::option::of(SECONDS), failures: u32, waiting in 0_u64..1 << 53,
        state in 0_usize..4, recovered: bool,
    ) {
        let health = [Health::Healthy, Health::BackingOff, Health::Paused, Health::Disabled][state];
        let mut state = EndpointState::new(health, DateTime::UNIX_EPOCH);
        (state.since, state.failures) = (since.map(at), failures);
        let failing = FailingEndpoint::new(&endpoint, "https://hr.example.com/x?secret", &state, waiting);
        let failing = if recovered { failing.recovered() } else { failing };
        let own = id("evt_own");
        let event = Event::webhook_failing(&own, &failing, at(0));
        for format in PayloadFormat::ALL {
            let ReceivedEvent::WebhookFailing(read) = read(&event, format) else { panic!("failing") };
            prop_assert_eq!(read.endpoint_id.as_ref(), Some(&endpoint));
            prop_assert_eq!(read.host.as_deref(), Some("hr.example.com"));
            prop_assert_eq!((read.state.as_deref(), read.since), (Some(health.as_str()), since.map(at)));
            prop_assert_eq!((read.failures, read.waiting, read.at), (Some(failures), Some(waiting), Some(at(0))));
            prop_assert_eq!(read.recovered, recovered);
        }
    }
}
