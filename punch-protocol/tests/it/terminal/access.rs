//! Access-control firmware, protocol 3.1.2.

use punch_protocol::push::{Limits, Parts, Profile, Request, Row, Table, Terminal, TerminalEvent, TerminalUser};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status};

use super::{ask, ask_and_agree, command, events, terminal, text};
use crate::random::at;

/// The manual's own configuration, as samples give it.
const CONFIGURATION: &[u8] = b"ServerVersion=3.0.1\nServerName=ADMS\nPushVersion=3.0.1\nErrorDelay=60\n\
    RequestDelay=2\nTransTimes=00:00\t14:00\nTransInterval=1\nTransTables=User Transaction\nRealtime=1\n\
    SessionID=30BFB04B2C8AECC72C01C03BFD549D15\nTimeoutSec=10\n";

fn token(request: &punch_protocol::push::TerminalRequest) -> Option<String> {
    request.headers.iter().find(|(name, _)| *name == "Cookie").map(|(_, value)| value.to_string())
}

/// A terminal past registration, configuration, options, time and state.
fn at_work() -> Terminal {
    let mut terminal = terminal(Profile::access_control());
    register(&mut terminal);
    for expected in ["table=options", "type=time", "table=rtstate"] {
        assert!(ask_and_agree(&mut terminal, at(0)).target.ends_with(expected), "{expected}");
    }
    events(&mut terminal);
    terminal
}

fn register(terminal: &mut Terminal) {
    for answer in [&b"OK"[..], b"RegistryCode=Uy47fxftP3", CONFIGURATION] {
        ask(terminal, at(0));
        terminal.handle_answer(200, answer, at(0));
    }
}

/// GET cdata, `OK`, POST registry, `RegistryCode`, POST push, configuration, POST options, then the loop.
#[test]
fn a_new_terminal_registers() {
    let mut terminal = terminal(Profile::access_control());
    let handshake = ask(&mut terminal, at(0));
    assert_eq!(handshake.target, "/iclock/cdata?SN=T1&options=all&language=69&pushver=3.1.2&DeviceType=acc");
    assert_eq!(token(&handshake), None);
    terminal.handle_answer(200, b"OK", at(0));

    let registry = ask(&mut terminal, at(0));
    assert_eq!((registry.method, registry.target.as_str()), ("POST", "/iclock/registry?SN=T1"));
    assert!(text(&registry).starts_with("DeviceType=acc,~SerialNumber=T1,~DeviceName="));
    terminal.handle_answer(200, b"RegistryCode=Uy47fxftP3", at(0));
    assert_eq!(events(&mut terminal), [TerminalEvent::Registered]);

    let push = ask(&mut terminal, at(0));
    assert_eq!((push.method, push.target.as_str(), push.body.len()), ("POST", "/iclock/push?SN=T1", 0));
    assert!(String::from_utf8(push.to_bytes("h")).unwrap().contains("\r\nContent-Length: 0\r\n"));
    let before = token(&push).unwrap();
    let digits = before.strip_prefix("token=").unwrap();
    assert!(digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    terminal.handle_answer(200, CONFIGURATION, at(0));
    assert!(terminal.is_connected());

    let options = ask_and_agree(&mut terminal, at(0));
    assert_eq!(options.target, "/iclock/cdata?SN=T1&table=options");
    assert_ne!(token(&options).unwrap(), before, "the session is part of it");
    assert_eq!(ask_and_agree(&mut terminal, at(0)).target, "/iclock/rtdata?SN=T1&type=time");
    let state = ask_and_agree(&mut terminal, at(0));
    assert_eq!(state.target, "/iclock/cdata?SN=T1&table=rtstate");
    assert!(text(&state).ends_with("\tsensor=01\trelay=00\talarm=0000000000000000\tdoor=01"));
    assert_eq!(ask_and_agree(&mut terminal, at(0)).target, "/iclock/getrequest?SN=T1");
    assert_eq!(terminal.poll_request(at(1)), None);
    assert_eq!(terminal.poll_timeout(), Some(at(2)), "RequestDelay");
}

/// `registry=ok` has the configuration with it.
#[test]
fn a_registered_terminal_skips_registration() {
    let mut terminal = terminal(Profile::access_control());
    ask(&mut terminal, at(0));
    terminal.handle_answer(200, b"registry=ok\nRegistryCode=Uy47fxftP3\nRequestDelay=5\nRealtime=1\n", at(0));
    let options = ask_and_agree(&mut terminal, at(0));
    assert!(options.target.ends_with("table=options") && token(&options).is_some());
}

/// A refusal is 406: it waits and begins again. A registration without a code, or with too long a one, is none.
#[test]
fn a_refused_terminal_waits() {
    let long = format!("RegistryCode={}", "x".repeat(33));
    for (status, body) in [(406, ""), (200, "RegistryCode="), (200, "OK"), (200, long.as_str()), (503, "")] {
        let mut terminal = terminal(Profile::access_control());
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, b"OK", at(0));
        ask(&mut terminal, at(0));
        terminal.handle_answer(status, body.as_bytes(), at(0));
        assert_eq!(events(&mut terminal) == [TerminalEvent::RegistrationRefused], status == 406);
        assert_eq!((terminal.poll_request(at(29)), terminal.poll_timeout()), (None, Some(at(30))));
        assert!(ask(&mut terminal, at(30)).target.contains("options=all"));
    }
}

