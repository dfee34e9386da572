//! The 2.0 generation, after the device library in C.

use chrono::TimeDelta;
use punch_protocol::push::Profile;

use super::{ask, ask_and_agree, command, connect, connected, row, terminal};
use crate::random::at;

/// HTTP/1.0, `iClock Proxy/1.09`, `Connection: close`, `Accept: */*`, and `GET` as long as there is no body.
#[test]
fn the_wire_is_that_of_the_old_client() {
    let mut terminal = connected(Profile::classic(), "");
    terminal.remember(row("1", "08:00:00"));
    let upload = ask(&mut terminal, at(0)).to_bytes("10.0.0.9:8081");
    let text = String::from_utf8(upload).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp="), "{head}");
    let headers: Vec<&str> = head.lines().skip(1).collect();
    let length = format!("Content-Length: {}", body.len());
    let expected =
        ["Host: 10.0.0.9:8081", "User-Agent: iClock Proxy/1.09", "Connection: close", "Accept: */*", &length];
    assert_eq!(headers, expected);
    assert!(head.lines().next().unwrap().ends_with(" HTTP/1.0"));
}

/// The value of a mark is the packed time of the last row of the upload; 2026-03-28 08:00:00 is 842774400.
#[test]
fn marks_are_packed_times() {
    let mut terminal = connected(Profile::classic(), "");
    terminal.remember(row("1", "07:00:00"));
    terminal.remember(row("2", "08:00:00"));
    let enc = ((26_u64 * 12 + 2) * 31 + 27) * 86_400 + 8 * 3600;
    assert!(ask(&mut terminal, at(0)).target.ends_with(&format!("&table=ATTLOG&Stamp={enc}")));
}

/// Without `ServerVer` the operation log goes by `OpStamp` and photos go to `fdata`; with it all go to `cdata` by `Stamp`.
#[test]
fn a_server_version_changes_marks_and_endpoints() {
    for (options, operations, photos) in [
        ("Stamp=1\n", "/iclock/cdata?SN=T1&table=OPERLOG&OpStamp=", "/iclock/fdata?SN=T1&table=ATTPHOTO&PhotoStamp="),
        ("ServerVer=2.2.14\n", "/iclock/cdata?SN=T1&table=OPERLOG&Stamp=", "/iclock/cdata?SN=T1&table=ATTPHOTO&Stamp="),
    ] {
        let mut terminal = connected(Profile::classic(), options);
        let pin = punch_protocol::Pin::new(b"7");
        terminal.operate(4, &pin, ["0"; 4], at(0));
        terminal.photograph(&pin, b"\xff\xd8\nnot a line\n", at(0));
        assert!(ask_and_agree(&mut terminal, at(0)).target.starts_with(operations), "{options}");
        let photo = ask_and_agree(&mut terminal, at(0));
        assert!(photo.target.starts_with(photos), "{options}: {photo:?}");
        assert!(photo.body.ends_with(b"CMD=uploadphoto\0\xff\xd8\nnot a line\n"));
    }
}

/// A line counts when its end is met: an unterminated last one does not.
#[test]
fn an_unterminated_option_is_lost() {
    let mut terminal = connected(Profile::classic(), "ErrorDelay=7\r\nDelay=50\nTransFlag=000");
    terminal.remember(row("1", "08:00:00"));
    assert!(ask(&mut terminal, at(0)).target.contains("ATTLOG"), "the flag would have switched punches off");
    for _ in 0..3 {
        terminal.handle_failure(at(0));
        ask(&mut terminal, at(10));
    }
    terminal.handle_failure(at(10));
    assert_eq!(terminal.poll_timeout(), Some(at(17)));
}

/// Keys are matched by their beginning, in a fixed order: `DelayX` is `Delay`, `ErrorDelay` is not.
#[test]
fn keys_are_found_by_prefix() {
    let mut terminal = connected(Profile::classic(), "DelaySeconds=50\n");
    ask_and_agree(&mut terminal, at(0));
    assert_eq!(terminal.poll_request(at(0)), None);
    assert_eq!(terminal.poll_timeout(), Some(at(10)), "a fifth of 50 s");
    let mut modern = connected(Profile::attendance(), "DelaySeconds=50\n");
    ask_and_agree(&mut modern, at(0));
    assert_eq!(modern.poll_request(at(0)), None);
    assert_eq!(modern.poll_timeout(), Some(at(10)), "the default: no such key");
}

/// A line that begins with `UN` or `RETRY` ends the handshake without a connection.
#[test]
fn some_lines_abort_the_handshake() {
    for line in ["UNKNOWN Device: T1", "RETRY", "UN"] {
        let mut terminal = terminal(Profile::classic());
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, format!("GET OPTION FROM: T1\nDelay=5\n{line}\n").as_bytes(), at(0));
        assert!(!terminal.is_connected(), "{line}");
        assert_eq!(terminal.poll_timeout(), Some(at(10)));
    }
}

/// Any `OK` in the body of a 200 is a success, also that of `TOKEN`.
#[test]
fn ok_is_a_substring() {
    for (status, body, taken) in
        [(200, "OK", true), (200, "TOKEN expired", true), (200, "ok", false), (503, "OK", false), (200, "O", false)]
    {
        let mut terminal = connected(Profile::classic(), "");
        terminal.remember(row("1", "08:00:00"));
        ask(&mut terminal, at(0));
        terminal.handle_answer(status, body.as_bytes(), at(0));
        assert_eq!(terminal.pending() == 0, taken, "{status} {body}");
    }
}

