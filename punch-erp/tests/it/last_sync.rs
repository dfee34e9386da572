//! The mark up to which auto attendance counts on the checkins.

use chrono::{DateTime, NaiveDateTime, Utc};
use punch_erp::erpnext::{LastSync, MoveLastSync, SetLastSync};
use punch_erp::{Endpoint as _, RetryReason, drive};

use crate::erpnext::{ErpNextFault, ErpNextShift};
use crate::world::{World, at, now, settings};

fn site_with_day() -> World {
    World::with(|config| config.shifts = vec![ErpNextShift::new("Day")])
}

fn naive(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

/// One attempt for the shift type, and whether the site moves its mark by itself.
fn sync(world: &mut World, shift: &str, complete_to: DateTime<Utc>) -> (Result<LastSync, RetryReason>, bool) {
    let mut flow = MoveLastSync::new(&world.site, shift, complete_to, now());
    let outcome = drive(&mut flow, |request| world.send(&request, now()));
    (outcome, flow.moves_by_itself())
}

fn mark(world: &mut World) -> Option<NaiveDateTime> {
    world.server.config_mut().shifts[0].last_sync_of_checkin
}

#[test]
fn the_request_has_a_local_time_without_a_zone() {
    let site = punch_erp::erpnext::ErpNext::new(settings("Asia/Dhaka")).unwrap();
    let request = SetLastSync::new(&site, "Day/Night", naive("2026-11-06T00:00:00")).request();
    assert_eq!(request.method(), "PUT");
    assert_eq!(request.uri(), "https://erp.example.com/api/resource/Shift%20Type/Day%2FNight");
    assert_eq!(request.body().as_ref(), br#"{"last_sync_of_checkin":"2026-11-06 00:00:00"}"#);
}

/// Forward, in the site's zone, and never back: auto attendance has closed what lies before.
#[test]
fn the_mark_moves_forward_and_never_back() {
    let mut world = site_with_day();
    let first = naive("2026-11-06T00:00:00");
    assert_eq!(sync(&mut world, "Day", at("2026-11-05T18:00:00Z")), (Ok(LastSync::Moved(first)), false));
    for earlier in ["2026-11-05T18:00:00Z", "2026-11-05T17:59:59Z", "2010-01-01T00:00:00Z"] {
        assert_eq!(sync(&mut world, "Day", at(earlier)).0, Ok(LastSync::Standing(first)));
    }
    let later = naive("2026-11-06T00:00:01");
    assert_eq!(sync(&mut world, "Day", at("2026-11-05T18:00:01.5Z")).0, Ok(LastSync::Moved(later)));
    assert_eq!(mark(&mut world), Some(later));
}

/// Whatever a watermark says, nothing is complete that has not happened.
#[test]
fn the_mark_is_never_ahead_of_the_clock() {
    let mut world = site_with_day();
    let local = naive("2026-11-22T10:46:48");
    assert_eq!(sync(&mut world, "Day", at("2030-01-01T00:00:00Z")).0, Ok(LastSync::Moved(local)));
}

#[test]
fn a_shift_type_that_is_not_there_or_not_ours_to_change_is_told() {
    let mut world = site_with_day();
    assert_eq!(sync(&mut world, "Night", now()).0, Ok(LastSync::NoSuchShift));
    world.server.config_mut().shifts[0].auto_update_last_sync = true;
    assert!(sync(&mut world, "Day", at("2026-11-05T18:00:00Z")).1);
    world.server.config_mut().shifts[0].is_writable = false;
    assert_eq!(sync(&mut world, "Day", now()).0, Ok(LastSync::NotKept));
}

/// A failure at either call leaves the mark where it was or where it should be, and the next attempt finds out.
#[test]
fn a_lost_answer_is_found_by_the_next_attempt() {
    let there = naive("2026-11-06T00:00:00");
    for (faults, code, next) in [
        (vec![ErpNextFault::Maintenance], "busy", LastSync::Moved(there)),
        (vec![ErpNextFault::None, ErpNextFault::DropBefore], "no_answer", LastSync::Moved(there)),
        (vec![ErpNextFault::None, ErpNextFault::DropAfter], "no_answer", LastSync::Standing(there)),
        (vec![ErpNextFault::None, ErpNextFault::DatabaseDown], "unavailable", LastSync::Moved(there)),
    ] {
        let mut world = site_with_day();
        world.server.fail_next(faults);
        let complete_to = at("2026-11-05T18:00:00Z");
        assert_eq!(sync(&mut world, "Day", complete_to).0.unwrap_err().code(), code);
        assert_eq!(sync(&mut world, "Day", complete_to).0, Ok(next));
        assert_eq!(mark(&mut world), Some(there));
    }
}
