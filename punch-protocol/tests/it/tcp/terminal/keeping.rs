//! What a client writes, deletes and clears, and what does not fit.

use punch_protocol::tcp::{
    AttendanceLayout, AttendanceRecord, BufferRequest, Carrier, Command, DatasetKind, EncodedTime, Person, Privilege,
    Rights, TerminalEvent, TerminalMemory, TerminalProfile, User, UserLayout,
};
use punch_protocol::{Pin, Status, Verify};

use super::{Line, record, terminal};

fn written(layout: UserLayout, slot: u16, person: Person<'_>, name: &[u8]) -> Vec<u8> {
    let mut user = User::new(slot, person);
    user.name = name;
    let mut bytes = Vec::new();
    user.write(layout, &mut bytes).unwrap();
    bytes
}

#[test]
fn users_are_written_in_either_layout_and_deleted_by_slot() {
    for layout in UserLayout::ALL {
        let profile = TerminalProfile { users: layout, ..TerminalProfile::default() };
        let mut line = Line::open(terminal(profile, 2, 0), Carrier::Tcp);
        let number = written(UserLayout::Number28, 40_000, Person::Number(77), b"\xd5\xc5");
        let text = written(UserLayout::Text72, 3, Person::Pin(Pin::new(b"78")), b"Ana");
        assert_eq!(line.ask(Command::USER_WRITE, &number).command, Command::ACK_OK);
        assert_eq!(line.ask(Command::USER_WRITE, &text).command, Command::ACK_OK);
        assert!(line.events().contains(&TerminalEvent::UserWritten { slot: 40_000 }));
        let user = line.terminal.memory().users().find(|user| user.slot == 40_000).unwrap();
        assert_eq!((user.name, user.person.pin()), (&b"\xd5\xc5"[..], Some(Pin::new(b"77"))));
        // Another one in the same slot takes its place.
        let again = written(UserLayout::Number28, 3, Person::Number(79), b"Eva");
        assert_eq!(line.ask(Command::USER_WRITE, &again).command, Command::ACK_OK);
        let names: Vec<&[u8]> = line.terminal.memory().users().map(|user| user.name).collect();
        assert_eq!(names, [&b""[..], b"", b"\xd5\xc5", b"Eva"]);
        assert_eq!(line.ask(Command::DELETE_USER, &40_000_u16.to_le_bytes()).command, Command::ACK_OK);
        assert!(line.events().contains(&TerminalEvent::UserDeleted { slot: 40_000 }));
        assert_eq!(line.ask(Command::DELETE_USER, &40_000_u16.to_le_bytes()).command, Command::ACK_ERROR);
        assert_eq!(line.terminal.memory().sizes().users, 3);
        assert_eq!(line.ask(Command::USER_WRITE, &again[..27]).command, Command::ACK_ERROR_DATA);
        assert_eq!(line.ask(Command::DELETE_USER, b"").command, Command::ACK_ERROR_DATA);
    }
}

#[test]
fn a_pin_that_is_no_number_fits_no_record_of_numbers() {
    let profile = TerminalProfile::of(AttendanceLayout::Number16);
    let mut line = Line::open(terminal(profile, 2, 0), Carrier::Tcp);
    for pin in [&b"A-77"[..], b"007", b"4294967296"] {
        let user = written(UserLayout::Text72, 9, Person::Pin(Pin::new(pin)), b"");
        assert_eq!(line.ask(Command::USER_WRITE, &user).command, Command::ACK_ERROR);
        let mut punch = record(profile.attendance, 1, EncodedTime(1));
        punch.person = Person::Pin(Pin::new(pin));
        assert!(line.terminal.submit(&punch).is_err());
    }
    assert_eq!(line.terminal.memory().sizes().users, 2);
    assert_eq!(line.terminal.memory().records(), b"");
}

/// A punch by PIN is kept by slot, number or PIN, as the layout says who.
#[test]
fn a_punch_is_kept_as_the_layout_says_who() {
    for layout in AttendanceLayout::ALL {
        let mut terminal = terminal(TerminalProfile::of(layout), 5, 0);
        let time = EncodedTime(810_000_000);
        let ways = [Person::Pin(Pin::new(b"1004")), Person::Number(1004), Person::Slot(4)];
        for person in ways {
            let punch = AttendanceRecord::new(person, time, Status::CHECK_IN, Verify::FINGERPRINT);
            terminal.submit(&punch).unwrap();
        }
        let kept: Vec<Person<'_>> = layout.records(terminal.memory().records()).map(|record| record.person).collect();
        assert_eq!(kept, vec![record(layout, 4, time).person; 3], "{layout:?}");
    }
}

