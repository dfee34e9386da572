//! Door events are read: every page, every type, and what comes late.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use punch_erp::hikcentral::{Dialect, DoorEventQuery, PollMark, PollRules, ReadDoorEvents};
use punch_erp::passage::Reading;
use punch_erp::{HttpResponse, drive};

use super::world::{World, at, ids, local};
use crate::hikcentral_server::DoorEvent;

/// S3-002: however pages are cut and whatever the total says, every event is there.
#[test]
fn every_event_is_read_however_pages_are_cut() {
    for (page_size, page_max, total_is_wrong) in [
        (500, usize::MAX, false),
        (10, usize::MAX, false),
        (10, usize::MAX, true),
        (25, usize::MAX, true),
        (50, 7, false),
    ] {
        let mut world = World::with(
            |config| (config.page_max, config.total_is_wrong) = (page_max, total_is_wrong),
            |settings| settings.page_size = page_size,
        );
        world.faces(100);
        let found = ids(&world.read_day().unwrap().readings);
        let distinct: BTreeSet<_> = found.iter().collect();
        assert_eq!((found.len(), distinct.len()), (100, 100), "{page_size} {page_max} {total_is_wrong}");
    }
}

/// HikCentral Professional takes one type and ten doors a call.
#[test]
fn types_and_doors_are_asked_for_as_the_server_takes_them() {
    let mut world = World::new();
    world.faces(3);
    let mut query = DoorEventQuery::new(at("2026-01-27T00:00:00Z"), at("2026-01-28T00:00:00Z"), vec![196_893, 198_914]);
    query.doors = (1..=21).map(|code| code.to_string()).collect();
    let stamp = world.stamp();
    let mut flow = ReadDoorEvents::new(&world.site, &query, world.rules.clone(), stamp);
    let read = world.run(&mut flow).unwrap();
    assert_eq!((ids(&read.readings).len(), read.requests), (3, 6));
    assert!(world.server.requests()[0].contains("\"startTime\":\"2026-01-27T00:00:00+00:00\""));
}

#[test]
fn isecure_center_is_asked_in_its_own_words() {
    let mut world =
        World::with(|config| config.is_isecure = true, |settings| settings.dialect = Dialect::IsecureCenter);
    let mut event = DoorEvent::face("x1", local("09:00:00"), "11", "99");
    event.in_out = 2;
    world.server.happen(event);
    let read = world.read_day().unwrap();
    assert_eq!((ids(&read.readings), read.requests), (vec!["isc:x1".to_owned()], 1));
    assert_eq!(read.readings[0].passage().unwrap().direction.as_str(), "out");
}

#[test]
fn a_page_that_is_too_long_is_asked_for_in_halves() {
    let mut world = World::with(|config| config.answer_max = 30, |settings| settings.page_size = 100);
    world.faces(90);
    assert_eq!(ids(&world.read_day().unwrap().readings).len(), 90);
    let sizes = world.server.requests().iter().filter(|request| request.contains("\"pageSize\":25")).count();
    assert!(sizes >= 4, "{sizes}");
}

#[test]
fn a_server_that_repeats_its_pages_is_left() {
    let mut world = World::with(|_| {}, |settings| settings.page_size = 1);
    let page = r#"{"code":"0","data":{"list":[{"eventId":"e1"}]}}"#;
    let query = DoorEventQuery::new(at("2026-01-27T00:00:00Z"), at("2026-01-28T00:00:00Z"), vec![196_893]);
    let stamp = world.stamp();
    let mut flow = ReadDoorEvents::new(&world.site, &query, world.rules.clone(), stamp);
    let mut requests = 0;
    let error = drive(&mut flow, |_| {
        requests += 1;
        Ok(HttpResponse::new(page.into()))
    });
    assert_eq!((error.unwrap_err().code(), requests), ("unreadable", ReadDoorEvents::MAX_REQUESTS));
}

