//! Records of datasets: attendance in every size, users, operations, heads of templates.

use proptest::prelude::*;
use punch_protocol::tcp::{
    AttendanceLayout, AttendanceRecord, DataError, EncodedTime, OperationRecord, Password, Person, Privilege, Tail,
    TemplateHead, User, UserLayout, UserZones, WriteError,
};
use punch_protocol::{Pin, Status, Verify};
use serde_json::Value;

use super::{Vector, shown};

pub(super) fn attendance_layout(kind: &str) -> Option<AttendanceLayout> {
    Some(match kind {
        "att8a" => AttendanceLayout::Packed8,
        "att8b" => AttendanceLayout::Flags8,
        "att16" => AttendanceLayout::Number16,
        "att40" => AttendanceLayout::Text40,
        "att49" => AttendanceLayout::Text49,
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_attendance_record_reads_as_the_vectors_say() {
    let mut read = 0;
    for vector in Vector::of("record") {
        let Some(layout) = attendance_layout(vector.decode["kind"].as_str().unwrap()) else { continue };
        let record = layout.record(&vector.bytes).unwrap();
        for (key, want) in vector.decode.as_object().unwrap() {
            let got: Value = match key.as_str() {
                "kind" => want.clone(),
                "uid" if record.slot.is_some() => record.slot.into(),
                "uid" | "user_id" | "user_num" => shown(&record.person),
                "verify" => record.verify.0.into(),
                "state" => record.state.0.into(),
                "time" => record.time.civil().unwrap().format("%Y-%m-%dT%H:%M:%S").to_string().into(),
                "workcode" => record.work_code.into(),
                "tail_hex" => hex(record.tail.as_bytes()).into(),
                "flags" => record.flags.unwrap()[0].into(),
                "short" => (record.flags.unwrap()[0] >> 2 & 1).into(),
                other => panic!("{other}"),
            };
            assert_eq!(*want, got, "{}: {key}", vector.id);
        }
        for end in 0..layout.size() {
            assert!(layout.record(&vector.bytes[..end]).is_none(), "{} {end}", vector.id);
        }
        read += 1;
    }
    assert_eq!(read, 11);
}

fn assert_user(id: &str, user: &User<'_>, wanted: &Value) {
    let UserZones::Listed { own, zones } = user.zones else { panic!("{id}") };
    for (key, want) in wanted.as_object().unwrap() {
        let got: Value = match key.as_str() {
            "uid" => user.slot.into(),
            "privilege" => user.rights.0.into(),
            "password" => continue,
            "name" => core::str::from_utf8(user.name).unwrap().into(),
            "card" => user.card.into(),
            "group" => user.group.into(),
            "own_tz" => own.into(),
            "tz" => zones.to_vec().into(),
            "user_id" => shown(&user.person),
            other => panic!("{other}"),
        };
        assert_eq!(*want, got, "{id}: {key}");
    }
}

#[test]
fn every_user_reads_as_the_vectors_say() {
    let written = Vector::named("tcp-user-write-72");
    let user = UserLayout::Text72.record(written.packet().data).unwrap();
    assert_user(&written.id, &user, &written.decode["user"]);
    assert!(user.password.is_set() && user.rights.privilege() == Privilege::ADMINISTRATOR);

    let dataset = Vector::named("tcp-data-direct-k20");
    let users: Vec<User<'_>> = UserLayout::Text72.records(&dataset.packet().data[4..]).collect();
    let wanted = dataset.decode["users"].as_array().unwrap();
    assert_eq!(users.len(), wanted.len());
    for (user, want) in users.iter().zip(wanted) {
        assert_user(&dataset.id, user, want);
        assert!(!user.password.is_set());
    }

    let short = Vector::named("own-user28");
    let user = UserLayout::Number28.record(&short.bytes).unwrap();
    assert_eq!((user.slot, user.rights.0, user.name, user.card, user.group), (3, 14, &b"Ana"[..], 6543, 1));
    assert_eq!((user.person.clone(), user.zones), (Person::Number(1003), UserZones::Mask(0)));
    let mut again = Vec::new();
    user.write(UserLayout::Number28, &mut again).unwrap();
    assert_eq!(again, short.bytes);
}

/// A password is written and asked for, and nothing about a person is shown.
#[test]
fn nothing_about_a_person_is_shown() {
    let vector = Vector::named("tcp-user-write-72");
    let user = UserLayout::Text72.record(vector.packet().data).unwrap();
    let shown = format!("{user:?} {:?} {:?} {:?}", user.password, user.person, vector.packet());
    for secret in ["123456", "Nuevo", "11224488", "6543"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let record = Vector::named("rec-att40-f19");
    let shown = format!("{:?}", AttendanceLayout::Text40.record(&record.bytes).unwrap());
    assert!(!shown.contains("999111333"), "{shown}");

    let canary = [&[0; 36][..], b"canary-canary"].concat();
    let record = AttendanceLayout::Text49.record(&canary).unwrap();
    assert_eq!(record.tail.as_bytes(), b"canary-canary");
    let shown = format!("{record:?}");
    assert!(!shown.contains("canary") && !shown.contains("99, 97"), "{shown}");
}

#[test]
fn a_user_that_does_not_fit_is_not_written() {
    let mut out = vec![1];
    let mut user = User::new(1, Person::Pin(Pin::new(b"1001")));
    assert!(matches!(user.write(UserLayout::Number28, &mut out), Err(WriteError::Field { field: "the PIN", .. })));
    user.name = &[b'x'; 25];
    assert!(matches!(user.write(UserLayout::Text72, &mut out), Err(WriteError::Field { field: "the name", .. })));
    user.name = &[b'x'; 24];
    user.password = Password::new(b"123456789");
    assert!(matches!(user.write(UserLayout::Text72, &mut out), Err(WriteError::Field { field: "the password", .. })));
    user.password = Password::new(b"12345678\0junk");
    assert_eq!(out, [1]);
    user.write(UserLayout::Text72, &mut out).unwrap();
    assert_eq!(out.len(), 73);
}

#[test]
fn a_list_of_templates_ends_where_it_cannot_be_followed() {
    let vector = Vector::named("rec-template-head");
    let head = TemplateHead::parse(&vector.bytes).unwrap();
    let wanted = ["size", "uid", "finger", "valid"].map(|key| vector.decode[key].as_u64().unwrap());
    assert_eq!([u64::from(head.size), head.slot.into(), head.finger.into(), head.validity.into()], wanted);
    assert_eq!(head.template_len(), 1214);

    let entry = |size: u16, len: usize| [&size.to_le_bytes()[..], &[1, 0, 4, 1], &vec![9; len][..]].concat();
    let list = |bytes: &[u8]| TemplateHead::list(bytes).map(|head| head.map(|head| head.size)).collect::<Vec<_>>();
    assert_eq!(list(&[entry(8, 2), entry(6, 0)].concat()), [Ok(8), Ok(6)]);
    assert_eq!(list(&[entry(8, 2), entry(0, 0)].concat()), [Ok(8), Err(DataError::TemplateSize { size: 0 })]);
    assert!(matches!(list(&entry(9, 2))[..], [Err(DataError::Length { len: 8, .. })]));
    assert!(matches!(list(&[1, 2, 3])[..], [Err(DataError::Length { len: 3, .. })]));
    assert!(list(&[]).is_empty());
}

proptest! {
    /// What is written reads the same.
    #[test]
    fn a_user_comes_back(
        slot in any::<u16>(), rights in any::<u8>(), group in any::<u8>(), card in any::<u32>(),
        name in "[a-zñ ]{0,4}", password in "[0-9]{0,5}", pin in "[0-9A-Z]{1,24}", number in any::<u32>(),
        own in any::<u16>(), zones in any::<[u16; 3]>(),
    ) {
        let forms = [
            (UserLayout::Text72, Person::Pin(Pin::new(pin.as_bytes())), UserZones::Listed { own, zones }),
            (UserLayout::Number28, Person::Number(number), UserZones::Mask(own)),
        ];
        for (layout, person, form) in forms {
            let mut user = User::new(slot, person);
            (user.rights.0, user.group, user.card, user.zones) = (rights, group, card, form);
            (user.name, user.password) = (name.as_bytes(), Password::new(password.as_bytes()));
            let mut out = Vec::new();
            user.write(layout, &mut out).unwrap();
            prop_assert_eq!(out.len(), layout.size());
            let read = layout.record(&out).unwrap();
            prop_assert_eq!((read.slot, read.rights.0, read.group, read.card), (slot, rights, group, card));
            prop_assert_eq!((read.name, &read.person, read.zones), (user.name, &user.person, user.zones));
            prop_assert_eq!(read.password.is_set(), !password.is_empty());
        }
    }

    /// Every layout holds what it has room for, and refuses the rest.
    #[test]
    fn a_punch_comes_back(
        slot in any::<u16>(), number in any::<u32>(), pin in "[0-9A-Z]{1,24}", time in any::<u32>(),
        state in 0_u16..8, verify in 0_u16..4, work_code in any::<u32>(),
    ) {
        for layout in AttendanceLayout::ALL {
            let (person, beside) = match layout {
                AttendanceLayout::Packed8 | AttendanceLayout::Flags8 => (Person::Slot(slot), None),
                AttendanceLayout::Number16 => (Person::Number(number), None),
                _ => (Person::Pin(Pin::new(pin.as_bytes())), Some(slot)),
            };
            let mut record = AttendanceRecord::new(person, EncodedTime(time), Status(state), Verify(verify));
            record.slot = beside;
            record.work_code = (layout.size() > 8).then_some(work_code);
            let mut out = Vec::new();
            record.write(layout, &mut out).unwrap();
            prop_assert_eq!(out.len(), layout.size());
            let mut read = layout.record(&out).unwrap();
            // What has no meaning yet is not written.
            prop_assert!(read.tail.as_bytes().iter().all(|byte| *byte == 0));
            (read.tail, read.flags) = (Tail::default(), None);
            prop_assert_eq!(&read, &record);

            record.state = Status(if layout == AttendanceLayout::Flags8 { 8 } else { 256 });
            prop_assert!(record.write(layout, &mut out).is_err());
            prop_assert_eq!(out.len(), layout.size());
        }
    }

    /// What is written of an operation is what is read.
    #[test]
    fn operations_come_back(bytes in any::<[u8; OperationRecord::LEN]>()) {
        let mut record = OperationRecord::parse(&bytes).unwrap();
        let mut out = Vec::new();
        record.write(&mut out).unwrap();
        prop_assert_eq!(&out, &bytes);
        record.operation.0 = 256;
        prop_assert!(record.write(&mut out).is_err());
        prop_assert_eq!(out.len(), OperationRecord::LEN);
    }

    /// No record of any length panics.
    #[test]
    fn records_of_noise_do_not_panic(noise in prop::collection::vec(any::<u8>(), 0..160)) {
        for layout in AttendanceLayout::ALL {
            prop_assert_eq!(layout.records(&noise).count(), noise.len() / layout.size());
        }
        for layout in UserLayout::ALL {
            prop_assert_eq!(layout.records(&noise).count(), noise.len() / layout.size());
        }
        prop_assert_eq!(OperationRecord::parse(&noise).is_some(), noise.len() >= OperationRecord::LEN);
        prop_assert!(TemplateHead::list(&noise).count() <= noise.len() / TemplateHead::LEN + 1);
    }
}
