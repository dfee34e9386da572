//! How fast each program drains a backlog into its ERP, 20 ms away, and with how many calls. Prints a table; no figure makes
//! it fail. What calls a punch may cost is a test, `tests/it/drain.rs`, and this runs the same.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a bench is a shell"
)]

#[path = "../tests/it/drain.rs"]
mod drain;
#[path = "../tests/it/program.rs"]
#[allow(dead_code, clippy::expect_used, clippy::indexing_slicing, reason = "the tests use all of it")]
mod program;

use drain::{Drained, drain_erpnext, drain_hrms, drain_odoo, drain_successfactors, float};

/// The backlog that the last column is about.
const BACKLOG: usize = 19_200;

/// Requests of a minute that Humand lets a key have for writing, of its 50.
const HUMAND_A_MINUTE: usize = 45;

#[tokio::main]
async fn main() {
    // Cargo's own way of asking whether a bench works: little of everything. `--whole` drains the whole backlog.
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let people = if has("--test") {
        [5, 5, 20, 5]
    } else if has("--whole") {
        [BACKLOG / 4; 4]
    } else {
        [500, 250, 1000, 500]
    };
    println!("{:<16} {:>8} {:>10} {:>14} {:>16}", "", "punches", "punches/s", "calls a punch", "19,200 punches");
    show("odoo", &drain_odoo(people[0]).await);
    show("erpnext", &drain_erpnext(people[1]).await);
    show("successfactors", &drain_successfactors(people[2]).await);
    show("hrms (SQLite)", &drain_hrms(people[3]).await);
    // Not run: it would be waiting for the minute to pass.
    let (speed, minutes) = (float(HUMAND_A_MINUTE) / 60.0, BACKLOG.div_ceil(HUMAND_A_MINUTE));
    println!("{:<16} {:>8} {speed:>10.2} {:>14} {minutes:>12} min", "humand", "", "by its limit");
}

fn show(name: &str, drained: &Drained) {
    let (speed, calls) = (drained.punches_per_second(), drained.calls_per_punch());
    let whole = float(BACKLOG) / speed;
    println!("{name:<16} {:>8} {speed:>10.0} {calls:>14.3} {whole:>14.0} s", drained.punches);
}
