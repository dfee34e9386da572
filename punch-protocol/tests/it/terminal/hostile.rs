//! Bent requests: each does what it says, and the honest rows survive.

use alloc::collections::BTreeSet;

use punch_protocol::push::{
    Deserves, Exchange, Hostile, Limits, Mischief, Parts, Profile, Request, Row, TerminalRequest,
};

use super::{ask, connected, row};
use crate::random::at;

const HOST: &str = "127.0.0.1:8081";

fn upload() -> TerminalRequest {
    let mut terminal = connected(Profile::attendance(), "");
    (1..=5).for_each(|pin| assert!(terminal.remember(row(&pin.to_string(), "08:00:00"))));
    ask(&mut terminal, at(0))
}

fn poll() -> TerminalRequest {
    ask(&mut connected(Profile::attendance(), ""), at(0))
}

fn bend(kind: Mischief, request: TerminalRequest) -> Vec<Exchange> {
    Hostile::new([kind], 7).bend(request, HOST)
}

/// Head and body, the declared length, and the target.
fn taken_apart(exchange: &Exchange) -> (String, usize, Vec<u8>) {
    let end = exchange.bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(exchange.bytes[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |l| l.parse().unwrap());
    let target = head.lines().next().unwrap();
    let target = target[target.find(' ').unwrap() + 1..target.rfind(' ').unwrap()].to_owned();
    (target, length, exchange.bytes[end + 4..].to_vec())
}

/// The PINs of the punches that a correct server reads in an exchange.
fn punches(exchange: &Exchange) -> Vec<String> {
    let (target, length, body) = taken_apart(exchange);
    let (path, query) = target.split_once('?').unwrap();
    let mut parts = Parts::new("POST", path, query, &body);
    parts.declared_length = Some(u64::try_from(length).unwrap());
    let Ok((_, Request::Upload(upload))) = Request::parse(parts, &Limits { body: 64 << 20, ..Limits::default() })
    else {
        return Vec::new();
    };
    let rows = upload.rows().filter_map(Result::ok);
    rows.filter_map(|row| if let Row::Punch(row) = row { Some(row.pin().to_text().into_owned()) } else { None })
        .collect()
}

/// Every kind does something to an upload or a poll, and without it the request is what it was.
#[test]
fn every_mischief_bends_something() {
    for kind in Mischief::ALL {
        let exchanges: Vec<Exchange> = [upload(), poll()].into_iter().flat_map(|request| bend(kind, request)).collect();
        assert!(exchanges.iter().any(|exchange| exchange.mischief == [kind]), "{kind:?}");
        assert!(!kind.effect().is_empty());
    }
    let honest = Hostile::new([], 7).bend(upload(), HOST);
    assert_eq!(honest.len(), 1);
    assert_eq!((&honest[0].bytes, honest[0].mischief.len()), (&upload().to_bytes(HOST), 0));
    let names: BTreeSet<_> = Mischief::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), Mischief::ALL.len());
}

/// The last exchange is the terminal's own, and all its rows are in it; what deserves no acknowledgement is beside it.
#[test]
fn no_row_of_the_terminal_depends_on_mischief() {
    for seed in 0..50 {
        let exchanges = Hostile::new(Mischief::ALL, seed).bend(upload(), HOST);
        let (last, beside) = exchanges.split_last().unwrap();
        assert_eq!(punches(last), ["1", "2", "3", "4", "5"], "seed {seed}");
        assert!(last.mischief.iter().all(|kind| kind.deserves() != Deserves::Refusal));
        assert!(beside.iter().all(|exchange| !exchange.mischief.is_empty()));
    }
}

/// The same seed bends in the same way, another one in another.
#[test]
fn a_seed_decides() {
    let bent = |seed| Hostile::new(Mischief::ALL, seed).bend(upload(), HOST);
    assert_eq!(bent(1), bent(1));
    assert_ne!(bent(1), bent(2));
}

#[test]
fn lengths_are_wrong_where_they_should_be() {
    for seed in 0..50 {
        let bent = |kind| Hostile::new([kind], seed).bend(upload(), HOST).remove(0);
        let (_, declared, body) = taken_apart(&bent(Mischief::TruncatedBody));
        assert!(body.len() < declared && declared == upload().body.len());
        let (_, declared, body) = taken_apart(&bent(Mischief::LengthTooLarge));
        assert!(body.len() < declared && body == upload().body);
        let (_, declared, body) = taken_apart(&bent(Mischief::LengthTooSmall));
        assert!(declared < body.len());
        for kind in [Mischief::TruncatedBody, Mischief::LengthTooLarge] {
            assert!(bent(kind).hangs_up && punches(&bent(kind)).is_empty());
        }
    }
}

#[test]
fn sizes_are_what_they_say() {
    let huge = bend(Mischief::HugeBody, upload());
    assert!(taken_apart(&huge[0]).2.len() > Hostile::HUGE_BYTES);
    let mut again = bend(Mischief::Reupload, upload());
    again.pop();
    assert!(again.iter().all(|exchange| taken_apart(exchange).2.len() <= 1 << 20));
    let rows: usize = again.iter().map(|exchange| punches(exchange).len()).sum();
    assert!((Hostile::REUPLOADED_ROWS..2 * Hostile::REUPLOADED_ROWS).contains(&rows), "{rows}");
}

/// Small additions come at every tenth chance, big ones once.
#[test]
fn additions_do_not_flood() {
    let mut hostile = Hostile::new([Mischief::Photo, Mischief::HugeBody], 7);
    let met: Vec<Mischief> = (0..21).flat_map(|_| hostile.bend(upload(), HOST)).flat_map(|e| e.mischief).collect();
    assert_eq!(met.iter().filter(|kind| **kind == Mischief::Photo).count(), 3);
    assert_eq!(met.iter().filter(|kind| **kind == Mischief::HugeBody).count(), 1);
}

#[test]
fn targets_are_bent() {
    let target = |kind, request| taken_apart(&bend(kind, request)[0]).0;
    assert!(target(Mischief::RawBlanks, poll()).contains("INFO=Ver 8.0.4.3"));
    assert!(target(Mischief::WrongTable, upload()).contains("table=NOSUCHTABLE"));
    assert!(target(Mischief::UnknownEndpoint, upload()).starts_with("/iclock/nosuchthing?SN=T1"));
    for seed in 0..20 {
        let (target, ..) = taken_apart(&Hostile::new([Mischief::EvilSerial], seed).bend(upload(), HOST)[0]);
        let (path, query) = target.split_once('?').unwrap();
        assert!(Request::parse(Parts::new("POST", path, query, b"x"), &Limits::default()).is_err(), "{target}");
    }
}

/// What a correct server may answer.
#[test]
fn answers_are_judged() {
    for (kind, status, body, fair) in [
        (Mischief::TruncatedBody, 200, "OK: 1", false),
        (Mischief::TruncatedBody, 400, "no", true),
        (Mischief::EvilSerial, 200, "OK", false),
        (Mischief::EvilSerial, 0, "", true),
        (Mischief::CrLf, 200, "OK: 5", true),
        (Mischief::CrLf, 400, "no", false),
        (Mischief::CrLf, 503, "later", true),
        (Mischief::HugeBody, 413, "", true),
        (Mischief::HugeBody, 200, "OK", true),
    ] {
        let exchange = bend(kind, upload()).remove(0);
        assert_eq!(exchange.is_fair(status, body.as_bytes()), fair, "{kind:?} {status}");
    }
}
