//! X01 to X05 and X12: what must not be read, and with which status it is refused.

use punch_protocol::push::{ParseError, Response};

use super::Sample;

#[test]
fn every_refusal_has_the_samples_status_and_reason() {
    for sample in Sample::of('X', true) {
        let error = sample.parse().unwrap_err();
        let (id, expected) = (&sample.id, &sample.expected);
        if expected["kind"] == "reject" {
            assert_eq!(u64::from(error.status()), expected["status"], "{id}");
            assert_eq!(error.reason(), expected["reason"], "{id}");
        } else {
            assert_eq!(error.reason(), expected["kind"], "{id}");
            let ParseError::PackedBody { plain_len } = error else { panic!("{id}: {error}") };
            assert_eq!(u64::from(plain_len), expected["plain_len"], "{id}");
        }
        let refusal = Response::rejection(&error);
        assert_eq!(refusal.status(), error.status());
        assert!(!refusal.body().windows(2).any(|pair| pair == b"OK"), "{id}");
    }
}
