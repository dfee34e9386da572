//! A writer of compact JSON whose bytes are those of `JSON.stringify`. It cannot fail, so no event is ever lost
//! to a serialiser.

use alloc::format;
use alloc::vec::Vec;

use serde::Serialize;

/// An object being written. Keys are ours: plain ASCII words that need no escape.
pub(super) struct Object<'w> {
    out: &'w mut Vec<u8>,
    empty: bool,
}

impl Object<'_> {
    pub(super) fn write(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        out.push(b'{');
        fill(&mut Object { out, empty: true });
        out.push(b'}');
    }

    pub(super) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        Object::write(self.out, fill);
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push(b'"');
        for byte in value.bytes() {
            self.character(byte);
        }
        self.out.push(b'"');
    }

    pub(super) fn optional_text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A list of words of ours, which need no escape.
    pub(super) fn words(&mut self, key: &str, words: impl Iterator<Item = &'static str>) {
        self.key(key);
        self.out.push(b'[');
        for (index, word) in words.enumerate() {
            let before: &[u8] = if index == 0 { b"\"" } else { b",\"" };
            self.out.extend_from_slice(before);
            self.out.extend_from_slice(word.as_bytes());
            self.out.push(b'"');
        }
        self.out.push(b']');
    }

    pub(super) fn flag(&mut self, key: &str, value: bool) {
        self.raw(key, if value { "true" } else { "false" });
    }

    /// A member that is there only if it is true.
    pub(super) fn flag_if(&mut self, key: &str, value: bool) {
        if value {
            self.flag(key, true);
        }
    }

    pub(super) fn number(&mut self, key: &str, value: u32) {
        self.raw(key, &format!("{value}"));
    }

    /// A whole number. One that JavaScript cannot hold exactly is left out.
    pub(super) fn integer(&mut self, key: &str, value: i64) {
        const MAX_SAFE: u64 = 9_007_199_254_740_991;
        if value.unsigned_abs() <= MAX_SAFE {
            self.raw(key, &format!("{value}"));
        }
    }

    /// A number from 0 to 1, to six decimals: from seven on `JSON.stringify` would write an exponent.
    pub(super) fn share(&mut self, key: &str, value: f64) {
        let text = format!("{:.6}", value.abs());
        self.raw(key, text.trim_end_matches('0').trim_end_matches('.'));
    }

    /// The word of an enum without data. Such a value always serialises; were it not so, the member would be absent.
    pub(super) fn word(&mut self, key: &str, value: &impl Serialize) {
        if let Ok(quoted) = serde_json::to_string(value) {
            self.raw(key, &quoted);
        }
    }

    fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.extend_from_slice(json.as_bytes());
    }

    fn key(&mut self, key: &str) {
        if !core::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Escapes what JSON demands and nothing else. Bytes of longer characters pass: none is below 0x80.
    fn character(&mut self, byte: u8) {
        match byte {
            b'"' => self.out.extend_from_slice(b"\\\""),
            b'\\' => self.out.extend_from_slice(b"\\\\"),
            0x08 => self.out.extend_from_slice(b"\\b"),
            b'\t' => self.out.extend_from_slice(b"\\t"),
            b'\n' => self.out.extend_from_slice(b"\\n"),
            0x0c => self.out.extend_from_slice(b"\\f"),
            b'\r' => self.out.extend_from_slice(b"\\r"),
            0x00..=0x1f => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => self.out.push(byte),
        }
    }
}
