//! A day of two hundred terminals under one simulated clock, with everything that goes wrong on the way.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use gateway::core::{Directory, Intake, Received};
use punch_normalize::{DeviceZone, Rules};
use punch_protocol::push::{Limits, Parts, Request, Session, Settings, Terminal, TerminalRequest, Turn};
use punch_protocol::{Pin, SerialNumber};
use simulator::world::Dice;

use crate::core::directory;
use crate::harness::Book;

/// A terminal and the gateway's side of it.
struct Unit {
    serial: SerialNumber,
    terminal: Terminal,
    session: Session,
    book: Book,
    /// Everybody who punched at it.
    punched: BTreeSet<String>,
    /// Until when its line is down.
    down_until: DateTime<Utc>,
}

/// What went wrong, how often.
#[derive(Debug, Default)]
struct Faults {
    requests_lost: u32,
    answers_lost: u32,
    commits_failed: u32,
    outages: u32,
    power_cuts: u32,
    restarts: u32,
}

impl Unit {
    fn new(number: u32, now: DateTime<Utc>) -> Self {
        let serial = SerialNumber::parse(&format!("SOAK{number:04}")).unwrap();
        let mut terminal = Terminal::new(serial.clone());
        terminal.set_wall_clock(now.naive_utc(), now);
        let session = Session::approved(serial.clone(), Settings::default());
        Self { serial, terminal, session, book: Book::default(), punched: BTreeSet::new(), down_until: now }
    }

    fn turn(
        &mut self,
        intake: &Intake,
        directory: &Directory,
        dice: &mut Dice,
        faults: &mut Faults,
        now: DateTime<Utc>,
    ) {
        while let Some(request) = self.terminal.poll_request(now) {
            if now < self.down_until {
                self.terminal.handle_failure(now);
                continue;
            }
            if dice.below(20) == 0 {
                faults.requests_lost += 1;
                self.terminal.handle_failure(now);
                continue;
            }
            let fails = dice.below(20) == 0;
            let (status, body) = self.answer(&request, fails, intake, directory, faults, now);
            if dice.below(20) == 0 {
                faults.answers_lost += 1;
                self.terminal.handle_failure(now);
            } else {
                self.terminal.handle_answer(status, &body, now);
            }
        }
    }

    /// What the gateway does: rows first, the acknowledgement only for what is in the book.
    fn answer(
        &mut self,
        request: &TerminalRequest,
        fails: bool,
        intake: &Intake,
        directory: &Directory,
        faults: &mut Faults,
        now: DateTime<Utc>,
    ) -> (u16, Vec<u8>) {
        let (path, query) = request.target.split_once('?').unwrap();
        let parts = Parts::new(request.method, path, query, &request.body);
        let (_, parsed) = Request::parse(parts, &Limits::default()).unwrap();
        let response = match (self.session.handle(&parsed, now), &parsed) {
            (Turn::Reply(reply), _) => reply,
            (Turn::Store(receipt), Request::Upload(_)) if fails => {
                faults.commits_failed += 1;
                receipt.refused()
            }
            (Turn::Store(receipt), Request::Upload(upload)) => {
                let received = Received::read(self.serial.clone(), upload, now);
                intake.take(&received, directory, &mut self.book).unwrap();
                receipt.stored()
            }
            (Turn::Store(receipt), _) => receipt.stored(),
            (turn, _) => panic!("{turn:?}"),
        };
        (response.status(), response.body().to_vec())
    }
}

/// S2-001, S2-004, S0-005: 200 devices, 24 hours, faults of every kind, and every punch is there once.
#[test]
fn two_hundred_terminals_lose_and_double_nothing_in_a_day_of_faults() {
    let begun: DateTime<Utc> = "2026-03-28T00:00:00Z".parse().unwrap();
    let (mut now, mut dice, mut faults) = (begun, Dice::new(2_001), Faults::default());
    let (intake, directory) = (Intake::new([7; 32]), directory(Rules::new(DeviceZone::Utc)));
    let mut units: Vec<Unit> = (0..200).map(|number| Unit::new(number, now)).collect();
    let mut person = 100_000_u32;
    while now < begun + TimeDelta::hours(24) {
        now += TimeDelta::seconds(60);
        // The gateway is killed now and then: what it remembered of conversations is gone.
        let restarts = dice.below(300) == 0;
        faults.restarts += u32::from(restarts);
        for unit in &mut units {
            if restarts {
                unit.session = Session::approved(unit.serial.clone(), Settings::default());
            }
            if dice.below(30) == 0 {
                person += 1;
                let pin = person.to_string();
                unit.terminal.tap(Pin::new(pin.as_bytes()).into_owned(), None, None, now);
                unit.punched.insert(pin);
            }
            if dice.below(2_000) == 0 {
                faults.outages += 1;
                let minutes = [1, 40, 360][usize::try_from(dice.below(3)).unwrap()];
                unit.down_until = now + TimeDelta::minutes(minutes);
            }
            if dice.below(5_000) == 0 {
                faults.power_cuts += 1;
                unit.terminal.power_cycle();
            }
            unit.turn(&intake, &directory, &mut dice, &mut faults, now);
        }
    }
    let Faults { requests_lost, answers_lost, commits_failed, outages, power_cuts, restarts } = faults;
    let happened = [requests_lost, answers_lost, commits_failed, outages, power_cuts, restarts];
    assert!(happened.iter().all(|times| *times > 0), "{faults:?}");
    // The lines hold from now on, and whatever is left comes.
    let mut quiet = Faults::default();
    for _ in 0..600 {
        now += TimeDelta::seconds(60);
        for unit in &mut units {
            unit.down_until = begun;
            unit.turn(&intake, &directory, &mut dice, &mut quiet, now);
        }
        if units.iter().all(|unit| unit.terminal.pending() == 0) {
            break;
        }
    }
    for Unit { serial, book, punched, .. } in &units {
        let rows: Vec<_> = book.rows.values().collect();
        let people: BTreeSet<String> =
            rows.iter().filter_map(|line| Some(line.punch.as_ref()?.pin.to_text().into_owned())).collect();
        assert_eq!(&people, punched, "{serial}: nothing is lost");
        assert_eq!((rows.len(), book.events.len()), (punched.len(), punched.len()), "{serial}: nothing is doubled");
    }
    assert!(units.iter().map(|unit| unit.punched.len()).sum::<usize>() > 5_000);
}
