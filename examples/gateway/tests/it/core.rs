//! The pure core over maps, and the same core over SQLite behind HTTP: one truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gateway::core::{Directory, Intake, Periods, Progress, Received, Tally};
use punch_normalize::timeline::BounceRules;
use punch_normalize::{DeviceZone, Person, Rules};
use punch_protocol::push::{Limits, Parts, Request};
use punch_protocol::{SerialNumber, Status};
use punch_webhook::DeviceInfo;
use simulator::world::Dice;

use crate::harness::{Book, Line, Site};

/// The rows of a busy hour: few people, close times, both directions, and some of everything that goes wrong.
fn rows(dice: &mut Dice) -> Vec<String> {
    let mut rows = BTreeSet::new();
    while rows.len() < 60 {
        let (person, second) = (1001 + dice.below(4), dice.below(600));
        let state = [0, 0, 0, 1, 255][usize::try_from(dice.below(5)).unwrap()];
        let time = format!("2026-03-28 08:{:02}:{:02}", second / 60, second % 60);
        rows.insert(match dice.below(20) {
            0 => format!("junk {second}"),
            1 => format!("{person}\t2000-01-01 00:00:{:02}\t{state}\t1", second % 60),
            2 => format!("\t{time}\t{state}\t1"),
            3 => format!("{person}\t2026-02-30 00:00:{:02}\t{state}\t1", second % 60),
            _ => format!("{person}\t{time}\t{state}\t1\t0"),
        });
    }
    rows.into_iter().collect()
}

/// Every row at least once, some again and again, in any order, in uploads of any size.
fn uploads(dice: &mut Dice, rows: &[String]) -> Vec<String> {
    let mut sent: Vec<&String> = rows.iter().collect();
    for _ in 0..rows.len() / 2 {
        sent.push(&rows[usize::try_from(dice.below(rows.len() as u64)).unwrap()]);
    }
    for index in (1..sent.len()).rev() {
        sent.swap(index, usize::try_from(dice.below(index as u64 + 1)).unwrap());
    }
    let mut uploads = Vec::new();
    while !sent.is_empty() {
        let size = usize::try_from(1 + dice.below(15)).unwrap().min(sent.len());
        uploads.push(sent.drain(..size).map(|row| format!("{row}\n")).collect());
    }
    uploads
}

/// A terminal of which nothing is known but how its rows are judged.
pub(crate) fn directory(rules: Rules) -> Directory {
    Directory {
        rules,
        device: DeviceInfo::default(),
        hold_unknown_badges: None,
        role: None,
        periods: Periods::default(),
        clock: None,
        shifts: Arc::default(),
    }
}

/// Takes an upload of a terminal.
pub(crate) fn upload(intake: &Intake, book: &mut Book, serial: &str, body: &str, directory: &Directory) -> Tally {
    let target = format!("SN={serial}&table=ATTLOG&Stamp=9999");
    let parts = Parts::new("POST", "/iclock/cdata", &target, body.as_bytes());
    let (serial, request) = Request::parse(parts, &Limits::default()).unwrap();
    let Request::Upload(upload) = request else { panic!("{request:?}") };
    let received = Received::read(serial, &upload, "2026-03-28T10:00:00Z".parse().unwrap());
    intake.take(&received, directory, book).unwrap()
}

fn take(intake: &Intake, book: &mut Book, body: &str) -> Tally {
    upload(intake, book, "T1", body, &directory(Rules::new(DeviceZone::Utc)))
}

fn total(tally: Tally) -> usize {
    let Tally { delivered, suppressed, held, replayed, recorded, discarded } = tally;
    usize::try_from(delivered + suppressed + held + replayed + recorded + discarded).unwrap()
}

