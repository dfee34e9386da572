//! The device role, rule by rule, against answers written by hand.

mod access;
mod answers;
mod attendance;
mod classic;
mod clock;
mod commands;
mod hostile;
mod memory;
mod never_loses;
mod serialised;

use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;
use punch_protocol::push::{Profile, Terminal, TerminalEvent, TerminalRequest};

use crate::random::at;

fn terminal(profile: Profile) -> Terminal {
    Terminal::with_profile(SerialNumber::parse("T1").unwrap(), profile)
}

/// A terminal that has got `options` behind the first line of its option block, at `at(0)`.
fn connected(profile: Profile, options: &str) -> Terminal {
    let mut terminal = terminal(profile);
    connect(&mut terminal, options, at(0));
    terminal
}

fn connect(terminal: &mut Terminal, options: &str, now: DateTime<Utc>) {
    let request = ask(terminal, now);
    assert!(request.target.contains("options=all"), "{request:?}");
    terminal.handle_answer(200, format!("GET OPTION FROM: T1\n{options}").as_bytes(), now);
    assert!(terminal.is_connected());
}

fn ask(terminal: &mut Terminal, now: DateTime<Utc>) -> TerminalRequest {
    terminal.poll_request(now).unwrap_or_else(|| panic!("nothing to say: {terminal:?}"))
}

/// The next request, answered `OK`.
fn ask_and_agree(terminal: &mut Terminal, now: DateTime<Utc>) -> TerminalRequest {
    let request = ask(terminal, now);
    terminal.handle_answer(200, b"OK", now);
    request
}

/// Answers the next poll with `commands`; the results are what the terminal then posts.
fn command(terminal: &mut Terminal, commands: &str, now: DateTime<Utc>) -> String {
    assert!(ask(terminal, now).target.contains("getrequest"));
    terminal.handle_answer(200, commands.as_bytes(), now);
    loop {
        let request = ask_and_agree(terminal, now);
        if request.target.contains("devicecmd") {
            return text(&request);
        }
    }
}

fn text(request: &TerminalRequest) -> String {
    String::from_utf8(request.body.clone()).unwrap()
}

fn events(terminal: &mut Terminal) -> Vec<TerminalEvent> {
    core::iter::from_fn(|| terminal.poll_event()).collect()
}

/// A row of `ATTLOG` of that time of day.
fn row(pin: &str, time: &str) -> Vec<u8> {
    format!("{pin}\t2026-03-28 {time}\t0\t1\t0\t0\t0\t0\t0\t0").into_bytes()
}
