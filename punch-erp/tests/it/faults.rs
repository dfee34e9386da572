//! Servers and networks in trouble.

use std::future::Future as _;

use chrono::TimeDelta;
use punch_erp::{Failure, Outcome, ParkReason, RetryReason, drive};

use crate::erpnext::ErpNextFault;
use crate::world::{KEY, World, alice, now, parked, punch, retry_code, settings};

/// What one fault on the create leads to, with the table at hand.
fn outcome_of(fault: ErpNextFault) -> (World, Outcome) {
    let mut world = World::new();
    world.write(&punch("evt_0", "0042", "2026-11-10T03:00:00Z", "in"));
    world.server.fail_next([fault]);
    let outcome = world.write(&alice());
    (world, outcome)
}

/// Section 4, 429: after the time it asks for.
#[test]
fn rate_limit() {
    let (_, outcome) = outcome_of(ErpNextFault::RateLimited(13));
    let Outcome::Retry { after, reason } = &outcome else { panic!("{outcome:?}") };
    assert_eq!((*after, reason.code(), reason.may_have_happened()), (Some(TimeDelta::seconds(13)), "busy", false));
    assert_eq!((outcome.word(), outcome.reason()), ("retry", Some("busy")));
}

/// Section 4, 503 and 500: the same status means later, or never; here it means later.
#[test]
fn faults_that_pass() {
    for (fault, code) in [
        (ErpNextFault::Maintenance, "busy"),
        (ErpNextFault::DatabaseDown, "unavailable"),
        (ErpNextFault::LockWait, "unavailable"),
        (ErpNextFault::BadGatewayAfter, "unavailable"),
        (ErpNextFault::Redirect, "redirected"),
    ] {
        let (mut world, outcome) = outcome_of(fault);
        assert_eq!(retry_code(&outcome), code);
        assert!(world.write_until_settled(&alice()).is_done(), "{fault:?}");
        assert_eq!(world.server.checkins().len(), 2);
    }
}

/// S0-062 for this adapter: a failed write is a retry with a reason that says what to do, and never silent.
#[test]
fn a_failure_says_what_to_do() {
    let (_, Outcome::Retry { reason, .. }) = outcome_of(ErpNextFault::DatabaseDown) else { panic!("retry") };
    let RetryReason::Call(error) = &reason else { panic!("{reason:?}") };
    assert_eq!((error.code(), error.evidence().status()), ("PE-CALL-006", 500));
    assert!(reason.to_string().starts_with("PE-CALL-006: "));
}

/// Section 0 fact 3: no answer, but stored. The flow looks and finds its name.
#[test]
fn a_stalled_server_that_stored() {
    let (world, outcome) = outcome_of(ErpNextFault::DropAfter);
    assert_eq!(outcome, Outcome::AlreadyThere { remote_id: "evt_5xe9rzfeytktk4ns5q1xhc1e6k".into() });
    assert_eq!(
        world.requests_since(2),
        [
            "POST /api/v2/document/Employee%20Checkin",
            "GET /api/resource/Employee%20Checkin/evt_5xe9rzfeytktk4ns5q1xhc1e6k",
        ]
    );
}

/// No answer, and not stored: looked for under its name and by time, then left for another attempt.
#[test]
fn a_request_that_was_lost() {
    let (mut world, outcome) = outcome_of(ErpNextFault::DropBefore);
    assert_eq!(outcome, Outcome::Retry { after: None, reason: RetryReason::Unconfirmed });
    assert_eq!(world.requests_since(2).len(), 3);
    assert_eq!(world.attempt(&alice(), true).word(), "applied");
}

/// Three time-outs in a row, then an answer: one record. Measured without own names: three.
#[test]
fn three_stalls() {
    let mut world = World::new();
    world.write(&punch("evt_0", "0042", "2026-11-10T03:00:00Z", "in"));
    for _ in 0..3 {
        world.server.fail_next([ErpNextFault::DropAfter, ErpNextFault::DropBefore]);
        assert_eq!(retry_code(&world.write(&alice())), "unconfirmed");
    }
    assert_eq!(world.write(&alice()).word(), "already");
    assert_eq!(world.server.checkins().len(), 2);
}

/// A page with status 200 is no answer: a portal may have swallowed the request, or not.
#[test]
fn a_portal() {
    let (mut world, outcome) = outcome_of(ErpNextFault::Portal);
    assert_eq!(retry_code(&outcome), "unconfirmed");
    assert_eq!(world.attempt(&alice(), true).word(), "applied");
}

/// Never connected: nothing to look for.
#[test]
fn not_reached() {
    let world = World::new();
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &alice(), now());
    let outcome = drive(&mut flow, |_| Err(Failure::not_reached("no connection")));
    let Outcome::Retry { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((reason.code(), reason.may_have_happened()), ("not_reached", false));
}

