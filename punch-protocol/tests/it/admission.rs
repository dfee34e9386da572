//! Who gets an `OK`, and from what: S1-025, S2-016.

use punch_protocol::SerialError;
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Admission, Dialect, Endpoint, Limits, ParseError, Parts, Receipt, Request, Response, Session, Settings, Turn,
};

use crate::random::at;

const ROW: &[u8] = b"1042\t2026-03-28 08:47:12\t0\t1\n";

/// Every endpoint with every parameter that changes what a request means, with a body and without.
fn targets() -> Vec<(&'static str, String, String, &'static [u8])> {
    let parameters = [
        "",
        "&options=all",
        "&options=all&pushver=2.4.1&DeviceType=acc",
        "&table=ATTLOG&Stamp=5",
        "&table=OPERLOG&OpStamp=5",
        "&table=options",
        "&table=ATTPHOTO",
        "&table=rtlog",
        "&table=tabledata&tablename=user&count=1",
        "&table=BIODATA",
        "&table=nonsense",
        "&table=",
        "&INFO=Ver%201,1,1,1,10.0.0.1,10,7,15,11,111",
        "&AuthType=PWD",
        "&type=time",
        "&table=RemoteAtt&PIN=7",
        "&PIN=7&FID=6",
        "&FPImage=1&PIN=7&FID=6",
        "&type=PostVerifyData",
        "&url=/files/x",
        "&type=tabledata&tablename=user&cmdid=1&count=1",
        "&CmdId=7&table=ATTLOG",
        "&ContentType=tgz&table=OPERLOG",
    ];
    let mut targets = Vec::new();
    for endpoint in Endpoint::ALL {
        for parameter in parameters {
            for (method, body) in [("GET", &b""[..]), ("POST", b""), ("POST", ROW), ("POST", b"OK")] {
                targets.push((method, format!("/iclock/{}", endpoint.as_str()), format!("SN=T1{parameter}"), body));
            }
        }
    }
    targets
}

