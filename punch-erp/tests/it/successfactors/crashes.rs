//! Cut off anywhere, and begun anew: the same records in the end.

use punch_erp::successfactors::Session;
use punch_erp::{Flow as _, Step};
use punch_webhook::ReceivedPunch;

use super::world::{SuccessFactorsFault, World, alice, punch, settings};
use crate::cut::{self, Cut};

/// Where the program dies, and what the server does with the request of that step: all of it, half of it, or all of it
/// after the next request.
const CUTS: [(Cut, Option<SuccessFactorsFault>); 5] = [
    (Cut::BeforeRequest, None),
    (Cut::AfterRequest, None),
    (Cut::AfterRequest, Some(SuccessFactorsFault::DropWithin)),
    (Cut::AfterRequest, Some(SuccessFactorsFault::Stall)),
    (Cut::AfterAnswer, None),
];

/// The punches of two people, as they arrive: late ones among them, and one whose neighbour is refused.
fn groups() -> Vec<Vec<ReceivedPunch>> {
    let bob = |time: &str, direction: &str| punch("0042", time, direction);
    vec![
        vec![alice("08:00:00", "in"), alice("18:00:00", "out"), bob("22:00:00", "in"), punch("9999", "08:00:00", "in")],
        vec![bob("11 06:00:00", "out"), alice("11 08:00:00", "in")],
        vec![alice("13:00:00", "out"), alice("14:00:00", "in"), punch("bad", "08:00:00", "in")],
    ]
}

const ALICE: [&str; 5] =
    ["10 08:00:00 P10", "10 13:00:00 P20", "10 14:00:00 P10", "10 18:00:00 P20", "11 08:00:00 P10"];
const BOB: [&str; 2] = ["10 22:00:00 P10", "11 06:00:00 P20"];

fn world(two_step: bool) -> World {
    let mut settings = settings();
    settings.ias_two_step = two_step;
    let mut world = World::with(settings);
    world.server.config_mut().two_step = two_step;
    // A field that only the service finds fault with: it refuses the whole call.
    world.server.config_mut().refuses_assignment = Some("bad".to_owned());
    world
}

fn is_right(world: &World) -> bool {
    world.records() == ALICE && world.records_of("0042") == BOB && world.server.events().len() == 7
}

/// One attempt that dies at its step `at`, with this fault. Whether it got that far.
fn attempt(
    world: &mut World,
    punches: &[ReceivedPunch],
    (cut, fault): (Cut, Option<SuccessFactorsFault>),
    at: usize,
) -> bool {
    let mut step = 0;
    cut::attempt(world.flow(punches), cut, at, |request| {
        if step == at
            && let Some(fault) = fault
        {
            world.server.fail_next([fault]);
        }
        step += 1;
        world.send(request)
    })
}

#[test]
fn without_a_cut() {
    for two_step in [false, true] {
        let mut world = world(two_step);
        for group in groups() {
            world.write_until_settled(&group);
        }
        assert!(is_right(&world), "{:?} {:?}", world.records(), world.records_of("0042"));
    }
}

/// One cut at every step of every group, of every kind; then the same again, knowing nothing, and only then the next group.
#[test]
fn a_cut_anywhere() {
    let mut cuts = 0;
    for two_step in [false, true] {
        for cut in CUTS {
            for (group_of_cut, _) in groups().iter().enumerate() {
                for at in 0.. {
                    let (mut world, mut was_cut) = (world(two_step), false);
                    for (number, group) in groups().into_iter().enumerate() {
                        if number == group_of_cut {
                            was_cut = attempt(&mut world, &group, cut, at);
                            world.session = Session::default();
                        }
                        world.write_until_settled(&group);
                    }
                    assert!(is_right(&world), "{cut:?} at {at} of {group_of_cut}: {:?}", world.server.events());
                    if !was_cut {
                        break;
                    }
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts > 40, "{cuts} cuts");
}

/// Everything at once, and dying again and again, a step further each time, until it is through.
#[test]
fn one_cut_after_another() {
    for cut in CUTS {
        let mut world = world(true);
        let punches: Vec<_> = groups().concat();
        for at in 0..10 {
            attempt(&mut world, &punches, cut, at);
            world.session = Session::default();
        }
        world.now += chrono::TimeDelta::seconds(300);
        world.write_until_settled(&punches);
        assert!(is_right(&world), "{cut:?}: {:?}", world.server.events());
    }
}

/// A request that is cut off at any byte is no list, and nothing of it is stored.
#[test]
fn a_body_cut_at_any_byte() {
    let mut world = world(false);
    let mut flow = world.flow(&[alice("08:00:00", "in"), alice("16:00:00", "out")]);
    let Step::Send(request) = flow.poll() else { panic!("a token") };
    let answer = world.send(&request);
    flow.handle(answer);
    let Step::Send(request) = flow.poll() else { panic!("a write") };
    world.server.config_mut().has_quota = false;
    for length in 0..request.body().len() {
        let mut cut = request.clone();
        *cut.body_mut() = request.body().slice(..length);
        assert_eq!(world.send(&cut).unwrap().status(), 400, "{length}");
    }
    assert!(world.server.events().is_empty());
    assert_eq!(world.send(&request).unwrap().status(), 201);
}

/// An answer that is cut off at any byte makes nothing done; the next attempt finds it there.
#[test]
fn an_answer_cut_at_any_byte() {
    let punches = [alice("08:00:00", "in"), alice("16:00:00", "out")];
    for length in 0.. {
        let mut world = world(false);
        let mut is_whole = false;
        let outcomes = punch_erp::drive(&mut world.flow(&punches), |request| {
            let mut answer = world.server.answer(&request, world.now);
            if request.uri().path() != "/oauth2/token" {
                is_whole = length >= answer.body().len();
                *answer.body_mut() = answer.body().slice(..length.min(answer.body().len()));
            }
            Ok(answer)
        });
        assert_eq!(outcomes.iter().all(punch_erp::Outcome::is_done), is_whole, "{length}: {outcomes:?}");
        if is_whole {
            break;
        }
        assert!(world.write_until_settled(&punches).iter().all(punch_erp::Outcome::is_done));
        assert_eq!(world.server.events().len(), 2);
    }
}

/// Two programs on the same punches, against the rule, in every interleaving: still no record twice.
#[test]
fn two_at_once() {
    for schedule in 0u32..64 {
        let mut world = world(false);
        let punches: Vec<_> = groups().into_iter().take(2).flatten().collect();
        let mut flows = [world.flow(&punches), world.flow(&punches)];
        let mut turns = (0..6).map(|bit| usize::from(schedule & (1 << bit) != 0)).chain([0, 1].into_iter().cycle());
        let mut is_done = [false, false];
        while is_done != [true, true] {
            let turn = turns.next().unwrap();
            match flows[turn].poll() {
                Step::Send(request) => {
                    let answer = world.send(&request);
                    flows[turn].handle(answer);
                }
                Step::Done(_) => is_done[turn] = true,
            }
        }
        world.write_until_settled(&groups()[2]);
        assert!(is_right(&world), "{schedule:b}: {:?}", world.server.events());
    }
}
