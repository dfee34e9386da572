//! Logins: the worked examples of the specification, and challenges in every form.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use punch_erp::Credential;
use punch_erp::isapi::{DigestAlgorithm, DigestChallenge, DigestSession};

fn challenge(texts: &[&str]) -> Option<DigestChallenge> {
    let mut headers = HeaderMap::new();
    for text in texts {
        headers.append(WWW_AUTHENTICATE, text.parse().unwrap());
    }
    DigestChallenge::of(&headers)
}

const RFC_7616: &str = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

/// RFC 7616, section 3.9.1.
#[test]
fn the_examples_of_the_specification() {
    let (user, password) = (Credential::from("Mufasa"), Credential::from("Circle of Life"));
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = challenge(&[&format!("Digest {RFC_7616}, algorithm={algorithm}")]).unwrap();
        let mut session = DigestSession::new(challenge);
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let value = session.authorization("GET", "/dir/index.html", &user, &password, cnonce).unwrap();
        let text = value.to_str().unwrap();
        assert!(text.contains(&format!("response=\"{response}\"")), "{text}");
        assert!(text.contains("qop=auth, nc=00000001") && text.contains("username=\"Mufasa\""), "{text}");
        assert!(value.is_sensitive());
        let again = session.authorization("GET", "/dir/index.html", &user, &password, cnonce).unwrap();
        assert!(again.to_str().unwrap().contains("nc=00000002"));
        assert_ne!(value, again);
    }
}

#[test]
fn the_strongest_challenge_that_can_be_met_is_taken() {
    let both = [format!("Digest {RFC_7616}, algorithm=MD5"), format!("Digest {RFC_7616}, algorithm=SHA-256")];
    let both = both.each_ref().map(String::as_str);
    assert_eq!(challenge(&both).unwrap().algorithm, DigestAlgorithm::Sha256);
    let in_one = format!("Basic realm=\"a, Digest b\", {}, {}", both[0], both[1]);
    assert_eq!(challenge(&[&in_one]).unwrap().algorithm, DigestAlgorithm::Sha256);
    assert_eq!(challenge(&[&in_one]).unwrap().realm, "http-auth@example.org");
    assert!(challenge(&["Basic realm=\"x\""]).is_none());
    assert!(challenge(&["Digest realm=\"x\", nonce=\"y\", algorithm=SHA-512-256"]).is_none());
    assert!(challenge(&["Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\""]).is_none());
    assert!(challenge(&[]).is_none());
}

#[test]
fn a_challenge_may_be_written_in_any_way() {
    let read = challenge(&["digest REALM=\"a \\\"b\\\", c\",nonce=xyz , Stale=TRUE"]).unwrap();
    assert_eq!(
        (read.realm.as_str(), read.nonce.as_str(), read.is_stale, read.has_qop),
        ("a \"b\", c", "xyz", true, false)
    );
    assert_eq!(read.algorithm, DigestAlgorithm::Md5);
    let mut session = DigestSession::new(read);
    let value = session.authorization("GET", "/", &"u".into(), &"p".into(), "c").unwrap();
    let text = value.to_str().unwrap();
    assert!(text.contains("realm=\"a \\\"b\\\", c\"") && !text.contains("qop"), "{text}");
}

/// A terminal may answer a number that it has seen with the same challenge; it refuses whoever begins to count anew.
#[test]
fn a_challenge_that_comes_again_is_counted_on() {
    let count = |session: &mut DigestSession| {
        let value = session.authorization("GET", "/", &"u".into(), &"p".into(), "c").unwrap();
        let text = value.to_str().unwrap().to_owned();
        text.split("nc=").nth(1).unwrap()[..8].to_owned()
    };
    let read = |nonce: &str| challenge(&[&format!("Digest realm=\"x\", qop=\"auth\", nonce=\"{nonce}\"")]).unwrap();
    let mut session = DigestSession::renewed(None, read("one"));
    assert_eq!((count(&mut session), count(&mut session)), ("00000001".to_owned(), "00000002".to_owned()));
    let mut again = DigestSession::renewed(Some(&session), read("one"));
    assert_eq!(count(&mut again), "00000003");
    let mut other = DigestSession::renewed(Some(&again), read("two"));
    assert_eq!(count(&mut other), "00000001");
}
