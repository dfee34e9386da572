use chrono::DateTime;
use core::hint::black_box;
use punch_protocol::SerialNumber;
use punch_protocol::push::{ServerAnswer, ServerOptions, Terminal, TimeZoneReading};

use super::{commands, contains_ok, first_line};

/// An answer of a server: the status in the first line, then the body.
pub fn server_answer(data: &[u8]) {
    let (status, body) = first_line(data);
    let status = core::str::from_utf8(status).ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    match ServerAnswer::of(status, body) {
        ServerAnswer::Options(options) => check_options(&options, body),
        ServerAnswer::Accepted { .. } => assert!(status == 200 && contains_ok(body)),
        _ => {}
    }
    commands(body);
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
