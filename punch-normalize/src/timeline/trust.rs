use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

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
#[serde(try_from = "Vec<(u16, u16)>", into = "Vec<(u16, u16)>")]
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
        let mut states = BTreeMap::<u16, usize>::new();
        let mut people = Vec::with_capacity(self.last.len());
        for (person, state) in &self.last {
            let count = states.entry(*state).or_default();
            *count = count.saturating_add(1);
            people.push(*person);
        }
        people.sort_unstable();
        people.dedup();
        let total = self.last.len();
        let most = states.values().copied().max().unwrap_or(0);
        let is_constant = most.saturating_mul(100) >= total.saturating_mul(Self::CONSTANT_PERCENT);
        total < Self::PUNCHES_MIN || people.len() < Self::PEOPLE_MIN || !is_constant
    }
}

/// Sixteen bits that tell people apart well enough to count them, and name nobody.
fn mark_of(pin: &[u8]) -> u16 {
    let hash = pin.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_le_bytes();
    u16::from_le_bytes([a ^ c, b ^ d])
}

/// More punches than a terminal's trust is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("trust: {len} punches, at most {} are kept", StateTrust::LAST_MAX)]
#[expect(clippy::exhaustive_structs, reason = "an error of one number")]
pub struct TrustError {
    /// How many there are.
    pub len: usize,
}

impl TryFrom<Vec<(u16, u16)>> for StateTrust {
    type Error = TrustError;

    fn try_from(last: Vec<(u16, u16)>) -> Result<Self, TrustError> {
        if last.len() > Self::LAST_MAX { Err(TrustError { len: last.len() }) } else { Ok(Self { last: last.into() }) }
    }
}

impl From<StateTrust> for Vec<(u16, u16)> {
    fn from(trust: StateTrust) -> Self {
        trust.last.into()
    }
}