fn for_each_request(mut check: impl FnMut(&str, SerialNumber, &Request<'_>)) {
    let mut kinds = [0; 19];
    for (method, path, query, body) in targets() {
        let (serial, request) = Request::parse(Parts::new(method, &path, &query, body), &Limits::default()).unwrap();
        kinds[match &request {
            Request::Handshake(_) => 0,
            Request::Alive => 1,
            Request::Upload(_) => 2,
            Request::Poll(_) => 3,
            Request::Results(_) => 4,
            Request::Ping(_) => 5,
            Request::Unserved(_) => 6,
            Request::QueryPage(_) => 7,
            Request::Registry(_) => 8,
            Request::Configuration(_) => 9,
            Request::Package(_) => 10,
            Request::FingerImage(_) => 11,
            Request::BackgroundCheck(_) => 12,
            Request::CheckOutcome(_) => 13,
            Request::FileDownload(_) => 14,
            Request::Exchange(_) => 15,
            Request::Time => 16,
            Request::UserLookup { .. } => 17,
            Request::FilePart(_) => 18,
            other => panic!("a new kind needs a rule here: {other:?}"),
        }] += 1;
        check(&format!("{method} {path}?{query}"), serial, &request);
    }
    assert!(kinds.iter().all(|count| *count > 0), "{kinds:?}");
}

fn contains_ok(body: &[u8]) -> bool {
    body.windows(2).any(|pair| pair == b"OK")
}

/// S1-025: an unknown serial gets no OK, whatever it asks.
#[test]
fn nobody_unapproved_gets_an_ok() {
    for_each_request(|name, serial, request| {
        for admission in [Admission::Pending, Admission::Blocked] {
            let mut session = Session::unapproved(serial.clone(), admission);
            let Turn::Reply(reply) = session.handle(request, at(0)) else { panic!("{name}: {admission:?} stores") };
            let blocked = matches!(request, Request::Registry(_)) && admission == Admission::Blocked;
            assert_eq!(reply.status(), if blocked { 406 } else { 503 }, "{name}");
            assert!(!contains_ok(reply.body()), "{name}");
            assert_eq!(session.last_seen(), Some(at(0)));
        }
    });
}

/// S2-016: rows and results are never answered before they are stored.
#[test]
fn what_brings_data_is_stored_before_it_is_acknowledged() {
    for_each_request(|name, serial, request| {
        let turn = Session::approved(serial, Settings::default()).handle(request, at(0));
        match (request, turn) {
            (Request::Upload(upload), Turn::Store(receipt)) => {
                let ack = upload.ack().to_string();
                let answer = receipt.stored();
                assert_eq!((answer.status(), answer.body()), (200, ack.as_bytes()), "{name}");
            }
            (Request::Results(_) | Request::QueryPage(_) | Request::Package(_), Turn::Store(receipt)) => {
                let answer = receipt.refused();
                assert!(answer.status() == 503 && !contains_ok(answer.body()), "{name}");
            }
            (Request::Upload(_) | Request::Results(_) | Request::QueryPage(_) | Request::Package(_), turn) => {
                panic!("{name}: {turn:?}")
            }
            (Request::Handshake(handshake), Turn::Reply(reply)) if handshake.dialect() == Dialect::AccessControl => {
                assert_eq!((reply.status(), reply.body()), (200, &b"OK"[..]), "{name}: it goes on to register");
            }
            (Request::Registry(_), Turn::Reply(reply)) => {
                assert!(reply.status() == 200 && reply.body().starts_with(b"RegistryCode="), "{name}");
            }
            (Request::Configuration(_), Turn::Reply(reply)) => {
                assert!(reply.status() == 200 && reply.body().starts_with(b"ServerVersion="), "{name}");
            }
            // What a terminal asks to be told, and nothing it brings.
            (Request::Time, Turn::Reply(reply)) => {
                assert!(reply.status() == 200 && reply.body().starts_with(b"DateTime="), "{name}");
            }
            (Request::UserLookup { .. }, Turn::Reply(reply)) => {
                assert_eq!((reply.status(), reply.body()), (200, &b"NONE"[..]), "{name}");
            }
            (Request::FilePart(_), Turn::Reply(reply)) => {
                assert!(reply.status() == 503 && !contains_ok(reply.body()), "{name}");
            }
            (Request::Handshake(_), Turn::Reply(reply)) => {
                assert!(reply.status() == 200 && reply.body().starts_with(b"GET OPTION FROM: T1\n"), "{name}");
            }
            (Request::Alive | Request::Poll(_) | Request::Ping(_), Turn::Reply(reply)) => {
                assert_eq!((reply.status(), reply.body()), (200, &b"OK"[..]), "{name}");
            }
            // Nothing of these is kept by anybody, on purpose.
            (Request::FingerImage(_) | Request::CheckOutcome(_), Turn::Reply(reply)) => {
                assert_eq!((reply.status(), reply.body()), (200, &b"OK"[..]), "{name}");
            }
            (_, Turn::Reply(reply)) => assert!(reply.status() == 404 && !contains_ok(reply.body()), "{name}"),
            (_, turn) => panic!("{name}: {turn:?}"),
        }
    });
}

#[test]
fn no_refusal_reads_as_an_acknowledgement() {
    let errors = [
        ParseError::MissingSerial,
        ParseError::BadSerial(SerialError::BadCharacter { at: 0 }),
        ParseError::DuplicateSerial { count: 2 },
        ParseError::UnknownEndpoint,
        ParseError::BodyTooLarge { len: 2, limit: 1 },
        ParseError::TruncatedBody { declared: 2, got: 1 },
        ParseError::QueryTooLong { len: 2, limit: 1 },
        ParseError::PackedBody { plain_len: 1 },
    ];
    for error in errors {
        let refusal = Response::rejection(&error);
        assert!((400..600).contains(&refusal.status()) && !contains_ok(refusal.body()), "{error}");
        assert!(!contains_ok(error.to_string().as_bytes()), "{error}");
    }
    assert!(Response::retry_later().status() == 503 && !contains_ok(Response::retry_later().body()));
}

/// One receipt, one answer: this does not compile if `Receipt` becomes `Clone` or `Copy`.
#[test]
fn a_receipt_cannot_be_copied() {
    trait AmbiguousIfClone<A> {
        const NOT_CLONE: bool = true;
    }
    struct IfClone;
    impl<T> AmbiguousIfClone<()> for T {}
    impl<T: Clone> AmbiguousIfClone<IfClone> for T {}
    const { assert!(<Receipt as AmbiguousIfClone<_>>::NOT_CLONE) };
}

/// The mark of an upload names its own last row, so it moves for rows that are stored and for no others.
#[test]
fn a_resume_mark_moves_only_behind_stored_rows() {
    let settings = Settings::default();
    let mut session = Session::approved(SerialNumber::parse("T1").unwrap(), settings);
    let upload = Parts::new("POST", "/iclock/cdata", "SN=T1&table=ATTLOG&Stamp=777", ROW);
    let handshake = Parts::new("GET", "/iclock/cdata", "SN=T1&options=all", b"");
    let mut marks = |stored: bool| {
        let (_, request) = Request::parse(upload, &Limits::default()).unwrap();
        let (Turn::Store(receipt), Request::Upload(upload)) = (session.handle(&request, at(0)), &request) else {
            panic!()
        };
        if stored {
            session.advance(upload.head());
            assert!(contains_ok(receipt.stored().body()));
        } else {
            assert!(!contains_ok(receipt.refused().body()));
        }
        let (_, request) = Request::parse(handshake, &Limits::default()).unwrap();
        let Turn::Reply(reply) = session.handle(&request, at(0)) else { panic!() };
        let text = core::str::from_utf8(reply.body()).unwrap();
        text.lines().filter(|line| line.contains("Stamp=")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(marks(false), ["ATTLOGStamp=0", "Stamp=0", "OPERLOGStamp=0", "OpStamp=0"]);
    assert_eq!(marks(true), ["ATTLOGStamp=777", "Stamp=777", "OPERLOGStamp=0", "OpStamp=0"]);
}
