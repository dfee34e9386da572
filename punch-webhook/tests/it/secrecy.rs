//! Nothing that identifies a person or opens a door reaches a log by `Debug` or by an error text.

use punch_normalize::{Direction, Method};
use punch_webhook::{
    EnrollmentKind, Event, PayloadFormat, ReceiveError, ReceivedEvent, Revision, Secret, SecretError, Signer, Verified,
    Verifier,
};

use crate::build::{at, device, employee, id, punch};

#[test]
fn debug_and_errors_name_nobody() {
    let secret = Secret::new("canary-secret").unwrap();
    let (signer, verifier) = (Signer::new(&secret), Verifier::new(&secret));
    let (punch, device) = (punch("UTC"), device());
    let mut employee = employee("canary-badge");
    employee.name = Some("canary-name".into());
    let event = Event::punch(&punch, &device, &employee);
    let body = event.body(PayloadFormat::Nested);
    let signed = signer.headers(event.id(), body.as_bytes(), at(0));
    let verified = verifier.verify(signed.iter(), body.as_bytes(), at(0)).unwrap();
    let received = verified.event().unwrap();
    let mut shown =
        format!("{secret:?} {signer:?} {verifier:?} {event:?} {body:?} {signed:?} {verified:?} {received:?}");

    let revision = Revision { number: 1, old_direction: Direction::In, old_timestamp: None, reason: "late_row" };
    let (serial, own) = (&punch.serial, id("evt_own"));
    for event in [
        Event::revised(&own, &punch, &device, &employee, revision.clone()),
        Event::late(&own, &punch, &device, &employee, Some(revision)),
        Event::enrollment_created(&own, serial, &device, &employee, EnrollmentKind::Credential(Method::Card), at(0)),
    ] {
        let body = event.body(PayloadFormat::Nested);
        let received = Verified::assume_verified(body.as_bytes()).event().unwrap();
        shown.push_str(&format!("{event:?} {received:?}"));
    }

    let refused = verifier.verify([("x-punchconnect-signature", "canary-signature")], b"", at(0)).unwrap_err();
    shown.push_str(&format!("{refused} {refused:?}"));
    let bad = r#"{"event_id":"e","employee_id":"canary-badge","timestamp":"canary-time"}"#;
    let refused: ReceiveError = Verified::assume_verified(bad.as_bytes()).event().unwrap_err();
    shown.push_str(&format!("{refused} {refused:?}"));
    let refused: SecretError = secret.check_standard().unwrap_err();
    shown.push_str(&format!("{refused} {refused:?}"));

    assert!(!shown.contains("canary"), "{shown}");
    assert!(!shown.contains(signed.get("x-punchconnect-signature").unwrap()));
    assert!(matches!(received, ReceivedEvent::Punch(punch) if punch.badge == "canary-badge"));
}
