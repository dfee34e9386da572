//! Attendance records of a dataset that arrives in pieces: the same as those of the whole, wherever it is cut.

use proptest::prelude::*;
use punch_protocol::Pin;
use punch_protocol::tcp::{AttendanceLayout, AttendanceRecord, AttendanceStream, Person};

/// What a record is, without the piece that it lies in.
fn owned(record: &AttendanceRecord<'_>) -> String {
    let person = match &record.person {
        Person::Pin(pin) => format!("{:?}", pin.as_bytes()),
        Person::Number(number) => number.to_string(),
        Person::Slot(slot) => slot.to_string(),
        other => panic!("{other:?}"),
    };
    format!("{person} {record:?} {:?}", record.tail.as_bytes())
}

fn whole(layout: AttendanceLayout, dataset: &[u8]) -> Vec<String> {
    layout.records(dataset).map(|record| owned(&record)).collect()
}

/// Pieces of one byte, and cuts at every place of two records.
#[test]
fn a_record_may_be_cut_anywhere() {
    for layout in AttendanceLayout::ALL {
        let size = layout.size();
        let dataset: Vec<u8> = (1..).take(size * 3).collect();
        let wanted = whole(layout, &dataset);
        for len in 1..=size * 2 {
            let mut stream = AttendanceStream::new(layout);
            let mut rows = Vec::new();
            for piece in dataset.chunks(len) {
                rows.extend(stream.records(piece).map(|record| owned(&record)));
            }
            assert_eq!((&rows, stream.trailing()), (&wanted, 0), "{layout:?}, pieces of {len}");
        }
    }
}

/// Records that nobody looks at are read all the same.
#[test]
fn a_piece_counts_as_read() {
    let dataset: Vec<u8> = (0..24).collect();
    let mut stream = AttendanceStream::new(AttendanceLayout::Packed8);
    assert_eq!(stream.records(&dataset[..13]).len(), 1);
    assert_eq!(stream.trailing(), 5);
    let left: Vec<String> = stream.records(&dataset[13..]).map(|record| owned(&record)).collect();
    assert_eq!(left, whole(AttendanceLayout::Packed8, &dataset)[1..]);
}

#[test]
fn nothing_about_a_person_is_shown() {
    let mut stream = AttendanceStream::new(AttendanceLayout::Text40);
    assert_eq!(stream.records(b"\x07\0canary").count(), 0);
    assert_eq!(format!("{stream:?}"), "AttendanceStream { layout: Text40, skip: 0, trailing: 8 }");
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_records(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        cuts in prop::collection::vec(0_usize..120, 0..20),
        skip in 0_usize..30,
        in_steps in any::<bool>(),
    ) {
        for layout in AttendanceLayout::ALL {
            let records = bytes.get(skip..).unwrap_or_default();
            let mut stream = AttendanceStream::new(layout).skipping(skip);
            let (mut rows, mut rest) = (Vec::new(), &bytes[..]);
            for cut in &cuts {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                // One after another, and all at once.
                if in_steps {
                    for record in stream.records(piece) {
                        rows.push(owned(&record));
                    }
                } else {
                    stream.records(piece).for_each(|record| rows.push(owned(&record)));
                }
                rest = behind;
            }
            let last = stream.records(rest);
            let len = last.len();
            let before = rows.len();
            rows.extend(last.map(|record| owned(&record)));
            prop_assert_eq!(rows.len(), before + len);
            prop_assert_eq!(rows, whole(layout, records));
            prop_assert_eq!(stream.trailing(), records.len() % layout.size());
        }
    }

    /// Up to the first NUL, without the spaces around it, of any bytes.
    #[test]
    fn a_pin_ends_where_its_text_ends(
        pin in prop::collection::vec(prop_oneof![Just(0), Just(1), Just(b' '), Just(0x80), Just(0xff), any::<u8>()], 24),
    ) {
        let mut bytes = [1; 40];
        bytes[2..26].copy_from_slice(&pin);
        let text = pin.split(|byte| *byte == 0).next().unwrap();
        let spaces = |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|byte| **byte == b' ').count();
        let (front, behind) = (spaces(&mut text.iter()), spaces(&mut text.iter().rev()));
        let wanted = text.get(front..text.len() - behind).unwrap_or_default();
        let record = AttendanceLayout::Text40.record(&bytes).unwrap();
        let Person::Pin(read) = &record.person else { panic!() };
        prop_assert_eq!(read.as_bytes(), wanted);
        prop_assert_eq!(read, &Pin::new(text));
    }
}
