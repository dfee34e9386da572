//! Servers that ignore our names, or do not have `/api/v2` at all.

use punch_erp::{Outcome, ParkReason};

use crate::erpnext::{ErpNextFault, Naming};
use crate::world::{World, alice, parked, punch, retry_code};

const SERIES: &str = "EMP-CKIN-11-2026-000001";

/// Section 0 fact 4: the echoed name shows that ours was ignored; then the record is read back.
#[test]
fn names_are_ignored() {
    let mut world = World::with(|config| config.naming = Naming::Ignored);
    assert_eq!(world.write(&alice()), Outcome::Applied { remote_id: SERIES.into() });
    assert!(world.server.requests()[2].starts_with("GET /api/resource/Employee%20Checkin?"));
    assert_eq!(world.write(&alice()), Outcome::AlreadyThere { remote_id: SERIES.into() });
    assert_eq!(world.attempt(&alice(), true), Outcome::AlreadyThere { remote_id: SERIES.into() });
    assert_eq!(world.server.checkins().len(), 1);
}

/// Frappe 14: `/api/v2` is 404; look by time, then `/api/resource`.
#[test]
fn no_v2() {
    let mut world = World::with(|config| config.naming = Naming::NoV2);
    assert_eq!(world.write(&alice()), Outcome::Applied { remote_id: SERIES.into() });
    let calls: Vec<_> = world.requests_since(1).iter().map(|call| call.split('?').next().unwrap().to_owned()).collect();
    assert_eq!(
        calls,
        [
            "POST /api/v2/document/Employee%20Checkin",
            "GET /api/resource/Employee%20Checkin",
            "POST /api/resource/Employee%20Checkin",
            "GET /api/resource/Employee%20Checkin",
        ]
    );
    assert_eq!(world.write(&alice()), Outcome::AlreadyThere { remote_id: SERIES.into() });
    assert_eq!(world.server.checkins().len(), 1);
}

/// A stalled create is found by employee and time, because it has no name of ours.
#[test]
fn a_stall_without_names() {
    for naming in [Naming::Ignored, Naming::NoV2] {
        let mut world = World::with(|config| config.naming = naming);
        world.write(&punch("evt_0", "0042", "2026-11-10T03:00:00Z", "in"));
        let stalled_create = match naming {
            Naming::NoV2 => vec![ErpNextFault::None, ErpNextFault::None, ErpNextFault::DropAfter],
            _ => vec![ErpNextFault::DropAfter],
        };
        world.server.fail_next(stalled_create);
        assert_eq!(world.write(&alice()).word(), "already", "{naming:?}");
        assert_eq!(world.server.checkins().len(), 2);
    }
}

/// Without names the server can be raced into two records; the read back shows it.
#[test]
fn a_double_is_seen() {
    let mut world = World::with(|config| config.naming = Naming::Ignored);
    world.write(&punch("evt_0", "0042", "2026-11-10T03:00:00Z", "in"));
    // Another writer's request committed between the duplicate check and the insert: two rows of one second.
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &alice(), crate::world::now())
        .with_directory(world.directory.clone().unwrap());
    let outcome = punch_erp::drive(&mut flow, |request| {
        let mut response = world.send(&request, crate::world::now())?;
        if request.method() == "GET" {
            let mut answer: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            let mut twin = answer["data"][0].clone();
            twin["name"] = "EMP-CKIN-11-2026-000099".into();
            answer["data"].as_array_mut().unwrap().push(twin);
            *response.body_mut() = answer.to_string().into();
        }
        Ok(response)
    });
    assert_eq!(*parked(&outcome), ParkReason::Doubled { remote_id: "EMP-CKIN-11-2026-000002".into(), count: 2 });
}

/// The read back gets no answer: not counted as done, and the next attempt finds it.
#[test]
fn a_read_back_that_fails() {
    let mut world = World::with(|config| config.naming = Naming::Ignored);
    world.write(&punch("evt_0", "0042", "2026-11-10T03:00:00Z", "in"));
    world.server.fail_next([ErpNextFault::None, ErpNextFault::DropBefore]);
    assert_eq!(retry_code(&world.write(&alice())), "unconfirmed");
    assert_eq!(world.attempt(&alice(), true).word(), "already");
}

/// Section 0 fact 5: a German site, and a proxy that drops our `Accept-Language`.
#[test]
fn a_german_site() {
    let mut world = World::with(|config| {
        config.language = "de".into();
        config.naming = Naming::NoV2;
    });
    assert_eq!(world.write(&alice()).word(), "applied");
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &alice(), crate::world::now());
    let outcome = punch_erp::drive(&mut flow, |mut request| {
        request.headers_mut().remove("accept-language");
        world.send(&request, crate::world::now())
    });
    assert_eq!(outcome.word(), "already");

    // The same with own names and another event in the second, where only the text tells.
    let mut world = World::with(|config| config.language = "de".into());
    world.write(&alice());
    let twin = punch("evt_2", "1001", "2026-11-10T03:00:00Z", "in");
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &twin, crate::world::now());
    let outcome = punch_erp::drive(&mut flow, |mut request| {
        request.headers_mut().remove("accept-language");
        world.send(&request, crate::world::now())
    });
    assert_eq!(outcome.word(), "already");
}

/// The server says duplicate and shows nothing: not counted as done.
#[test]
fn a_duplicate_nobody_shows() {
    let mut world = World::new();
    world.write(&alice());
    let twin = punch("evt_2", "1001", "2026-11-10T03:00:00Z", "in");
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &twin, crate::world::now());
    let outcome = punch_erp::drive(&mut flow, |request| {
        let response = world.send(&request, crate::world::now())?;
        if request.method() == "GET" && request.uri().path().contains("Checkin") {
            return Ok(punch_erp::HttpResponse::new(r#"{"data":[]}"#.into()));
        }
        Ok(response)
    });
    assert_eq!(*parked(&outcome), ParkReason::DuplicateUnseen);
}
