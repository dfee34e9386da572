//! The code tables: every number of the manuals has a name, every other survives.

mod returns;
mod sets;
mod versions;

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt::Display;
use core::ops::RangeInclusive;

use punch_protocol::push::{
    AccessEvent, AccessFunction, AlarmReason, BiometricType, ErrorLogCode, ErrorModule, EventBand, Language, Nation,
    Operation, Privilege, TemplateValidity,
};
use punch_protocol::{Status, Verify};

/// What a table must look like from outside: `named` and `shared` are the numbers the manuals list.
struct Expected {
    word: &'static str,
    named: &'static [RangeInclusive<u16>],
    shared: &'static [RangeInclusive<u16>],
}

impl Expected {
    /// Looks at every 16-bit number there is.
    fn assert<T: Display>(
        &self,
        named: impl Iterator<Item = u16>,
        make: fn(u16) -> T,
        text: fn(T) -> Option<&'static str>,
    ) {
        let named: Vec<u16> = named.collect();
        let rows: Vec<u16> = self.named.iter().flat_map(Clone::clone).collect();
        assert_eq!(named, rows, "{}: the constants are the rows of the manual, each once", self.word);
        let shared: BTreeSet<u16> = self.shared.iter().flat_map(Clone::clone).collect();
        for number in 0..=u16::MAX {
            let (shown, text) = (make(number).to_string(), text(make(number)));
            let fallback = format!("{} {number}", self.word);
            if rows.binary_search(&number).is_ok() {
                assert_eq!(Some(shown.as_str()), text, "{fallback}");
                assert!(!shown.is_empty() && shown != fallback && shown.trim() == shown, "{fallback}");
            } else if shared.contains(&number) {
                assert_eq!(shown, format!("{} ({fallback})", text.unwrap()));
            } else {
                assert_eq!((shown, text), (fallback, None));
            }
        }
    }
}

#[test]
fn vocabulary_has_every_row_of_the_manual() {
    let expected = |word, named| Expected { word, named, shared: &[] };
    expected("state", &[0..=5, 255..=255]).assert(Status::named().map(|status| status.0), Status, Status::text);
    let verify = expected("verify", &[0..=29, 200..=200]);
    verify.assert(Verify::named().map(|verify| verify.0), Verify, Verify::text);
}

/// S0-012: numbers that no table has keep their value.
#[test]
fn access_events_have_every_row_of_the_manual() {
    let expected = Expected {
        word: "event",
        named: &[
            0..=45,
            47..=66,
            68..=75,
            100..=112,
            200..=211,
            214..=214,
            218..=218,
            220..=234,
            239..=240,
            243..=244,
            254..=255,
        ],
        shared: &[
            114..=121,
            132..=134,
            150..=155,
            212..=213,
            235..=237,
            245..=252,
            4000..=4013,
            5000..=5016,
            6000..=6010,
        ],
    };
    expected.assert(AccessEvent::named().map(|event| event.0), AccessEvent, AccessEvent::text);
}

#[test]
fn operations_have_every_row_of_the_manual() {
    let expected = Expected {
        word: "operation",
        named: &[0..=43, 53..=56, 68..=71, 76..=83, 87..=92, 100..=118, 120..=126],
        shared: &[],
    };
    expected.assert(Operation::named().map(|operation| operation.0), Operation, Operation::text);
    let reasons = Expected { word: "alarm reason", named: &[50..=51, 53..=55, 58..=58, 65535..=65535], shared: &[] };
    reasons.assert(AlarmReason::named().map(|reason| reason.0), AlarmReason, AlarmReason::text);
}

#[test]
fn small_tables_have_every_row_of_the_manual() {
    let expected = |word, named| Expected { word, named, shared: &[] };
    let types = expected("biometric type", &[0..=10]);
    types.assert(BiometricType::named().map(|kind| kind.0), BiometricType, BiometricType::text);
    let validity = expected("validity", &[0..=1, 3..=3]);
    validity.assert(TemplateValidity::named().map(|valid| valid.0), TemplateValidity, TemplateValidity::text);
    let privilege = expected("privilege", &[0..=0, 2..=2, 6..=6, 10..=10, 14..=14]);
    privilege.assert(Privilege::named().map(|privilege| privilege.0), Privilege, Privilege::text);
    let nation = expected("nation", &[0..=17, 56..=57, 97..=98]);
    nation.assert(Nation::named().map(|nation| nation.0), Nation, Nation::text);
    expected("module", &[1..=7]).assert(ErrorModule::named().map(|module| module.0), ErrorModule, ErrorModule::text);
    let function =
        Expected { word: "function", named: &[0..=7, 28..=44, 48..=51, 57..=57], shared: &[45..=47, 52..=56] };
    function.assert(AccessFunction::named().map(|function| function.0), AccessFunction, AccessFunction::text);
    let language = expected(
        "language",
        &[65..=66, 68..=76, 80..=80, 82..=84, 86..=86, 89..=90, 97..=97, 103..=103, 105..=105, 112..=112, 116..=116],
    );
    let named = Language::named().map(|language| u16::try_from(language.0).unwrap());
    language.assert(named, |number| Language(number.into()), Language::text);
}

