//! Current attendance firmware, protocol 2.4.1.

use punch_protocol::Pin;
use punch_protocol::push::{Profile, TerminalEvent, TerminalUser};

use super::{ask, ask_and_agree, command, connect, connected, events, row, terminal, text};
use crate::random::at;

fn user(pin: &[u8]) -> TerminalUser {
    TerminalUser::new(Pin::new(pin).into_owned())
}

#[test]
fn the_handshake_says_what_a_current_terminal_says() {
    let mut profile = Profile::attendance();
    profile.comm_key = Some("4a9594af164f2b9779b59e8554b5df26".to_owned());
    (profile.base, profile.suffix) = ("/s3cret/iclock/".to_owned(), ".aspx".to_owned());
    let request = ask(&mut terminal(profile), at(0));
    assert_eq!(
        request.target,
        "/s3cret/iclock/cdata.aspx?SN=T1&options=all&language=69&pushver=2.4.1&DeviceType=att&PushOptionsFlag=1\
         &pushcommkey=4a9594af164f2b9779b59e8554b5df26"
    );
    assert_eq!((request.method, request.version), ("GET", "HTTP/1.1"));
    let header = |name: &str| request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_ref());
    assert_eq!(header("Connection"), Some("starting"));
    assert_eq!((header("Content-Type"), header("Cookie")), (None, None));
}

/// With `PushOptionsFlag=1` its options come first, those that `PushOptions` names; it offers no template.
#[test]
fn options_are_pushed_on_request() {
    let mut terminal = connected(Profile::attendance(), "PushOptionsFlag=1\nPushOptions=UserCount,~devicename\n");
    let request = ask(&mut terminal, at(0));
    assert_eq!(request.target, "/iclock/cdata?SN=T1&table=options");
    assert_eq!(text(&request), "~DeviceName=Simulated ATT,UserCount=0");
    terminal.handle_answer(503, b"", at(0));
    assert!(ask_and_agree(&mut terminal, at(10)).target.contains("table=options"), "until the server has them");
    assert!(ask_and_agree(&mut terminal, at(10)).target.contains("getrequest"));

    let mut all = connected(Profile::attendance(), "PushOptionsFlag=1\n");
    let options = text(&ask(&mut all, at(0)));
    assert!(options.contains("MultiBioDataSupport=0:0:0:0:0:0:0:0:0:0") && options.contains("BioDataFun=0"));
    assert!(!connected(Profile::attendance(), "").poll_request(at(0)).unwrap().target.contains("options"));
}

/// What `TransFlag` leaves out is not sent, in bits, in a list, and in a list spoilt by blanks.
#[test]
fn what_is_off_is_not_sent() {
    for (flag, tables) in [
        ("", "punch operation new changed"),
        ("TransFlag=1111000000\n", "punch operation"),
        ("TransFlag=0100101\n", "operation new changed"),
        ("TransFlag=10\n", "punch new changed"),
        ("TransFlag=0000000000\n", ""),
        ("TransFlag=TransData AttLog\tOpLog\n", "punch operation"),
        ("TransFlag=TransData AttLog OpLog EnrollUser ChgUser\n", "punch"),
        ("TransFlag=TransData EnrollUser\tChgUser\n", "new changed"),
    ] {
        let mut terminal = connected(Profile::attendance(), flag);
        terminal.remember(row("1", "08:00:00"));
        terminal.operate(4, &Pin::new(b"1"), ["0"; 4], at(0));
        assert!(terminal.enrol(user(b"7")) && terminal.enrol(user(b"7")));
        let mut sent = Vec::new();
        loop {
            let request = ask_and_agree(&mut terminal, at(0));
            if request.target.contains("getrequest") {
                break;
            }
            sent.push(text(&request));
        }
        let sent = sent.concat();
        let count = |word: &str| tables.matches(word).count();
        assert_eq!(sent.lines().filter(|line| line.starts_with('1')).count(), count("punch"), "{flag}");
        assert_eq!(sent.matches("OPLOG 4\t1\t").count(), count("operation"), "{flag}");
        assert_eq!(sent.matches("USER PIN=7\t").count(), count("new") + count("changed"), "{flag}");
        assert_eq!(terminal.pending(), 4 - sent.lines().count(), "the rest stays");
    }
}

