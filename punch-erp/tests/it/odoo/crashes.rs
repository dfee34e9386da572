//! Cut off anywhere, and begun anew: the same records in the end.

use punch_erp::odoo::{Protocol, Session};
use punch_erp::{Flow as _, Step};
use punch_webhook::ReceivedPunch;

use super::world::{DOORS, World, alice, punch};
use crate::cut::{Cut, attempt};

/// What the punches of two people lead to, step by step: new records, ends, an end that moves, a record split in two, an
/// arrival whose end is missing.
fn groups() -> Vec<Vec<ReceivedPunch>> {
    let bob = |time: &str, direction: &str| punch("0042", time, direction);
    vec![
        vec![alice("08:00:00", "in"), alice("18:00:00", "out"), bob("22:00:00", "in")],
        vec![bob("11 06:00:00", "out"), alice("11 08:00:00", "in")],
        vec![alice("13:00:00", "out"), alice("14:00:00", "in"), bob("11 22:00:00", "in")],
        vec![
            alice("12 08:00:00", "in"),
            bob("11 22:00:30", "in"),
            bob("12 06:00:00", "out"),
            bob("12 06:04:00", "out"),
        ],
        vec![alice("11 17:00:00", "out"), alice("12 07:59:50", "in")],
    ]
}

const ALICE: [&str; 4] = ["10 08:00:00-13:00:00", "10 14:00:00-18:00:00", "11 08:00:00-17:00:00", "12 07:59:50-"];
const BOB: [&str; 2] = ["10 22:00:00-11 06:00:00", "11 22:00:00-12 06:04:00"];

fn is_right(world: &World) -> bool {
    world.records() == ALICE && world.records_of(12) == BOB && world.server.attendances().len() == 6
}

#[test]
fn without_a_cut() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        let mut known = Vec::new();
        for group in groups() {
            known.extend(group);
            world.write(&known);
        }
        assert!(is_right(&world), "{:?} {:?}", world.records(), world.records_of(12));
    }
}

/// One cut at every step of every group, of every kind, by every protocol; then the same attempt again, knowing nothing.
#[test]
fn a_cut_anywhere() {
    let mut cuts = 0;
    for (version, protocol) in DOORS {
        for cut in Cut::ALL {
            for (group_of_cut, _) in groups().iter().enumerate() {
                for at in 0.. {
                    let mut world = World::at_door(version, protocol);
                    let (mut known, mut was_cut) = (Vec::new(), false);
                    for (number, group) in groups().into_iter().enumerate() {
                        known.extend(group);
                        if number == group_of_cut {
                            was_cut = attempt(world.flow(&known), cut, at, |request| world.send(request));
                            world.session = Session::default();
                        }
                        world.write(&known);
                    }
                    assert!(is_right(&world), "{cut:?} at {at} of {group_of_cut}: {:?}", world.server.attendances());
                    if !was_cut {
                        break;
                    }
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts > 300, "{cuts} cuts");
}

/// Everything at once, and dying again and again, a step further each time, until it is through.
#[test]
fn one_cut_after_another() {
    for (version, protocol) in [(16, Protocol::JsonRpc), (18, Protocol::XmlRpc), (19, Protocol::Json2)] {
        for cut in Cut::ALL {
            let mut world = World::at_door(version, protocol);
            let punches: Vec<_> = groups().concat();
            for at in 0..20 {
                attempt(world.flow(&punches), cut, at, |request| world.send(request));
                world.session = Session::default();
            }
            world.write(&punches);
            assert!(is_right(&world), "{cut:?}: {:?}", world.server.attendances());
        }
    }
}

/// Two workers on the same punches, in every interleaving of their calls: the same records, none twice.
#[test]
fn two_workers_at_once() {
    let mut conflicts = 0;
    for schedule in 0u32..1024 {
        let mut world = World::at_door(19, Protocol::Json2);
        // What is there before; then both get the rest.
        let mut known = groups().into_iter().take(2).collect::<Vec<_>>().concat();
        world.write(&known);
        known.extend(groups().into_iter().skip(2).flatten());
        let mut flows = [world.flow(&known), world.flow(&known)];
        let calls = world.server.calls().len();
        let mut turns = (0..10).map(|bit| usize::from(schedule & (1 << bit) != 0)).chain([0, 1].into_iter().cycle());
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
        conflicts += usize::from(world.calls_since(calls)["hr.attendance.search_read"] > 2);
        world.write_until_settled(&known);
        assert!(is_right(&world), "{schedule:b}: {:?}", world.server.attendances());
    }
    assert!(conflicts > 30, "{conflicts} interleavings with a conflict");
}