/// The texts of one table differ, but where the manual gives two numbers one meaning.
#[test]
fn texts_tell_numbers_apart() {
    let mut seen = BTreeMap::new();
    for event in AccessEvent::named() {
        if let Some(earlier) = seen.insert(event.text().unwrap(), event) {
            assert_eq!((earlier, event), (AccessEvent(48), AccessEvent(52)));
        }
    }
    let operations: BTreeSet<_> = Operation::named().filter_map(Operation::text).collect();
    assert_eq!(operations.len(), Operation::named().count());
    let verifications: BTreeSet<_> = Verify::named().filter_map(Verify::text).collect();
    assert_eq!(verifications.len(), Verify::named().count());
}

#[test]
fn combinations_are_the_verifications_with_two_methods() {
    for verify in Verify::named() {
        let text = verify.text().unwrap();
        assert_eq!(verify.is_combination(), text.contains(" and ") || text.contains(" or "), "{text}");
    }
}

#[test]
fn bands_end_where_the_manual_says() {
    use EventBand::{Abnormal, Alarm, Marker, Normal, Unassigned};
    let begins = [
        (0, Normal),
        (20, Abnormal),
        (100, Alarm),
        (200, Normal),
        (254, Marker),
        (256, Unassigned),
        (4000, Normal),
        (5000, Abnormal),
        (6000, Alarm),
    ];
    for (at, (begin, band)) in begins.iter().enumerate() {
        let end = begins.get(at + 1).map_or(u16::MAX, |next| next.0 - 1);
        assert_eq!((AccessEvent(*begin).band(), AccessEvent(end).band()), (*band, *band));
    }
    assert!(!AccessEvent(3999).is_extended() && AccessEvent(4000).is_extended());
}

#[test]
fn old_numbers_merge_into_new_ones_of_the_same_kind() {
    let merges: [(u16, &[u16]); 10] = [
        (0, &[14, 17]),
        (1, &[16]),
        (2, &[18, 19]),
        (3, &[15, 203]),
        (20, &[31, 50]),
        (21, &[35, 49]),
        (26, &[32, 51]),
        (27, &[30, 34]),
        (29, &[33, 53]),
        (40, &[48, 52]),
    ];
    let merged: BTreeMap<u16, u16> = merges.iter().flat_map(|(new, old)| old.iter().map(|old| (*old, *new))).collect();
    for number in 0..=u16::MAX {
        let event = AccessEvent(number);
        assert_eq!(event.merged().0, merged.get(&number).copied().unwrap_or(number));
        assert_eq!(event.merged().merged(), event.merged());
        assert_eq!((event.merged().is_pass(), event.merged().band()), (event.is_pass(), event.band()), "{event}");
    }
}

#[test]
fn a_pass_is_one_of_fourteen_events() {
    let passes: Vec<u16> = (0..=u16::MAX).filter(|number| AccessEvent(*number).is_pass()).collect();
    assert_eq!(passes, [0, 1, 2, 3, 14, 15, 16, 17, 18, 19, 203, 207, 222, 232]);
}

#[test]
fn error_codes_are_read_whole_or_not_at_all() {
    for (producer, who) in [('D', "device"), ('S', "server"), ('X', "unknown producer")] {
        for module in 0..=99 {
            for number in (0..=20).chain(9990..=9999) {
                let written = format!("{producer}{module:02}E{number:04}");
                let code = ErrorLogCode::parse(written.as_bytes()).unwrap();
                assert_eq!((code.producer(), code.module().0, code.number()), (producer, module, number));
                assert_eq!(ErrorLogCode::parse(written.to_ascii_lowercase().as_bytes()), Some(code));
                let known = (producer, module) == ('D', 1) && (1..=6).contains(&number);
                assert_eq!((code.text().is_some(), code.is_success()), (known, false));
                let fallback = format!("error {written} ({who}, {})", ErrorModule(module));
                assert_eq!(code.to_string(), code.text().map_or(fallback, str::to_owned));
            }
        }
    }
    assert_eq!(ErrorLogCode::parse(b"00000000"), Some(ErrorLogCode::SUCCESS));
    assert_eq!(ErrorLogCode::SUCCESS.to_string(), "success");
    let refused = [
        "",
        "0",
        "00000001",
        "D01E001",
        "D01E00011",
        "D1E00001",
        "D001E001",
        "101E0001",
        "D01F0001",
        "D+1E0001",
        "Dx1E0001",
        "D01E+001",
        " 01E0001",
    ];
    for text in refused {
        assert_eq!(ErrorLogCode::parse(text.as_bytes()), None, "{text}");
    }
    assert_eq!(ErrorLogCode::named().count(), 7);
}

#[test]
fn two_languages_are_chinese() {
    let chinese: Vec<_> = (0..=1000).map(Language).filter(|language| language.is_chinese()).collect();
    assert_eq!(chinese, [Language::SIMPLIFIED_CHINESE, Language::TRADITIONAL_CHINESE]);
    assert_eq!(Language(u32::MAX).to_string(), "language 4294967295");
}
