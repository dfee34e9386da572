//! A body of several events, on both sides.

use proptest::prelude::*;
use punch_webhook::{BatchBody, Event, PayloadFormat, ReceivedEvent, Secret, Signer, Verified, Verifier};

use crate::build::{SECRET, at, device, employee, id, punch, secret};

fn list(bodies: &[Vec<u8>]) -> (punch_normalize::EventId, Vec<u8>) {
    let mut batch = BatchBody::new(BatchBody::MAX_BYTES);
    for (index, body) in bodies.iter().enumerate() {
        assert!(batch.push(&id(&format!("evt_{index}")), body));
    }
    batch.finish().unwrap()
}

/// Signed is the whole, by both signatures; taken apart, each part is the body of the event as it is sent alone.
#[test]
fn a_signed_list_is_verified_and_then_taken_apart() {
    let (punch, device, employee) = (punch("UTC"), device(), employee("0042"));
    let one = Event::punch(&punch, &device, &employee).body(PayloadFormat::Nested).render(2);
    let other = Event::test(&id("evt_test"), at(0)).body(PayloadFormat::Flat).into_bytes();
    let (batch_id, body) = list(&[one.clone(), other.clone()]);
    let signed = Signer::new(&secret(SECRET)).headers(&batch_id, &body, at(0));
    assert_eq!(signed.get("webhook-id"), Some(batch_id.as_str()));
    let verifier = Verifier::new(&secret(SECRET));
    for verified in [
        verifier.verify_standard(signed.iter(), &body, at(1)).unwrap(),
        verifier.verify_punchconnect(signed.iter(), &body).unwrap(),
    ] {
        let each = verified.each().unwrap();
        assert_eq!(each.iter().map(Verified::body).collect::<Vec<_>>(), [&one[..], &other[..]]);
        assert!(each.iter().all(|part| part.scheme() == verified.scheme()));
        assert!(matches!(each[0].event().unwrap(), ReceivedEvent::Punch(punch) if punch.badge == "0042"));
        assert!(matches!(each[1].event().unwrap(), ReceivedEvent::Test { .. }));
        assert_eq!(verified.event().unwrap_err().reason(), "not_an_object", "a list is no event");
    }
    let mut tampered = body.clone();
    tampered[20] ^= 1;
    verifier.verify(signed.iter(), &tampered, at(0)).unwrap_err();
    Verifier::new(&Secret::new("other").unwrap()).verify_punchconnect(signed.iter(), &body).unwrap_err();
}

#[test]
fn one_event_is_a_list_of_one_for_whoever_takes_lists() {
    let body = br#"{"event_id":"evt_1","event_type":"webhook.test"}"#;
    let each = Verified::assume_verified(body).each().unwrap();
    assert_eq!(each.iter().map(Verified::body).collect::<Vec<_>>(), [&body[..]]);
}

/// What cannot be read costs no neighbour, and what is no list of events is refused as a whole.
#[test]
fn lists_are_read_event_by_event_within_their_limits() {
    let body = br#"[{"event_id":"a","event_type":"webhook.test"}, 7, [], {"event_type":"webhook.test"}]"#;
    let each = Verified::assume_verified(body).each().unwrap();
    let read: Vec<_> = each.iter().map(|part| part.event().map_err(|error| error.reason())).collect();
    assert!(read[0].is_ok());
    assert_eq!(
        read[1..].iter().map(|it| *it.as_ref().unwrap_err()).collect::<Vec<_>>(),
        ["not_an_object", "not_an_object", "missing_event_id"]
    );
    let reason = |body: &[u8]| Verified::assume_verified(body).each().unwrap_err().reason();
    assert_eq!(reason(b" []"), "batch_count");
    assert_eq!(reason(b"[{}"), "bad_json");
    assert_eq!(reason(b"[\"\xff\"]"), "bad_json");
    assert_eq!(reason([&b"[1"[..], &b",1".repeat(500), b"]"].concat().as_slice()), "batch_count");
    assert_eq!(reason([&b"[1"[..], &b" ".repeat(262_144), b"]"].concat().as_slice()), "batch_too_large");
    assert_eq!(Verified::assume_verified(&[&b"[1"[..], &b",1".repeat(499), b"]"].concat()).each().unwrap().len(), 500);
}

#[test]
fn a_list_has_the_id_of_its_events_in_their_order() {
    let of = |ids: &[&str]| {
        let mut batch = BatchBody::new(BatchBody::MAX_BYTES);
        assert!(ids.iter().all(|text| batch.push(&id(text), text.as_bytes())));
        batch.finish().unwrap().0
    };
    assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
    assert_ne!(of(&["a", "b"]), of(&["b", "a"]));
    assert_ne!(of(&["ab"]), of(&["a", "b"]));
    assert!(BatchBody::new(10).finish().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Never longer than the limit, but for a single event; and everything that was taken comes out again.
    #[test]
    fn what_fits_comes_out_as_it_went_in(
        lengths in prop::collection::vec(2_usize..400, 1..40),
        max_bytes in 16_usize..4_000,
    ) {
        let bodies: Vec<Vec<u8>> = lengths.iter().map(|&len| {
            let mut body = vec![b'x'; len];
            (body[0], body[len - 1]) = (b'"', b'"');
            body
        }).collect();
        let mut batch = BatchBody::new(max_bytes);
        let taken: Vec<Vec<u8>> = bodies.into_iter().take_while(|body| batch.push(&id("evt_1"), body)).collect();
        prop_assert_eq!(batch.events(), taken.len());
        let (_, body) = batch.finish().unwrap();
        prop_assert!(body.len() <= max_bytes || taken.len() == 1);
        let each = Verified::assume_verified(&body).each().unwrap();
        prop_assert_eq!(each.iter().map(|part| part.body().to_vec()).collect::<Vec<_>>(), taken);
    }
}
