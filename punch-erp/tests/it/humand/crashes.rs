//! Cut off anywhere, and begun anew: the same entries in the end.

use chrono::TimeDelta;
use punch_erp::humand::WriteEntries;
use punch_erp::{Flow as _, Step};
use punch_webhook::ReceivedPunch;

use super::world::{ALICE, BOB, RULES, Rules, World, alice, punch};
use crate::cut::{Cut, attempt};

/// The punches as they come, each group of one person: late ones, repeated ones, a night, a departure before its arrival.
fn groups() -> Vec<Vec<ReceivedPunch>> {
    let bob = |time: &str, direction: &str| punch(BOB, time, direction);
    vec![
        vec![alice("26 08:00:00", "in"), alice("26 17:00:00", "out")],
        vec![bob("26 22:00:00", "in")],
        vec![alice("27 17:00:00", "out")],
        vec![alice("27 17:00:00", "out"), alice("27 08:00:00", "in"), alice("27 08:00:20", "in")],
        vec![bob("27 06:00:00", "out"), bob("27 22:00:00", "in")],
        vec![alice("28 08:00:00", "in"), alice("28 12:00:00", "break_out"), alice("28 13:00:00", "break_in")],
        vec![bob("28 06:00:00", "out"), bob("28 06:30:00", "out")],
        vec![alice("28 17:00:00", "out"), alice("26 17:00:30", "out")],
    ]
}

fn is_right(world: &World) -> bool {
    let alice = [
        "26 08:00:00 START",
        "26 17:00:00 END",
        "27 08:00:00 START",
        "27 17:00:00 END",
        "28 08:00:00 START",
        "28 12:00:00 END",
        "28 13:00:00 START",
        "28 17:00:00 END",
    ];
    let bob = ["26 22:00:00 START", "27 06:00:00 END", "27 22:00:00 START", "28 06:00:00 END"];
    world.entries(ALICE) == alice && world.entries(BOB) == bob
}

#[test]
fn without_a_cut() {
    for rules in RULES {
        let mut world = World::with_rules(rules);
        for group in groups() {
            world.write(&group);
        }
        assert!(is_right(&world), "{rules:?} {:?}", world.server.entries());
    }
}

/// One cut at every step of every group, of every kind, with what was known before and without; then the same attempt again,
/// knowing nothing. Also on a server that would take anything twice.
#[test]
fn a_cut_anywhere() {
    let mut cuts = 0;
    for rules in [Rules::Unprocessable, Rules::None] {
        for (cut, forgets) in Cut::ALL.into_iter().flat_map(|cut| [(cut, false), (cut, true)]) {
            for (group_of_cut, _) in groups().iter().enumerate() {
                for at in 0.. {
                    let mut world = World::with_rules(rules);
                    let mut was_cut = false;
                    for (number, group) in groups().into_iter().enumerate() {
                        if forgets {
                            world.standing.clear();
                        }
                        if number == group_of_cut {
                            was_cut = attempt(world.flow(&group), cut, at, |request| world.send(request));
                            world.standing.clear();
                        }
                        world.write(&group);
                    }
                    assert!(is_right(&world), "{cut:?} at {at} of {group_of_cut}: {:?}", world.server.entries());
                    if !was_cut {
                        break;
                    }
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts > 200, "{cuts} cuts");
}

/// Everything of a person at once, dying again and again, a step further each time, until it is through.
#[test]
fn one_cut_after_another() {
    for rules in RULES {
        for cut in Cut::ALL {
            let mut world = World::with_rules(rules);
            let all = groups().concat();
            for badge in [ALICE, BOB] {
                let punches: Vec<_> = all.iter().filter(|punch| punch.badge == badge).cloned().collect();
                for at in 0..12 {
                    attempt(world.flow(&punches), cut, at, |request| world.send(request));
                    world.standing.clear();
                }
                world.write_until_settled(&punches);
            }
            assert!(is_right(&world), "{rules:?} {cut:?}: {:?}", world.server.entries());
        }
    }
}

/// Workers for different people, in every interleaving of their requests: nobody sees the other.
#[test]
fn workers_of_different_people() {
    for schedule in 0u32..256 {
        let mut world = World::with_rules(Rules::None);
        let all = groups().concat();
        let of = |badge: &str| all.iter().filter(|punch| punch.badge == badge).cloned().collect::<Vec<_>>();
        let mut flows = [world.flow(&of(ALICE)), world.flow(&of(BOB))];
        interleave(&mut world, &mut flows, schedule);
        assert!(is_right(&world), "{schedule:b}: {:?}", world.server.entries());
    }
}

/// Against the advice: two workers for one person, in every interleaving. Humand's own rule keeps it right: what the other
/// one wrote is refused, read, and found.
#[test]
fn two_workers_of_one_person() {
    let mut conflicts = 0;
    for rules in [Rules::Unprocessable, Rules::Invalid, Rules::IllegalState] {
        for schedule in 0u32..512 {
            let mut world = World::with_rules(rules);
            let all = groups().concat();
            let punches: Vec<_> = all.iter().filter(|punch| punch.badge == ALICE).cloned().collect();
            let mut flows = [world.flow(&punches), world.flow(&punches)];
            interleave(&mut world, &mut flows, schedule);
            let reads = world.calls_since(0).iter().filter(|call| *call == "GET entries").count();
            conflicts += usize::from(reads > 2);
            world.write(&punches);
            for _ in 0..2 {
                let bob: Vec<_> = all.iter().filter(|punch| punch.badge == BOB).cloned().collect();
                world.write_until_settled(&bob);
            }
            assert!(is_right(&world), "{rules:?} {schedule:b}: {:?}", world.server.entries());
        }
    }
    assert!(conflicts > 100, "{conflicts} interleavings with a conflict");
}

/// Runs two flows, whose turn it is by the bits of `schedule`, then in turn.
fn interleave(world: &mut World, flows: &mut [WriteEntries; 2], schedule: u32) {
    let mut turns = (0..9).map(|bit| usize::from(schedule & (1 << bit) != 0)).chain([0, 1].into_iter().cycle());
    let mut is_done = [false, false];
    while is_done != [true, true] {
        let turn = turns.next().unwrap();
        world.now += TimeDelta::seconds(1);
        match flows[turn].poll() {
            Step::Send(request) => {
                let answer = world.send(&request);
                flows[turn].handle(answer);
            }
            Step::Done(_) => is_done[turn] = true,
        }
    }
}
