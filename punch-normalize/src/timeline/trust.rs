use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use punch_protocol::{Pin, Status};
use serde::{Deserialize, Serialize};

/// Whether the states of one terminal say something. A terminal that stands in one mode all day reports that mode for
/// everybody, and everybody would only ever arrive.
///
/// It looks at the last punches: at least 50 of at least 10 people, of which 95 in a hundred have one state, say nothing.
///
/// ```
/// use punch_normalize::timeline::StateTrust;
/// use punch_protocol::{Pin, Status};
///
/// let mut trust = StateTrust::default();
/// for number in 0..60u8 {
///     trust.observe(&Pin::new(&[b'0' + number % 12]), Some(Status::CHECK_IN));
/// }
/// assert!(!trust.is_trusted());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "String")]
pub struct StateTrust {
    /// A mark of the person and the state of each of the last punches.
    last: VecDeque<(u16, u16)>,
}

impl StateTrust {
    /// Punches that are looked at, at most.
    pub const LAST_MAX: usize = 200;
    /// Punches that say something, at least.
    pub const PUNCHES_MIN: usize = 50;
    /// People that these are of, at least.
    pub const PEOPLE_MIN: usize = 10;
    /// Of a hundred punches, those with one state from which on it says nothing.
    pub const CONSTANT_PERCENT: usize = 95;

    /// Takes the next punch of the terminal.
    pub fn observe(&mut self, pin: &Pin<'_>, status: Option<Status>) {
        let Some(Status(state)) = status.and_then(Status::declared) else { return };
        if self.last.len() >= Self::LAST_MAX {
            self.last.pop_front();
        }
        self.last.push_back((mark_of(pin.as_bytes()), state));
    }

    /// Whether its states say something. Of too few punches nobody can tell, and they are believed.
    pub fn is_trusted(&self) -> bool {
        self.last.len() < Self::PUNCHES_MIN || !self.is_constant() || !self.is_of_many()
    }

    fn is_constant(&self) -> bool {
        // There are few, so looking through them is faster than a map.
        let mut states = Vec::<(u16, usize)>::new();
        for (_, state) in &self.last {
            match states.iter_mut().find(|(known, _)| known == state) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => states.push((*state, 1)),
            }
        }
        let most = states.iter().map(|(_, count)| *count).max().unwrap_or(0);
        most.saturating_mul(100) >= self.last.len().saturating_mul(Self::CONSTANT_PERCENT)
    }

    fn is_of_many(&self) -> bool {
        let mut people = Vec::with_capacity(Self::PEOPLE_MIN);
        for (person, _) in &self.last {
            if people.len() < Self::PEOPLE_MIN && !people.contains(person) {
                people.push(*person);
            }
        }
        people.len() >= Self::PEOPLE_MIN
    }
}

/// Sixteen bits that tell people apart well enough to count them, and name nobody.
fn mark_of(pin: &[u8]) -> u16 {
    let hash = pin.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_le_bytes();
    u16::from_le_bytes([a ^ c, b ^ d])
}

/// Why what a store has is not a [`StateTrust`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// More punches than are ever kept.
    #[error(
        "trust: {len} punches, at most {} are kept; forget it, the next punches say it again",
        StateTrust::LAST_MAX
    )]
    TooMany {
        /// How many there are.
        len: usize,
    },
    /// No text that was ever written.
    #[error("trust: it is damaged; forget it, the next punches say it again")]
    Damaged,
}

/// What a store has. A text is Base64, of each punch the mark and the state in a byte, or 255 and the state in two; it is
/// written with every upload, so it is short.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Text(String),
    /// As it was kept at first.
    Pairs(Vec<(u16, u16)>),
}

/// A state that does not fit into a byte follows.
const WIDE: u8 = u8::MAX;

impl From<StateTrust> for String {
    fn from(trust: StateTrust) -> Self {
        let mut bytes = Vec::with_capacity(trust.last.len().saturating_mul(3));
        for (mark, state) in trust.last {
            bytes.extend(mark.to_le_bytes());
            match u8::try_from(state) {
                Ok(state) if state != WIDE => bytes.push(state),
                _ => {
                    bytes.push(WIDE);
                    bytes.extend(state.to_le_bytes());
                }
            }
        }
        STANDARD_NO_PAD.encode(bytes)
    }
}

impl TryFrom<Kept> for StateTrust {
    type Error = TrustError;

    fn try_from(kept: Kept) -> Result<Self, TrustError> {
        let last = match kept {
            Kept::Text(text) => pairs(&text).ok_or(TrustError::Damaged)?,
            Kept::Pairs(pairs) => pairs.into(),
        };
        if last.len() > Self::LAST_MAX { Err(TrustError::TooMany { len: last.len() }) } else { Ok(Self { last }) }
    }
}

fn pairs(text: &str) -> Option<VecDeque<(u16, u16)>> {
    let bytes = STANDARD_NO_PAD.decode(text).ok()?;
    let mut last = VecDeque::with_capacity(bytes.len().div_euclid(3));
    let mut rest = bytes.as_slice();
    while let [a, b, state, tail @ ..] = rest {
        rest = tail;
        let state = match *state {
            WIDE => {
                let (wide, tail) = rest.split_first_chunk()?;
                rest = tail;
                u16::from_le_bytes(*wide)
            }
            state => state.into(),
        };
        last.push_back((u16::from_le_bytes([*a, *b]), state));
    }
    rest.is_empty().then_some(last)
}
