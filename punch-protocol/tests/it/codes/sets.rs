//! Bitmaps of a registration, and card numbers.

use alloc::collections::BTreeSet;

use proptest::prelude::*;
use punch_protocol::push::{
    AccessEvent, AccessFunction, AccessFunctions, CardNumber, EventSet, Limits, Parts, Request, Row, Rows,
    TerminalOptions,
};

use crate::samples::Sample;

/// Packs events as a registration does, 32 bytes from `first` on.
fn packed(events: &BTreeSet<u16>, first: u16) -> String {
    let mut bytes = [0_u8; 32];
    for event in events.iter().filter_map(|event| event.checked_sub(first)).filter(|at| *at < 256) {
        bytes[usize::from(event / 8)] |= 1 << (event % 8);
    }
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn with_registration(body: &str, look: impl FnOnce(&TerminalOptions<'_>)) {
    let parts = Parts::new("POST", "/iclock/registry", "SN=T1", body.as_bytes());
    let Ok((_, Request::Registry(options))) = Request::parse(parts, &Limits::default()) else { panic!() };
    look(&options);
}

proptest! {
    #[test]
    fn events_survive_their_bitmaps(events in prop::collection::btree_set(
        prop_oneof![0..256_u16, 4000..4256_u16, 5000..5256_u16, 6000..6256_u16], 0..40,
    )) {
        let body = format!(
            "~DeviceName=x,EventTypes={},NewNormalEventTypes={},NewErrorEventTypes={},NewWarningEventTypes={}",
            packed(&events, 0), packed(&events, 4000), packed(&events, 5000), packed(&events, 6000),
        );
        with_registration(&body, |options| {
            let set = EventSet::of(options);
            let found: BTreeSet<u16> = (0..=u16::MAX).filter(|event| set.supports(AccessEvent(*event))).collect();
            assert_eq!(found, events);
            assert_eq!(set.bits().count(), 1024);
            assert!(set.bits().all(|(event, on)| on == set.supports(event)));
        });
    }

    #[test]
    fn a_card_survives_both_forms(number: u64) {
        let card = CardNumber::new(number);
        prop_assert_eq!(CardNumber::parse(card.to_string().as_bytes()), Some(card));
        prop_assert_eq!(CardNumber::parse(card.to_hex().as_bytes()), Some(card));
        prop_assert_eq!(card.get(), number);
    }

    #[test]
    fn bytes_of_a_card_are_lowest_first(bytes in prop::collection::vec(any::<u8>(), 1..=8)) {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let card = CardNumber::parse(format!("[{digits}]").as_bytes()).unwrap();
        prop_assert_eq!(card.get(), expected);
        prop_assert_eq!(CardNumber::parse(format!(" [{}] ", digits.to_uppercase()).as_bytes()), Some(card));
    }

    #[test]
    fn no_text_panics(bytes: Vec<u8>, text: String) {
        let _ = CardNumber::parse(&bytes);
        let _ = EventSet::parse(&text);
        assert!(AccessFunctions(&text).iter().all(|function| AccessFunctions(&text).has(function)));
    }
}

/// R01: the registration of a unit without linkage, as the vendor's manual prints it.
#[test]
fn a_published_bitmap_reads() {
    let set = EventSet::parse("BF0FE03D30000100000000007000000000000000000000000077002001000000").unwrap();
    for (event, on) in [(0, true), (5, true), (6, false), (7, true), (8, true), (11, true), (12, false)] {
        assert_eq!(set.supports(AccessEvent(event)), on, "{event}");
    }
    assert!(set.supports(AccessEvent::DEVICE_STARTED) && !set.supports(AccessEvent(4000)));
    assert_eq!(set.bits().count(), 256);
}

#[test]
fn a_bitmap_may_be_short_but_not_garbled() {
    let short = EventSet::parse("01").unwrap();
    assert_eq!(short.bits().filter(|(_, on)| *on).collect::<Vec<_>>(), [(AccessEvent(0), true)]);
    assert_eq!(short.bits().count(), 8);
    assert_eq!(EventSet::parse(""), Some(EventSet::default()));
    assert_eq!(EventSet::parse(&"FF".repeat(40)), EventSet::parse(&"FF".repeat(32)), "digits beyond the 64th");
    for garbled in ["0", "0x", "+1", "FF F", "FFZZ", "é"] {
        assert_eq!(EventSet::parse(garbled), None, "{garbled}");
    }
    with_registration("NewErrorEventTypes=01,EventTypes=zz", |options| {
        let set = EventSet::of(options);
        assert_eq!(set.bits().filter(|(_, on)| *on).map(|(event, _)| event.0).collect::<Vec<_>>(), [5000]);
    });
}

#[test]
fn functions_are_positions() {
    let functions = AccessFunctions("0101010000111000000111010100011010");
    let on: Vec<u16> = functions.iter().map(|function| function.0).collect();
    assert_eq!(on, [1, 3, 5, 10, 11, 12, 19, 20, 21, 23, 25, 29, 30, 32]);
    assert!(!functions.has(AccessFunction(34)) && !functions.has(AccessFunction(u16::MAX)));
    assert_eq!(AccessFunctions("").iter().count(), 0);
}

/// O-samples: the cards that terminals wrote, in both forms.
#[test]
fn cards_of_the_samples_read() {
    let mut read = 0;
    for sample in Sample::all().iter().filter(|sample| sample.from_terminal && sample.id.starts_with('O')) {
        for row in Rows::of("OPERLOG", &sample.body).flatten() {
            let Row::Tagged(row) = row else { continue };
            let Some(card) = row.value("Card") else { continue };
            let card = CardNumber::parse(card).unwrap_or_else(|| panic!("{}", sample.id));
            assert_eq!(card.declared().is_some(), card.get() != 0);
            read += 1;
        }
    }
    assert!(read > 3, "{read}");
    let number = |text: &str| CardNumber::parse(text.as_bytes()).map(CardNumber::get);
    assert_eq!([number("[15CD5B07]"), number("[15CD5B0700]")], [Some(123_456_789); 2]);
    assert_eq!([number("0"), number(""), number("[0000000000]")], [Some(0); 3]);
    assert_eq!(number("18446744073709551615"), Some(u64::MAX));
    for odd in [
        "18446744073709551616",
        "+1",
        "-1",
        "1 2",
        "[",
        "[]",
        "[1]",
        "[123]",
        "[+1]",
        "[15CD5B07",
        "15CD5B07]",
        "[0102030405060708FF]",
        "é",
    ] {
        assert_eq!(number(odd), None, "{odd}");
    }
}