/// Punches are events, `key=value` by TAB, and read back as punches.
#[test]
fn punches_are_events() {
    let mut terminal = at_work();
    let mut punch =
        RawPunch::new(SerialNumber::parse("T1").unwrap(), Pin::new(b"0042").into_owned(), at(0).naive_utc());
    punch.status = Some(Status::CHECK_OUT);
    assert!(terminal.punch(&punch));
    let request = ask_and_agree(&mut terminal, at(0));
    assert_eq!(request.target, "/iclock/cdata?SN=T1&table=rtlog");
    let parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=rtlog", &request.body);
    let (_, Request::Upload(upload)) = Request::parse(parts, &Limits::default()).unwrap() else { panic!() };
    let Some(Ok(Row::Event(event))) = upload.rows().next() else { panic!() };
    assert!(event.is_punch() && upload.table().is(Table::RTLOG));
    assert_eq!((event.pin(), event.time().unwrap(), event.status()), (punch.pin.clone(), punch.time, punch.status));
    assert_eq!(terminal.pending(), 0);
}

/// Stored records are acknowledged by exactly `X=n`. A plain `OK` sends them for ever.
#[test]
fn stored_records_want_their_own_answer() {
    for (answer, taken) in [("user=1", true), ("OK", false), ("OK: 1", false), ("user=2", false), ("User=1", false)] {
        let mut terminal = at_work();
        terminal.enrol(TerminalUser::new(Pin::new(b"4").into_owned()));
        let request = ask(&mut terminal, at(0));
        assert_eq!(request.target, "/iclock/cdata?SN=T1&table=tabledata&tablename=user&count=1");
        assert!(text(&request).starts_with("user uid=1\tcardno=\tpin=4\tpassword=\tgroup=1\tstarttime=0\t"));
        terminal.handle_answer(200, answer.as_bytes(), at(0));
        assert_eq!(terminal.pending() == 0, taken, "{answer}");
    }
}

/// Tables that `TransTables` does not name are kept back.
#[test]
fn tables_that_are_off_stay() {
    let mut terminal = terminal(Profile::access_control());
    ask(&mut terminal, at(0));
    terminal.handle_answer(200, b"registry=ok\nTransTables=User\n", at(0));
    (0..3).for_each(|_| drop(ask_and_agree(&mut terminal, at(0))));
    terminal.remember(b"time=2026-03-28 08:00:00\tpin=1\tevent=0".to_vec());
    assert!(ask(&mut terminal, at(0)).target.contains("getrequest"));
    assert_eq!(terminal.pending(), 1);
}

