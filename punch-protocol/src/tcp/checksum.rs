/// The checksum of a packet: the one's complement of the one's-complement sum of its little-endian words.
///
/// `packet` is the header and the data behind it; the two bytes of the checksum itself (2 and 3) count as zero, and an
/// odd last byte is a word with a high byte of zero. Zero bytes do not change the sum, so it is no substitute for a
/// length.
///
/// ```
/// use punch_protocol::tcp::checksum;
///
/// assert_eq!(checksum(&[0xe8, 3, 0, 0, 0, 0, 0, 0]), 0xfc17); // CONNECT
/// assert_eq!(checksum(&[0xd0, 7, 0, 0, 0xf3, 0x8d, 0x0a, 0, 9]), 0x6a29); // one data byte
/// ```
pub fn checksum(packet: &[u8]) -> u16 {
    let (words, odd) = packet.as_chunks::<2>();
    let whole: u64 = words.iter().map(|word| u64::from(u16::from_le_bytes(*word))).fold(0, u64::wrapping_add);
    let last = odd.first().map_or(0, |byte| u64::from(*byte));
    let own = words.get(1).map_or(0, |word| u64::from(u16::from_le_bytes(*word)));
    // A sum of fewer than 2^48 words cannot overflow, and the checksum's own word is part of it.
    let mut sum = whole.wrapping_add(last).wrapping_sub(own);
    while sum > 0xffff {
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}
