//! What a `Terminal` posts, the parser reads.

use chrono::{DateTime, NaiveDateTime};
use proptest::collection::vec;
use proptest::prelude::*;
use punch_protocol::push::{Limits, Parts, Request, Row, Terminal, TerminalRequest};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};

use crate::random::at;

const BLOCK: &[u8] = b"GET OPTION FROM: T1\nDelay=10\n";

fn serial() -> SerialNumber {
    SerialNumber::parse("T1").unwrap()
}

/// The uploads of a terminal that keeps `punches`, each answered `OK`.
fn uploads(punches: &[RawPunch], batch: usize) -> Vec<TerminalRequest> {
    let mut terminal = Terminal::new(serial()).with_batch(batch);
    assert!(punches.iter().all(|punch| terminal.punch(punch)));
    assert!(terminal.poll_request(at(0)).unwrap().target.contains("options=all"));
    terminal.handle_answer(200, BLOCK, at(0));
    let mut uploads = Vec::new();
    while terminal.pending() > 0 {
        uploads.push(terminal.poll_request(at(0)).unwrap());
        terminal.handle_answer(200, b"OK: 1", at(0));
    }
    uploads
}

fn read(request: &TerminalRequest) -> Vec<RawPunch> {
    let (path, query) = request.target.split_once('?').unwrap();
    let parts = Parts::new(request.method, path, query, &request.body);
    let Ok((serial, Request::Upload(upload))) = Request::parse(parts, &Limits::default()) else {
        panic!("{request:?}")
    };
    let rows = upload.rows().map(|row| {
        let Ok(Row::Punch(row)) = row else { panic!("{row:?}") };
        let mut punch = RawPunch::new(serial.clone(), row.pin().into_owned(), row.time().unwrap());
        (punch.status, punch.verify) = (row.status(), row.verify());
        punch.work_code = row.work_code().map(|code| String::from_utf8(code.to_vec()).unwrap());
        punch
    });
    rows.collect()
}

fn times() -> impl Strategy<Value = NaiveDateTime> {
    // 2000-01-01 to 2099-12-31.
    (946_684_800_i64..4_102_444_800).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap().naive_utc())
}

fn punches(pin: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = RawPunch> {
    (pin, times(), any::<u16>(), any::<u16>(), "[A-Za-z0-9]{1,8}").prop_map(|(pin, time, status, verify, code)| {
        let mut punch = RawPunch::new(serial(), Pin::new(&pin).into_owned(), time);
        (punch.status, punch.verify) = (Some(Status(status)), Some(Verify(verify)));
        punch.work_code = Some(code);
        punch
    })
}

/// S0-019: any bytes but those that end a field or a row, with zeros in front and `=` inside.
fn pins() -> impl Strategy<Value = Vec<u8>> {
    let separates = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
    prop_oneof![
        vec(any::<u8>(), 0..24).prop_map(move |pin| pin.into_iter().filter(|byte| !separates(byte)).collect()),
        "0{0,3}[0-9]{1,9}".prop_map(String::into_bytes),
        "(OPLOG |USER |time=|=|PIN=| )[a-z0-9=]{0,4}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn what_a_terminal_posts_reads_back(punches in vec(punches(pins()), 0..12), batch in 1_usize..6) {
        let uploads = uploads(&punches, batch);
        prop_assert_eq!(uploads.len(), punches.len().div_ceil(batch));
        let read: Vec<RawPunch> = uploads.iter().flat_map(read).collect();
        prop_assert_eq!(read, punches);
    }

    /// A PIN that no keypad can type becomes no second row.
    #[test]
    fn a_punch_is_one_row(punch in punches(vec(prop_oneof![Just(b'\t'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..24))) {
        let rows = read(&uploads(core::slice::from_ref(&punch), 1)[0]);
        let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
        prop_assert_eq!((row.time, row.status, row.verify), (punch.time, punch.status, punch.verify));
    }
}

/// A punch without a state or a method is written as current firmware writes it: no state, by finger.
#[test]
fn what_a_punch_leaves_open_is_written_like_a_terminal_would() {
    let time = at(0).naive_utc();
    let punch = RawPunch::new(serial(), Pin::new(b"0042").into_owned(), time);
    let mut expected = punch.clone();
    (expected.status, expected.verify) = (Some(Status::NONE), Some(Verify::FINGERPRINT));
    expected.work_code = Some("0".to_owned());
    assert_eq!(read(&uploads(&[punch], 1)[0]), [expected]);
}
