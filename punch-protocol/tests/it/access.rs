//! The conversation with an access terminal, and what a session learns of a terminal as it goes.

use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Admission, AuthVerdict, CommKey, Command, CommandId, CommandResults, Dialect, Limits, Parts, Request, Response,
    ServerTime, Session, Settings, Ticket, TimeZoneMinutes, Turn,
};

use crate::random::at;

const REGISTRATION: &[u8] =
    b"DeviceType=acc,~DeviceName=F20/M,PushVersion=Ver 2.0.22-20161201,LockCount=1,NewVFStyles=1";

fn serial() -> SerialNumber {
    SerialNumber::parse("T1").unwrap()
}

fn session() -> Session {
    Session::approved(serial(), Settings::default())
}

fn turn(session: &mut Session, method: &str, target: &str, body: &[u8]) -> Turn {
    let (path, query) = target.split_once('?').unwrap();
    let (_, request) = Request::parse(Parts::new(method, path, query, body), &Limits::default()).unwrap();
    session.handle(&request, at(0))
}

fn reply(session: &mut Session, method: &str, target: &str, body: &[u8]) -> Response {
    let Turn::Reply(reply) = turn(session, method, target, body) else { panic!("{target} is not answered at once") };
    reply
}

fn text(session: &mut Session, method: &str, target: &str, body: &[u8]) -> String {
    let reply = reply(session, method, target, body);
    assert_eq!(reply.status(), 200, "{target}");
    String::from_utf8(reply.body().to_vec()).unwrap()
}

fn lines(text: &str) -> Vec<(&str, &str)> {
    assert!(text.ends_with('\n'), "firmware acts on a line when it meets its end");
    text.lines().map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line}"))).collect()
}

const HELLO: &str = "/iclock/cdata?SN=T1&options=all&pushver=3.0.1&DeviceType=acc";

