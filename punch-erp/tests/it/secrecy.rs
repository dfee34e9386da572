//! Canaries: no secret, badge or name in any `Debug` or error text.

use std::sync::Arc;

use punch_erp::erpnext::{
    CreateCheckin, Created, EmployeeDirectory, ErpNext, FindCheckins, GetCheckin, ListEmployees, NewCheckin, Resource,
    WriteCheckin,
};
use punch_erp::{Endpoint as _, Flow as _, Outcome, Step, render_masked};

use crate::erpnext::{ErpNextEmployee, ErpNextFault, Naming};
use crate::world::{KEY, SECRET, World, now, punch, settings};

const BADGE: &str = "canary-badge-7Q";
const PERSON: &str = "Canary Nightingale";
const EMPLOYEE: &str = "HR-EMP-CANARY";

fn check(text: &str) {
    for canary in [KEY, SECRET, BADGE, PERSON, EMPLOYEE] {
        assert!(!text.contains(canary), "`{canary}` is in {text}");
    }
}

fn world(naming: Naming) -> World {
    World::with(|config| {
        config.naming = naming;
        config.employees.push(ErpNextEmployee::new(EMPLOYEE, PERSON, BADGE));
    })
}

/// Every text that an outcome has for people or logs.
pub(crate) fn texts(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Retry { reason, .. } => format!("{outcome:?} {reason}"),
        Outcome::Park(reason) => format!("{outcome:?} {reason}"),
        _ => format!("{outcome:?}"),
    }
}

/// Every step of flows of every kind.
#[test]
fn flows_and_outcomes() {
    let canary = punch("evt_1", BADGE, "2026-11-10T03:00:00Z", "in");
    let faults = [
        ErpNextFault::None,
        ErpNextFault::DropAfter,
        ErpNextFault::DropBefore,
        ErpNextFault::Portal,
        ErpNextFault::DatabaseDown,
        ErpNextFault::RateLimited(9),
        ErpNextFault::Redirect,
    ];
    for naming in [Naming::Honoured, Naming::Ignored, Naming::NoV2] {
        for fault in faults {
            for geolocation in [false, true] {
                let mut world = world(naming);
                world.server.config_mut().geolocation = geolocation;
                world.server.fail_next([ErpNextFault::None, fault]);
                let mut flow = WriteCheckin::new(&world.site, &canary, now());
                let outcome = loop {
                    let step = flow.poll();
                    check(&format!("{flow:?} {step:?} {:?}", flow.directory()));
                    match step {
                        Step::Send(request) => {
                            let answer = world.send(&request, now());
                            flow.handle(answer);
                        }
                        Step::Done(outcome) => break outcome,
                    }
                };
                check(&texts(&outcome));
                check(&texts(&world.write(&punch("evt_2", BADGE, "2026-11-10T03:00:00Z", "in"))));
            }
        }
    }
}

#[test]
fn endpoints_and_rows() {
    let mut world = world(Naming::Honoured);
    let time = "2026-11-10T09:00:00".parse().unwrap();
    let row = NewCheckin::new("evt_1", EMPLOYEE, time);
    let create = CreateCheckin::new(&world.site, row.clone(), Resource::V2);
    let find = FindCheckins::new(&world.site, EMPLOYEE, time);
    let list = ListEmployees::new(&world.site);
    check(&format!(
        "{:?} {row:?} {create:?} {find:?} {list:?} {:?}",
        world.site,
        GetCheckin::new(&world.site, "evt_1")
    ));

    let answer = world.send(&create.request(), now()).unwrap();
    let created: Created = create.response(&answer).unwrap();
    check(&format!("{created:?}"));
    let answer = world.send(&find.request(), now()).unwrap();
    check(&format!("{:?}", find.response(&answer).unwrap()));
    let answer = world.send(&list.request(), now()).unwrap();
    let directory: Arc<EmployeeDirectory> = Arc::new(list.response(&answer).unwrap());
    check(&format!("{directory:?} {:?}", directory.find(BADGE, time.date()).unwrap()));
    check(&format!("{:?}", directory.find("0", time.date())));
    // The client's own log of a request hides the token, and a dry run masks it.
    let headers = format!("{:?}", create.request().headers());
    assert!(!headers.contains(SECRET) && !headers.contains(KEY), "{headers}");
    let shown = render_masked(&create.request());
    assert!(!shown.contains(SECRET) && !shown.contains(KEY), "{shown}");
}

#[test]
fn settings_and_their_errors() {
    let mut bad = settings("Nowhere");
    bad.base = "http://user:canary-secret-9b8a@erp.example.com".into();
    bad.secret = format!("{SECRET} ").as_str().into();
    check(&format!("{:?}", settings("UTC")));
    let errors = ErpNext::new(bad).unwrap_err();
    check(&format!("{errors} {errors:?}"));
}