/// Walks a mark through a day: what is read, stored, and where it stands.
fn walk(world: &mut World, mark: &mut PollMark, rules: &PollRules, now: &str, seen: &mut BTreeSet<String>) -> usize {
    let mut fresh = 0;
    while let Some(window) = mark.window(rules, at(now)) {
        let Ok(read) = world.read(window.from, window.to) else { return fresh };
        for passage in read.readings.iter().filter_map(Reading::passage) {
            // Stored once, under both of its keys.
            let keys = [passage.event_id.to_string(), passage.natural_key()];
            let is_new = keys.iter().all(|key| !seen.contains(key));
            fresh += usize::from(is_new);
            seen.extend(keys);
        }
        mark.stored(&window);
    }
    fresh
}

/// What doors tell within a quarter of an hour is found by the overlap, what they tell within a week by the daily look back,
/// and nothing is taken twice.
#[test]
fn late_events_are_found_and_none_is_taken_twice() {
    let (mut world, rules, mut seen) = (World::new(), PollRules::default(), BTreeSet::new());
    let mut mark = PollMark::new(at("2026-01-27T10:00:00Z"));
    world.server.happen(DoorEvent::face("a", local("07:30:00"), "11", "7"));
    assert_eq!(walk(&mut world, &mut mark, &rules, "2026-01-27T11:00:00Z", &mut seen), 1);
    // Ten minutes before the mark.
    world.server.happen_unseen(DoorEvent::face("b", local("07:50:00"), "12", "7"));
    assert_eq!(walk(&mut world, &mut mark, &rules, "2026-01-27T11:04:59Z", &mut seen), 0, "the interval is not over");
    assert_eq!(walk(&mut world, &mut mark, &rules, "2026-01-27T11:05:00Z", &mut seen), 1);
    // Hours before it.
    world.server.happen_unseen(DoorEvent::face("c", local("07:05:00"), "13", "7"));
    assert_eq!(walk(&mut world, &mut mark, &rules, "2026-01-27T11:10:00Z", &mut seen), 0);
    assert_eq!(walk(&mut world, &mut mark, &rules, "2026-01-28T10:05:00Z", &mut seen), 1);
    assert_eq!(walk(&mut world, &mut mark, &rules, "2026-01-30T10:05:00Z", &mut seen), 0);
}

/// After an outage a reading walks forward day by day; an error leaves the mark where it was, so nothing is skipped.
#[test]
fn an_outage_is_made_up_for_and_an_error_moves_no_mark() {
    let (mut world, rules, mut seen) = (World::new(), PollRules::default(), BTreeSet::new());
    let mut mark = PollMark::new(at("2026-01-20T00:00:00Z"));
    world.faces(50);
    // The third window fails, in the middle of its calls.
    let calls = world.rules.event_types.codes().len();
    world.server.fail_next(std::iter::repeat_n(crate::hikcentral_server::HikCentralFault::None, calls * 2 + 3));
    world.server.fail_next([crate::hikcentral_server::HikCentralFault::Page(503)]);
    walk(&mut world, &mut mark, &rules, "2026-01-28T12:00:00Z", &mut seen);
    assert_eq!(mark.read_to(), at("2026-01-22T00:00:00Z"));
    assert_eq!(walk(&mut world, &mut mark, &rules, "2026-01-28T12:00:00Z", &mut seen), 50);
    assert_eq!(mark.read_to(), at("2026-01-28T12:00:00Z"));
    assert_eq!(mark.next_at(&rules), at("2026-01-28T12:05:00Z"));
}

#[test]
fn a_mark_survives_a_restart() {
    let rules = PollRules::default();
    let mut mark = PollMark::new(at("2026-01-20T00:00:00Z"));
    let window = mark.window(&rules, at("2026-01-20T01:00:00Z")).unwrap();
    assert_eq!(window.from, at("2026-01-20T00:00:00Z"), "what is before the begin is somebody else's");
    mark.stored(&window);
    let next = mark.window(&rules, at("2026-01-20T02:00:00Z")).unwrap();
    assert_eq!(next.from, at("2026-01-20T00:45:00Z"));
    let stored = serde_json::to_string(&mark).unwrap();
    assert_eq!(serde_json::from_str::<PollMark>(&stored).unwrap(), mark);
    assert!(mark.window(&rules, at("2026-01-20T01:04:59Z")).is_none());
    let mut never = rules;
    never.late_sweep = TimeDelta::zero();
    assert!(mark.window(&never, at("2026-01-20T01:00:01Z")).is_none());
}
