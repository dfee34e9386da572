//! D1 to D10: a finger put down twice.

use chrono::TimeDelta;
use punch_normalize::timeline::{BounceRules, BounceScope, Mark, Place, Role, StateChange, TimelineRules};
use punch_protocol::Status;

use super::{exceptions, find, kept, mark};

fn with(bounce: BounceRules) -> TimelineRules {
    TimelineRules { bounce, ..TimelineRules::default() }
}

fn plain() -> TimelineRules {
    with(BounceRules::default())
}

fn sliding() -> TimelineRules {
    with(BounceRules { sliding: true, ..BounceRules::default() })
}

fn at(second: i64) -> Mark {
    let base = mark("08:00");
    let id = punch_normalize::EventId::parse(&format!("evt_{second:05}")).unwrap();
    let step = TimeDelta::seconds(second);
    Mark { event_id: id, at: base.at + step, local: base.local + step, ..base }
}

fn kept_of(seconds: &[i64], rules: &TimelineRules) -> Vec<usize> {
    kept(&find(seconds.iter().map(|second| at(*second)).collect(), rules))
}

#[test]
fn d1_within_the_window() {
    assert_eq!(kept_of(&[0, 59], &plain()), [0]);
}

#[test]
fn d2_the_border_is_outside() {
    assert_eq!(kept_of(&[0, 60], &plain()), [0, 1]);
}

#[test]
fn d3_the_window_begins_with_the_kept_one() {
    assert_eq!(kept_of(&[0, 50, 100], &plain()), [0, 2]);
    assert_eq!(kept_of(&[0, 50, 100], &sliding()), [0]);
}

#[test]
fn d4_and_so_on() {
    assert_eq!(kept_of(&[0, 50, 100, 150, 200], &plain()), [0, 2, 4]);
    assert_eq!(kept_of(&[0, 50, 100, 150, 200], &sliding()), [0]);
}

#[test]
fn d5_of_one_second_the_first_row_is_kept() {
    let mut first = at(0);
    first.order = 1;
    let mut second = at(0);
    second.event_id = punch_normalize::EventId::parse("evt_00000a").unwrap();
    second.order = 2;
    let found = find(vec![second.clone(), first.clone()], &plain());
    assert_eq!(found[1].duplicate_of, Some(first.event_id.clone()));
    (first.order, second.order) = (0, 0);
    let found = find(vec![second, first.clone()], &plain());
    assert_eq!(found[1].duplicate_of, Some(first.event_id), "of one place the lower id");
}

#[test]
fn d6_in_by_one_reader_and_out_by_the_other() {
    let (mut entry, mut exit) = (at(0), at(8));
    (entry.role, exit.role) = (Some(Role::Entry), Some(Role::Exit));
    let marks = vec![entry, exit];
    assert_eq!(kept(&find(marks.clone(), &plain())), [0, 1]);
    let cross = with(BounceRules { cross_role: true, ..BounceRules::default() });
    assert_eq!(kept(&find(marks, &cross)), [0]);
}

#[test]
fn d7_the_wrong_key_and_then_the_right_one() {
    let (mut wrong, mut right) = (at(0), at(5));
    (wrong.status, right.status) = (Some(Status::CHECK_IN), Some(Status::CHECK_OUT));
    let marks = vec![wrong, right];
    assert_eq!(kept(&find(marks.clone(), &plain())), [0, 1]);
    let last = with(BounceRules { state_change: StateChange::LastWins, ..BounceRules::default() });
    let found = find(marks.clone(), &last);
    assert_eq!((kept(&found), found[0].duplicate_of.clone()), (vec![1], Some(marks[1].event_id.clone())));
    let mut told = marks;
    told[0].is_published = true;
    assert_eq!(kept(&find(told, &last)), [0, 1], "what was delivered cannot be taken back");
}

fn published(second: i64) -> Mark {
    Mark { is_published: true, ..at(second) }
}

#[test]
fn d8_what_was_delivered_stays() {
    assert_eq!(kept(&find(vec![published(100), at(70)], &plain())), [1]);
}

#[test]
fn d9_a_backlog_is_compared_with_what_was_delivered_and_with_itself() {
    assert_eq!(kept(&find(vec![published(100), at(20), at(70)], &plain())), [0, 2]);
    assert_eq!(kept(&find(vec![published(0), published(30), published(50)], &plain())), [0, 1, 2]);
}

#[test]
fn d10_two_sites_within_the_window() {
    let employee = with(BounceRules { scope: BounceScope::Employee, ..BounceRules::default() });
    let there = Mark { place: Place { device: 2, site: 2 }, ..at(40) };
    let found = find(vec![at(0), there.clone()], &employee);
    assert_eq!((kept(&found), exceptions(&found)[1].clone()), (vec![0], vec!["impossible_travel"]));
    assert_eq!(kept(&find(vec![at(0), there], &plain())), [0, 1], "by default terminals are looked at one by one");
}

#[test]
fn the_scope_says_who_is_compared() {
    let neighbour = Mark { place: Place { device: 2, site: 0 }, ..at(30) };
    let elsewhere = Mark { place: Place { device: 3, site: 9 }, ..at(45) };
    let marks = vec![at(0), neighbour, elsewhere];
    let by = |scope| kept(&find(marks.clone(), &with(BounceRules { scope, ..BounceRules::default() })));
    assert_eq!(by(BounceScope::Device), [0, 1, 2]);
    assert_eq!(by(BounceScope::Site), [0, 2]);
    assert_eq!(by(BounceScope::Employee), [0]);
}

#[test]
fn a_window_of_nothing_keeps_everything() {
    let off = with(BounceRules { window: TimeDelta::zero(), ..BounceRules::default() });
    assert_eq!(kept_of(&[0, 0, 1], &off), [0, 1, 2]);
}
