//! What a terminal writes, the server's parser reads: every kind of row, every result. And what a server writes as a
//! command, the terminal reads.

use proptest::prelude::*;
use punch_protocol::push::{
    CommandResults, EncodedTime, Endpoint, Handshake, Limits, Parts, PollAnswer, Profile, Request, Row, Rows,
    TerminalRequest, TerminalUser,
};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};

use super::{ask, ask_and_agree, connected, terminal, text};
use crate::random::at;

/// Text that may stand in a value: neither TAB nor line end nor NUL.
fn value() -> impl Strategy<Value = String> {
    "[ -~áéñ中文]{0,12}"
}

fn parsed(request: &TerminalRequest, check: impl FnOnce(Request<'_>)) {
    let (path, query) = request.target.split_once('?').unwrap();
    let mut parts = Parts::new(request.method, path, query, &request.body);
    parts.declared_length = Some(u64::try_from(request.body.len()).unwrap());
    let (serial, read) = Request::parse(parts, &Limits::default()).unwrap();
    assert_eq!(serial.as_str(), "T1");
    check(read);
}

#[test]
fn the_handshake_of_each_family_is_understood() {
    for (profile, version, kind) in [
        (Profile::classic(), None, None),
        (Profile::attendance(), Some("2.4.1"), Some("att")),
        (Profile::access_control(), Some("3.1.2"), Some("acc")),
    ] {
        let request = ask(&mut terminal(profile), at(0));
        parsed(&request, |read| {
            let Request::Handshake(Handshake { push_version, device_type, .. }) = read else { panic!("{read:?}") };
            assert_eq!((push_version.as_deref(), device_type.as_deref()), (version, kind));
        });
    }
}

proptest! {
    #[test]
    fn operations_read_back(code in any::<u16>(), operator in "[A-Za-z0-9]{0,9}", objects in [value(), value(), value(), value()]) {
        let mut terminal = connected(Profile::attendance(), "");
        let objects = objects.each_ref().map(String::as_str);
        prop_assert!(terminal.operate(code, &Pin::new(operator.as_bytes()), objects, at(0)));
        let request = ask(&mut terminal, at(0));
        parsed(&request, |read| {
            let Request::Upload(upload) = read else { panic!("{read:?}") };
            let Some(Ok(Row::Operation(row))) = upload.rows().next() else { panic!() };
            assert_eq!((row.code().0, row.time().unwrap()), (code, at(0).naive_utc()));
            let expected = if operator.is_empty() { "0" } else { &operator };
            assert_eq!(row.operator().to_text(), expected);
            assert!(row.objects().eq(objects.map(str::as_bytes)));
        });
    }

    /// In UTF-8, and in GB18030 where the language is Chinese.
    #[test]
    fn users_read_back(name in value(), card in value(), language in prop_oneof![Just(69), Just(83)]) {
        let mut profile = Profile::attendance();
        profile.language = language;
        let mut terminal = connected(profile, "");
        let mut user = TerminalUser::new(Pin::new(b"007").into_owned());
        (user.name, user.card) = (name.clone(), card.clone());
        prop_assert!(terminal.enrol(user));
        let request = ask(&mut terminal, at(0));
        parsed(&request, |read| {
            let Request::Upload(upload) = read else { panic!("{read:?}") };
            let Some(Ok(Row::Tagged(row))) = upload.rows().next() else { panic!() };
            let text = |key: &str| row.pairs().find(|pair| pair.key == key.as_bytes()).unwrap().text().into_owned();
            assert_eq!((row.tag(), text("PIN"), text("Card")), ("USER", "007".to_owned(), card));
            // A name of few bytes can be valid in both code pages; then UTF-8 is right by rule.
            let bytes = row.value("Name").unwrap();
            assert!(text("Name") == name || (language == 83 && core::str::from_utf8(bytes).is_ok()));
        });
    }

    #[test]
    fn events_read_back(pin in "[A-Za-z1-9][A-Za-z0-9]{0,8}", status in 0_u16..2, verify in 0_u16..30) {
        let mut terminal = terminal(Profile::access_control());
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, b"registry=ok\nRealtime=1\n", at(0));
        (0..3).for_each(|_| drop(ask_and_agree(&mut terminal, at(0))));
        let serial = SerialNumber::parse("T1").unwrap();
        let mut punch = RawPunch::new(serial, Pin::new(pin.as_bytes()).into_owned(), at(0).naive_utc());
        (punch.status, punch.verify) = (Some(Status(status)), Some(Verify(verify)));
        terminal.punch(&punch);
        let request = ask(&mut terminal, at(0));
        parsed(&request, |read| {
            let Request::Upload(upload) = read else { panic!("{read:?}") };
            let Some(Ok(Row::Event(row))) = upload.rows().next() else { panic!() };
            assert_eq!((row.pin(), row.status(), row.verify()), (punch.pin.clone(), punch.status, punch.verify));
            assert_eq!(row.time(), Ok(punch.time));
        });
    }

    /// Every command a server's text can hold gets one result with its id, in either dialect, and none is misread.
    #[test]
    fn every_command_gets_its_result(
        id in "[A-Za-z0-9]{1,16}",
        verb in prop_oneof![
            proptest::sample::select(vec![
                "DATA UPDATE USERINFO", "DATA DELETE USERINFO", "DATA QUERY USERINFO", "DATA UPDATE user", "DATA QUERY ATTLOG",
                "SET OPTION", "SET OPTIONS", "GET OPTION FROM", "INFO", "CHECK", "LOG", "CLEAR LOG", "VERIFY SUM ATTLOG",
                "CONTROL DEVICE", "AC_UNLOCK", "ENROLL_FP", "RELOAD OPTIONS", "SHELL", "UPGRADE", "ACCOUNT",
            ]).prop_map(str::to_owned),
            "[A-Z_]{1,10}".prop_filter("restarts have their own test", |verb| verb != "REBOOT"),
        ],
        detail in "[ -~\t]{0,40}",
        profile in prop_oneof![Just(Profile::attendance()), Just(Profile::classic())],
    ) {
        let order = format!("C:{id}:{verb} {detail}\n");
        let PollAnswer::Commands(read) = PollAnswer::read(&order) else { panic!("{order}") };
        prop_assert_eq!((read.len(), read[0].id), (1, id.as_str()));
        let mut terminal = connected(profile, "");
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, order.as_bytes(), at(0));
        let results = loop {
            let request = ask_and_agree(&mut terminal, at(0));
            if Endpoint::of(request.target.split('?').next().unwrap()) == Some(Endpoint::DeviceCmd) {
                break text(&request);
            }
        };
        let read = CommandResults::new(results.as_bytes()).read();
        prop_assert_eq!(read.len(), 1);
        prop_assert!(read[0].id == id && read[0].code.is_some(), "{}", results);
    }

    /// A transaction's time is the packed time of its event.
    #[test]
    fn stored_events_read_back(second in 946_684_800_i64..4_102_444_800) {
        let time = chrono::DateTime::from_timestamp(second, 0).unwrap().naive_utc();
        let mut terminal = terminal(Profile::access_control());
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, b"registry=ok\nRealtime=1\n", at(0));
        let punch = RawPunch::new(SerialNumber::parse("T1").unwrap(), Pin::new(b"7").into_owned(), time);
        terminal.punch(&punch);
        (0..4).for_each(|_| drop(ask_and_agree(&mut terminal, at(0))));
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, b"C:1:DATA QUERY tablename=transaction,fielddesc=*,filter=*\n", at(0));
        let request = ask(&mut terminal, at(0));
        parsed(&request, |read| {
            let Request::QueryPage(page) = read else { panic!("{read:?}") };
            let record = page.records().next().unwrap();
            let packed = record.pairs().find(|pair| pair.key == b"time_second").unwrap().text().parse().unwrap();
            assert_eq!(EncodedTime(packed).civil(), Some(time));
            assert_eq!((record.table(), page.count), (Some("transaction"), 1));
        });
    }
}

/// A row in error stays one row: what a terminal remembers goes out byte for byte.
#[test]
fn a_remembered_row_goes_out_as_it_stands() {
    let mut terminal = connected(Profile::attendance(), "");
    terminal.remember(b"\xff\xfe junk \0".to_vec());
    let request = ask(&mut terminal, at(0));
    assert_eq!(request.body, b"\xff\xfe junk \0\n");
    assert!(Rows::of("ATTLOG", &request.body).next().unwrap().is_err());
}