/// A query is answered by pages to `querydata`, each acknowledged `X=n`; then comes the result.
#[test]
fn queries_are_answered_in_pages() {
    let mut terminal = at_work();
    for pin in 0..501 {
        let record = format!("C:{pin}:DATA UPDATE user CardNo=\tPin={pin}\tName=\n");
        ask(&mut terminal, at(i64::from(pin) * 10));
        terminal.handle_answer(200, record.as_bytes(), at(i64::from(pin) * 10));
        ask_and_agree(&mut terminal, at(i64::from(pin) * 10));
    }
    let now = at(9000);
    ask(&mut terminal, now);
    terminal.handle_answer(200, b"C:415:DATA QUERY tablename=user,fielddesc=*,filter=*\nC:288:DATA COUNT user\n", now);
    let page = ask(&mut terminal, now);
    let address = "/iclock/querydata?SN=T1&type=tabledata&cmdid=415&tablename=user";
    assert_eq!(page.target, format!("{address}&count=500&packcnt=2&packidx=1"));
    assert_eq!(text(&page).lines().count(), 500);
    terminal.handle_answer(200, b"OK", now);
    let later = terminal.poll_timeout().unwrap();
    let again = ask(&mut terminal, later);
    assert_eq!(again, page, "OK is not the answer");
    terminal.handle_answer(200, b"user=500", now);
    assert_eq!(ask(&mut terminal, now).target, format!("{address}&count=1&packcnt=2&packidx=2"));
    terminal.handle_answer(200, b"user=1", now);
    let count = ask(&mut terminal, now);
    assert!(count.target.contains("type=count&cmdid=288&tablename=user&count=501&packcnt=1&packidx=1"));
    assert_eq!(text(&count), "user=501");
    terminal.handle_answer(200, b"user=501", now);
    let results = text(&ask_and_agree(&mut terminal, now));
    assert_eq!(results, "ID=415&Return=501&CMD=DATA QUERY\nID=288&Return=501&CMD=DATA COUNT\n");
}

/// Stored events come as records of `transaction`, with packed times.
#[test]
fn transactions_have_packed_times() {
    let mut terminal = at_work();
    terminal.remember(
        b"time=2017-01-19 15:14:48\tpin=7\tcardno=0\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=1\tindex=92"
            .to_vec(),
    );
    terminal.remember(b"time=2017-01-19 15:14:49\tpin=8\tevent=0".to_vec());
    ask_and_agree(&mut terminal, at(0));
    ask(&mut terminal, at(0));
    terminal.handle_answer(200, b"C:1:DATA QUERY tablename=transaction,fielddesc=*,filter=Pin=7\n", at(0));
    let page = ask(&mut terminal, at(0));
    let record = "transaction cardno=0\tpin=7\tverified=1\tdoorid=1\teventtype=0\tinoutstate=0\ttime_second=548003688\t\
                  index=92\tsitecode=0\tdevid=1\tsn=T1\n";
    assert_eq!(text(&page), record);
}

/// Several records of one command stand on lines of their own.
#[test]
fn one_command_can_hold_several_records() {
    let mut terminal = at_work();
    command(&mut terminal, "C:1:DATA UPDATE user Pin=1\tName=Ana\nPin=2\tName=Bo\nC:2:DATA DELETE user Pin=1\n", at(0));
    let pins: Vec<_> = terminal.users().map(|user| user.pin.to_text().into_owned()).collect();
    assert_eq!(pins, ["2"]);
}

/// `CONTROL DEVICE 01010105` opens door 1 for 5 s; 03 restarts; the state of the door is reported anew.
#[test]
fn doors_are_opened() {
    let mut terminal = at_work();
    ask(&mut terminal, at(0));
    terminal.handle_answer(200, b"C:1:CONTROL DEVICE 01010105\nC:2:CONTROL DEVICE zz\nC:3:INFO\n", at(0));
    assert!(ask_and_agree(&mut terminal, at(0)).target.ends_with("table=rtstate"));
    let results = text(&ask_and_agree(&mut terminal, at(0)));
    assert_eq!(
        results,
        "ID=1&Return=0&CMD=CONTROL DEVICE\nID=2&Return=-11&CMD=CONTROL DEVICE\nID=3&Return=-13&CMD=INFO\n"
    );
    assert!(events(&mut terminal).contains(&TerminalEvent::DoorOpened { door: 1, seconds: 5 }));
    command(&mut terminal, "C:4:CONTROL DEVICE 03000000\n", at(10));
    assert_eq!(terminal.poll_timeout(), Some(at(70)), "restarting");
    assert!(ask(&mut terminal, at(70)).target.contains("options=all"));
}

/// Options come by `querydata` too.
#[test]
fn options_are_queried() {
    let mut terminal = at_work();
    ask(&mut terminal, at(0));
    terminal.handle_answer(200, b"C:300:GET OPTIONS ~SerialNumber,LockCount\n", at(0));
    let page = ask(&mut terminal, at(0));
    assert!(page.target.ends_with("&type=options&cmdid=300&tablename=options&count=1&packcnt=1&packidx=1"));
    assert_eq!(text(&page), "~SerialNumber=T1,LockCount=1");
}
