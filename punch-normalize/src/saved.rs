use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::timeline::History;
use crate::{Normalizer, Person};

/// What a [`Normalizer`](crate::Normalizer) remembers, as a store keeps it. A number says which layout it has.
///
/// ```
/// use punch_normalize::{DeviceZone, Normalizer, Observation, Rules, SavedNormalizer, TenantKey, Verdict};
/// use punch_protocol::{Pin, RawPunch, SerialNumber, civil};
///
/// let row = |time: &[u8]| -> Result<Observation, Box<dyn std::error::Error>> {
///     let raw = RawPunch::new(SerialNumber::parse("T1")?, Pin::new(b"1042").into_owned(), civil::parse(time)?);
///     Ok(Observation::new(raw, "2026-03-28T20:00:00Z".parse()?))
/// };
/// let rules = Rules::new(DeviceZone::Utc);
/// let mut normalizer = Normalizer::new(TenantKey::new([7; 32]));
/// normalizer.observe(&rules, row(b"2026-03-28 08:00:00")?);
///
/// let stored = serde_json::to_string(&normalizer.save())?;
/// let saved: SavedNormalizer = serde_json::from_str(&stored)?;
/// let mut normalizer = Normalizer::restore(TenantKey::new([7; 32]), saved)?;
/// let Verdict::Fresh(punch) = normalizer.observe(&rules, row(b"2026-03-28 17:00:00")?) else { panic!("a departure") };
/// assert_eq!(punch.direction.as_str(), "out");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedNormalizer {
    v: u32,
    devices: Numbers,
    sites: Numbers,
    people: BTreeMap<Person, History>,
}

/// What was saved by another version of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("saved normalizer: found version {found}, expected 1; open it with the version that wrote it")]
#[non_exhaustive]
pub struct SavedNormalizerError {
    /// The version found.
    pub found: u32,
}

impl SavedNormalizer {
    const VERSION: u32 = 1;

    pub(crate) fn new(devices: Numbers, sites: Numbers, people: BTreeMap<Person, History>) -> Self {
        Self { v: Self::VERSION, devices, sites, people }
    }

    pub(crate) fn open(self) -> Result<(Numbers, Numbers, BTreeMap<Person, History>), SavedNormalizerError> {
        let Self { v, devices, sites, people } = self;
        if v == Self::VERSION { Ok((devices, sites, people)) } else { Err(SavedNormalizerError { found: v }) }
    }
}

/// Numbers for names, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Numbers(BTreeMap<Box<str>, u16>);

impl Numbers {
    pub(crate) fn of(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.0.get(name) {
            return number.into();
        }
        let number = u16::try_from(self.0.len()).unwrap_or(Normalizer::PLACES_MAX);
        if number < Normalizer::PLACES_MAX {
            self.0.insert(name.into(), number);
        }
        number.into()
    }
}