/// Units with a 3.x library send the operation log by `OpStamp`, everything with the mark `9999`.
#[test]
fn the_tables_have_their_addresses() {
    let mut terminal = connected(Profile::attendance(), "PushProtVer=2.4.1\n");
    terminal.remember(row("1", "08:00:00"));
    terminal.enrol(user(b"7"));
    terminal.fail_with("D01E0001", Some("123"));
    let mut next = || ask_and_agree(&mut terminal, at(0));
    assert_eq!(next().target, "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999");
    assert_eq!(next().target, "/iclock/cdata?SN=T1&table=OPERLOG&OpStamp=9999");
    let error = next();
    assert_eq!(error.target, "/iclock/cdata?SN=T1&table=ERRORLOG&Stamp=9999");
    assert_eq!(text(&error), "ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=123\tAdditional=\n");
}

/// Errors are part of the protocol from 2.4.1 on; the lower of both versions counts.
#[test]
fn an_older_server_gets_no_errors() {
    let mut terminal = connected(Profile::attendance(), "PushProtVer=2.4.0\n");
    terminal.fail_with("D01E0001", None);
    assert!(ask(&mut terminal, at(0)).target.contains("getrequest"));
    assert_eq!(terminal.pending(), 1);
}

/// A body stays below `MaxPostSize`; a row that is longer alone goes alone.
#[test]
fn the_largest_post_splits_batches() {
    let mut terminal = connected(Profile::attendance(), "MaxPostSize=100\n");
    let rows =
        [row("1", "08:00:00"), row("2", "08:00:01"), row("3", "08:00:02"), vec![b'x'; 300], row("5", "08:00:04")];
    rows.iter().for_each(|row| assert!(terminal.remember(row.clone())));
    let mut sizes = Vec::new();
    while terminal.pending() > 0 {
        sizes.push(ask_and_agree(&mut terminal, at(0)).body.len());
    }
    let line = rows[0].len() + 1;
    assert!(2 * line <= 100 && 3 * line > 100);
    assert_eq!(sizes, [2 * line, line, 301, line]);
}

/// Not in real time, rows wait for `TransInterval` or the next of `TransTimes` by the wall clock; `LOG` sends them now.
#[test]
fn timed_uploads_come_at_their_time() {
    let start = at(0);
    let minute = |minutes: i64| start + chrono::TimeDelta::minutes(minutes);
    let later = (minute(7)).format("%H:%M").to_string();
    for (options, due) in [("TransInterval=5\n", 5), ("TransInterval=0\n", i64::MAX), (later.as_str(), 7)] {
        let options = if options.contains('=') { options.to_owned() } else { format!("TransTimes={options};99:99\n") };
        let mut terminal = connected(Profile::attendance(), &format!("Realtime=0\nDelay=60\n{options}"));
        terminal.remember(row("1", "08:00:00"));
        let mut sent = None;
        for second in 0..600 {
            let now = start + chrono::TimeDelta::seconds(second);
            if terminal.poll_request(now).is_some_and(|request| request.target.contains("ATTLOG")) {
                sent = Some(now);
                break;
            }
            terminal.handle_answer(200, b"OK", now);
        }
        let earliest = (due < 60).then(|| minute(due));
        match (sent, earliest) {
            (Some(sent), Some(earliest)) => {
                assert!(sent > earliest - chrono::TimeDelta::minutes(1) && sent <= earliest, "{options}: {sent}");
            }
            (None, None) => {}
            other => panic!("{options}: {other:?}"),
        }
    }
    let mut terminal = connected(Profile::attendance(), "Realtime=0\n");
    terminal.remember(row("1", "08:00:00"));
    assert!(ask(&mut terminal, at(0)).target.contains("getrequest"));
    terminal.handle_answer(200, b"C:1:LOG\n", at(0));
    assert!(ask_and_agree(&mut terminal, at(0)).target.contains("ATTLOG"));
}

