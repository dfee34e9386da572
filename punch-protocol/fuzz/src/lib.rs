//! What every input must fulfil. The fuzz targets and the crate's own tests run these same functions.

use core::hint::black_box;

use chrono::DateTime;
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Admission, Dialect, KeyedRow, Limits, Package, PackageLimits, ParseError, Parts, PhotoHeader, PollAnswer, Request,
    Response, Row, RowError, Rows, ServerAnswer, ServerOptions, Session, Settings, Terminal, TimeZoneReading, Turn,
    Upload,
};

/// The tables that the first byte of [`rows`] picks from.
pub const TABLES: [&str; 8] = ["ATTLOG", "OPERLOG", "rtlog", "", "unknown", "options", "tabledata", "rtstate"];

/// A body, posted to the table that the first byte picks.
pub fn rows(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let table = TABLES[usize::from(*first) % TABLES.len()];
    check_rows(Rows::of(table, body), body);
}

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

/// An answer of a server: the status in the first line, then the body.
pub fn server_answer(data: &[u8]) {
    let (status, body) = first_line(data);
    let status = core::str::from_utf8(status).ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    match ServerAnswer::of(status, body) {
        ServerAnswer::Options(options) => check_options(&options, body),
        ServerAnswer::Accepted { .. } => assert!(status == 200 && contains_ok(body)),
        _ => {}
    }
    if let PollAnswer::Commands(commands) = PollAnswer::read(&String::from_utf8_lossy(body)) {
        for command in commands {
            assert_eq!(command.records().count(), command.continuation.len() + 1);
            let _read = black_box((command.pairs().count(), format!("{command:?}")));
        }
    }
    // Rows leave a terminal's memory only for an answer that holds an `OK`.
    let serial = SerialNumber::parse("T1").expect("a serial");
    let now = DateTime::from_timestamp(1_774_684_033, 0).expect("a time");
    let mut terminal = Terminal::new(serial);
    terminal.remember(b"1\t2026-03-28 08:47:12\t0\t1".to_vec());
    assert!(terminal.poll_request(now).is_some());
    terminal.handle_answer(200, b"GET OPTION FROM: T1\n", now);
    assert!(terminal.poll_request(now).is_some_and(|request| !request.body.is_empty()));
    terminal.handle_answer(status, body, now);
    assert!(terminal.pending() == 1 || (status == 200 && contains_ok(body)));
}

fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    (&data[..end], data.get(end + 1..).unwrap_or_default())
}

fn contains_ok(text: &[u8]) -> bool {
    text.windows(2).any(|pair| pair == b"OK")
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
        Request::Results(results) => {
            for result in results.read().into_iter().chain(results.read_leniently()) {
                assert!(!(result.is_pending() && result.success().is_some()));
                assert!(result.content.is_none_or(|content| results.body().ends_with(content)));
            }
        }
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

/// Every line that is not empty is one row or one error, in order; an error's place is where its bytes are.
fn check_rows<'a>(rows: Rows<'_, 'a>, body: &'a [u8]) {
    let mut lines = lines(body);
    for row in rows {
        let line = lines.next().expect("a row for each line, no more");
        match row {
            Ok(row) => check_row(&row, line),
            Err(error) => check_error(&error, line, body),
        }
    }
    assert!(lines.next().is_none(), "a line without a row");
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty())
}

fn check_error(error: &RowError<'_>, line: &[u8], body: &[u8]) {
    assert_eq!(body[error.span.clone()].as_ptr_range(), line.as_ptr_range());
    assert_eq!(error.raw.as_ptr_range(), line.as_ptr_range());
    let column = usize::try_from(error.column).expect("a column");
    assert!((1..=line.len() + 1).contains(&column));
    assert!(error.to_string().starts_with(error.kind.code()));
}

/// Reads everything a row offers, and checks that it was cut from `line`.
fn check_row(row: &Row<'_>, line: &[u8]) {
    let inside = |piece: &[u8]| {
        let (line, piece) = (line.as_ptr_range(), piece.as_ptr_range());
        assert!(line.start <= piece.start && piece.end <= line.end, "a row with the bytes of another");
    };
    let inside_or_empty = |piece: &[u8]| {
        if !piece.is_empty() {
            inside(piece);
        }
    };
    let _read = black_box(format!("{row:?}"));
    match row {
        Row::Punch(row) => {
            inside(row.time_raw());
            let fields: Vec<&[u8]> = (0..row.field_count()).filter_map(|index| row.field(index)).collect();
            assert_eq!(fields.join(&b'\t'), line);
            assert_eq!(row.rest().count(), fields.len().saturating_sub(5));
            let _read = black_box((row.pin().to_text().len(), row.status(), row.verify(), row.work_code(), row.mask()));
            let _read =
                black_box((row.temperature(), row.converted_temperature(), row.time_offset_seconds(), row.extension()));
            let _read = black_box((row.identity_card(), row.time()));
        }
        Row::Event(row) => {
            row.pairs().for_each(|pair| [pair.key, pair.value].into_iter().for_each(inside_or_empty));
            read_event(row);
        }
        Row::Operation(row) => {
            inside(row.time_raw());
            row.objects().for_each(inside);
            let _read = black_box((row.time(), row.operator().to_text().len(), row.code()));
        }
        Row::Tagged(row) => {
            row.pairs().for_each(|pair| drop(black_box(pair.text())));
            assert!(row.pairs().next().is_some());
            let _read = black_box((row.value("PIN"), row.is_biometric(), row.has_blank_separator()));
        }
        Row::Record(row) => row.pairs().for_each(|pair| [pair.key, pair.value].into_iter().for_each(inside_or_empty)),
        Row::Unknown(bytes) => assert_eq!(*bytes, line),
        other => panic!("{other:?}"),
    }
}

fn read_event(row: &KeyedRow<'_>) {
    let _read = black_box((row.time(), row.pin().to_text().len(), row.event(), row.status(), row.verify()));
    let _read = black_box((row.is_punch(), row.trigger_event(), row.is_comma_separated()));
    assert!(row.doors().iter().all(|door| door.alarms().count() <= 8));
    if let Some(bits) = row.verify_bits() {
        assert!(row.verify().is_none() && bits.methods().count() <= 11, "a bit string was read as a number");
    }
}

fn check_options(options: &ServerOptions<'_>, body: &[u8]) {
    assert!(body.starts_with(b"GET OPTION FROM:"));
    for (key, value) in &options.pairs {
        assert!(options.value(key).is_some());
        let _read = black_box(TimeZoneReading::of(value).to_string());
    }
    if let Some(key) = options.unterminated {
        assert!(!body.ends_with(b"\n") && options.value(key).is_some());
    }
    let _read = black_box(options.trans_flag());
}
