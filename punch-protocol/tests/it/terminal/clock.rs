//! How a terminal sets its clock: by `Date` and `TimeZone`, by command, by `rtdata`.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_protocol::push::{EncodedTime, HttpAnswer, Profile, Terminal, TerminalEvent};
use punch_protocol::{Pin, civil};

use super::{ask, ask_and_agree, command, connected, events, terminal};
use crate::random::at;

fn date(now: DateTime<Utc>) -> String {
    now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Shakes hands at 0 with an answer dated `ahead` seconds from there, `took` seconds later.
fn shaken(options: &str, ahead: i64, took: i64, content_type: Option<&str>, mut terminal: Terminal) -> Terminal {
    ask(&mut terminal, at(0));
    let (body, date) = (format!("GET OPTION FROM: T1\n{options}"), date(at(ahead)));
    let mut answer = HttpAnswer::new(200, body.as_bytes());
    answer.content_type = content_type;
    answer.date = Some(&date);
    terminal.handle_response(answer, at(took));
    terminal
}

fn offset(terminal: &Terminal, now: DateTime<Utc>) -> i64 {
    terminal.wall_clock(now).signed_duration_since(now.naive_utc()).num_seconds()
}

/// local = Date + TimeZone, hours below 25, else minutes; a text is read up to where it is no number; none is UTC.
#[test]
fn the_zone_is_added_to_the_date() {
    for (zone, minutes) in [
        ("TimeZone=8\n", 480),
        ("TimeZone=-5\n", -300),
        ("TimeZone=330\n", 330),
        ("TimeZone=-210\n", -210),
        ("TimeZone=345\n", 345),
        ("TimeZone=14\n", 840),
        ("TimeZone=+05:30\n", 300),
        ("TimeZone=+07:00\n", 420),
        ("TimeZone=-04:00\n", -240),
        ("TimeZone=5.5\n", 300),
        ("TimeZone=Etc/GMT-1\n", 0),
        ("", 0),
    ] {
        for profile in [Profile::classic(), Profile::attendance()] {
            let mut terminal = terminal(profile);
            terminal.set_wall_clock(at(-90_000).naive_utc(), at(0));
            let terminal = shaken(zone, 0, 0, Some("text/plain;charset=UTF-8"), terminal);
            assert_eq!(offset(&terminal, at(0)), minutes * 60, "{zone}");
        }
    }
}

/// Its own daylight saving adds an hour.
#[test]
fn daylight_saving_of_the_terminal_adds_an_hour() {
    let mut profile = Profile::classic();
    profile.daylight_saving = true;
    let terminal = shaken("TimeZone=1\n", 0, 0, Some("text/plain"), terminal(profile));
    assert_eq!(offset(&terminal, at(0)), 7200);
}

/// Only under `text/plain`, only if the answer came in less than 5 s, only if more than 10 s are wrong.
#[test]
fn the_clock_is_set_under_three_conditions() {
    for (ahead, took, content_type, set) in [
        (11, 0, Some("text/plain"), true),
        (10, 0, Some("text/plain"), false),
        (-11, 0, Some("text/plain"), true),
        (-10, 0, Some("text/plain"), false),
        (100, 4, Some("text/plain"), true),
        (100, 5, Some("text/plain"), false),
        (100, 0, Some("application/json"), false),
        (100, 0, None, false),
    ] {
        let mut terminal = shaken("", ahead, took, content_type, terminal(Profile::attendance()));
        let by = TimeDelta::seconds(ahead - took);
        let events = events(&mut terminal);
        assert_eq!(
            events.contains(&TerminalEvent::ClockSet { by }),
            set,
            "{ahead} {took} {content_type:?}: {events:?}"
        );
        assert_eq!(offset(&terminal, at(took)), if set { ahead - took } else { 0 });
    }
}

/// Every poll sets it too, so drift ends at 10 s; punches are stamped by the clock as it is.
#[test]
fn polls_correct_a_drifting_clock() {
    let mut terminal = connected(Profile::attendance(), "Delay=60\n");
    terminal.set_drift(1000, at(0));
    let punch = terminal.tap(Pin::new(b"7").into_owned(), None, None, at(3600)).unwrap();
    assert_eq!(punch.time, at(3603).naive_utc(), "a thousandth fast");
    assert!(ask_and_agree(&mut terminal, at(3600)).target.contains("ATTLOG"));
    let mut jumps = 0;
    for minute in 61..=600 {
        let now = at(minute * 60);
        ask(&mut terminal, now);
        let date = date(now);
        let mut answer = HttpAnswer::new(200, b"OK");
        answer.date = Some(&date);
        terminal.handle_response(answer, now);
        jumps += events(&mut terminal).iter().filter(|event| matches!(event, TerminalEvent::ClockSet { .. })).count();
        assert!(offset(&terminal, now).abs() <= 10);
    }
    assert!((2..=4).contains(&jumps), "{jumps}");
}

/// `SET OPTIONS DateTime=` is packed local time; a date as text is refused.
#[test]
fn a_command_sets_the_clock() {
    for (profile, id) in [(Profile::classic(), "CMD=SET OPTIONS"), (Profile::attendance(), "CMD=SET OPTIONS")] {
        let mut terminal = connected(profile, "");
        let results = command(&mut terminal, "C:401:SET OPTIONS DateTime=583080894\n", at(0));
        assert_eq!(results, format!("ID=401&Return=0&{id}\n"));
        assert_eq!(terminal.wall_clock(at(0)), civil::parse(b"2018-02-22 14:54:54").unwrap());
        let results = command(&mut terminal, "C:402:SET OPTION DateTime=2026-03-28 08:00:00\n", at(1));
        assert_eq!(results, "ID=402&Return=-1&CMD=SET OPTION\n");
        assert_eq!(terminal.wall_clock(at(1)), civil::parse(b"2018-02-22 14:54:55").unwrap());
        let results = command(&mut terminal, "C:403:SET OPTION DateTime=808790400\n", at(2));
        assert_eq!(results, "ID=403&Return=-1&CMD=SET OPTION\n", "31 February");
    }
}

/// `rtdata` gives GMT, packed, and the server's zone; what is no such answer leaves the clock alone.
#[test]
fn access_terminals_ask_for_the_time() {
    let asked = |answer: &[u8]| -> NaiveDateTime {
        let mut terminal = terminal(Profile::access_control());
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, b"registry=ok\nRealtime=1\n", at(0));
        assert!(ask_and_agree(&mut terminal, at(0)).target.ends_with("table=options"));
        assert!(ask(&mut terminal, at(0)).target.ends_with("&type=time"));
        terminal.handle_answer(200, answer, at(0));
        assert!(ask(&mut terminal, at(0)).target.ends_with("table=rtstate"), "asked once");
        terminal.wall_clock(at(0))
    };
    let packed = |text: &[u8]| EncodedTime::of(civil::parse(text).unwrap()).unwrap().0;
    assert_eq!(packed(b"2018-02-22 06:36:30"), 583_050_990);
    let set = asked(b"DateTime=583050990,ServerTZ=+0800");
    assert_eq!(set, civil::parse(b"2018-02-22 14:36:30").unwrap());
    assert_eq!(asked(b"DateTime=583050990,ServerTZ=-0330"), civil::parse(b"2018-02-22 03:06:30").unwrap());
    for nonsense in [&b"2025-12-29T17:52:47+07:00"[..], b"DateTime=583050990", b"ServerTZ=+0800", b""] {
        assert_eq!(asked(nonsense), at(0).naive_utc());
    }
}
