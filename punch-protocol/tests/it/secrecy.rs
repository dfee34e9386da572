//! Nothing that identifies a person reaches a log by `Debug` or by an error text.

use core::fmt::Debug;

use punch_protocol::push::{
    AuthVerdict, CardNumber, Configuration, GuessedEvent, GuessedPunch, Hostile, HttpAnswer, Limits, Mischief, Parts,
    PhotoHeader, PollAnswer, Profile, RegistrationAnswer, Request, RequestLine, Row, Rows, Terminal,
};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify, tcp};

use crate::random::at;
use crate::samples::Sample;

const CANARY: &str = "canary";

/// Neither as text nor as the list of numbers that a derived `Debug` makes of bytes.
fn assert_silent(shown: &str, context: &str) {
    let numbers = format!("{:?}", CANARY.as_bytes());
    assert!(!shown.contains(CANARY), "{context}: {shown}");
    assert!(!shown.contains(numbers.trim_matches(['[', ']'])), "{context}: {shown}");
}

fn show(value: &impl Debug, context: &str) {
    assert_silent(&format!("{value:?}"), context);
    assert_silent(&format!("{value:#?}").replace(['\n', ' '], "").replace(',', ", "), context);
}

fn show_rows(rows: Rows<'_, '_>, context: &str) -> usize {
    show(&rows, context);
    let mut parts = 0;
    for row in rows {
        match &row {
            Ok(row) => {
                show(row, context);
                parts += show_parts(row, context);
            }
            Err(error) => {
                show(error, context);
                assert_silent(&error.to_string(), context);
                parts += 1;
            }
        }
    }
    parts
}

fn show_parts(row: &Row<'_>, context: &str) -> usize {
    match row {
        Row::Punch(row) => {
            show(row, context);
            show(&(row.pin(), row.rest(), row.identity_card()), context);
            row.field_count()
        }
        Row::Event(row) => {
            show(row, context);
            show(&row.pin(), context);
            row.pairs().map(|pair| show(&pair, context)).count()
        }
        Row::Operation(row) => {
            show(row, context);
            show(&(row.operator(), row.objects()), context);
            row.objects().count()
        }
        Row::Tagged(row) => {
            show(row, context);
            show(&row.pairs(), context);
            row.pairs().map(|pair| show(&pair, context)).count()
        }
        Row::Record(row) => {
            show(row, context);
            row.pairs().map(|pair| show(&pair, context)).count()
        }
        _ => 1,
    }
}

/// The bodies of a sample with the canary in one value after the other: a field between TABs, behind its `=`.
fn with_canary(body: &[u8]) -> Vec<Vec<u8>> {
    let separator = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r');
    let starts = (0..body.len()).filter(|at| !separator(body[*at]) && (*at == 0 || separator(body[at - 1])));
    let mut bodies = Vec::new();
    for start in starts {
        let end = (start..body.len()).find(|at| separator(body[*at])).unwrap_or(body.len());
        let value = (start..end).find(|at| body[*at] == b'=').map_or(start, |at| at + 1);
        // In place of the value, and beside it where the value's own form matters.
        bodies.push([&body[..value], CANARY.as_bytes(), &body[end..]].concat());
        bodies.push([&body[..value], CANARY.as_bytes(), &body[value..]].concat());
        bodies.push([&body[..end], CANARY.as_bytes(), &body[end..]].concat());
    }
    bodies
}

#[test]
fn no_row_shows_a_value() {
    let (mut bodies, mut parts) = (0, 0);
    for sample in Sample::all().iter().filter(|sample| sample.from_terminal && sample.id.starts_with(['A', 'O', 'B'])) {
        for body in with_canary(&sample.body) {
            for table in ["ATTLOG", "OPERLOG", "rtlog", "USERINFO", "IDCARD", "tabledata", "rtstate", "unknown", ""] {
                parts += show_rows(Rows::of(table, &body), &format!("{} as {table}", sample.id));
            }
            let mut parts = sample.parts();
            parts.body = &body;
            show(&parts, &sample.id);
            let (_, request) = Request::parse(parts, &Limits::default()).unwrap();
            show(&request, &sample.id);
            bodies += 1;
        }
    }
    assert!(bodies > 900 && parts > 20_000, "{bodies} bodies, {parts} parts");
}

