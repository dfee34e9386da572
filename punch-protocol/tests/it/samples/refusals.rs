//! X01 to X05 and X12: what must not be read, and with which status it is refused.

use punch_protocol::push::{Limits, ParseError, Parts, Request, Response};

use super::Sample;

#[test]
fn every_refusal_has_the_samples_status_and_reason() {
    let refused = |sample: &Sample| ["reject", "encrypted_legacy"].contains(&sample.expected["kind"].as_str().unwrap());
    let samples: Vec<Sample> = Sample::of('X', true).into_iter().filter(refused).collect();
    assert_eq!(samples.len(), 6);
    for sample in samples {
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

/// Files are named by terminals and by strangers: nothing that climbs out of a folder is handed on.
#[test]
fn no_path_leaves_the_folder_of_files() {
    let parse = |path: &str, query: &str| match Request::parse(Parts::new("GET", path, query, b""), &Limits::default())
    {
        Ok((_, Request::FileDownload(file))) => Ok(file),
        Err(error) => Err((error.status(), error.reason())),
        other => panic!("{other:?}"),
    };
    for plain in ["/files/emfw.cfg", "a..b/c.dat", "files/..cfg", "http://10.0.0.9/fw.dat"] {
        assert_eq!(parse("/iclock/file", &format!("SN=T1&url={plain}")).as_deref(), Ok(plain));
    }
    assert_eq!(parse("/iclock/FileName=x", "SN=T1").as_deref(), Ok("x"));
    for climbing in ["../../etc/passwd", "/files/../x", "..", "%2e%2e/x", "a\\..\\b", "a%5Cb", "a%00b", "a%0Ab"] {
        let refused = Err((400, "path_traversal"));
        assert_eq!(parse("/iclock/file", &format!("SN=T1&url={climbing}")), refused, "{climbing}");
    }
    assert_eq!(parse("/iclock/FileName=..", "SN=T1"), Err((400, "path_traversal")));
}

/// X03: an empty `SN` is a missing one, and a second one is refused even if it is empty.
#[test]
fn an_empty_serial_is_none() {
    let reason = |query: &str| {
        Request::parse(Parts::new("GET", "/iclock/cdata", query, b""), &Limits::default()).unwrap_err().reason()
    };
    assert_eq!(["SN=", "sn", "SN=&options=all"].map(reason), ["missing_sn"; 3]);
    assert_eq!(["SN=T1&sn=", "SN=&SN="].map(reason), ["duplicate_sn"; 2]);
    assert_eq!(["SN=%20", "SN=.T1", "SN=a/b"].map(reason), ["bad_sn"; 3]);
}
