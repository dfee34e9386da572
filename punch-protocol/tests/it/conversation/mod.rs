//! Both ends against each other under a simulated clock, with a network and a server that fail by a seed:
//! every punch is stored, and a resend is recognisable as one.

mod both_roles;
mod by_marks;
mod world;

use chrono::TimeDelta;
use punch_protocol::SerialNumber;
use punch_protocol::push::{Terminal, TerminalRequest};

use self::world::{Faults, World};
use crate::random::at;

/// I7: lost requests, lost and mangled answers, failed stores, crashes, restarts, late approval; 200 seeds.
#[test]
fn every_punch_is_stored_whatever_fails() {
    let mut met = Faults::default();
    let mut resent = 0;
    for seed in 0..200 {
        let mut world = World::new(seed);
        world.live_through();
        world.assert_complete();
        resent += world.resent();
        met.add(world.faults());
    }
    assert!(met.each_happened(100), "{met:?}");
    assert!(resent > 1000, "{resent} rows came again: nothing was put to the test");
}

/// S2-004: 30 s without a network. S0-005, S2-084: 6 h. Both with people punching all the time.
#[test]
fn an_outage_loses_nothing() {
    for (seconds, seed) in [(30, 1), (30, 2), (6 * 3600, 3), (6 * 3600, 4)] {
        let mut world = World::without_faults(seed);
        let (start, end) = (at(3600), at(3600 + seconds));
        world.cut_network(start, end);
        world.live_through();
        world.assert_complete();
        assert_eq!(world.resent(), 0, "requests were lost, no answer was");
        let (last, waited) = world.longest_wait();
        assert!(waited <= TimeDelta::seconds(seconds) + TimeDelta::minutes(2), "{last} waited {waited}");
        if seconds > 3600 {
            assert!(waited > TimeDelta::hours(5), "nobody punched in the outage");
        }
    }
}

/// A server that knows nobody is asked again, and is not asked in a storm.
#[test]
fn an_unknown_device_waits_before_it_asks_again() {
    let mut terminal = Terminal::new(SerialNumber::parse("SIM1").unwrap()).with_batch(2);
    terminal.remember(b"1\t2026-03-28 08:47:12\t0\t1".to_vec());
    let handshake = |request: Option<TerminalRequest>| request.is_some_and(|r| r.target.contains("options=all"));
    assert!(handshake(terminal.poll_request(at(0))));
    terminal.handle_answer(200, b"UNKNOWN DEVICE", at(0));
    assert_eq!(terminal.poll_request(at(0)), None);
    let next = terminal.poll_timeout().expect("a time to try again");
    assert!(next >= at(5) && handshake(terminal.poll_request(next)));
    terminal.handle_answer(200, b"GET OPTION FROM: SIM1\nDelay=10\nErrorDelay=30\n", next);

    // Once connected, it means: shake hands again, and keep the rows.
    assert!(terminal.poll_request(next).is_some_and(|request| request.target.contains("table=ATTLOG")));
    terminal.handle_answer(200, b"UNKNOWN DEVICE", next);
    assert!(handshake(terminal.poll_request(next)));
    assert_eq!(terminal.pending(), 1);
}

/// In peace a punch is stored at once, also one that comes while a poll is under way.
#[test]
fn a_punch_does_not_wait_for_the_next_poll() {
    for seed in 0..20 {
        let mut world = World::without_faults(seed);
        world.live_through();
        world.assert_complete();
        let (last, waited) = world.longest_wait();
        assert!(waited <= TimeDelta::seconds(5), "{last} waited {waited}");
    }
}
