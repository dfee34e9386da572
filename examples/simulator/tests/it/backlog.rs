use chrono::{Datelike as _, TimeDelta};
use punch_protocol::SerialNumber;
use punch_protocol::tcp::{AttendanceLayout, Limits, Surroundings, Terminal, TerminalProfile, UserLayout};
use simulator::backlog::{Backlog, end, name, pin};

fn filled(layout: AttendanceLayout, backlog: Backlog) -> Terminal {
    let mut terminal = Terminal::new(&SerialNumber::parse("SIM1").unwrap(), TerminalProfile::of(layout));
    backlog.fill(&mut terminal).unwrap();
    terminal
}

#[test]
fn the_same_seed_gives_the_same_memory_and_another_seed_another() {
    let backlog = Backlog { users: 30, records: 500, seed: 7 };
    let records = |backlog| filled(AttendanceLayout::Text40, backlog).memory().records().to_vec();
    assert_eq!(records(backlog), records(backlog));
    assert_ne!(records(backlog), records(Backlog { seed: 8, ..backlog }));
}

#[test]
fn punches_are_in_order_and_end_at_a_fixed_time() {
    for records in [1, 2, 200_000] {
        let punches: Vec<_> = Backlog { users: 300, records, seed: 1 }.punches(AttendanceLayout::Text40).collect();
        assert_eq!(punches.len(), usize::try_from(records).unwrap());
        assert_eq!(punches.last().unwrap().time, end());
        assert!(punches.is_sorted_by(|one, next| one.time < next.time));
        assert!(punches[0].time.year() >= 2015 && punches[0].time <= end());
    }
}

/// Nobody has to say which layout it is: the records tell, as those of a unit do.
#[test]
fn every_memory_is_told_by_its_content() {
    for layout in AttendanceLayout::ALL {
        for records in [100, 10_000] {
            let backlog = Backlog { users: 300, records, seed: 3 };
            let terminal = filled(layout, backlog);
            let now = end() + TimeDelta::days(30);
            let records = terminal.memory().records();
            let choice = AttendanceLayout::choose(records, Surroundings::default(), &Limits::default(), now).unwrap();
            assert_eq!((choice.layout, choice.noise, choice.trailing), (layout, 0, 0));
            for (read, made) in layout.records(records).zip(backlog.punches(layout)) {
                assert_eq!(read.person, made.record(layout).person);
                assert_eq!((read.time.civil(), read.state), (Some(made.time), made.state));
                assert_eq!(read.verify, made.verify);
            }
        }
    }
}

#[test]
fn people_have_names_in_two_code_pages_and_pins_from_1001() {
    for layout in [AttendanceLayout::Text40, AttendanceLayout::Flags8] {
        let terminal = filled(layout, Backlog { users: 300, records: 0, seed: 1 });
        let users: Vec<_> = terminal.memory().users().collect();
        assert_eq!(users.len(), 300);
        for (user, slot) in users.iter().zip(1..) {
            assert_eq!((user.slot, user.name), (slot, name(slot)));
            assert_eq!(user.person.pin().unwrap().to_text(), pin(slot).to_string());
        }
        assert!(users.iter().any(|user| user.name == "Ñandú".as_bytes()));
        assert!(users.iter().any(|user| core::str::from_utf8(user.name).is_err()), "GBK");
        let records: Vec<u8> = users
            .iter()
            .flat_map(|user| {
                let mut record = Vec::new();
                user.write(terminal.profile().users, &mut record).unwrap();
                record
            })
            .collect();
        let choice = UserLayout::choose(&records, Surroundings::default(), &Limits::default()).unwrap();
        assert_eq!(choice.layout, terminal.profile().users);
    }
}
