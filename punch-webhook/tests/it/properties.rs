//! What holds for every input, tried on random ones.

use proptest::collection::vec;
use proptest::prelude::*;
use punch_normalize::Direction;
use punch_webhook::{Event, PayloadFormat, ReceivedEvent, Secret, Signer, Verifier, VerifyError};

use crate::build::{at, device, employee, id, punch_at, trusted};
use crate::javascript::stringify_parse;

const NOW: i64 = 1_774_687_632;

fn headers(secret: &Secret, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let signed = Signer::new(secret).headers(&id("evt_1"), body, at(NOW));
    signed.iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()
}

fn directions() -> impl Strategy<Value = Direction> {
    use Direction::{BreakIn, BreakOut, In, Out, OvertimeIn, OvertimeOut, Unknown};
    prop::sample::select(vec![In, Out, BreakOut, BreakIn, OvertimeIn, OvertimeOut, Unknown])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_signed_verifies(key: [u8; 32], text in "\\PC{1,80}", body in vec(any::<u8>(), 0..300)) {
        for secret in [Secret::from_random(key), Secret::new(text).unwrap()] {
            let (verifier, headers) = (Verifier::new(&secret), headers(&secret, &body));
            prop_assert!(verifier.verify(headers.iter().map(|(n, v)| (n, v)), &body, at(NOW)).is_ok());
            prop_assert!(verifier.verify_punchconnect(headers.iter().map(|(n, v)| (n, v)), &body).is_ok());
        }
    }

    /// S1-033.
    #[test]
    fn one_flipped_bit_of_the_body_is_noticed(
        key: [u8; 32],
        body in vec(any::<u8>(), 1..300),
        at_bit: prop::sample::Index,
    ) {
        let secret = Secret::from_random(key);
        let (verifier, headers) = (Verifier::new(&secret), headers(&secret, &body));
        let mut changed = body;
        let bit = at_bit.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        let pairs = || headers.iter().map(|(n, v)| (n, v));
        prop_assert_eq!(verifier.verify(pairs(), &changed, at(NOW)).unwrap_err(), VerifyError::NoMatch);
        prop_assert_eq!(verifier.verify_punchconnect(pairs(), &changed).unwrap_err(), VerifyError::Mismatch);
    }

    /// A flipped bit in a header that is signed or is the signature; letter case of hex digits alone is free.
    #[test]
    fn one_flipped_bit_of_a_header_is_noticed(key: [u8; 32], which in 0_usize..4, at_bit: prop::sample::Index) {
        let secret = Secret::from_random(key);
        let mut headers = headers(&secret, b"{}");
        let value = &mut headers[which].1;
        let before = value.clone();
        let bit = at_bit.index(value.len() * 8);
        value[bit / 8] ^= 1 << (bit % 8);
        prop_assume!(!value.eq_ignore_ascii_case(&before));
        let verifier = Verifier::new(&secret);
        let pairs = headers.iter().map(|(n, v)| (n, v));
        let refused = match which {
            0 => verifier.verify_punchconnect(pairs, b"{}").is_err(),
            _ => verifier.verify_standard(pairs, b"{}", at(NOW)).is_err(),
        };
        prop_assert!(refused);
    }

    #[test]
    fn another_secret_does_not_verify(one: [u8; 32], two: [u8; 32], body in vec(any::<u8>(), 0..100)) {
        prop_assume!(one != two);
        let (signer, verifier) = (Secret::from_random(one), Verifier::new(&Secret::from_random(two)));
        prop_assert!(verifier.verify(headers(&signer, &body), &body, at(NOW)).is_err());
    }

    #[test]
    fn no_header_panics(
        id in vec(any::<u8>(), 0..20),
        timestamp in prop_oneof![vec(any::<u8>(), 0..30), any::<i128>().prop_map(|n| n.to_string().into_bytes())],
        signature in prop_oneof![
            vec(any::<u8>(), 0..200),
            "(v1,|v1a,|sha256=|,| |=|[0-9a-f]){0,90}".prop_map(String::into_bytes),
        ],
        now in -8_000_000_000_000_i64..8_000_000_000_000,
        body in vec(any::<u8>(), 0..100),
    ) {
        let verifier = Verifier::new(&Secret::from_random([1; 32])).with_tolerance(core::time::Duration::MAX);
        let pairs = [("Webhook-Id", &id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature),
            ("x-punchconnect-signature", &signature)];
        prop_assert!(verifier.verify(pairs, &body, at(now)).is_err());
        prop_assert!(verifier.verify(pairs.into_iter().skip(3), &body, at(now)).is_err());
    }

    /// Any time a sender can sign is judged without overflow.
    #[test]
    fn every_signed_time_is_judged(timestamp: u64, now in -8_000_000_000_000_i64..8_000_000_000_000) {
        let secret = Secret::from_random([1; 32]);
        let signature = Signer::new(&secret).standard(&id("evt_1"), timestamp, b"{}").unwrap();
        let time = timestamp.to_string();
        let headers =
            [("webhook-id", "evt_1"), ("webhook-timestamp", time.as_str()), ("webhook-signature", signature.as_str())];
        let age = i128::from(now) - i128::from(timestamp);
        let expected = if age > 300 { "timestamp_too_old" } else if age < -300 { "timestamp_too_new" } else { "ok" };
        let result = Verifier::new(&secret).verify(headers, b"{}", at(now));
        let found = result.as_ref().map_or_else(VerifyError::reason, |_| "ok");
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_body_panics(body in prop_oneof![
        vec(any::<u8>(), 0..200),
        "[\\[\\]{}:,\"a-z0-9_ .-]{0,200}".prop_map(String::into_bytes),
    ]) {
        drop(trusted(&body).event());
    }

    /// S0-019, S0-020, S0-024, S2-034: what is written reads back, in every shape, in JavaScript too.
    #[test]
    fn what_is_written_reads_back(
        badge in "\\PC{1,14}",
        name in any::<String>(),
        direction in directions(),
        offset in -11_i32..14,
        hour in 0_u32..24,
        attempt in 1_u32..,
    ) {
        let mut punch = punch_at(&format!("{offset:+03}:30"), &format!("2026-03-28 {hour:02}:47:12"));
        punch.direction = direction;
        let mut employee = employee(&badge);
        employee.name = Some(name.clone());
        let device = device();
        let event = Event::punch(&punch, &device, &employee);
        for format in PayloadFormat::ALL {
            let body = String::from_utf8(event.body(format).render(attempt)).unwrap();
            prop_assert_eq!(&body, &stringify_parse(&body));
            let Ok(ReceivedEvent::Punch(read)) = trusted(body.as_bytes()).event() else { panic!("{body}") };
            prop_assert_eq!((&read.badge, read.at, &read.event_id), (&badge, punch.punched_at, &punch.event_id));
            if format == PayloadFormat::Nested {
                prop_assert_eq!(read.direction, direction);
                prop_assert_eq!(read.local_time, Some(punch.local_time));
                prop_assert_eq!(read.employee_name, Some(name.clone()).filter(|name| !name.is_empty()));
                prop_assert_eq!((read.delivery_attempt, read.deduplicated), (Some(attempt), Some(false)));
            } else {
                prop_assert_eq!(read.direction, direction.plain());
            }
        }
    }

    /// S0-020.
    #[test]
    fn timestamps_have_one_form(seconds in 0_i64..253_402_300_800) {
        let event_id = id("evt_1");
        let body = Event::test(&event_id, at(seconds)).body(PayloadFormat::Flat);
        let body = core::str::from_utf8(body.as_bytes()).unwrap();
        let (_, rest) = body.split_once(r#""timestamp":""#).unwrap();
        let form: String = rest[..21].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        prop_assert_eq!(form, "0000-00-00T00:00:00Z\"");
    }
}