#[test]
fn no_request_shows_what_it_carries() {
    let targets = [
        ("/iclock/cdata", "SN=T1&options=all&pushcommkey=canary", &b""[..]),
        ("/iclock/cdata", "SN=T1&PIN=canary&FID=1", b"canary"),
        ("/iclock/cdata", "SN=T1&table=options", b"~DeviceName=canary,canary"),
        ("/iclock/cdata", "SN=T1&table=ATTPHOTO", b"PIN=canary.jpg"),
        ("/iclock/devicecmd", "SN=T1", b"ID=1&Return=0&CMD=DATA canary"),
        ("/iclock/getrequest", "SN=T1&PIN=canary", b""),
        ("/iclock/cdata", "SN=T1&FPImage=1&PIN=canary", b"canary"),
        ("/iclock/cdata", "SN=T1&AuthType=PWD", b"PIN=canary\tSize=4\tTMP=canary"),
        ("/iclock/cdata", "SN=T1&type=PostVerifyData", b"pin=canary"),
        ("/iclock/cdata", "SN=T1&table=tabledata&tablename=user&count=1", b"user pin=canary\tname=canary"),
        ("/iclock/cdata", "SN=T1&table=OPERLOG&ContentType=tgz", b"canary"),
        ("/iclock/querydata", "SN=T1&type=tabledata&tablename=user&count=1", b"user pin=canary\tname=canary"),
        ("/iclock/registry", "SN=T1", b"~DeviceName=canary,canary"),
        ("/iclock/push", "SN=T1", b"canary"),
        ("/iclock/exchange", "SN=T1&type=factors", b"Factors=canary"),
        ("/iclock/file", "SN=T1&url=/files/canary", b""),
        ("/iclock/file", "SN=T1&fileseq=1", b"canary"),
        ("/iclock/cdata", "SN=T1&table=RemoteAtt&PIN=canary", b""),
        ("/iclock/querydata", "SN=T1&type=tabledata&datafmt=3", b"name=canary\0canary"),
    ];
    for (path, query, body) in targets {
        let mut parts = Parts::new("POST", path, query, body);
        parts.cookie = Some("token=canary");
        show(&parts, query);
        let (_, request) = Request::parse(parts, &Limits::default()).unwrap();
        show(&request, query);
        match &request {
            Request::Upload(upload) => show(&(upload.options(), upload.ack()), query),
            Request::Results(results) => results.read().iter().for_each(|result| show(result, query)),
            Request::QueryPage(page) => {
                page.records().for_each(|record| show(&record, query));
                show(&page.package(), query);
            }
            Request::BackgroundCheck(check) => show(&(check.event(), check.pairs()), query),
            _ => {}
        }
        let (_, refused) = ("", Request::parse(Parts::new("POST", path, "SN=canary!", body), &Limits::default()));
        let error = refused.unwrap_err();
        show(&error, query);
        assert_silent(&error.to_string(), query);
    }
}

#[test]
fn no_card_shows_its_number() {
    for written in ["123456789", "[15CD5B07]"] {
        let card = CardNumber::parse(written.as_bytes()).unwrap();
        let shown = format!("{card:?} {card:#?} {:?}", Some(card));
        assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
    }
}

#[test]
fn no_terminal_shows_what_it_remembers() {
    let serial = SerialNumber::parse("T1").unwrap();
    let mut terminal = Terminal::new(serial.clone());
    let punch = RawPunch::new(serial, Pin::new(b"canary").into_owned(), at(0).naive_utc());
    show(&punch, "punch");
    terminal.punch(&punch);
    terminal.remember(b"canary".to_vec());
    show(&terminal, "terminal");
    show(&terminal.poll_request(at(0)), "handshake");
    terminal.handle_answer(200, b"GET OPTION FROM: T1\n", at(0));
    let upload = terminal.poll_request(at(0)).unwrap();
    assert!(upload.body.starts_with(CANARY.as_bytes()));
    show(&upload, "upload");
    show(&terminal, "terminal");
    show(&HttpAnswer::new(200, b"C:1:DATA UPDATE USERINFO PIN=canary\n"), "answer");
    terminal.handle_answer(200, b"OK", at(0));
    terminal.poll_request(at(0));
    terminal.handle_answer(200, b"C:1:DATA UPDATE USERINFO PIN=canary\tName=canary\nC:2:canary\n", at(0));
    while let Some(event) = terminal.poll_event() {
        show(&event, "event");
    }
    terminal.users().for_each(|user| show(user, "user"));
    show(&terminal, "terminal with users");
    show(&Hostile::new(Mischief::ALL, 7).bend(upload, "h"), "bent upload");
    let mut profile = Profile::attendance();
    profile.comm_key = Some("canary".to_owned());
    show(&profile, "profile");
}

#[test]
fn no_terminal_that_is_asked_shows_what_it_remembers() {
    let serial = SerialNumber::parse("T1").unwrap();
    let mut terminal = tcp::Terminal::new(&serial, tcp::TerminalProfile::default());
    let canary = || tcp::Person::Pin(Pin::new(b"canary"));
    let mut user = tcp::User::new(1, canary());
    user.name = b"canary";
    terminal.memory_mut().write_user(&user).unwrap();
    terminal.memory_mut().set_option(b"canary", b"canary");
    terminal.memory_mut().set_comm_key(tcp::CommKey::new(12).unwrap());
    let punch = tcp::AttendanceRecord::new(canary(), tcp::EncodedTime(1), Status(0), Verify(1));
    terminal.submit(&punch).unwrap();
    assert!(terminal.memory().records().windows(CANARY.len()).any(|bytes| bytes == CANARY.as_bytes()));
    show(&terminal, "terminal");
    show(terminal.memory(), "memory");
    let mut wire = Vec::new();
    let connect = tcp::Packet::new(tcp::Command::CONNECT, tcp::SessionField(0), tcp::ReplyNumber(0), b"canary");
    tcp::Carrier::Tcp.write(&connect, &mut wire, &tcp::Limits::default()).unwrap();
    terminal.handle_input(&wire, core::time::Duration::ZERO);
    while let Some(event) = terminal.poll_event() {
        show(&event, "event");
    }
    show(&terminal, "terminal with a client");
}

