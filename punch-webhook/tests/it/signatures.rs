//! `tests/data/signatures.jsonl`: every row, by what it does and in which scheme.

use core::time::Duration;

use punch_webhook::{Secret, SecretError, SignatureStyle, Signer, Verified, Verifier, VerifyError};
use serde_json::Value;

use crate::build::{SECRET, at, body, id, rows, secret, text};

fn vectors(op: &str, scheme: &str) -> Vec<Value> {
    let mut rows = rows(include_str!("../data/signatures.jsonl"));
    rows.retain(|row| text(row, "op") == op && text(row, "scheme") == scheme);
    assert!(!rows.is_empty(), "{op} {scheme}");
    rows
}

fn headers(row: &Value) -> Vec<(&str, &str)> {
    row["headers"].as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

fn verifier(row: &Value) -> Verifier {
    let mut secrets = row["secrets"].as_array().unwrap().iter().map(|text| secret(text.as_str().unwrap()));
    let first = Verifier::new(&secrets.next().unwrap());
    let tolerance = Duration::from_secs(row["tolerance_s"].as_u64().unwrap());
    secrets.fold(first, |verifier, secret| verifier.with_secret(&secret)).with_tolerance(tolerance)
}

fn check(row: &Value, result: Result<Verified<'_>, VerifyError>) {
    let found = result.as_ref().map_or_else(VerifyError::class, |_| "ok");
    assert_eq!(found, text(row, "expect"), "{}: {result:?}", text(row, "name"));
}

#[test]
fn standard_signing() {
    for row in vectors("sign", "standard-v1").into_iter().chain(vectors("sign", "svix-v1")) {
        let signer = Signer::new(&secret(text(&row, "secret")));
        let timestamp = row["timestamp"].as_u64().unwrap();
        let found = signer.standard(&id(text(&row, "id")), timestamp, &body(&row));
        assert_eq!(found.as_deref(), Some(text(&row, "expect")), "{}", text(&row, "name"));
    }
}

/// S1-029, S2-038.
#[test]
fn punchconnect_signing() {
    for row in vectors("sign", "punchconnect-sha256") {
        let found = Signer::new(&secret(text(&row, "secret"))).punchconnect(&body(&row));
        assert_eq!(found, text(&row, "expect"), "{}", text(&row, "name"));
    }
}

/// S1-030: code that signs `JSON.stringify` of the parsed body succeeds with what we send, which is compact.
#[test]
fn bare_hex_over_the_stringified_body() {
    for row in vectors("sign", "punchconnect-bare-hex") {
        let stringified = crate::javascript::stringify_parse(core::str::from_utf8(&body(&row)).unwrap());
        let signer = Signer::new(&secret(text(&row, "secret"))).with_style(SignatureStyle::BareHex);
        assert_eq!(signer.punchconnect(stringified.as_bytes()), text(&row, "expect"));
        assert_ne!(signer.punchconnect(&body(&row)), text(&row, "expect"), "the sent bytes had blanks");
    }
}

/// One secret text is two keys (S2-036, S2-037); during a roll the `PunchConnect` header stays with the old secret.
#[test]
fn complete_headers() {
    for row in vectors("sign", "dual") {
        let secrets: Vec<Secret> =
            row["secrets"].as_array().unwrap().iter().map(|text| secret(text.as_str().unwrap())).collect();
        let signer = match secrets.as_slice() {
            [new, old] => Signer::rolling(new, old),
            [only, ..] => Signer::new(only),
            [] => panic!("no secret"),
        };
        let found = signer.headers(&id(text(&row, "id")), &body(&row), at(row["timestamp"].as_i64().unwrap()));
        assert_eq!(found.iter().count(), headers(&row).len());
        for (name, value) in headers(&row) {
            assert_eq!(found.get(name), Some(value), "{}: {name}", text(&row, "name"));
        }
    }
}

#[test]
fn standard_verifying() {
    for row in vectors("verify", "standard-v1") {
        let (body, now) = (body(&row), at(row["now"].as_i64().unwrap()));
        check(&row, verifier(&row).verify_standard(headers(&row), &body, now));
        check(&row, verifier(&row).verify(headers(&row), &body, now));
    }
}

#[test]
fn punchconnect_verifying() {
    for row in vectors("verify", "punchconnect-sha256") {
        let (body, now) = (body(&row), at(row["now"].as_i64().unwrap()));
        check(&row, verifier(&row).verify_punchconnect(headers(&row), &body));
        check(&row, verifier(&row).verify(headers(&row), &body, now));
    }
}

#[test]
fn secrets() {
    for row in vectors("parse_secret", "standard-v1") {
        let result = Secret::new(text(&row, "secret")).and_then(|secret| secret.check_standard());
        let found = result.as_ref().map_or_else(SecretError::reason, |()| "ok");
        assert_eq!(found, text(&row, "expect"), "{}: {result:?}", text(&row, "secret"));
    }
}

#[test]
fn a_plain_secret_serves_the_punchconnect_header_alone() {
    let plain = secret("tu-secreto-webhook");
    let signer = Signer::new(&plain);
    assert!(!signer.serves_standard());
    let signed = signer.headers(&id("evt_1"), b"{}", at(0));
    assert_eq!(signed.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["X-PunchConnect-Signature"]);
    assert!(Verifier::new(&plain).verify(signed.iter(), b"{}", at(0)).is_ok());

    let standard = Signer::new(&secret(SECRET)).headers(&id("evt_1"), b"{}", at(0));
    let only_standard = standard.iter().filter(|(name, _)| name.starts_with("webhook-"));
    let error = Verifier::new(&plain).verify(only_standard, b"{}", at(0)).unwrap_err();
    assert_eq!(error, VerifyError::NoStandardKey);
    // With both there is still a signature this verifier can check; it is another secret's.
    assert_eq!(Verifier::new(&plain).verify(standard.iter(), b"{}", at(0)).unwrap_err(), VerifyError::Mismatch);
}

/// Every state of receiver and sender during a roll, one step apart, understands each other.
#[test]
fn a_roll_loses_nothing() {
    let (old, new) = (secret(SECRET), Secret::from_random([9; 32]));
    let receivers = [Verifier::new(&old), Verifier::new(&old).with_secret(&new), Verifier::new(&new)];
    let rolling = Signer::rolling(&new, &old).headers(&id("evt_1"), b"{}", at(0));
    for receiver in &receivers {
        assert!(receiver.verify(rolling.iter(), b"{}", at(0)).is_ok());
    }
    // A receiver that reads the PunchConnect header only and has moved on needs the opt-in.
    assert!(receivers[2].verify_punchconnect(rolling.iter(), b"{}").is_err());
    let both = Signer::rolling(&new, &old).with_both_signatures().headers(&id("evt_1"), b"{}", at(0));
    for receiver in &receivers {
        assert!(receiver.verify_punchconnect(both.iter(), b"{}").is_ok());
    }
    assert_eq!(receivers[1].verify(both.iter(), b"{}", at(0)).unwrap().secret_index(), Some(0));
}

/// X24.
#[test]
fn the_header_can_have_another_name() {
    let name = punch_webhook::HeaderName::parse("X-Acme-Signature").unwrap();
    let signed = Signer::new(&secret("acme")).with_header_name(name.clone()).headers(&id("evt_1"), b"{}", at(0));
    assert!(signed.get("x-acme-signature").is_some());
    let verifier = Verifier::new(&secret("acme"));
    assert_eq!(verifier.verify(signed.iter(), b"{}", at(0)).unwrap_err().reason(), "missing");
    assert!(verifier.with_header_name(name).verify(signed.iter(), b"{}", at(0)).is_ok());
}

/// The published reference library panics on the first of these.
#[test]
fn timestamps_are_unsigned_decimal_seconds() {
    let verifier = Verifier::new(&secret(SECRET));
    for timestamp in ["-9223372036854775808", "9223372036854775808000", "1e9", "0x10", "1614265330abc", "１", "1 "] {
        let headers = [("webhook-id", "a"), ("webhook-timestamp", timestamp), ("webhook-signature", "v1,AA==")];
        assert_eq!(verifier.verify(headers, b"", at(0)).unwrap_err(), VerifyError::BadTimestamp, "{timestamp}");
    }
}

/// The time is judged only after the signature: a stranger learns nothing about this machine's clock.
#[test]
fn authenticates_before_interpreting() {
    let verifier = Verifier::new(&secret(SECRET)).with_tolerance(Duration::ZERO);
    let signed = Signer::new(&secret(SECRET)).headers(&id("evt_1"), b"{}", at(100));
    assert!(verifier.verify(signed.iter(), b"{}", at(100)).is_ok());
    assert_eq!(verifier.verify(signed.iter(), b"{}", at(101)).unwrap_err().reason(), "timestamp_too_old");
    assert_eq!(verifier.verify(signed.iter(), b"{}", at(99)).unwrap_err().reason(), "timestamp_too_new");
    assert_eq!(verifier.verify(signed.iter(), b"{ }", at(101)).unwrap_err().reason(), "no_match");
}
