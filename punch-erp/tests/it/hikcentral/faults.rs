//! Servers in trouble: what each answer leads to.

use chrono::TimeDelta;
use punch_erp::{CallError, RetryReason};

use super::world::World;
use crate::hikcentral_server::HikCentralFault;

fn reason(fault: HikCentralFault) -> RetryReason {
    let mut world = World::new();
    world.server.fail_next([fault]);
    world.read_day().unwrap_err()
}

#[test]
fn every_failure_has_its_word() {
    for (fault, word) in [
        (HikCentralFault::Code("0x02401003"), "unauthorized"),
        (HikCentralFault::Code("0x02401007"), "forbidden"),
        (HikCentralFault::Code("17"), "forbidden"),
        (HikCentralFault::Code("0x02401009"), "busy"),
        (HikCentralFault::Code("0x00072001"), "refused"),
        (HikCentralFault::Code("128"), "not_found"),
        (HikCentralFault::Code("0x00052101"), "unavailable"),
        (HikCentralFault::Code("nobody-knows"), "unreadable"),
        (HikCentralFault::Code("77"), "unavailable"),
        (HikCentralFault::TooMany(30), "busy"),
        (HikCentralFault::Page(502), "unavailable"),
        (HikCentralFault::Page(503), "busy"),
        (HikCentralFault::Page(404), "misaddressed"),
        (HikCentralFault::Page(200), "unreadable"),
        (HikCentralFault::Page(301), "redirected"),
        (HikCentralFault::DropBefore, "no_answer"),
    ] {
        assert_eq!(reason(fault).code(), word, "{fault:?}");
    }
    let RetryReason::Call(CallError::Busy { after, .. }) = reason(HikCentralFault::TooMany(30)) else { panic!() };
    assert_eq!(after, Some(TimeDelta::seconds(30)));
}

/// A secret that was changed: nothing is read until somebody mends it, and then everything.
#[test]
fn expired_credentials_lose_nothing() {
    let mut world = World::new();
    world.faces(5);
    "another".clone_into(&mut world.server.config_mut().app_secret);
    assert_eq!(world.read_day().unwrap_err().code(), "unauthorized");
    super::world::SECRET.clone_into(&mut world.server.config_mut().app_secret);
    assert_eq!(world.read_day().unwrap().readings.len(), 5);
}
