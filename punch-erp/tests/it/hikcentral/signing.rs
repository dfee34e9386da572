//! What is signed, beyond the vectors.

use bytes::Bytes;
use punch_erp::hikcentral::{GetVersion, HikCentral, Stamp, sign, string_to_sign, verify};
use punch_erp::{Credential, Endpoint as _, HttpRequest, render_masked};

use super::world::{KEY, SECRET, World, at, settings};

const VERSION: &str = "https://hik.example.com/artemis/api/common/v1/version";

fn minimal() -> HttpRequest {
    http::Request::post(VERSION)
        .header("Accept", "*/*")
        .header("Content-Type", "application/json")
        .header("X-Ca-Key", "24680135")
        .body(Bytes::from_static(b"{}"))
        .unwrap()
}

/// The worked example that is printed everywhere: S3-005.
#[test]
fn the_smallest_request() {
    let (mut request, secret) = (minimal(), Credential::from("unit-test-secret-0001"));
    sign(&mut request, &["x-ca-key"], &secret);
    assert_eq!(request.headers()["x-ca-signature"], "gDtxcLIM/QA3J/KFTNYYyCHnzPruTBF3Qlm/Y5wRHL8=");
}

#[test]
fn without_signed_headers_there_is_no_list_and_the_signature_holds() {
    let (mut request, secret) = (minimal(), Credential::from("unit-test-secret-0001"));
    sign(&mut request, &[], &secret);
    assert!(!request.headers().contains_key("x-ca-signature-headers"));
    assert_eq!(string_to_sign(&request, &[]), "POST\n*/*\napplication/json\n/artemis/api/common/v1/version");
    verify(&request, &secret).unwrap();
}

#[test]
fn whatever_is_covered_cannot_be_changed() {
    let secret = Credential::from(SECRET);
    let mut world = World::new();
    let request = GetVersion::new(&world.site.clone(), world.stamp()).request();
    verify(&request, &secret).unwrap();
    for name in ["accept", "content-type", "x-ca-key", "x-ca-nonce", "x-ca-timestamp"] {
        let mut changed = request.clone();
        changed.headers_mut().insert(name, "other".parse().unwrap());
        verify(&changed, &secret).unwrap_err();
        let mut without = request.clone();
        without.headers_mut().remove(name);
        verify(&without, &secret).unwrap_err();
    }
    let mut elsewhere = request.clone();
    *elsewhere.uri_mut() = "https://hik.example.com/artemis/api/common/v1/other".parse().unwrap();
    verify(&elsewhere, &secret).unwrap_err();
    verify(&request, &Credential::from("other")).unwrap_err();
    let mut unsigned = request;
    unsigned.headers_mut().remove("x-ca-signature");
    assert_eq!(verify(&unsigned, &secret).unwrap_err().code(), "PE-SRC-005");
}

#[test]
fn a_request_is_shown_without_key_and_signature() {
    let mut world = World::new();
    let text = render_masked(&GetVersion::new(&world.site.clone(), world.stamp()).request());
    assert!(text.contains("x-ca-key: ***") && text.contains("x-ca-signature: ***"), "{text}");
    assert!(!text.contains(KEY) && !text.contains(SECRET), "{text}");
}

#[test]
fn every_request_of_a_stamp_has_a_number_of_its_own() {
    let site = HikCentral::new(settings()).unwrap();
    let nonce = |stamp: &Stamp| GetVersion::new(&site, stamp.clone()).request().headers()["x-ca-nonce"].clone();
    let first = Stamp::new([1; 16], at("2026-01-01T00:00:00Z"));
    let all = [nonce(&first), nonce(&first.next()), nonce(&Stamp::new([2; 16], at("2026-01-01T00:00:00Z")))];
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    assert_eq!(all[0].len(), 36);
    assert_eq!(GetVersion::new(&site, first).request().headers()["x-ca-timestamp"], "1767225600000");
}

#[test]
fn the_address_may_have_the_gateway_behind_it() {
    let mut with = settings();
    with.base = "https://hik.example.com/artemis/".into();
    let mut world = World::new();
    assert_eq!(GetVersion::new(&HikCentral::new(with).unwrap(), world.stamp()).request().uri(), VERSION);
    let mut clear = settings();
    clear.base = "http://10.0.0.5".into();
    assert_eq!(HikCentral::new(clear).unwrap_err().iter().next().unwrap().code(), "PE-CONF-003");
}