/// Each POST is tried again after 300, 600 and 900 ms, as it is; then it waits `ErrorDelay`, and newer rows join.
#[test]
fn three_quick_retries_then_the_error_delay() {
    let mut terminal = connected(Profile::classic(), "ErrorDelay=60\n");
    terminal.remember(row("1", "08:00:00"));
    let first = ask(&mut terminal, at(0));
    terminal.remember(row("2", "08:00:01"));
    let mut now = at(0);
    for wait in [300, 600, 900] {
        terminal.handle_answer(503, b"later", now);
        assert_eq!(terminal.poll_request(now + TimeDelta::milliseconds(wait - 1)), None);
        now += TimeDelta::milliseconds(wait);
        assert_eq!(terminal.poll_timeout(), Some(now));
        assert_eq!(ask(&mut terminal, now), first, "the same request");
    }
    terminal.handle_failure(now);
    assert_eq!(terminal.poll_timeout(), Some(now + TimeDelta::seconds(60)));
    let merged = ask(&mut terminal, now + TimeDelta::seconds(60));
    assert_eq!(merged.body.iter().filter(|byte| **byte == b'\n').count(), 2);
    assert_eq!(terminal.counts(), (0, 4));
}

/// A GET is not tried again at once.
#[test]
fn a_poll_has_no_quick_retry() {
    let mut terminal = connected(Profile::classic(), "ErrorDelay=60\n");
    ask(&mut terminal, at(0));
    terminal.handle_failure(at(0));
    assert_eq!(terminal.poll_timeout(), Some(at(60)));
}

/// Idle polls come after one fifth of `Delay`, then two, up to five, and start over with something to do.
#[test]
fn the_idle_interval_grows_by_fifths() {
    let mut terminal = connected(Profile::classic(), "Delay=30\n");
    let mut now = at(0);
    for seconds in [6, 12, 18, 24, 30, 30, 30] {
        assert!(ask_and_agree(&mut terminal, now).target.contains("getrequest"));
        assert_eq!(terminal.poll_request(now), None);
        assert_eq!(terminal.poll_timeout(), Some(now + TimeDelta::seconds(seconds)));
        now += TimeDelta::seconds(seconds);
    }
    terminal.remember(row("1", "08:00:00"));
    assert!(ask_and_agree(&mut terminal, now).target.contains("ATTLOG"));
    ask_and_agree(&mut terminal, now);
    assert_eq!(terminal.poll_request(now), None);
    assert_eq!(terminal.poll_timeout(), Some(now + TimeDelta::seconds(6)));
}

/// `OK` with a line end is a bad command, an empty body a server that is gone: both cost the error delay.
#[test]
fn the_answer_to_a_poll_is_two_bytes() {
    for body in ["OK\n", "", "OK: 0", "C:1:INFO"] {
        let mut terminal = connected(Profile::classic(), "ErrorDelay=60\nDelay=10\n");
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, body.as_bytes(), at(0));
        assert_eq!(terminal.poll_timeout(), Some(at(60)), "{body:?}");
    }
}

/// A command counts when its line ends; the next poll comes one second after the commands.
#[test]
fn the_last_command_needs_a_line_end() {
    let mut terminal = connected(Profile::classic(), "");
    let results = command(&mut terminal, "C:1:LOG\nC:2:LOG", at(0));
    assert_eq!(results, "ID=1&Return=0&CMD=LOG\n");
    assert_eq!(terminal.poll_request(at(0)), None);
    assert_eq!(terminal.poll_timeout(), Some(at(1)));
}

/// `INFO` is in the first poll after a connection and after the counters changed, with its blanks as they are.
#[test]
fn info_has_raw_blanks() {
    let mut terminal = connected(Profile::classic(), "");
    let poll = ask_and_agree(&mut terminal, at(0));
    let info = "&INFO=Ver 6.60 Jul 12 2012,0,0,0,192.168.1.201,10,-1,0,0,100";
    assert_eq!(poll.target, format!("/iclock/getrequest?SN=T1{info}"));
    assert_eq!(ask_and_agree(&mut terminal, at(60)).target, "/iclock/getrequest?SN=T1");
    terminal.remember(row("1", "08:00:00"));
    ask_and_agree(&mut terminal, at(120));
    assert!(ask_and_agree(&mut terminal, at(180)).target.contains(",0,0,1,192.168.1.201,"));
}

/// Stamp 0 sends everything in memory again; a mark sends what is later; marks count only beside `Stamp` or
/// `ServerVer`. What was never acknowledged is sent whatever the mark says.
#[test]
fn marks_in_the_block_send_rows_again() {
    let mark = ((26_u64 * 12 + 2) * 31 + 27) * 86_400 + 7 * 3600;
    for (options, expected) in [
        ("Stamp=0\n".to_owned(), "123"),
        (format!("Stamp={mark}\n"), "23"),
        ("Stamp=4294967295\n".to_owned(), "3"),
        ("Stamp=None\n".to_owned(), "3"),
        ("ATTLOGStamp=0\n".to_owned(), "3"),
        ("ATTLOGStamp=0\nServerVer=2.4.1\n".to_owned(), "123"),
    ] {
        let mut terminal = connected(Profile::classic(), "");
        terminal.remember(row("1", "07:00:00"));
        terminal.remember(row("2", "08:00:00"));
        ask_and_agree(&mut terminal, at(0));
        terminal.remember(row("3", "09:00:00"));
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, b"UNKNOWN DEVICE", at(0));
        connect(&mut terminal, &options, at(0));
        let upload = ask(&mut terminal, at(0));
        let pins: String = super::text(&upload).lines().map(|line| &line[..1]).collect();
        assert_eq!(pins, expected, "{options}");
        terminal.handle_answer(200, b"OK", at(0));
        assert_eq!((terminal.pending(), terminal.counts().0), (0, 3), "each row counts once");
    }
}
