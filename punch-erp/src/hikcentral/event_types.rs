use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::passage::PassageMethod;

/// The event types that say that somebody passed, with the method of each.
///
/// The makers' appendices were not all at hand, so this is a setting with defaults. 197151, a face that was not recognised, is
/// not among them, and never counts.
///
/// ```
/// use punch_erp::hikcentral::EventTypes;
///
/// let types = EventTypes::default();
/// assert_eq!(types.method(196893).map(|method| method.as_str()), Some("face"));
/// assert!(types.method(197151).is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypes(BTreeMap<i64, PassageMethod>);

/// A face that was not recognised.
const NOT_RECOGNISED: i64 = 197_151;

const KNOWN: [(i64, PassageMethod); 17] = [
    (196_893, PassageMethod::Face),
    (197_127, PassageMethod::Fingerprint),
    (198_914, PassageMethod::Card),
    (198_915, PassageMethod::CardAndPin),
    (197_162, PassageMethod::Face),
    (196_874, PassageMethod::Card),
    (196_883, PassageMethod::Multi),
    (196_885, PassageMethod::Multi),
    (196_886, PassageMethod::Multi),
    (196_887, PassageMethod::Multi),
    (196_888, PassageMethod::Multi),
    (196_889, PassageMethod::Multi),
    (196_890, PassageMethod::Multi),
    (196_891, PassageMethod::Multi),
    (196_892, PassageMethod::Multi),
    (196_897, PassageMethod::Pin),
    (200_516, PassageMethod::Fingerprint),
];

impl Default for EventTypes {
    fn default() -> Self {
        Self(KNOWN.into())
    }
}

impl EventTypes {
    /// These types, with the method where it is known. 197151 is left out whoever lists it.
    pub fn of(types: impl IntoIterator<Item = i64>) -> Self {
        let known = BTreeMap::from(KNOWN);
        let types = types.into_iter().filter(|code| *code != NOT_RECOGNISED);
        Self(types.map(|code| (code, known.get(&code).copied().unwrap_or(PassageMethod::Other))).collect())
    }

    /// How somebody was recognised, if the type says that somebody passed.
    pub fn method(&self, code: i64) -> Option<PassageMethod> {
        self.0.get(&code).copied()
    }

    /// The types, in order of their numbers.
    pub fn codes(&self) -> Vec<i64> {
        self.0.keys().copied().collect()
    }
}