#[test]
fn every_row_of_random_uploads_has_exactly_one_fate_and_repeating_them_changes_nothing() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let rows = rows(&mut dice);
        let uploads = uploads(&mut dice, &rows);
        let (intake, mut book) = (Intake::new([7; 32]), Book::default());
        for body in &uploads {
            let tally = take(&intake, &mut book, body);
            assert_eq!(total(tally), body.lines().count(), "seed {seed}: {tally:?}");
        }
        let fates: BTreeMap<String, usize> = rows
            .iter()
            .map(|row| {
                let of_row = |line: &&Line| line.raw.as_slice() == row.as_bytes();
                (row.clone(), book.rows.values().filter(of_row).count())
            })
            .collect();
        assert!(fates.values().all(|&fates| fates == 1), "seed {seed}: {fates:#?}");
        assert_eq!(book.rows.len(), rows.len(), "seed {seed}");
        assert_eq!(book.events.len(), book.events.iter().collect::<BTreeSet<_>>().len(), "seed {seed}: an event twice");

        // f(x + x) = f(x), whatever the second order and whoever remembers: a new intake knows the book alone.
        let (before, events) = (book.page(), book.events.len());
        let intake = Intake::new([7; 32]);
        for body in uploads.iter().rev() {
            let tally = take(&intake, &mut book, body);
            assert_eq!((tally.delivered, tally.suppressed), (0, 0), "seed {seed}: {tally:?}");
        }
        assert_eq!((book.page(), book.events.len()), (before, events), "seed {seed}");
    }
}

/// D3, D7, D8: neighbours closer than the window contradict each other (another key was pressed), and every suppressed
/// row names a delivered one that is near it.
#[test]
fn what_is_kept_is_apart_and_what_is_suppressed_is_near_what_stands_for_it() {
    for seed in 0..200 {
        let mut dice = Dice::new(1000 + seed);
        let rows = rows(&mut dice);
        let (intake, mut book) = (Intake::new([7; 32]), Book::default());
        for body in uploads(&mut dice, &rows) {
            take(&intake, &mut book, &body);
        }
        for line in book.rows.values().filter(|line| line.fate == "suppressed") {
            let stands = &book.rows[line.of.as_ref().unwrap()];
            let apart = line.instant().signed_duration_since(stands.instant()).abs();
            assert!(stands.fate == "delivered" && apart < BounceRules::WINDOW, "seed {seed}: {line:?}");
        }
        let mut people = BTreeMap::<Person, BTreeMap<DateTime<Utc>, Vec<Option<u16>>>>::new();
        for known in book.rows.values().filter_map(|line| line.known.as_ref()) {
            if known.mark.is_published {
                let state = known.mark.status.map(|Status(code)| code).filter(|&code| code != 255);
                people.entry(known.person.clone()).or_default().entry(known.mark.at).or_default().push(state);
            }
        }
        for times in people.values() {
            for (instant, states) in times {
                // Two keys in one second stand as they are.
                let next = times.range(instant..).nth(1).filter(|(next, _)| **next - instant < BounceRules::WINDOW);
                let next = next.filter(|(_, others)| states.len() == 1 && others.len() == 1);
                let near = next.map_or(&[][..], |(_, states)| states);
                for (index, one) in states.iter().enumerate() {
                    let mut others = states[index + 1..].iter().chain(near);
                    assert!(
                        others.all(|other| one.is_some() && other.is_some() && one != other),
                        "seed {seed}: {times:?}"
                    );
                }
            }
        }
    }
}