/// S1-007: handshake, registration, configuration, events; and a second handshake finds it registered.
#[test]
fn an_access_terminal_registers_and_is_configured() {
    let mut session = session();
    assert_eq!(text(&mut session, "GET", HELLO, b""), "OK", "two bytes send it on to register");
    let code = text(&mut session, "POST", "/iclock/registry?SN=T1", REGISTRATION);
    let code = code.strip_prefix("RegistryCode=").unwrap().to_owned();
    assert!((1..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    for method in ["POST", "GET"] {
        let configuration = text(&mut session, method, "/iclock/push?SN=T1", b"");
        let pairs = lines(&configuration);
        let value = |key: &str| pairs.iter().find(|(name, _)| *name == key).unwrap_or_else(|| panic!("{key}")).1;
        assert_eq!([value("PushProtVer"), value("PushVersion"), value("ServerVersion")], ["3.0.1"; 3]);
        assert_eq!((value("Realtime"), value("NewVFStyles")), ("1", "1"));
        assert_eq!(value("TransTables"), "Transaction", "no users, no templates");
        for key in ["BioPhotoFun", "BioDataFun", "MultiBioDataSupport", "MultiBioPhotoSupport"] {
            assert!(!value(key).contains('1'), "{key} asks for something biometric");
        }
        let seconds = |key: &str| value(key).parse::<u32>().unwrap();
        assert!((30..=33).contains(&seconds("RequestDelay")) && (30..=45).contains(&seconds("ErrorDelay")));
    }
    let again = text(&mut session, "GET", HELLO, b"");
    assert!(again.starts_with(&format!("registry=ok\nRegistryCode={code}\nServerVersion=3.0.1\n")), "{again}");
    lines(&again);
}

/// R30: GMT, packed, with the zone beside it.
#[test]
fn the_time_is_told_in_gmt() {
    for (zone, told) in [(-210, "-0330"), (0, "+0000"), (345, "+0545"), (480, "+0800")] {
        let mut session = session();
        session.set_time_zone(TimeZoneMinutes::new(zone).unwrap());
        for target in ["/iclock/rtdata?SN=T1&type=time", "/iclock/cdata?SN=T1&type=time"] {
            let answer = text(&mut session, "GET", target, b"");
            let ServerTime { utc, offset_minutes, .. } = ServerTime::parse(&answer).unwrap();
            assert_eq!((utc, offset_minutes), (at(0).naive_utc(), Some(zone)), "{answer}");
            assert!(answer.ends_with(told), "{answer}");
        }
    }
}

/// A clock is told in an option block, in an answer to its question and by a command, and not by a configuration.
#[test]
fn it_is_known_when_a_clock_was_told_the_time() {
    let at_once = |target: &str| {
        let mut session = session();
        drop(reply(&mut session, "GET", target, b""));
        session.clock_told_at()
    };
    for target in ["/iclock/cdata?SN=T1&options=all&pushver=2.4.1", "/iclock/rtdata?SN=T1&type=time"] {
        assert_eq!(at_once(target), Some(at(0)), "{target}");
    }
    for target in [HELLO, "/iclock/getrequest?SN=T1", "/iclock/ping?SN=T1", "/iclock/push?SN=T1"] {
        assert_eq!(at_once(target), None, "{target}");
    }
    let mut session = session();
    drop(reply(&mut session, "GET", HELLO, b""));
    for (id, command, told) in
        [("1", Command::restart(), None), ("2", Command::set_clock(at(9).naive_utc()), Some(at(0)))]
    {
        session.submit(Ticket::new(CommandId::parse(id).unwrap(), command, at(0))).unwrap();
        assert!(matches!(turn(&mut session, "GET", "/iclock/getrequest?SN=T1", b""), Turn::Dispatch(_)));
        assert_eq!(session.clock_told_at(), told, "{id}");
        let done = format!("ID={id}&Return=0&CMD=X\n");
        session.settled(&session.outcomes(&CommandResults::new(done.as_bytes())));
    }
}

/// The same seconds as in the option block.
#[test]
fn a_session_says_how_often_its_terminal_asks() {
    let told = text(&mut session(), "GET", "/iclock/cdata?SN=T1&options=all&pushver=2.4.1", b"");
    let delay = session().delay().num_seconds();
    assert!(told.contains(&format!("\nDelay={delay}\n")) && (30..=33).contains(&delay), "{told}");
}

/// R34: nobody here opens a door; the terminal is told so in its own form and goes by its own rule.
#[test]
fn a_question_at_the_door_is_not_decided() {
    let event =
        b"time=2017-01-10 11:49:32\tpin=2\tcardno=0\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=1\tindex=22";
    let answer = text(&mut session(), "POST", "/iclock/cdata?SN=T1&AuthType=device", event);
    let verdict = AuthVerdict::parse(&answer).unwrap();
    assert_eq!((verdict.verdict, verdict.is_success(), verdict.control), ("TIMEOUT", false, None));
    assert_eq!(verdict.event.unwrap().pin(), punch_protocol::Pin::new(b"2"));
    assert_eq!(
        reply(&mut session(), "POST", "/iclock/cdata?SN=OLD1&AuthType=PWD", b"PIN=1001\tTMP=1234").status(),
        404
    );
}

/// A person the terminal does not know is nobody here either.
#[test]
fn nobody_is_looked_up() {
    for target in ["/iclock/cdata?SN=T1&PIN=7", "/iclock/cdata?SN=T1&table=RemoteAtt&PIN=7"] {
        assert_eq!(text(&mut session(), "GET", target, b""), "NONE");
    }
}

/// The lower version of both sides is offered, and 3.1.2 at most.
#[test]
fn the_lower_version_is_configured() {
    for (announced, offered) in [("3.0.1", "3.0.1"), ("3.1.1", "3.1.1"), ("3.1.2", "3.1.2"), ("3.2.0", "3.1.2")] {
        let mut session = session();
        let hello = format!("/iclock/cdata?SN=T1&options=all&pushver={announced}&DeviceType=acc");
        text(&mut session, "GET", &hello, b"");
        let configuration = text(&mut session, "POST", "/iclock/push?SN=T1", b"");
        assert!(configuration.contains(&format!("\nPushProtVer={offered}\n")), "{announced}: {configuration}");
    }
}

/// A terminal that announces 3.x and no type goes on to register; one that speaks 2.4.1 gets the option block.
#[test]
fn the_dialect_is_told_by_what_a_terminal_does() {
    let mut session = session();
    assert_eq!(text(&mut session, "GET", "/iclock/cdata?SN=T1&options=all&pushver=3.0.1", b""), "OK");
    assert_eq!(session.dialect(), Some(Dialect::Undecided));
    let event = b"time=2026-02-23 14:13:48\tpin=2\tevent=0\tinoutstatus=0\tverifytype=15";
    let Turn::Store(receipt) = turn(&mut session, "POST", "/iclock/cdata?SN=T1&table=rtlog", event) else { panic!() };
    assert_eq!((receipt.stored().body(), session.dialect()), (&b"OK"[..], Some(Dialect::AccessControl)));
    // A change of the menu begins with a new handshake, and with it a new epoch.
    let block = text(&mut session, "GET", "/iclock/cdata?SN=T1&options=all&pushver=2.4.1&DeviceType=att", b"");
    assert!(block.starts_with("GET OPTION FROM: T1\n"));
    assert_eq!(session.dialect(), Some(Dialect::Attendance));
}

/// R17: `X=n` with the name and the number of the query, or the terminal sends for ever.
#[test]
fn stored_records_are_acknowledged_by_table_and_number() {
    let target = "/iclock/cdata?SN=T1&table=tabledata&tablename=User&count=7";
    let Turn::Store(receipt) = turn(&mut session(), "POST", target, b"user pin=4\n") else { panic!() };
    assert_eq!(receipt.stored().body(), b"User=7");
    let target = "/iclock/querydata?SN=T1&type=tabledata&cmdid=1&tablename=transaction&count=3&packcnt=1&packidx=1";
    let Turn::Store(receipt) = turn(&mut session(), "POST", target, b"transaction pin=4\n") else { panic!() };
    assert_eq!(receipt.stored().body(), b"transaction=3");
}

/// A blocked access terminal is refused in the one way its firmware knows; a pending one is put off.
#[test]
fn a_refused_registration_is_a_406() {
    for (admission, status) in [(Admission::Blocked, 406), (Admission::Pending, 503)] {
        let mut session = Session::unapproved(serial(), admission);
        assert_eq!(reply(&mut session, "POST", "/iclock/registry?SN=T1", REGISTRATION).status(), status);
        assert_eq!(reply(&mut session, "POST", "/iclock/push?SN=T1", b"").status(), 503);
    }
}

/// A terminal that tries to encrypt is sent away, and offered a version without encryption from then on.
#[test]
fn encryption_is_declined() {
    let version = |session: &mut Session, hello: &str, key: &str| {
        let block = text(session, "GET", hello, b"");
        let block = if block == "OK" { text(session, "POST", "/iclock/push?SN=T1", b"") } else { block };
        block.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned()
    };
    let hello = "/iclock/cdata?SN=T1&options=all&pushver=2.4.2&DeviceType=att";
    let mut session = session();
    assert_eq!(version(&mut session, hello, "PushProtVer="), "2.4.1");
    let exchange = "/iclock/exchange?SN=T1&type=publickey";
    assert_eq!(reply(&mut session, "POST", exchange, b"PublicKey=QUJD").status(), 404);
    assert!(session.declines_encryption());
    assert_eq!(version(&mut session, hello, "PushProtVer="), "2.3.0");
    assert_eq!(version(&mut session, HELLO, "PushProtVer="), "3.0.1");
}

/// A body that cannot be rows is not acknowledged once; the handshake it asks for turns encryption off. If the bytes
/// stay strange they are rows in error, or they would come back for ever.
#[test]
fn an_encrypted_body_is_asked_for_again_in_the_clear() {
    let noise: Vec<u8> = (0..400_u32).map(|index| u8::try_from((index * 167 + 13) % 251).unwrap()).collect();
    let upload = "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1";
    let mut session = session();
    assert_eq!(reply(&mut session, "POST", upload, &noise).body(), b"UNKNOWN DEVICE");
    let block = text(&mut session, "GET", "/iclock/cdata?SN=T1&options=all&pushver=2.4.2", b"");
    assert!(block.contains("\nServerVer=2.3.0\nPushProtVer=2.3.0\n"));
    assert!(matches!(turn(&mut session, "POST", upload, &noise), Turn::Store(_)));
    // Zeros of a power loss and a Chinese name are rows.
    let mut torn = b"1\t2026-03-28 08:47:12\t0\t1\n".to_vec();
    torn.extend([0; 200]);
    let names: &[u8] = b"USER PIN=12\tName=\xd5\xc5\xc8\xfd\tPri=0\tPasswd=\tCard=[15CD5B07]\n";
    // And so is one row between lines of noise.
    let noisy = [noise.as_slice(), b"\n1\t2026-03-28 08:47:12\t0\t1\n", &noise].concat();
    let operations = "/iclock/cdata?SN=T1&table=OPERLOG";
    for (target, body) in [(upload, torn.as_slice()), (operations, names), (upload, &noisy)] {
        assert!(matches!(turn(&mut self::session(), "POST", target, body), Turn::Store(_)));
    }
}

/// The secret of a handshake: without it nothing is taken, and a terminal that stays powered is asked for it.
#[test]
fn a_comm_key_is_asked_for_and_compared() {
    let mut settings = Settings::default();
    settings.comm_key = Some(CommKey::new("4a9594af164f2b9779b59e8554b5df26"));
    let mut session = Session::approved(serial(), settings);
    let upload = ("POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", &b"1\t2026-03-28 08:47:12\n"[..]);
    let refused = |session: &mut Session| {
        assert_eq!(reply(session, upload.0, upload.1, upload.2).status(), 503);
        assert_eq!(reply(session, "GET", "/iclock/getrequest?SN=T1", b"").body(), b"UNKNOWN DEVICE");
    };
    refused(&mut session);
    for wrong in ["", "&pushcommkey=", "&pushcommkey=4a9594af164f2b9779b59e8554b5df27", "&pushcommkey=4a95"] {
        let hello = format!("/iclock/cdata?SN=T1&options=all{wrong}");
        assert_eq!(reply(&mut session, "GET", &hello, b"").status(), 503);
        refused(&mut session);
    }
    let hello = "/iclock/cdata?SN=T1&options=all&pushcommkey=4a9594af164f2b9779b59e8554b5df26";
    assert!(text(&mut session, "GET", hello, b"").starts_with("GET OPTION FROM: T1\n"));
    assert!(matches!(turn(&mut session, upload.0, upload.1, upload.2), Turn::Store(_)));
    assert!(!format!("{session:?}").contains("4a95"));
}

/// What a terminal was told has changed: its next poll sends it back to the handshake, once.
#[test]
fn a_new_handshake_can_be_asked_for() {
    let mut session = session();
    let (hello, poll) = ("/iclock/cdata?SN=T1&options=all&pushver=2.4.1", "/iclock/getrequest?SN=T1");
    text(&mut session, "GET", hello, b"");
    session.set_time_zone(TimeZoneMinutes::new(-180).unwrap());
    session.request_handshake();
    assert_eq!(text(&mut session, "GET", poll, b""), "UNKNOWN DEVICE");
    assert!(text(&mut session, "GET", hello, b"").contains("\nTimeZone=-3\n"));
    assert_eq!(text(&mut session, "GET", poll, b""), "OK");
}

/// Commands are written in the dialect of the epoch.
#[test]
fn commands_follow_the_dialect() {
    for (hello, expected) in
        [(HELLO, "C:1:CONTROL DEVICE 01010105\n"), ("/iclock/cdata?SN=T1&options=all", "C:1:AC_UNLOCK\n")]
    {
        let mut session = session();
        text(&mut session, "GET", hello, b"");
        let command = Command::open_door(1, 5).unwrap();
        session.submit(Ticket::new(CommandId::numbered(1), command, at(0))).unwrap();
        let Turn::Dispatch(dispatch) = turn(&mut session, "GET", "/iclock/getrequest?SN=T1", b"") else { panic!() };
        assert_eq!(core::str::from_utf8(dispatch.recorded().body()).unwrap(), expected);
    }
}
