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

/// The bytes before the first NUL, or all of them. Every PIN of a dataset comes through here, so eight bytes are looked
/// at at once.
#[inline]
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut end = 0_usize;
    for word in words {
        let len = len_until_nul(*word);
        end = end.saturating_add(len);
        if len < 8 {
            return bytes.get(..end).unwrap_or_default();
        }
    }
    end = end.saturating_add(rest.iter().take_while(|byte| **byte != 0).count());
    bytes.get(..end).unwrap_or_default()
}

/// How many of eight bytes are in front of the first NUL.
#[inline]
fn len_until_nul(bytes: [u8; 8]) -> usize {
    // One less sets the top bit of a zero, and else only where it was set, or behind a zero that borrowed.
    let word = u64::from_le_bytes(bytes);
    let nuls = word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080;
    usize::try_from(nuls.trailing_zeros() >> 3).unwrap_or(8)
}

/// A text field of `len` bytes at `at`, up to its first NUL. What stands behind the NUL is left from before.
pub(super) fn text_at(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    Some(until_nul(bytes.get(at..)?.get(..len)?))
}