/// A long upload is entered in turns. Its rows are found to be the same, in the hour that happens twice too.
#[test]
fn an_upload_entered_in_turns_of_any_length_is_what_it_is_as_a_whole() {
    let mut directory = directory(Rules::new(DeviceZone::Utc));
    directory.rules = Rules::new(DeviceZone::parse("America/New_York").unwrap());
    for seed in 0..100 {
        let mut dice = Dice::new(3000 + seed);
        // Twice from one to two o'clock, in the order in which the terminal has them, with junk between.
        let mut body = String::new();
        for minute in (0..120).step_by(3) {
            let (pin, state) = (1001 + dice.below(9), dice.below(2));
            body += &format!("{pin}\t2026-11-01 01:{:02}:{:02}\t{state}\t1\n", minute % 60, dice.below(60));
            body += if dice.below(8) == 0 { "1001\t2000-01-01 00:00:00\t0\t1\njunk\n" } else { "" };
        }
        let target = "SN=T1&table=ATTLOG&Stamp=9999";
        let (serial, request) =
            Request::parse(Parts::new("POST", "/iclock/cdata", target, body.as_bytes()), &Limits::default()).unwrap();
        let Request::Upload(upload) = request else { panic!("{request:?}") };
        let received = Received::read(serial, &upload, "2026-11-02T10:00:00Z".parse().unwrap());
        let (intake, mut whole) = (Intake::new([7; 32]), Book::default());
        let tally = intake.take(&received, &directory, &mut whole).unwrap();
        for most in [1, 2, 7, 39] {
            let (mut book, mut progress, mut counted) = (Book::default(), Progress::default(), Tally::default());
            while !progress.is_over(&received) {
                counted.add(intake.take_next(&received, &mut progress, most, &directory, &mut book).unwrap());
            }
            assert_eq!(counted, tally, "seed {seed}, {most} rows a turn");
            assert_eq!(book.page(), whole.page(), "seed {seed}, {most} rows a turn");
            for (id, line) in whole.rows.iter().filter(|(_, line)| line.known.is_some()) {
                assert_eq!(book.rows[id].instant(), line.instant(), "seed {seed}, {most} rows a turn");
            }
        }
    }
}

/// The map and SQLite behind the real listener agree on every row of the same uploads.
#[tokio::test]
async fn the_ledger_of_the_store_decides_as_the_ledger_of_the_test_does() {
    for seed in 0..5 {
        let mut dice = Dice::new(2000 + seed);
        let rows = rows(&mut dice);
        let uploads = uploads(&mut dice, &rows);
        let mut site = Site::start(|_| ()).await;
        let key: Vec<u8> = site.ask("SELECT value FROM meta WHERE key = 'tenant_key'").await;
        let (intake, mut book) = (Intake::new(key.try_into().unwrap()), Book::default());
        for (index, body) in uploads.iter().enumerate() {
            take(&intake, &mut book, body);
            site.punch(body).await;
            if index == uploads.len() / 2 {
                // What the process remembered is gone; the store knows it all the same.
                site = site.restart(|_| ()).await;
            }
        }
        let stored = site.gateway.store().read(|connection| {
            let sql = "SELECT id, fate || coalesce('/' || reason, ''), duplicate_of FROM row";
            let rows = connection.all(sql, &[], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
            Ok(rows.into_iter().collect::<BTreeMap<String, (String, Option<String>)>>())
        });
        assert_eq!(stored.await.unwrap(), book.page(), "seed {seed}");
        let told = site.ask_all(
            "SELECT id || ' ' || direction || ' ' || direction_source || ' ' || session_id || ' ' || exceptions
                 || ' ' || revision FROM row WHERE fate = 'delivered' ORDER BY id",
        );
        assert_eq!(told.await, book.told(), "seed {seed}");
        let events: BTreeSet<String> = site.ask_all("SELECT id FROM event").await.into_iter().collect();
        assert_eq!(events, book.events.iter().cloned().collect(), "seed {seed}");
    }
}

/// The hour happened twice. Its receipt tells which one it was, but only for what is said to have happened just now.
#[test]
fn a_forwarded_punch_is_dated_by_its_receipt_only_if_it_is_called_live() {
    let mut directory = directory(Rules::new(DeviceZone::Utc));
    directory.rules = Rules::new(DeviceZone::parse("America/New_York").unwrap());
    let row = r#"{"pin":"1001","time":"2026-11-01T01:30:00","state":0}"#;
    for (live, expected) in [(false, "2026-11-01T05:30:00Z"), (true, "2026-11-01T06:30:00Z")] {
        let received_at = "2026-11-01T06:30:05Z".parse().unwrap();
        let serial = SerialNumber::parse("T1").unwrap();
        let received = Received::forwarded(serial, row.as_bytes(), live, received_at).unwrap();
        let mut book = Book::default();
        assert_eq!(Intake::new([7; 32]).take(&received, &directory, &mut book).unwrap().delivered, 1);
        let instants: Vec<_> = book.rows.values().map(Line::instant).collect();
        assert_eq!(instants, [expected.parse::<DateTime<Utc>>().unwrap()], "live: {live}");
    }
}
