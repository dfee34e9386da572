//! People written to a terminal as somebody wants them: who is known keeps what nobody spoke of.

use punch_protocol::Pin;
use punch_protocol::tcp::{
    Download, Limits, Password, Person, PersonChange, Privilege, Request, Rights, User, UserLayout, UserTable,
    WriteError,
};

/// A table with these people.
fn table(layout: UserLayout, users: &[User<'_>]) -> UserTable {
    let mut records = Vec::new();
    users.iter().for_each(|user| user.write(layout, &mut records).unwrap());
    let mut download = Download::default();
    let len = u32::try_from(records.len()).unwrap();
    download.bytes = [&len.to_le_bytes()[..], &records].concat();
    UserTable::of(&download.users(&Limits::default()).unwrap(), layout)
}

fn record(request: Request) -> Vec<u8> {
    let Request::WriteUser(record) = request else { panic!("{request:?}") };
    record
}

#[test]
fn who_is_known_keeps_slot_password_group_and_what_nobody_spoke_of() {
    for (layout, person) in
        [(UserLayout::Text72, Person::Pin(Pin::new(b"1042"))), (UserLayout::Number28, Person::Number(1042))]
    {
        let mut ana = User::new(7, person.clone());
        (ana.name, ana.password, ana.card, ana.group, ana.rights) = (b"Ana", Password::new(b"99"), 77, 3, Rights(14));
        let mut other =
            User::new(1, if layout == UserLayout::Text72 { Person::Pin(Pin::new(b"5")) } else { Person::Number(5) });
        other.name = b"Omar";
        let mut users = table(layout, &[other, ana]);
        assert_eq!(users.len(), 2);
        let pin = Pin::new(b"1042");
        let locked =
            record(users.write(&PersonChange { disabled: Some(true), ..PersonChange::new(pin.clone()) }).unwrap());
        let read = layout.record(&locked).unwrap();
        assert_eq!((read.slot, read.name, read.card, read.group, read.rights), (7, &b"Ana"[..], 77, 3, Rights(15)));
        assert!(read.password.is_set() && read.person == person);
        // The table goes on with what was written.
        let renamed =
            record(users.write(&PersonChange { name: Some("Ana R."), ..PersonChange::new(pin.clone()) }).unwrap());
        let read = layout.record(&renamed).unwrap();
        assert_eq!((read.name, read.rights), (&b"Ana R."[..], Rights(15)));
        assert_eq!(users.delete(&pin), Some(Request::DeleteUser(7)));
        assert_eq!((users.delete(&pin), users.len()), (None, 1));
    }
}

#[test]
fn who_is_new_gets_the_first_slot_that_is_free() {
    let users = [User::new(1, Person::Pin(Pin::new(b"1"))), User::new(3, Person::Pin(Pin::new(b"3")))];
    let mut users = table(UserLayout::Text72, &users);
    for slot in [2, 4, 5] {
        let pin = format!("A-{slot}");
        let written = record(users.write(&PersonChange::new(Pin::new(pin.as_bytes()))).unwrap());
        assert_eq!(UserLayout::Text72.record(&written).unwrap().slot, slot);
    }
    assert_eq!(users.delete(&Pin::new(b"1")), Some(Request::DeleteUser(1)));
    let written = record(users.write(&PersonChange::new(Pin::new(b"9"))).unwrap());
    assert_eq!(UserLayout::Text72.record(&written).unwrap().slot, 1);
}

#[test]
fn names_are_cut_to_whole_characters_and_what_cannot_be_written_is_named() {
    let mut numbers = table(UserLayout::Number28, &[User::new(1, Person::Number(1))]);
    let long = PersonChange { name: Some("Ñandúñandú"), ..PersonChange::new(Pin::new(b"2")) };
    let written = record(numbers.write(&long).unwrap());
    assert_eq!(UserLayout::Number28.record(&written).unwrap().name, "Ñandú".as_bytes());
    for pin in [&b"007"[..], b"A-1", b"4294967296"] {
        let refused = numbers.write(&PersonChange::new(Pin::new(pin))).unwrap_err();
        assert!(matches!(refused, WriteError::Field { field: "the PIN", .. }), "{refused}");
    }
    let odd = PersonChange { privilege: Some(Privilege(7)), ..PersonChange::new(Pin::new(b"2")) };
    assert!(matches!(numbers.write(&odd), Err(WriteError::Field { field: "the privilege", .. })));
    assert!(!format!("{odd:?} {numbers:?}").contains("Ñandú"));
    assert_eq!(numbers.len(), 2, "what was refused changes nothing");
}
