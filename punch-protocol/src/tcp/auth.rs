use core::fmt;

use super::error::{DataError, WriteError};

/// The number set on a terminal as its comm key; 0 means none.
///
/// `Debug` shows nothing of it. `012` and `12` are the same key.
///
/// ```
/// use punch_protocol::tcp::{CommKey, Scramble};
///
/// let key = CommKey::new(12)?;
/// let proof = key.scramble(0x45cf, Scramble::TICKS);
/// assert_eq!(proof.to_bytes(), [0x61, 0x4d, 0x32, 0x3c]);
/// assert!(key.matches(0x45cf, proof));
/// assert!(CommKey::new(1_000_000).is_err());
/// # Ok::<(), punch_protocol::tcp::WriteError>(())
/// ```
#[derive(Clone, Copy)]
pub struct CommKey(u32);

impl CommKey {
    /// No key: what a terminal has until somebody sets one.
    pub const NONE: Self = Self(0);
    /// The greatest key a terminal takes.
    pub const MAX: u32 = 999_999;

    /// A key from 0 to [`CommKey::MAX`].
    ///
    /// # Errors
    ///
    /// [`WriteError::CommKeyRange`] if it is greater.
    pub fn new(key: u32) -> Result<Self, WriteError> {
        if key > Self::MAX { Err(WriteError::CommKeyRange) } else { Ok(Self(key)) }
    }

    /// Whether there is none, so that no terminal asks for it.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// What `AUTH` sends to prove the key, for the session that the terminal opened.
    ///
    /// `ticks` is any number; clients send [`Scramble::TICKS`].
    pub fn scramble(self, session: u16, ticks: u8) -> Scramble {
        // The lowest byte of the sum does not reach the wire; the ticks stand in its place.
        let [_, b1, b2, b3] = self.0.reverse_bits().wrapping_add(session.into()).to_le_bytes();
        Scramble([b2 ^ b'S' ^ ticks, b3 ^ b'O' ^ ticks, ticks, b1 ^ b'K' ^ ticks])
    }

    /// Whether the proof is of this key in this session, whatever ticks it was made with.
    pub fn matches(self, session: u16, proof: Scramble) -> bool {
        self.scramble(session, proof.ticks()) == proof
    }
}

impl fmt::Debug for CommKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommKey(..)")
    }
}

/// A comm key as `AUTH` carries it. Whoever sees it and the session sees the key: it hides nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scramble([u8; 4]);

impl Scramble {
    /// The ticks that clients send by habit.
    pub const TICKS: u8 = 50;

    /// The data of an `AUTH`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are four bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let bytes = data.try_into().map(Self);
        bytes.map_err(|_| DataError::Length { what: "comm key", len: data.len(), expected: "4" })
    }

    /// The bytes on the wire.
    pub fn to_bytes(self) -> [u8; 4] {
        self.0
    }

    /// The ticks it was made with.
    pub fn ticks(self) -> u8 {
        let [_, _, ticks, _] = self.0;
        ticks
    }

    /// The key that was scrambled, if there is one for this session: what anybody who listens can compute.
    ///
    /// ```
    /// use punch_protocol::tcp::Scramble;
    ///
    /// let seen = Scramble::parse(&[0x61, 0xc9, 0x32, 0x3c])?;
    /// assert_eq!(seen.key_number(0x45cf), Some(45));
    /// # Ok::<(), punch_protocol::tcp::DataError>(())
    /// ```
    pub fn key_number(self, session: u16) -> Option<u32> {
        let [x2, x3, ticks, x1] = self.0;
        let [low, _] = session.to_le_bytes();
        // A key has 20 bits, so reversed its lowest twelve are zero: the lowest byte of the sum is the session's.
        let sum = u32::from_le_bytes([low, x1 ^ b'K' ^ ticks, x2 ^ b'S' ^ ticks, x3 ^ b'O' ^ ticks]);
        let key = sum.wrapping_sub(session.into()).reverse_bits();
        (key <= CommKey::MAX).then_some(key)
    }
}

impl fmt::Debug for Scramble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scramble(..)")
    }
}
