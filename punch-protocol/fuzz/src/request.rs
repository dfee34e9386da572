use core::hint::black_box;

use chrono::DateTime;
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Admission, Dialect, Limits, Package, PackageLimits, ParseError, Parts, PhotoHeader, Request, Response,
    ServerOptions, Session, Settings, Turn, Upload,
};

use super::commands::check_results;
use super::reading::{check_rows, read_event};
use super::{contains_ok, first_line};

/// A request: `METHOD target` in the first line, then the body.
pub fn request(data: &[u8]) {
    let (head, body) = first_line(data);
    let head = String::from_utf8_lossy(head);
    let (method, target) = head.split_once(' ').unwrap_or(("GET", &head));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parts = Parts::new(method, path, query, body);
    match Request::parse(parts, &Limits::default()) {
        Ok((serial, request)) => check_request(serial, &request),
        Err(error) => check_refusal(&error),
    }
    // One byte short of what was announced is nothing at all.
    parts.declared_length = u64::try_from(body.len()).ok().and_then(|len| len.checked_add(1));
    let error = Request::parse(parts, &Limits::default()).expect_err("a truncated request was read");
    check_refusal(&error);
}

fn check_refusal(error: &ParseError) {
    let refusal = Response::rejection(error);
    assert!(refusal.status() >= 400 && !contains_ok(refusal.body()));
    assert!(error.to_string().starts_with(error.code()));
    assert!(!contains_ok(error.to_string().as_bytes()));
}

fn check_request(serial: SerialNumber, request: &Request<'_>) {
    let now = DateTime::from_timestamp(1_774_684_033, 0).expect("a time");
    for admission in [Admission::Pending, Admission::Blocked] {
        match Session::unapproved(serial.clone(), admission).handle(request, now) {
            Turn::Reply(reply) => assert!(reply.status() != 200 && !contains_ok(reply.body())),
            turn => panic!("an unapproved terminal got {turn:?}"),
        }
    }
    read_request(request);
    match (request, Session::approved(serial, Settings::default()).handle(request, now)) {
        (
            Request::Upload(_) | Request::Results(_) | Request::QueryPage(_) | Request::Package(_),
            Turn::Store(receipt),
        ) => {
            assert_eq!(receipt.stored().status(), 200);
        }
        // A body that no row looks like is not stored: the terminal shakes hands again and sends it in the clear.
        (Request::Upload(_), Turn::Reply(reply)) => assert_eq!(reply.body(), b"UNKNOWN DEVICE"),
        (Request::Upload(_) | Request::Results(_) | Request::QueryPage(_), turn) => panic!("{request:?} got {turn:?}"),
        (Request::Handshake(handshake), Turn::Reply(reply)) if handshake.dialect() == Dialect::Attendance => {
            check_option_block(reply.body());
        }
        (Request::Handshake(_), Turn::Reply(reply)) => assert_eq!((reply.status(), reply.body()), (200, &b"OK"[..])),
        (Request::Registry(_) | Request::Configuration(_), Turn::Reply(reply)) => assert!(!contains_ok(reply.body())),
        (Request::Alive | Request::Poll(_) | Request::Ping(_), Turn::Reply(reply))
        | (Request::FingerImage(_) | Request::CheckOutcome(_), Turn::Reply(reply)) => {
            assert_eq!((reply.status(), reply.body()), (200, &b"OK"[..]));
        }
        (Request::Time, Turn::Reply(reply)) => assert!(reply.body().starts_with(b"DateTime=")),
        (Request::UserLookup { .. }, Turn::Reply(reply)) => assert_eq!(reply.body(), b"NONE"),
        (Request::BackgroundCheck(_), Turn::Reply(reply)) if reply.status() == 200 => {
            assert!(reply.body().starts_with(b"AUTH=TIMEOUT\r\n"));
        }
        (_, Turn::Reply(reply)) => assert!(reply.status() != 200 && !contains_ok(reply.body())),
        (request, turn) => panic!("{request:?} got {turn:?}"),
    }
}

/// Reads everything a request offers.
fn read_request(request: &Request<'_>) {
    let _read = black_box(format!("{request:?}"));
    match request {
        Request::Upload(upload) => check_upload(upload),
        Request::Results(results) => check_results(results),
        Request::QueryPage(page) => {
            assert!(page.records().all(|record| record.pairs().count() >= 1));
            page.options().pairs().for_each(|pair| drop(black_box(pair)));
        }
        Request::Registry(options) => options.pairs().for_each(|pair| drop(black_box(pair))),
        Request::Package(upload) => {
            let limits = PackageLimits::default();
            if let Ok(package) = Package::open(upload.body(), &limits) {
                let unpacked: usize = package.entries().map(|entry| entry.bytes().len()).sum();
                assert!(unpacked <= limits.unpacked && package.entries().len() <= limits.entries);
                let _read = black_box(format!("{package:?}"));
            }
        }
        Request::BackgroundCheck(check) => {
            if let Some(event) = check.event() {
                read_event(&event);
            }
            check.pairs().for_each(|pair| drop(black_box(pair.text())));
        }
        _ => {}
    }
}

/// Whatever the terminal said, the block has these lines and no others.
fn check_option_block(body: &[u8]) {
    let options = ServerOptions::parse(body).expect("an option block");
    let keys: Vec<&str> = options.pairs.iter().map(|(key, _)| *key).collect();
    let expected = [
        "ATTLOGStamp",
        "Stamp",
        "OPERLOGStamp",
        "OpStamp",
        "ErrorDelay",
        "Delay",
        "TransTimes",
        "TransInterval",
        "TransFlag",
        "Realtime",
        "TimeZone",
        "Encrypt",
        "ServerVer",
        "PushProtVer",
        "PushOptionsFlag",
        "SupportPing",
        "MaxPostSize",
        "MultiBioDataSupport",
        "MultiBioPhotoSupport",
    ];
    assert_eq!(keys, expected);
    assert!(options.ignored.is_empty() && options.unterminated.is_none());
    assert_eq!(options.trans_flag().expect("a flag").tables, ["AttLog", "OpLog"]);
}

fn check_upload(upload: &Upload<'_>) {
    let body = upload.body();
    let has_rows = !upload.table().is("options") && !upload.table().is_picture();
    if has_rows {
        check_rows(upload.rows(), body);
    } else {
        assert_eq!(upload.rows().count(), 0);
    }
    for (key, _) in upload.options().pairs() {
        assert!(upload.options().value(&key).is_some());
    }
    if let Some(header) = PhotoHeader::parse(body) {
        assert!(header.picture_len <= body.len());
        let _read = black_box((header.pin(), header.time()));
    }
    let _read = black_box((upload.ack().to_string(), upload.stamp(), upload.command(), format!("{upload:?}")));
}
