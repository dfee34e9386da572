//! A PIN as text, and back.

use proptest::collection::vec;
use proptest::prelude::*;
use punch_protocol::Pin;

/// Bytes with many backslashes, broken UTF-8 and things that look like escapes.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..6),
        Just(b"\\".to_vec()),
        Just(b"\\xff".to_vec()),
        Just(b"\\\\x".to_vec()),
        Just(vec![0xe2, 0x82]),
        "[0-9a-fx ñ€\\\\]{0,4}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_text_of_a_pin_gives_its_bytes_back(bytes in bytes()) {
        let pin = Pin::new(&bytes);
        let text = pin.to_text();
        prop_assert_eq!(Pin::parse_text(&text), Ok(pin.clone()));
    }

    /// One PIN, one text: what is accepted is what would be written.
    #[test]
    fn a_text_that_is_accepted_is_the_one_that_is_written(
        text in prop_oneof!["[\\\\xf0-9a-fA-F ]{0,8}", "(\\\\\\\\|\\\\x[89a-f][0-9a-f]|[a-z€ ]){0,6}"],
    ) {
        if let Ok(pin) = Pin::parse_text(&text) {
            let written = pin.to_text();
            prop_assert_eq!(written.as_ref(), text.trim_matches([' ', '\0']));
        }
    }
}

#[test]
fn every_single_byte_survives() {
    for byte in 0..=u8::MAX {
        let around = [b'1', byte, b'2'];
        let pin = Pin::new(&around);
        assert_eq!(Pin::parse_text(&pin.to_text()), Ok(pin.clone()), "{byte:#04x}");
    }
}

#[test]
fn escapes_that_nobody_writes_are_refused_without_being_quoted() {
    for text in
        ["\\", "a\\", "\\x", "\\xf", "\\xFF", "\\x+f", "\\x41", "\\q", "\\\\\\", "\\x€", "\\xe2\\x82\\xac", " \\x20"]
    {
        let error = Pin::parse_text(text).expect_err(text).to_string();
        assert!(error.starts_with("pin: ") && !error.contains("41"), "{error}");
    }
}
