//! Protocol versions: order, the lower of two, what each one has.

use proptest::prelude::*;
use punch_protocol::push::ProtocolVersion;

fn version(text: &str) -> ProtocolVersion {
    ProtocolVersion::parse(text).unwrap_or_else(|| panic!("{text}"))
}

proptest! {
    #[test]
    fn versions_are_compared_part_by_part(a: [u16; 3], b: [u16; 3]) {
        let written = |[x, y, z]: [u16; 3]| format!("{x}.{y}.{z}");
        let (first, second) = (version(&written(a)), version(&written(b)));
        prop_assert_eq!(first.cmp(&second), a.cmp(&b));
        prop_assert_eq!(first.lower_of(second).to_string(), written(a.min(b)));
        prop_assert_eq!(first.lower_of(second), second.lower_of(first));
    }

    #[test]
    fn no_text_panics(text: String) {
        if let Some(read) = ProtocolVersion::parse(&text) {
            prop_assert_eq!(ProtocolVersion::parse(&read.to_string()), Some(read));
        }
    }
}

#[test]
fn versions_read_as_terminals_write_them() {
    for (text, read) in [
        ("2.4.1", "2.4.1"),
        (" 2.4.1 ", "2.4.1"),
        ("2.4", "2.4.0"),
        ("3", "3.0.0"),
        ("3.1.2S", "3.1.2"),
        ("2.0.33S-20220623", "2.0.33"),
        ("2.4.1.9", "2.4.1"),
        ("2..1", "2.0.1"),
        ("2.4.65536", "2.4.0"),
    ] {
        assert_eq!(version(text).to_string(), read, "{text}");
    }
    for text in ["", ".", "x", "-2.4.1", "Ver 2.0.22", "65536.0.0", "None"] {
        assert_eq!(ProtocolVersion::parse(text), None, "{text}");
    }
    assert!(version("2.10.0") > version("2.4.2") && version("2.2.14") > version("2.2.2"));
}

/// The released versions, oldest first, and from which on each feature is there.
#[test]
fn features_begin_with_their_version() {
    type Has = fn(ProtocolVersion) -> bool;
    let released = ["2.0.33", "2.2.14", "2.3.0", "2.4.0", "2.4.1", "2.4.2", "3.0.1", "3.1.1", "3.1.2"];
    let features: [(Has, [bool; 9]); 6] = [
        (ProtocolVersion::has_identity_cards, [false, false, true, true, true, true, true, true, true]),
        (ProtocolVersion::has_key_exchange, [false, false, false, true, true, true, false, true, true]),
        (ProtocolVersion::has_error_log, [false, false, false, false, true, true, false, false, true]),
        (ProtocolVersion::has_time_offset, [false, false, false, false, false, true, false, false, false]),
        (ProtocolVersion::has_verify_styles, [false, false, false, false, false, false, false, false, true]),
        (ProtocolVersion::is_access_control, [false, false, false, false, false, false, true, true, true]),
    ];
    for (at, (has, expected)) in features.into_iter().enumerate() {
        assert_eq!(released.map(|text| has(version(text))), expected, "feature {at}");
    }
    let constants = [
        ProtocolVersion::V2_2_14,
        ProtocolVersion::V2_3_0,
        ProtocolVersion::V2_4_0,
        ProtocolVersion::V2_4_1,
        ProtocolVersion::V2_4_2,
        ProtocolVersion::V3_0_1,
        ProtocolVersion::V3_1_1,
        ProtocolVersion::V3_1_2,
    ];
    assert_eq!(constants.map(|version| version.to_string()), released[1..]);
}
