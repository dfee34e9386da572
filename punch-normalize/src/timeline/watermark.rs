use alloc::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Up to when everything of a site is known: no terminal has kept back a row of before, and none waits for somebody.
///
/// A terminal's mark is the last moment at which it was heard and had nothing left to tell, or its oldest row that is held
/// aside, whichever is earlier. A site's is the earliest of its terminals. It never goes back: what was called known stays
/// so, and a row from before it is late.
///
/// ```
/// use punch_normalize::timeline::Watermark;
///
/// let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>();
/// let mut site = Watermark::default();
/// site.add(1);
/// site.add(2);
/// site.heard(1, at("2026-03-02T18:00:00Z")?);
/// site.heard(2, at("2026-03-02T12:00:00Z")?);
/// assert_eq!(site.value(), Some(at("2026-03-02T12:00:00Z")?)); // the one that is offline holds it
/// site.heard(2, at("2026-03-02T18:05:00Z")?);
/// assert_eq!(site.value(), Some(at("2026-03-02T18:00:00Z")?));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    devices: BTreeMap<u32, DeviceMark>,
    told: Option<DateTime<Utc>>,
}

/// What is known of one terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct DeviceMark {
    heard: Option<DateTime<Utc>>,
    oldest_held: Option<DateTime<Utc>>,
}

impl Watermark {
    /// Goes on from what was known in an earlier life.
    pub fn known_to(told: DateTime<Utc>) -> Self {
        Self { devices: BTreeMap::new(), told: Some(told) }
    }

    /// A terminal belongs to the site. Until it is heard nothing new is known.
    pub fn add(&mut self, device: u32) {
        self.devices.entry(device).or_default();
    }

    /// A terminal no longer belongs to the site, and holds nothing up.
    pub fn remove(&mut self, device: u32) {
        self.devices.remove(&device);
        self.tell();
    }

    /// A terminal was heard, and had nothing left to tell.
    pub fn heard(&mut self, device: u32, at: DateTime<Utc>) {
        let mark = self.devices.entry(device).or_default();
        mark.heard = mark.heard.max(Some(at));
        self.tell();
    }

    /// The oldest row of a terminal that is held aside; `None` if none is.
    pub fn held(&mut self, device: u32, oldest: Option<DateTime<Utc>>) {
        self.devices.entry(device).or_default().oldest_held = oldest;
        self.tell();
    }

    /// Up to when everything is known; `None` while a terminal was never heard.
    pub fn value(&self) -> Option<DateTime<Utc>> {
        self.told
    }

    fn tell(&mut self) {
        let of = |mark: &DeviceMark| mark.heard.map(|heard| mark.oldest_held.map_or(heard, |held| heard.min(held)));
        let known: Option<DateTime<Utc>> = if self.devices.values().all(|mark| mark.heard.is_some()) {
            self.devices.values().filter_map(of).min()
        } else {
            None
        };
        self.told = self.told.max(known);
    }
}