#[test]
fn what_is_cleared_is_what_the_command_names() {
    let counts = |line: &Line| {
        let sizes = line.terminal.memory().sizes();
        [sizes.records, sizes.users, sizes.operations].map(|count| count > 0)
    };
    let cases: [(Command, &[u8], [bool; 3]); 8] = [
        (Command::CLEAR_ATTENDANCE, b"", [false, true, true]),
        (Command::CLEAR_DATA, &[1], [false, true, true]),
        (Command::CLEAR_DATA, &[2], [true, true, true]),
        (Command::CLEAR_DATA, &[3], [true, true, true]),
        (Command::CLEAR_DATA, &[4], [true, true, false]),
        (Command::CLEAR_OPERATIONS, b"", [true, true, false]),
        (Command::CLEAR_DATA, &[5], [true, false, true]),
        (Command::CLEAR_DATA, b"", [false, false, false]),
    ];
    for (command, data, left) in cases {
        let mut line = Line::open(terminal(TerminalProfile::default(), 3, 10), Carrier::Tcp);
        line.ask(Command::UNLOCK, &[1, 0, 0, 0]);
        assert_eq!(counts(&line), [true; 3]);
        assert_eq!(line.ask(command, data).command, Command::ACK_OK);
        assert_eq!(counts(&line), left, "{command} {data:?}");
        assert!(line.events().contains(&TerminalEvent::Cleared(command)));
    }
    let mut line = Line::open(terminal(TerminalProfile::default(), 3, 10), Carrier::Tcp);
    assert_eq!(line.ask(Command::CLEAR_DATA, &[9]).command, Command::ACK_ERROR_DATA);
    assert_eq!(counts(&line), [true, true, false]);
}

#[test]
fn administrators_lose_the_menu_and_stay_locked_out_if_they_were() {
    let mut terminal = terminal(TerminalProfile::default(), 1, 0);
    for (slot, rights) in [(2, 14), (3, 7)] {
        let mut user = User::new(slot, Person::Pin(Pin::new(b"5")));
        user.rights = Rights(rights);
        terminal.memory_mut().write_user(&user).unwrap();
    }
    let mut line = Line::open(terminal, Carrier::Tcp);
    assert_eq!(line.terminal.memory().sizes().administrators, 2);
    assert_eq!(line.ask(Command::CLEAR_ADMINISTRATORS, b"").command, Command::ACK_OK);
    assert!(line.terminal.memory().users().all(|user| user.rights.privilege() == Privilege::USER));
    assert_eq!(line.terminal.memory().users().filter(|user| user.rights.is_disabled()).count(), 1);
}

#[test]
fn a_memory_has_as_much_room_as_its_profile_says() {
    let profile = TerminalProfile { user_capacity: 3, record_capacity: 10, ..TerminalProfile::default() };
    let mut line = Line::open(terminal(profile, 3, 10), Carrier::Tcp);
    let user = |slot| written(UserLayout::Text72, slot, Person::Pin(Pin::new(b"7")), b"");
    assert_eq!(line.ask(Command::USER_WRITE, &user(4)).command, Command::ACK_ERROR);
    assert_eq!(line.ask(Command::USER_WRITE, &user(3)).command, Command::ACK_OK, "one that is there");
    let punch = record(AttendanceLayout::Text40, 1, EncodedTime(1));
    assert!(line.terminal.submit(&punch).is_err());
    line.ask(Command::CLEAR_ATTENDANCE, b"");
    assert!(line.terminal.submit(&punch).is_ok());
}

#[test]
fn options_and_the_operation_log_are_bounded() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 1, 0), Carrier::Tcp);
    let longest = [b"N=", vec![b'a'; TerminalMemory::OPTION_MAX - 1].as_slice()].concat();
    assert_eq!(line.ask(Command::OPTIONS_WRITE, &longest).command, Command::ACK_OK);
    assert_eq!(line.ask(Command::OPTIONS_WRITE, &[&longest[..], b"a"].concat()).command, Command::ACK_ERROR);
    let mut taken = 0;
    for number in 0..TerminalMemory::OPTIONS_MAX {
        let told = line.ask(Command::OPTIONS_WRITE, format!("X{number}=1").as_bytes());
        taken += usize::from(told.command == Command::ACK_OK);
    }
    assert!(taken > 0 && taken < TerminalMemory::OPTIONS_MAX);
    assert_eq!(line.ask(Command::OPTIONS_WRITE, b"X0=2").command, Command::ACK_OK, "one that is there");
    for _ in 0..=TerminalMemory::OPERATIONS_MAX {
        line.ask(Command::UNLOCK, &[1, 0, 0, 0]);
    }
    assert_eq!(line.terminal.memory().sizes().operations, TerminalMemory::OPERATIONS_MAX);
    let log = line.read(BufferRequest::new(Command::DATASET_READ, DatasetKind::OPERATIONS));
    assert_eq!(log.len(), 4 + 16 * 10_000);
}
