/// The array of `N` bytes at `at`.
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

/// The bytes before the first NUL, or all of them.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

/// A text field of `len` bytes at `at`, up to its first NUL. What stands behind the NUL is left from before.
pub(super) fn text_at(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    Some(until_nul(bytes.get(at..)?.get(..len)?))
}