/// Section 1: credential trouble keeps everything, visibly, until somebody mends it.
#[test]
fn credentials() {
    let mut world = World::new();
    let mut wrong = settings("Asia/Dhaka");
    wrong.secret = "another".into();
    let right = std::mem::replace(&mut world.site, punch_erp::erpnext::ErpNext::new(wrong).unwrap());
    assert_eq!(retry_code(&world.write(&alice())), "unauthorized");
    world.site = right;
    world.server.config_mut().may_write = false;
    assert_eq!(retry_code(&world.write(&alice())), "forbidden");
    world.server.config_mut().may_write = true;
    assert_eq!(world.write(&alice()).word(), "applied");
    assert!(!format!("{:?}", world.site).contains(KEY));
}

/// Section 1: an unknown host name is answered 404 with a page, which is not "no such record" nor "no /api/v2".
#[test]
fn another_site_answers() {
    let mut world = World::new();
    world.write(&punch("evt_0", "0042", "2026-11-10T03:00:00Z", "in"));
    world.server.config_mut().host = "other.example.com".into();
    for look_first in [false, true] {
        assert_eq!(retry_code(&world.attempt(&alice(), look_first)), "misaddressed");
    }
    world.directory = None;
    assert_eq!(retry_code(&world.write(&alice())), "misaddressed");
}

/// Section 0 fact 2: without level 1 the server stores *now*, with status 200.
#[test]
fn time_becomes_now() {
    let mut world = World::with(|config| config.may_set_time = false);
    let outcome = world.write(&alice());
    let remote_id = "evt_5xe9rzfeytktk4ns5q1xhc1e6k".to_owned();
    assert_eq!(*parked(&outcome), ParkReason::TimeNotEchoed { remote_id: remote_id.clone() });
    assert!(parked(&outcome).is_alarm());
    assert_eq!(world.server.checkins()[0].time.to_string(), "2026-11-22 10:46:48");
    // Released without correcting the record: it still says so, and stores nothing.
    world.server.config_mut().may_set_time = true;
    assert_eq!(*parked(&world.write(&alice())), ParkReason::Conflict { remote_id: remote_id.clone(), field: "time" });
    world.server.delete_checkin(&remote_id);
    assert_eq!(world.write(&alice()).word(), "applied");
}

/// Section 3: the site is in another zone than configured; the first record shows it.
#[test]
fn another_zone_than_configured() {
    let mut world = World::with(|config| config.zone = chrono_tz::Tz::Asia__Kolkata);
    let outcome = world.write(&alice());
    let remote_id = "evt_5xe9rzfeytktk4ns5q1xhc1e6k".into();
    assert_eq!(*parked(&outcome), ParkReason::SiteZoneDiffers { remote_id, found: 330, configured: 360 });
    assert!(parked(&outcome).is_alarm());
}

/// Section 4: refusals that no repetition cures park this punch, with the server's words, and block no other.
#[test]
fn refusals() {
    let mut world = World::with(|config| config.geolocation = true);
    let outcome = world.write(&alice());
    let ParkReason::Refused { kind, evidence } = parked(&outcome) else { panic!("{outcome:?}") };
    assert_eq!((kind.as_deref(), evidence.status()), (Some("ValidationError"), 417));
    assert!(String::from_utf8_lossy(evidence.body()).contains("Latitude and longitude"));
    assert!(!format!("{outcome:?} {}", parked(&outcome)).contains("Latitude"));
    world.server.config_mut().geolocation = false;
    assert_eq!(world.write(&punch("evt_2", "1001", "2026-11-10T11:00:00Z", "out")).word(), "applied");
}

/// Answers to questions nobody asked change nothing.
#[test]
fn unasked_answers() {
    use punch_erp::{Flow as _, Step};
    let mut world = World::new();
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &alice(), now());
    flow.handle(Err(Failure::unknown("nobody asked")));
    assert_eq!(drive(&mut flow, |request| world.send(&request, now())).word(), "applied");
    flow.handle(Err(Failure::unknown("nobody asked")));
    assert!(matches!(flow.poll(), Step::Done(Outcome::Applied { .. })));
}

/// The two drivers are the same loop.
#[test]
fn drivers_agree() {
    let (mut one, two) = (World::new(), std::cell::RefCell::new(World::new()));
    let site = one.site.clone();
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&site, &alice(), now());
    let run = punch_erp::drive_async(&mut flow, |request| {
        let answer = two.borrow_mut().send(&request, now());
        async move { answer }
    });
    let mut run = std::pin::pin!(run);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = run.as_mut().poll(&mut context) else { panic!("nothing waits") };
    assert_eq!(outcome, one.write(&alice()));
    assert_eq!(two.borrow().server.requests(), one.server.requests());
}