/// What is guessed of a row in error, and what a server answers, is as private as a row.
#[test]
fn no_guess_and_no_answer_shows_a_value() {
    for row in ["canary\t1704096000\t0", "canary,2026-08-06 08:00:00", "PIN=canary\tDateTime=2024-01-15 08:30:00"] {
        let error = Rows::of("ATTLOG", row.as_bytes()).next().unwrap().unwrap_err();
        show(&GuessedPunch::of(&error).unwrap(), row);
    }
    let error = Rows::of("rtlog", b"2025-01-31 12:00:00,canary,canary,1,0,0").next().unwrap().unwrap_err();
    show(&GuessedEvent::of(&error).unwrap(), "event");
    let picture = b"PIN=20181003143617-1-canary-110101199003070011.jpg\nSN=T1\nCMD=canary\0";
    let header = PhotoHeader::parse(picture).unwrap();
    show(&(&header, header.identity().unwrap()), "picture");

    show(&Configuration::parse("registry=ok\nRegistryCode=canary\nSessionID=canary\n"), "configuration");
    show(&RegistrationAnswer::of(200, "RegistryCode=canary"), "registration");
    show(&AuthVerdict::parse("AUTH=SUCCESS\r\ntime=2017-01-10 11:49:32\tpin=canary\r\n"), "verdict");
    show(&PollAnswer::read("C:1:DATA UPDATE USERINFO PIN=canary\tName=canary\nPIN=canary\n"), "commands");
    show(&RequestLine::parse("GET http://canary:canary@h/iclock/cdata?SN=T1&PIN=canary HTTP/1.0"), "request line");
}

#[test]
fn no_client_shows_what_it_asks_or_hears() {
    use tcp::{Answer, Carrier, Client, ClientConfig, ClientEvent, CommKey, Command, Limits, Packet, Person, Request};

    let comm_key = CommKey::new(424_242).unwrap();
    let config = ClientConfig { comm_key, announce_sdk: false, ..ClientConfig::new(Carrier::Udp) };
    assert!(!format!("{config:?}").contains("424242"));
    let mut client = Client::new(config, core::time::Duration::ZERO);
    let mut number = 0;
    let mut say = |client: &mut Client, code, session, data: &[u8]| {
        while client.poll_transmit(&mut Vec::new()) {}
        let mut datagram = Vec::new();
        let packet = Packet::new(code, tcp::SessionField(session), tcp::ReplyNumber(number), data);
        Carrier::Udp.write(&packet, &mut datagram, &Limits::default()).unwrap();
        client.handle_input(&datagram, core::time::Duration::ZERO);
        number += 1;
        show(client, "client");
    };
    let mut user = tcp::User::new(1, Person::Pin(Pin::new(CANARY.as_bytes())));
    (user.name, user.password) = (CANARY.as_bytes(), tcp::Password::new(CANARY.as_bytes()));
    let requests = [
        Request::write_user(&user, tcp::UserLayout::Text72).unwrap(),
        Request::Option(CANARY.as_bytes().to_vec()),
        Request::Read(tcp::Wanted::Users),
    ];
    for request in requests {
        show(&request, "request");
        client.submit(request, core::time::Duration::ZERO).unwrap();
    }
    let sizes = [CANARY.as_bytes(); 16].concat();
    let length = u32::try_from(sizes.len()).unwrap().to_le_bytes();
    let dataset = [&length[..], &sizes].concat();
    for (code, data) in [
        (Command::ACK_OK, &b""[..]),
        (Command::ACK_OK, b""),
        (Command::ACK_OK, b""),
        (Command::ACK_OK, CANARY.as_bytes()),
        (Command::ACK_OK, &sizes),
        (Command::DATA, &dataset),
        (Command::ACK_OK, b""),
    ] {
        say(&mut client, code, 7, data);
    }
    say(&mut client, Command::EVENT, 4, CANARY.as_bytes());
    let mut told = 0;
    while let Some(event) = client.poll_event() {
        show(&event, "event");
        told += 1;
        match event {
            ClientEvent::Done { result: Ok(Answer::Dataset(download)), .. } => {
                assert!(download.bytes.len() > CANARY.len());
                let _users = download.users(&Limits::default()).map(|users| show(&users, "users"));
                let now = at(0).naive_utc();
                let _log = download.attendance(&Limits::default(), now).map(|log| show(&log, "log"));
            }
            ClientEvent::Happened(happening) => {
                show(&happening.event(), "event");
                client.stored(happening);
            }
            _ => {}
        }
    }
    assert_eq!(told, 6, "connected, three answers and the growth of one, an event");
}
