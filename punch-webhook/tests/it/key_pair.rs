//! Signatures by key pair, `v1a`: the vectors, and a sender and receivers that hold different halves.

use punch_webhook::{Secret, Signer, SigningKey, Verifier, VerifyError, VerifyingKey};
use serde_json::Value;

use crate::build::{SECRET, at, body, id, rows, secret, text};

fn vectors() -> Vec<Value> {
    let mut rows = rows(include_str!("../data/signatures.jsonl"));
    rows.retain(|row| text(row, "scheme") == "standard-v1a");
    assert_eq!(rows.len(), 3);
    rows
}

#[test]
fn key_pair_vectors() {
    for row in vectors() {
        let key = SigningKey::parse(text(&row, "secret")).unwrap();
        assert_eq!(
            (key.expose().as_str(), key.verifying_key().to_string().as_str()),
            (text(&row, "secret"), text(&row, "public"))
        );
        let (id, time, body) = (id(text(&row, "id")), row["timestamp"].as_i64().unwrap(), body(&row));
        let signer = Signer::new(&secret("no standard secret")).with_signing_key(key.clone());
        assert_eq!(signer.standard(&id, time.unsigned_abs(), &body).as_deref(), Some(text(&row, "expect")));

        let verifier = Verifier::by_key_pair(&VerifyingKey::parse(text(&row, "public")).unwrap());
        let headers = row["headers"].as_object().unwrap();
        let headers = || headers.iter().map(|(name, value)| (name, value.as_str().unwrap()));
        assert_eq!(verifier.verify(headers(), &body, at(time)).unwrap().secret_index(), Some(0));
        assert_eq!(verifier.verify(headers(), &body, at(time + 301)).unwrap_err().reason(), "timestamp_too_old");
        let changed = [body.as_slice(), b" "].concat();
        assert_eq!(verifier.verify(headers(), &changed, at(time)).unwrap_err(), VerifyError::NoMatch);
        let other = Verifier::by_key_pair(&SigningKey::from_random([8; 32]).verifying_key());
        assert_eq!(other.verify(headers(), &body, at(time)).unwrap_err(), VerifyError::NoMatch);
        // A receiver that knows a secret only skips what is not for it.
        assert_eq!(
            Verifier::new(&secret(SECRET)).verify(headers(), &body, at(time)).unwrap_err(),
            VerifyError::NoMatch
        );
    }
}

/// Every flipped bit of a signature is refused.
#[test]
fn key_pair_signatures_are_checked_to_the_last_bit() {
    let key = SigningKey::from_random([7; 32]);
    let verifier = Verifier::by_key_pair(&key.verifying_key());
    let signed = Signer::new(&secret("x")).with_signing_key(key).standard(&id("evt_1"), 0, b"{}").unwrap();
    let with = |signature: &str| {
        let headers = [("webhook-id", "evt_1"), ("webhook-timestamp", "0"), ("webhook-signature", signature)];
        verifier.verify(headers, b"{}", at(0)).map(drop)
    };
    assert_eq!(with(&signed), Ok(()));
    assert_eq!(with(&format!("v1,AA== junk v1a,AA== {signed}")), Ok(()));
    assert_eq!(with(&signed.replace("v1a", "v1")), Err(VerifyError::NoMatch));
    for place in "v1a,".len()..signed.len() {
        let mut bent = signed.clone().into_bytes();
        bent[place] = if bent[place] == b'A' { b'B' } else { b'A' };
        assert_eq!(with(core::str::from_utf8(&bent).unwrap()), Err(VerifyError::NoMatch), "{place}");
    }
}

#[test]
fn key_pair_and_secret_go_together() {
    let (key, shared) = (SigningKey::from_random([7; 32]), Secret::from_random([9; 32]));
    let signed = Signer::new(&shared).with_signing_key(key.clone()).headers(&id("evt_1"), b"{}", at(0));
    let value = signed.get("webhook-signature").unwrap();
    assert!(value.starts_with("v1,") && value.contains(" v1a,"), "{value}");
    let public = key.verifying_key();
    for (verifier, index) in [
        (Verifier::new(&shared), 0),
        (Verifier::by_key_pair(&public), 0),
        (Verifier::new(&secret("another")).with_verifying_key(&public), 1),
        (Verifier::by_key_pair(&public).with_secret(&shared), 0),
    ] {
        assert_eq!(verifier.verify(signed.iter(), b"{}", at(0)).unwrap().secret_index(), Some(index));
    }
    // Without a secret there is nothing that could prove the other header.
    let other = Verifier::by_key_pair(&public).verify_punchconnect(signed.iter(), b"{}").unwrap_err();
    assert_eq!(other, VerifyError::Mismatch);
}

#[test]
fn key_pair_halves_are_read_strictly() {
    let key = SigningKey::from_random([7; 32]);
    let (private, public) = (key.expose(), key.verifying_key().to_string());
    let foreign = SigningKey::from_random([8; 32]).expose();
    let swapped = format!("{}{}", &private[..48], &foreign[48..]);
    for text in ["", "whsk_", &public, &private[..91], &private.replace("whsk_", ""), &swapped, SECRET] {
        assert!(SigningKey::parse(text).is_err(), "{text}");
    }
    // All zeros is a point of order 4: a signature for it can be made without a key.
    let weak = "whpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for text in ["", "whpk_", &private, &public[..48], &public.replace("whpk_", ""), weak] {
        assert!(VerifyingKey::parse(text).is_err(), "{text}");
    }
    let error = VerifyingKey::parse("").unwrap_err();
    assert!(error.to_string().strip_prefix(error.code()).unwrap().starts_with(": key"));
    assert_eq!(format!("{key:?}"), "SigningKey(..)");
}
