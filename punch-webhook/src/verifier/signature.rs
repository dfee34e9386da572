//! Reading signature headers. Everything here runs on bytes nobody has vouched for yet.

use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Verifier, VerifyError};

/// Length of a SHA-256 digest in hex digits, and in padded base64.
const HEX_LEN: usize = 64;
const BASE64_LEN: usize = 44;

/// Reads unsigned decimal seconds: digits alone, no sign, no space, no fraction.
pub(super) fn timestamp(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

/// The `v1` digests of a space-separated list. Other versions and junk are skipped: they may be for others.
pub(super) fn standard(value: &[u8]) -> Result<Vec<[u8; 32]>, VerifyError> {
    let elements = elements(value, b' ')?;
    Ok(elements.into_iter().filter_map(|element| base64(element.strip_prefix(b"v1,")?)).collect())
}

/// The digests of a `PunchConnect` header: one, or a comma-separated list during a roll.
pub(super) fn punchconnect(value: &[u8]) -> Result<Vec<[u8; 32]>, VerifyError> {
    let (mut digests, mut first_error) = (Vec::new(), None);
    for element in elements(value, b',')? {
        match hex_signature(element.trim_ascii()) {
            Ok(digest) => digests.push(digest),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    if digests.is_empty() {
        return Err(first_error.unwrap_or(VerifyError::Empty));
    }
    Ok(digests)
}

pub(super) fn elements(value: &[u8], separator: u8) -> Result<Vec<&[u8]>, VerifyError> {
    // One more than the limit is enough to know that there are too many.
    let wanted = Verifier::MAX_SIGNATURES.saturating_add(1);
    let list: Vec<&[u8]> =
        value.split(|byte| *byte == separator).filter(|element| !element.is_empty()).take(wanted).collect();
    if list.len() > Verifier::MAX_SIGNATURES {
        return Err(VerifyError::TooManySignatures);
    }
    Ok(list)
}

fn hex_signature(element: &[u8]) -> Result<[u8; 32], VerifyError> {
    let digits = match element.split_at_checked(b"sha256=".len()) {
        Some((prefix, digits)) if prefix.eq_ignore_ascii_case(b"sha256=") => digits,
        Some(_) | None if element.contains(&b'=') => return Err(VerifyError::UnknownScheme),
        Some(_) | None => element,
    };
    if digits.is_empty() {
        return Err(VerifyError::Empty);
    }
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(VerifyError::NotHex);
    }
    if digits.len() != HEX_LEN {
        return Err(VerifyError::Length { digits: digits.len() });
    }
    let mut digest = [0; 32];
    let (pairs, _) = digits.as_chunks::<2>();
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = nibble(*high) << 4 | nibble(*low);
    }
    Ok(digest)
}

/// The value of an ASCII hex digit, which the caller has checked to be one.
fn nibble(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

fn base64(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != BASE64_LEN {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}
