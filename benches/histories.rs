//! How fast people's histories are made and changed, and how large they are. Prints the figures; none makes it fail.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::time::Instant;

use punch_benches::{Crowd, PUNCHES_A_DAY};
use punch_normalize::timeline::TimelineRules;

/// People of a full run, each with the punches of one day.
const PEOPLE: u32 = 250_000;
/// Late rows of a full run.
const LATE: u32 = 2_000;

fn main() {
    // Cargo's own way of asking whether a bench works.
    let quick = std::env::args().any(|argument| argument == "--test");
    let (people, late) = if quick { (100, 10) } else { (PEOPLE, LATE) };
    let rules = TimelineRules::default();
    let mut crowd = Crowd::default();

    let begin = now();
    crowd.work_a_day(people, &rules);
    let took = begin.elapsed().as_secs_f64();
    let punches = f64::from(people) * f64::from(PUNCHES_A_DAY);
    println!("{punches} punches of {people} people: {took:.2} s, {:.0} punches a second", punches / took);

    // A month of one person, and a row that a terminal kept back for some days of it.
    let mut one = Crowd::default();
    one.work_a_month(&rules);
    let begin = now();
    let changed: usize = (0..late).map(|number| one.tell_late(number, &rules)).sum();
    let took = begin.elapsed().as_secs_f64() / f64::from(late);
    println!("one late row among {} of a person: {:.1} us, {changed} changes in all", one.remembered(), took * 1e6);
}

#[expect(clippy::disallowed_methods, reason = "a bench is a shell")]
fn now() -> Instant {
    Instant::now()
}
