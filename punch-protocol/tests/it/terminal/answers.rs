//! What counts as an acknowledgement, and what happens to results until there is one.

use punch_protocol::push::{HttpAnswer, Profile};

use super::{ask, ask_and_agree, connected, row, text};
use crate::random::at;

/// Current firmware is taken to want the `OK` in front.
#[test]
fn ok_stands_in_front() {
    for (body, taken) in
        [("OK", true), ("OK: 1", true), ("OK:1\n", true), ("\nOK", true), ("TOKEN", false), ("ok", false)]
    {
        let mut terminal = connected(Profile::attendance(), "");
        terminal.remember(row("1", "08:00:00"));
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, body.as_bytes(), at(0));
        assert_eq!(terminal.pending() == 0, taken, "{body}");
    }
}

/// Results are forgotten on 200, `text/plain` and `OK`. Until then all of them are posted again, a poll in between.
#[test]
fn results_are_posted_until_they_are_taken() {
    for profile in [Profile::classic(), Profile::attendance()] {
        let quick = if profile == Profile::classic() { 3 } else { 0 };
        let mut terminal = connected(profile, "ErrorDelay=30\n");
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, b"C:1:LOG\n", at(0));
        let first = text(&ask(&mut terminal, at(0)));
        let html = HttpAnswer::new(200, b"OK");
        let mut now = at(0);
        for (status, body, plain) in [(503, &b"OK"[..], true), (200, b"", true), (200, b"OK", false)] {
            let mut answer = HttpAnswer::new(status, body);
            answer.content_type = if plain { html.content_type } else { Some("text/html") };
            for _ in 0..=quick {
                terminal.handle_response(answer, now);
                now = terminal.poll_timeout().unwrap();
                if terminal.poll_request(now).is_some_and(|request| request.target.contains("getrequest")) {
                    break;
                }
            }
            terminal.handle_answer(200, if status == 503 { b"C:2:LOG\n" } else { b"OK" }, now);
            let again = text(&ask(&mut terminal, now));
            assert!(again.starts_with(&first), "{again}");
        }
        terminal.handle_answer(200, b"OK", now);
        let next = terminal.poll_request(now + chrono::TimeDelta::seconds(60)).unwrap();
        assert!(next.target.contains("getrequest"), "both are gone: {next:?}");
    }
}

/// An answer nobody waits for changes nothing.
#[test]
fn an_answer_too_many_is_ignored() {
    let mut terminal = connected(Profile::attendance(), "");
    terminal.remember(row("1", "08:00:00"));
    terminal.handle_answer(200, b"OK", at(0));
    assert_eq!((terminal.pending(), terminal.counts()), (1, (0, 0)));
    ask_and_agree(&mut terminal, at(0));
    assert_eq!(terminal.pending(), 0);
}
