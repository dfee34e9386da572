//! Events are asked for: every page, through a login, whatever the firmware wants.

use std::collections::BTreeSet;

use punch_erp::isapi::{AcsEventQuery, SearchEvents};
use punch_erp::passage::Reading;

use super::world::{PASSWORD, World, local, rules};
use crate::isapi_server::{IsapiConfig, IsapiFault, IsapiStandIn};

fn ids(readings: &[Reading]) -> BTreeSet<String> {
    readings.iter().filter_map(Reading::passage).map(|passage| passage.event_id.to_string()).collect()
}

#[test]
fn every_page_is_read_with_one_login() {
    let mut world = World::with(|_| {});
    world.faces(95);
    let read = world.search().unwrap();
    assert_eq!((ids(&read.readings).len(), read.readings.len(), read.pages), (95, 95, 4));
    // One without a login, then one a page.
    assert_eq!(world.server.requests().len(), 5);
    let searches: BTreeSet<_> =
        world.server.requests().iter().map(|request| request.contains("\"searchID\":\"b3b8c0b2\"")).collect();
    assert_eq!(searches, [true].into());
}

#[test]
fn nothing_there_is_an_answer() {
    let read = World::with(|_| {}).search().unwrap();
    assert_eq!((read.readings.len(), read.pages), (0, 1));
}

/// MD5 and SHA-256, with and without `qop`, and numbers that become too old in the middle.
#[test]
fn every_kind_of_login() {
    for (algorithm, has_qop, nonce_serves) in [
        ("MD5", true, u32::MAX),
        ("MD5", false, u32::MAX),
        ("SHA-256", true, u32::MAX),
        ("MD5", true, 1),
        ("SHA-256", true, 2),
    ] {
        let mut world = World::with(|config| {
            (config.algorithm, config.has_qop, config.nonce_serves) = (algorithm, has_qop, nonce_serves);
        });
        world.faces(95);
        assert_eq!(world.search().unwrap().readings.len(), 95, "{algorithm} {has_qop} {nonce_serves}");
    }
}

#[test]
fn a_login_serves_the_next_search_and_is_renewed_when_it_is_too_old() {
    let mut world = World::with(|config| config.nonce_serves = 2);
    world.faces(3);
    let mut flow = world.flow();
    world.run(&mut flow).unwrap();
    let session = flow.session().unwrap().clone();
    // The second time both counts were used.
    for requests in [1, 2] {
        let before = world.server.requests().len();
        let mut flow = world.flow().with_session(session.clone());
        assert_eq!(world.run(&mut flow).unwrap().readings.len(), 3);
        assert_eq!(world.server.requests().len() - before, requests);
    }
    // A terminal that was switched off and on knows no number, and calls none too old.
    world.server = IsapiStandIn::new(IsapiConfig::new("admin", PASSWORD), 1);
    let mut flow = world.flow().with_session(session);
    assert_eq!(world.run(&mut flow).unwrap().readings.len(), 0);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut world = World::with(|config| "another".clone_into(&mut config.password));
    assert_eq!(world.search().unwrap_err().code(), "unauthorized");
    // A terminal locks whoever tries five times.
    assert_eq!(world.server.requests().len(), 2);
    let text = format!("{:?} {:?}", world.terminal, super::world::settings());
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn firmware_that_refuses_an_offset_is_asked_without_one() {
    let mut world = World::with(|config| config.refuses_offset = true);
    world.faces(40);
    let mut flow = world.flow();
    assert_eq!(world.run(&mut flow).unwrap().readings.len(), 40);
    assert!(flow.needs_no_offset());
    let before = world.server.requests().len();
    let mut flow = world.flow().without_offset();
    assert_eq!(world.run(&mut flow).unwrap().readings.len(), 40);
    assert_eq!(world.server.requests().len() - before, 3);
}

/// Serial numbers begin anew after 100000, and gaps in them are asked for.
#[test]
fn numbers_that_begin_anew_make_other_ids() {
    let mut world = World::with(|_| {});
    world.server = IsapiStandIn::new(IsapiConfig::new("admin", PASSWORD), 99_999);
    world.faces(3);
    let first = ids(&world.search().unwrap().readings);
    assert!(first.contains("isapi:DS-SN-1:1:2026-03-28T07:02:00Z"), "{first:?}");
    let mut query = AcsEventQuery::new(local("00:00:00"), local("23:59:59"), "x");
    query.begin_serial = Some(IsapiStandIn::SERIAL_MAX);
    let mut flow = SearchEvents::new(&world.terminal, query, rules(), "c");
    let last = ids(&world.run(&mut flow).unwrap().readings);
    assert_eq!(last.into_iter().collect::<Vec<_>>(), ["isapi:DS-SN-1:100000:2026-03-28T07:01:00Z"]);
}

#[test]
fn terminals_in_trouble() {
    for (fault, word) in [
        (IsapiFault::Page(503), "busy"),
        (IsapiFault::Page(500), "unavailable"),
        (IsapiFault::Page(403), "forbidden"),
        (IsapiFault::Page(404), "misaddressed"),
        (IsapiFault::Page(200), "unreadable"),
    ] {
        let mut world = World::with(|_| {});
        world.server.fail_next([fault]);
        assert_eq!(world.search().unwrap_err().code(), word, "{fault:?}");
    }
    let mut world = World::with(|_| {});
    world.server.fail_next([IsapiFault::EmptyMore]);
    assert_eq!(world.search().unwrap().readings.len(), 0, "more of nothing is nothing");
}
