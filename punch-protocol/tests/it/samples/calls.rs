//! X07 and X09 to X11, and the calls no sample shows: everything that is neither rows nor results.

use punch_protocol::push::{Endpoint, Limits, Parts, Request, RequestLine, Table, Target};

use super::{Sample, assert_fields};

#[test]
fn every_other_call_reads_as_the_samples_say() {
    let mut read = Vec::new();
    for sample in Sample::of('X', true).into_iter().filter(|sample| sample.parse().is_ok()) {
        let (expected, request) = (&sample.expected, sample.request());
        assert_fields(&sample.id, expected, |key| match (&request, key) {
            (Request::FileDownload(_), "kind") => "file_get".into(),
            (Request::FileDownload(url), "url") => url.as_str().into(),
            (Request::BackgroundCheck(_), "kind") => "auth_request".into(),
            (Request::BackgroundCheck(check), "auth_type") => check.kind.as_str().into(),
            (Request::BackgroundCheck(check), "pin") => check.pairs().next().unwrap().text().into(),
            (Request::BackgroundCheck(check), "size") => {
                let size = check.pairs().find(|pair| pair.key == b"Size").unwrap();
                size.text().parse::<u32>().unwrap().into()
            }
            (Request::CheckOutcome(body), "kind") => {
                assert_eq!(*body, b"pin=1001\n");
                "post_verify_data".into()
            }
            (Request::Package(_), "kind") => "package".into(),
            (Request::Package(upload), "table") => upload.table().as_str().into(),
            (Request::Package(upload), "content_type") => {
                assert!(upload.table().is(Table::OPERLOG) && upload.body().starts_with(&[0x1f, 0x8b]));
                "tgz".into()
            }
            (Request::CheckOutcome(_), "ack") => {
                sample.assert_answer("ack");
                "OK".into()
            }
            // An archive is acknowledged by whoever opens it, and stays on the terminal until then.
            (Request::Package(_), "ack") => {
                let answer = sample.answer();
                assert!(answer.status() == 503 || answer.body() == b"OK");
                "OK".into()
            }
            (other, key) => panic!("{}: nothing reads {key} of {other:?}", sample.id),
        });
        read.push(sample.id);
    }
    assert_eq!(read, ["X07", "X09", "X10", "X11"]);
}

fn read<'a>(line: &'a str, body: &'a [u8]) -> Request<'a> {
    let line = RequestLine::parse(line).unwrap();
    Request::parse(Parts::of_target(line.method, line.target, body), &Limits::default()).unwrap().1
}

#[test]
fn time_people_and_files_are_asked_for() {
    for target in ["rtdata?SN=T1&type=time", "cdata?SN=T1&TYPE=Time", "rtdata.aspx/?type=time&sn=T1"] {
        assert!(matches!(read(&format!("GET /iclock/{target} HTTP/1.1"), b""), Request::Time), "{target}");
    }
    assert!(matches!(read("GET /iclock/rtdata?SN=T1", b""), Request::Unserved(Endpoint::RtData)));
    for target in ["cdata?SN=T1&PIN=A%2D7", "cdata?SN=T1&table=RemoteAtt&PIN=A-7"] {
        let line = format!("GET /iclock/{target} HTTP/1.0");
        let Request::UserLookup { pin } = read(&line, b"") else { panic!("{target}") };
        assert_eq!(pin.to_text(), "A-7", "{target}");
    }
    // With a body it is no question; without a PIN it is an upload or a sign of life.
    assert!(matches!(read("POST /iclock/cdata?SN=T1&PIN=7", b"x"), Request::Unserved(Endpoint::Cdata)));
    assert!(matches!(read("GET /iclock/cdata?SN=T1", b""), Request::Alive));

    let Request::FilePart(part) = read("POST /iclock/file?SN=T1&fileseq=3&contenttype=TGZ", b"\x1f\x8b") else {
        panic!()
    };
    assert_eq!((part.sequence, part.packed, part.body.len()), (Some(3), true, 2));
    assert!(matches!(read("GET /iclock/file?SN=T1", b""), Request::Unserved(Endpoint::File)));
}

/// Registration and configuration come with either method, and the old channel is named, not served.
#[test]
fn the_method_decides_nothing() {
    for method in ["GET", "POST"] {
        let at = |target: &str| format!("{method} /iclock/{target}?SN=T1 HTTP/1.1");
        assert!(matches!(read(&at("registry"), b""), Request::Registry(_)));
        assert!(matches!(read(&at("push"), b""), Request::Configuration(_)));
        assert!(matches!(read(&at("devicemd.aspx"), b""), Request::Results(_)));
        assert!(matches!(read(&at("event"), b""), Request::Unserved(Endpoint::Event)));
        assert!(matches!(read(&at("service/control"), b""), Request::Unserved(Endpoint::ServiceControl)));
    }
    assert_eq!(Endpoint::of("/iclock/control"), None);
}

/// The absolute form that proxies get, names in percent code, and line ends of targets that hold blanks.
#[test]
fn a_target_is_cut_where_firmware_means_it() {
    let cuts = [
        ("/iclock/cdata?SN=T1", ("/iclock/cdata", "SN=T1")),
        ("/iclock/cdata", ("/iclock/cdata", "")),
        ("http://10.0.0.9:8081/iclock/cdata?SN=T1", ("/iclock/cdata", "SN=T1")),
        ("HTTP://u:p@h/iclock/file?SN=T1&url=http://x/y?z", ("/iclock/file", "SN=T1&url=http://x/y?z")),
        ("http://cdata", ("/", "")),
        ("/files/a://b", ("/files/a://b", "")),
        ("", ("", "")),
    ];
    for (text, cut) in cuts {
        let target = Target::parse(text);
        assert_eq!((target.path, target.query), cut, "{text}");
    }
    let Request::Handshake(handshake) =
        read("GET http://h/iclock/cdata?S%4e=T1&OPTIONS=ALL&pushver=2.4.1 HTTP/1.0", b"")
    else {
        panic!()
    };
    assert_eq!(handshake.push_version.as_deref(), Some("2.4.1"));
    let line = RequestLine::parse("GET /a?INFO=Ver 1.0 beta,2 HTTP/1.0").unwrap();
    assert_eq!((line.method, line.target.query, line.version), ("GET", "INFO=Ver 1.0 beta,2", "HTTP/1.0"));
    let bare = RequestLine::parse("GET /a?INFO=Ver 1.0 beta").unwrap();
    assert_eq!((bare.target.query, bare.version), ("INFO=Ver 1.0 beta", ""));
    for nothing in ["", "GET", "GET ", "get /a", " GET /a", "C:1:INFO", "GET  HTTP/1.1"] {
        assert_eq!(
            RequestLine::parse(nothing).filter(|line| !line.target.path.starts_with("HTTP")),
            None,
            "{nothing:?}"
        );
    }
}
