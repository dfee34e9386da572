//! Canaries: no key, badge or name in any `Debug` or error text.

use punch_erp::humand::{
    ClockEntry, EntryKind, GetUser, Humand, ListEntries, ListUsers, NewEntry, ReadUsers, WriteEntries,
};
use punch_erp::{Endpoint as _, Flow as _, Step, drive, render_masked};

use crate::secrecy::texts;

use super::world::{HumandFault, HumandUser, KEY, Rules, World, local, punch, settings};

const BADGE: &str = "canarybadge7Q";
const PERSON: &str = "Canary Nightingale";

fn check(text: &str) {
    for canary in [KEY, BADGE, PERSON] {
        assert!(!text.contains(canary), "`{canary}` is in {text}");
    }
}

fn world(rules: Rules) -> World {
    let mut world = World::with_rules(rules);
    world.server.config_mut().users.push(HumandUser::new(BADGE, PERSON));
    world
}

/// Every step of flows that meet every fault at every request, and the server's own refusals, which name the person.
#[test]
fn flows_and_outcomes() {
    let faults = [
        HumandFault::None,
        HumandFault::DropAfter,
        HumandFault::Portal,
        HumandFault::DatabaseError,
        HumandFault::RateLimited(9),
        HumandFault::Redirect,
        HumandFault::NoSuchAddress,
        HumandFault::Unprocessable,
    ];
    let mut refusals = 0;
    for rules in [Rules::Unprocessable, Rules::Invalid, Rules::IllegalState] {
        for fault in faults {
            for at in 0..5 {
                let mut world = world(rules);
                world.server.fail_next((0..at).map(|_| HumandFault::None).chain([fault]));
                let mut flow = world.flow(&[punch(BADGE, "08:00:00", "in"), punch(BADGE, "17:00:00", "out")]);
                let outcomes = loop {
                    let step = flow.poll();
                    check(&format!("{flow:?} {step:?} {:?}", flow.standing()));
                    match step {
                        Step::Send(request) => {
                            assert!(!render_masked(&request).contains(KEY));
                            // Somebody is always faster.
                            let (now, first) = (world.now, world.server.entries().is_empty());
                            if request.method() == "POST" && first {
                                world.server.put(BADGE, "START", local("07:00:00"), PERSON, "MANUAL", now);
                            }
                            let answer = world.send(&request);
                            let names = |body: &[u8]| String::from_utf8_lossy(body).contains(PERSON);
                            let is_refusal = |answer: &punch_erp::HttpResponse| !answer.status().is_success();
                            refusals += usize::from(answer.as_ref().is_ok_and(|it| is_refusal(it) && names(it.body())));
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
    let mut world = world(Rules::None);
    let humand = world.humand.clone();
    let new = NewEntry::new(BADGE, EntryKind::Start, local("08:00:00").fixed_offset(), PERSON);
    let clock = ClockEntry::new(&humand, new.clone());
    let answer = world.send(&clock.request()).unwrap();
    check(&format!("{humand:?} {new:?} {clock:?} {:?}", clock.response(&answer).unwrap()));
    let days = ("2026-01-26".parse().unwrap(), "2026-01-28".parse().unwrap());
    let list = ListEntries::new(&humand, BADGE, days, 1);
    let answer = world.send(&list.request()).unwrap();
    let page = list.response(&answer).unwrap();
    assert_eq!(page.items[0].comment, PERSON);
    check(&format!("{list:?} {page:?}"));
    let get = GetUser::new(&humand, BADGE);
    let answer = world.send(&get.request()).unwrap();
    let user = get.response(&answer).unwrap().unwrap();
    assert_eq!(user.employee, BADGE);
    check(&format!("{get:?} {user:?}"));
    let list = ListUsers::new(&humand, 1);
    let answer = world.send(&list.request()).unwrap();
    let mut read = ReadUsers::new(&humand);
    let directory = drive(&mut read, |request| world.send(&request)).unwrap();
    assert_eq!(directory.check(BADGE), Ok(()));
    check(&format!("{list:?} {:?} {read:?} {directory:?}", list.response(&answer).unwrap()));
    check(&format!("{:?} {:?}", humand.pace(), clock.request().headers()));
}

#[test]
fn settings_and_their_errors() {
    let mut bad = settings();
    bad.api_key = format!("{KEY}\n").as_str().into();
    bad.base = format!("http://user:{KEY}@humand.example.com");
    check(&format!("{:?}", settings()));
    let errors = Humand::new(bad).unwrap_err();
    check(&format!("{errors} {errors:?}"));
    let humand = Humand::new(settings()).unwrap();
    check(&format!("{:?}", WriteEntries::new(&humand, BADGE, &[punch(BADGE, "08:00:00", "in")], local("12:00:00"))));
}