/// Only `UNKNOWN DEVICE` in capitals, within the first 20 bytes, sends it back to the handshake; it keeps its rows.
#[test]
fn unknown_device_means_shake_hands_again() {
    for (body, again) in [
        ("UNKNOWN DEVICE", true),
        ("sorry UNKNOWN DEVICE", true),
        ("so sorry, UNKNOWN DEVICE", false),
        ("UNKNOWN Device: T1", false),
    ] {
        let mut terminal = connected(Profile::attendance(), "");
        terminal.remember(row("1", "08:00:00"));
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, body.as_bytes(), at(0));
        assert_eq!(events(&mut terminal).contains(&TerminalEvent::Disowned), again, "{body}");
        assert_eq!(terminal.pending(), 1);
        if again {
            connect(&mut terminal, "", at(0));
            assert!(ask(&mut terminal, at(0)).target.contains("ATTLOG"));
        }
    }
}

/// Anything but 200 is a failure, also a redirect, and costs the error delay.
#[test]
fn redirects_and_refusals_cost_the_error_delay() {
    for status in [301, 302, 404, 413, 500, 503, 0] {
        let mut terminal = connected(Profile::attendance(), "ErrorDelay=45\n");
        terminal.remember(row("1", "08:00:00"));
        ask(&mut terminal, at(0));
        terminal.handle_answer(status, b"OK", at(0));
        assert_eq!((terminal.pending(), terminal.poll_timeout()), (1, Some(at(45))), "{status}");
        terminal.remember(row("2", "08:00:01"));
        assert_eq!(terminal.poll_request(at(44)), None, "a new row does not shorten the wait");
        assert_eq!(ask(&mut terminal, at(45)).body.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}

/// A delay of 0 is a second, after failures and between polls.
#[test]
fn no_delay_is_a_second() {
    let mut terminal = connected(Profile::attendance(), "ErrorDelay=0\nDelay=0\n");
    ask_and_agree(&mut terminal, at(0));
    assert_eq!((terminal.poll_request(at(0)), terminal.poll_timeout()), (None, Some(at(1))));
    ask(&mut terminal, at(1));
    terminal.handle_failure(at(1));
    assert_eq!(terminal.poll_timeout(), Some(at(2)));
}

/// After an outage new rows may come before the backlog.
#[test]
fn live_rows_can_come_before_the_backlog() {
    let mut profile = Profile::attendance();
    profile.live_first = true;
    let mut terminal = terminal(profile).with_batch(2);
    (0..5).for_each(|pin| assert!(terminal.remember(row(&pin.to_string(), "08:00:00"))));
    connect(&mut terminal, "ErrorDelay=10\n", at(0));
    ask(&mut terminal, at(0));
    terminal.handle_failure(at(0));
    let first = text(&ask_and_agree(&mut terminal, at(10)));
    terminal.remember(row("9", "09:00:00"));
    let live = text(&ask_and_agree(&mut terminal, at(10)));
    let rest = text(&ask_and_agree(&mut terminal, at(10)));
    let pins = |body: &str| body.lines().map(|line| line[..1].to_owned()).collect::<String>();
    assert_eq!((pins(&first).as_str(), pins(&live).as_str(), pins(&rest).as_str()), ("01", "9", "23"));
}

/// While a long upload runs it pings a server that serves pings.
#[test]
fn a_long_upload_pings() {
    for (options, pings) in [("SupportPing=1\n", 2), ("", 0)] {
        let mut terminal = connected(Profile::attendance(), options).with_batch(1);
        (0..25).for_each(|pin| assert!(terminal.remember(row(&pin.to_string(), "08:00:00"))));
        let mut met = 0;
        while terminal.pending() > 0 {
            met += usize::from(ask_and_agree(&mut terminal, at(0)).target == "/iclock/ping?SN=T1");
        }
        assert_eq!(met, pings);
    }
}

/// A terminal answers `CHECK` by reading its options again; stamp 0 in them sends everything once more.
#[test]
fn check_reads_the_options_again() {
    let mut terminal = connected(Profile::attendance(), "");
    terminal.remember(row("1", "08:00:00"));
    ask_and_agree(&mut terminal, at(0));
    assert_eq!(command(&mut terminal, "C:1:CHECK\n", at(0)), "ID=1&Return=0&CMD=CHECK\n");
    connect(&mut terminal, "ATTLOGStamp=0\n", at(0));
    assert!(ask(&mut terminal, at(0)).target.contains("ATTLOG"));
    assert_eq!(terminal.pending(), 0, "it was acknowledged before");
}
