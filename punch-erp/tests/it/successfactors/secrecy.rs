//! Canaries: no secret, badge or name in any `Debug` or error text.

use punch_erp::successfactors::{
    Access, CreateTimeEvents, DeleteTimeEvents, FindTimeEventTypes, FindTimeEvents, NewTimeEvent, RequestToken,
    Session, SuccessFactors, ValidateToken,
};
use punch_erp::{Endpoint as _, Flow as _, Step, render_masked};

use crate::secrecy::texts;

use super::world::{SECRET, SuccessFactorsFault, World, alice, at, punch, settings};

const BADGE: &str = "canarybadge7Q";
const ASSERTION: &str = "canary+assertion==";

fn check(text: &str) {
    for canary in [SECRET, BADGE, ASSERTION, "canary-token", "canary%2F", "canary%2Bass"] {
        assert!(!text.contains(canary), "`{canary}` is in {text}");
    }
}

/// Every step of flows that meet every fault at every request, and the service's own refusals, which name the assignment.
#[test]
fn flows_and_outcomes() {
    let faults = [
        SuccessFactorsFault::None,
        SuccessFactorsFault::DropAfter,
        SuccessFactorsFault::Portal,
        SuccessFactorsFault::Firewall,
        SuccessFactorsFault::Failure,
        SuccessFactorsFault::TokensEnd,
        SuccessFactorsFault::TooManyRequests(Some(9)),
        SuccessFactorsFault::Redirect,
    ];
    for two_step in [false, true] {
        for fault in faults {
            for at in 0..4 {
                let mut two = settings();
                two.ias_two_step = two_step;
                let mut world = World::with(two);
                world.server.config_mut().two_step = two_step;
                world.server.config_mut().duplicate_text = format!("{BADGE} is not known");
                world.server.config_mut().refuses_assignment = Some("bad".to_owned());
                world.server.config_mut().assignments.push(BADGE.to_owned());
                world.server.fail_next((0..at).map(|_| SuccessFactorsFault::None).chain([fault]));
                let mut twice = punch(BADGE, "08:00:00", "in");
                twice.event_id = punch_normalize::EventId::parse("evt_twice").unwrap();
                for punches in [
                    vec![punch(BADGE, "08:00:00", "in"), twice],
                    vec![punch(BADGE, "09:00:00", "in"), punch("bad", "08:00:00", "in")],
                ] {
                    let mut flow = world.flow(&punches);
                    let outcomes = loop {
                        let step = flow.poll();
                        check(&format!("{flow:?} {step:?} {:?}", flow.session()));
                        match step {
                            Step::Send(request) => {
                                let shown = render_masked(&request);
                                assert!(!shown.contains("canary-token") && !shown.contains("canary%2F"), "{shown}");
                                let headers = format!("{:?}", request.headers());
                                check(&headers);
                                let answer = world.send(&request);
                                flow.handle(answer);
                            }
                            Step::Done(outcomes) => break outcomes,
                        }
                    };
                    world.session = flow.session().clone();
                    world.now += chrono::TimeDelta::seconds(300);
                    outcomes.iter().for_each(|outcome| check(&texts(outcome)));
                }
            }
        }
    }
}

#[test]
fn endpoints_and_rows() {
    let mut world = World::new();
    world.server.config_mut().assignments.push(BADGE.to_owned());
    world.write(&[punch(BADGE, "08:00:00", "in")]);
    let token = RequestToken::ias(&world.tenant);
    let answer = world.send(&token.request()).unwrap();
    let access = Access::Bearer(token.response(&answer).unwrap());
    let event = NewTimeEvent::of(&world.tenant, &punch(BADGE, "09:00:00", "in"), world.now).unwrap();
    let create = CreateTimeEvents::new(&world.tenant, &access, vec![event.clone()]);
    let find = FindTimeEvents::new(&world.tenant, &access, at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"), 0);
    let answer = world.send(&find.request()).unwrap();
    let page = find.response(&answer).unwrap();
    assert_eq!(page.events[0].work_assignment_id.as_deref(), Some(BADGE));
    check(&format!("{:?} {token:?} {access:?} {event:?} {create:?} {find:?} {page:?}", world.tenant));
    let others = (
        RequestToken::saml(&world.tenant, ASSERTION),
        RequestToken::ias_exchange(&world.tenant, ASSERTION),
        ValidateToken::new(&world.tenant, &access),
        FindTimeEventTypes::new(&world.tenant, &access),
        DeleteTimeEvents::new(&world.tenant, &access, Vec::new()),
        Session::default().with_assertion(ASSERTION),
    );
    check(&format!("{others:?} {:?}", world.session));
}

#[test]
fn settings_and_their_errors() {
    let mut bad = settings().with_ias("https://ias.example.com", "c", format!("{SECRET} ").as_str(), "");
    bad.api_server = format!("https://user:{SECRET}@api55.sapsf.eu");
    (bad.password, bad.user) = (SECRET.into(), "u".to_owned());
    check(&format!("{:?}", settings()));
    let errors = SuccessFactors::new(bad).unwrap_err();
    check(&format!("{errors} {errors:?}"));
    let mut basic = settings().with_basic("u:", "", SECRET);
    basic.force_basic = true;
    let errors = SuccessFactors::new(basic).unwrap_err();
    check(&format!("{errors} {errors:?}"));
    check(&format!("{:?}", World::new().flow(&[alice("08:00:00", "in")])));
}
