use super::AccessEvent;
use crate::push::TerminalOptions;
use crate::push::query::hex_pair;

/// Which events an access terminal can report: the bitmaps of its registration.
///
/// `EventTypes` is 64 hex digits; event `n` is bit `n % 8`, the lowest first, of byte `n / 8`. `NewNormalEventTypes`,
/// `NewErrorEventTypes` and `NewWarningEventTypes` are packed the same way and begin at 4000, 5000 and 6000.
///
/// ```
/// use punch_protocol::push::{AccessEvent, EventSet};
///
/// let events = EventSet::parse("BF0FE03D").expect("hex digits");
/// assert!(events.supports(AccessEvent::OPENED) && events.supports(AccessEvent::ALARM_CANCELLED));
/// assert!(!events.supports(AccessEvent::LINKAGE) && !events.supports(AccessEvent::DEVICE_STARTED));
/// assert_eq!(events.bits().count(), 32);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventSet([Bitmap; 4]);

/// The keys of the bitmaps, and the event of their first bit.
const BITMAPS: [(&str, u16); 4] =
    [("EventTypes", 0), ("NewNormalEventTypes", 4000), ("NewErrorEventTypes", 5000), ("NewWarningEventTypes", 6000)];

impl EventSet {
    /// Reads the value of `EventTypes`. Events that it ends before are not supported, and digits beyond
    /// the 64th belong to no event. `None` if something is not a pair of hex digits.
    pub fn parse(event_types: &str) -> Option<Self> {
        Some(Self([Bitmap::parse(event_types)?, Bitmap::default(), Bitmap::default(), Bitmap::default()]))
    }

    /// Reads the four bitmaps of a registration. A missing one supports nothing; one that does not read, neither.
    pub fn of(registration: &TerminalOptions<'_>) -> Self {
        let read = |key| registration.value(key).and_then(|hex| Bitmap::parse(&hex)).unwrap_or_default();
        Self(BITMAPS.map(|(key, _)| read(key)))
    }

    /// Whether the terminal can report `event`.
    pub fn supports(&self, event: AccessEvent) -> bool {
        let first = event.0.checked_div(1000).unwrap_or(0).saturating_mul(1000);
        let found = BITMAPS.iter().zip(&self.0).find(|((_, begin), _)| *begin == first);
        found.is_some_and(|(_, bitmap)| bitmap.bit(event.0.saturating_sub(first)))
    }

    /// Every event a bitmap has a bit for, ascending, and whether it is supported.
    pub fn bits(&self) -> impl Iterator<Item = (AccessEvent, bool)> {
        BITMAPS.iter().zip(&self.0).flat_map(|((_, first), bitmap)| {
            (0..bitmap.len).map(move |at| (AccessEvent(first.saturating_add(at)), bitmap.bit(at)))
        })
    }
}

/// Up to 256 bits, the lowest of each byte first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bitmap {
    bytes: [u8; 32],
    /// How many bits were sent.
    len: u16,
}

impl Bitmap {
    fn parse(hex: &str) -> Option<Self> {
        let mut bitmap = Self::default();
        let pairs = hex.trim_ascii().as_bytes().chunks(2);
        for (byte, pair) in bitmap.bytes.iter_mut().zip(pairs) {
            *byte = hex_pair(pair)?;
            bitmap.len = bitmap.len.saturating_add(8);
        }
        Some(bitmap)
    }

    fn bit(&self, at: u16) -> bool {
        let byte = self.bytes.get(usize::from(at >> 3)).copied().unwrap_or(0);
        byte.checked_shr(u32::from(at & 7)).unwrap_or(0) & 1 == 1
    }
}
