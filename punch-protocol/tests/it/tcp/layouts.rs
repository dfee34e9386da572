//! The layout of a dataset is told by what its records say.

use chrono::{NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use punch_protocol::civil;
use punch_protocol::tcp::{
    AttendanceLayout, DataError, EncodedTime, LayoutChoice, Limits, Person, Surroundings, User, UserLayout,
};

use super::Vector;

fn now() -> NaiveDateTime {
    civil::parse(b"2026-11-22 08:30:15").unwrap()
}

/// `count` records of a layout, a minute apart, the last one now.
fn dataset(layout: AttendanceLayout, count: u32) -> Vec<u8> {
    let record = |number: u32| {
        let time = now() - TimeDelta::minutes((count - number).into());
        let time = EncodedTime::of(time).unwrap().0.to_le_bytes();
        let [slot_low, slot_high] = u16::try_from(number % 300 + 1).unwrap().to_le_bytes();
        let mut bytes = vec![0; layout.size()];
        match layout {
            AttendanceLayout::Packed8 => {
                bytes[..3].copy_from_slice(&[slot_low, slot_high, 1]);
                bytes[3..7].copy_from_slice(&time);
                bytes[7] = (number % 2).try_into().unwrap();
            }
            AttendanceLayout::Flags8 => {
                bytes[..4].copy_from_slice(&[slot_low, slot_high, if number.is_multiple_of(2) { 8 } else { 0x28 }, 0]);
                bytes[4..].copy_from_slice(&time);
            }
            AttendanceLayout::Number16 => {
                bytes[..4].copy_from_slice(&(1000 + number % 300).to_le_bytes());
                bytes[4..8].copy_from_slice(&time);
                bytes[8..10].copy_from_slice(&[(number % 2).try_into().unwrap(), 1]);
            }
            _ => {
                bytes[..2].copy_from_slice(&[slot_low, slot_high]);
                let pin = (1000 + number % 300).to_string();
                bytes[2..2 + pin.len()].copy_from_slice(pin.as_bytes());
                bytes[26] = 15;
                bytes[27..31].copy_from_slice(&time);
            }
        }
        bytes
    };
    (0..count).flat_map(record).collect()
}

fn choose(records: &[u8], count: Option<u32>) -> Result<LayoutChoice<AttendanceLayout>, DataError> {
    let surroundings = Surroundings { count, total: None };
    AttendanceLayout::choose(records, surroundings, &Limits::default(), now())
}

/// Every layout at every length, those that several layouts divide among them, whatever count the terminal claims.
#[test]
fn every_layout_is_found_by_its_records() {
    for layout in AttendanceLayout::ALL {
        for count in (1..=120).chain([360, 1960, 4410]) {
            let records = dataset(layout, count);
            for claimed in [None, Some(0), Some(count), Some(count + 1), Some(49)] {
                let choice = choose(&records, claimed).unwrap_or_else(|error| panic!("{layout:?} {count}: {error}"));
                assert_eq!((choice.layout, choice.trailing, choice.noise), (layout, 0, 0), "{count} {claimed:?}");
            }
        }
    }
}

/// A cut record is counted; the first records of a long dataset are enough; noise in front is no record.
#[test]
fn what_is_no_record_is_told_apart() {
    for layout in AttendanceLayout::ALL {
        let records = dataset(layout, 50);
        let choice = choose(&records[..records.len() - 3], None).unwrap();
        assert_eq!((choice.layout, choice.trailing), (layout, layout.size() - 3));

        let surroundings = Surroundings { total: Some(records.len()), count: None };
        let first = &records[..layout.size() * 20];
        let choice = AttendanceLayout::choose(first, surroundings, &Limits::default(), now()).unwrap();
        assert_eq!((choice.layout, choice.trailing), (layout, 0));

        let noisy = [&b"\xff255\0\0\0\0\0"[..], b"\xff255\0\0\0\0\0", &records[..layout.size() * 4]].concat();
        let choice = choose(&noisy, None).unwrap();
        assert_eq!((choice.layout, choice.noise, choice.trailing), (layout, 18, 0), "{layout:?}");
    }
    // A person in slot 13055 with PIN 55 begins like noise.
    let mut records = dataset(AttendanceLayout::Text40, 3);
    records[..26].fill(0);
    records[..4].copy_from_slice(b"\xff255");
    let choice = choose(&records, None).unwrap();
    assert_eq!((choice.layout, choice.noise), (AttendanceLayout::Text40, 0));
    let first = choice.layout.records(&records).next().unwrap();
    assert_eq!(first.person, Person::Pin(punch_protocol::Pin::new(b"55")));
}

/// No more records are looked at than the limit says.
#[test]
fn samples_are_limited() {
    let records = dataset(AttendanceLayout::Text40, 50);
    let limits = Limits { samples: 7, ..Limits::default() };
    let choice = AttendanceLayout::choose(&records, Surroundings::default(), &limits, now()).unwrap();
    assert!(choice.fits.iter().all(|fit| fit.looked_at <= 7) && choice.fits.iter().any(|fit| fit.looked_at == 7));
}

/// A few damaged records change nothing; something else is not taken for records.
#[test]
fn garbage_is_no_layout() {
    let mut records = dataset(AttendanceLayout::Text40, 50);
    records[40..120].fill(0xff);
    assert_eq!(choose(&records, None).unwrap().layout, AttendanceLayout::Text40);
    records[..400].fill(0xff);
    assert_eq!(choose(&records, None), Err(DataError::NoLayout { len: 2000 }));
    assert_eq!(choose(&[], None), Err(DataError::NoLayout { len: 0 }));
    // What a K40 answers to a command that it does not know.
    let garbage = Vector::named("tcp-data-k40-garbage");
    let records = &garbage.packet().data[4..];
    assert_eq!(choose(records, Some(3)), Err(DataError::NoLayout { len: 120 }));
    assert!(UserLayout::choose(records, Surroundings::default(), &Limits::default()).is_err());
}

/// Records of the captures are found one by one.
#[test]
fn single_records_of_the_vectors_are_found() {
    for vector in Vector::of("record") {
        let Some(layout) = super::records::attendance_layout(vector.decode["kind"].as_str().unwrap()) else { continue };
        let choice = choose(&vector.bytes, Some(1));
        assert!(choice.as_ref().is_ok_and(|choice| choice.layout == layout), "{}: {choice:?}", vector.id);
    }
}

/// The year window: a record from the future, as a wrong layout makes them, is none.
#[test]
fn the_future_is_not_plausible() {
    let records = dataset(AttendanceLayout::Flags8, 20);
    let earlier = civil::parse(b"2023-12-31 00:00:00").unwrap();
    let at = |now| AttendanceLayout::choose(&records, Surroundings::default(), &Limits::default(), now);
    assert_eq!(at(earlier), Err(DataError::NoLayout { len: 160 }));
    assert!(at(civil::parse(b"2024-01-01 00:00:00").unwrap()).is_ok());
}

#[test]
fn short_records_are_named_not_guessed() {
    let long = dataset(AttendanceLayout::Flags8, 1);
    let mixed = [&long[..], &[1, 0, 0x0c, 9], &long[..], &[2, 0, 0x2d, 30]].concat();
    assert_eq!(choose(&mixed, None), Err(DataError::ShortForm));
    assert_eq!(choose(&mixed[..12], None), Err(DataError::ShortForm));
    assert_eq!(choose(&[1, 0, 0x0c, 9], None), Err(DataError::ShortForm));
}

fn users(layout: UserLayout, count: u16) -> Vec<u8> {
    let mut out = Vec::new();
    for slot in 1..=count {
        let pin = (1000 + slot).to_string();
        let person = match layout {
            UserLayout::Number28 => Person::Number((1000 + slot).into()),
            _ => Person::Pin(punch_protocol::Pin::new(pin.as_bytes())),
        };
        let mut user = User::new(slot, person);
        user.name = b"Ana";
        user.write(layout, &mut out).unwrap();
    }
    out
}

/// 28 and 72 bytes, at the lengths that both divide too.
#[test]
fn both_layouts_of_users_are_found() {
    let surroundings = Surroundings::default();
    for layout in UserLayout::ALL {
        for count in (1..40).chain([126]) {
            let choice = UserLayout::choose(&users(layout, count), surroundings, &Limits::default()).unwrap();
            assert_eq!((choice.layout, choice.trailing), (layout, 0), "{count}");
        }
    }
    let k20 = Vector::named("tcp-data-direct-k20");
    let choice = UserLayout::choose(&k20.packet().data[4..], surroundings, &Limits::default()).unwrap();
    assert_eq!(choice.layout, UserLayout::Text72);
}

proptest! {
    #[test]
    fn noise_has_no_layout_and_no_panic(noise in prop::collection::vec(any::<u8>(), 200..400), count in any::<u32>()) {
        prop_assert!(choose(&noise, Some(count)).is_err());
        prop_assert!(UserLayout::choose(&noise, Surroundings::default(), &Limits::default()).is_err());
    }
}
