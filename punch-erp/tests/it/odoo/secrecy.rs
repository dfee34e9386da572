//! Canaries: no secret, badge or name in any `Debug` or error text.

use punch_erp::odoo::{
    CreateAttendances, FindAttendances, FindEmployees, Odoo, Protocol, WriteAttendance, WriteAttendances,
};
use punch_erp::{Endpoint as _, Flow as _, Step, render_masked};

use crate::secrecy::texts;

use super::world::{DOORS, KEY, OdooEmployee, OdooFault, PASSWORD, World, naive, now, punch, settings};

const BADGE: &str = "canarybadge7Q";
const PERSON: &str = "Canary Nightingale";

fn check(text: &str) {
    for canary in [KEY, PASSWORD, BADGE, PERSON] {
        assert!(!text.contains(canary), "`{canary}` is in {text}");
    }
}

fn world(version: u16, protocol: Protocol) -> World {
    let mut world = World::at_door(version, protocol);
    world.server.config_mut().employees.push(OdooEmployee::new(77, PERSON, BADGE));
    world
}

/// Every step of flows that meet every fault at every request, and the server's own refusals, which name the person.
#[test]
fn flows_and_outcomes() {
    let faults = [
        OdooFault::None,
        OdooFault::DropAfter,
        OdooFault::Portal,
        OdooFault::DatabaseDown,
        OdooFault::OvertimeClash,
        OdooFault::TooManyRequests(9),
        OdooFault::Redirect,
    ];
    let mut refusals = 0;
    for (version, protocol) in DOORS {
        for fault in faults {
            for at in 0..6 {
                let mut world = world(version, protocol);
                let id = world.server.put_attendance(77, naive("07:00:00"), Some(naive("09:00:00")), "manual");
                world.server.hide_attendance(id);
                world.server.fail_next((0..at).map(|_| OdooFault::None).chain([fault]));
                let mut flow = world.flow(&[punch(BADGE, "08:00:00", "in"), punch("0042", "08:00:00", "in")]);
                let outcomes = loop {
                    let step = flow.poll();
                    check(&format!("{flow:?} {step:?} {:?}", flow.session()));
                    match step {
                        Step::Send(request) => {
                            let shown = render_masked(&request);
                            assert!(!shown.contains(KEY), "{shown}");
                            let answer = world.send(&request);
                            refusals += usize::from(
                                answer
                                    .as_ref()
                                    .is_ok_and(|answer| String::from_utf8_lossy(answer.body()).contains(PERSON)),
                            );
                            flow.handle(answer);
                        }
                        Step::Done(outcomes) => break outcomes,
                    }
                };
                outcomes.iter().for_each(|outcome| check(&texts(outcome)));
            }
        }
    }
    assert!(refusals > 0, "the server named nobody, so nothing was proven");
}

#[test]
fn endpoints_and_rows() {
    let mut world = world(19, Protocol::Json2);
    world.write(&[punch(BADGE, "08:00:00", "in")]);
    let login = world.session.login().unwrap().clone();
    let employees = FindEmployees::new(&world.odoo, &login, [BADGE.to_owned()]);
    let answer = world.send(&employees.request()).unwrap();
    let found = employees.response(&answer).unwrap();
    assert_eq!(found[0].badge, BADGE);
    let attendances = FindAttendances::open(&world.odoo, &login, found[0].id);
    let answer = world.send(&attendances.request()).unwrap();
    let rows = attendances.response(&answer).unwrap();
    let write = WriteAttendance::new(&world.odoo, &login, rows[0].id, None, None);
    let create = CreateAttendances::new(&world.odoo, &login, Vec::new());
    check(&format!("{:?} {employees:?} {found:?} {attendances:?} {rows:?} {write:?} {create:?}", world.odoo));
    check(&format!("{:?} {login:?}", world.session));
}

#[test]
fn settings_and_their_errors() {
    let mut bad = settings();
    bad.secret = format!("{PASSWORD} ").as_str().into();
    bad.base = format!("http://user:{KEY}@odoo.example.com");
    check(&format!("{:?}", settings()));
    let errors = Odoo::new(bad).unwrap_err();
    check(&format!("{errors} {errors:?}"));
    let odoo = Odoo::new(settings()).unwrap();
    check(&format!("{:?}", WriteAttendances::new(&odoo, &[punch(BADGE, "08:00:00", "in")], now())));
}
