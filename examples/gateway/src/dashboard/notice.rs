use serde::Deserialize;

use super::text::{self, Text};
use crate::device::Released;

/// What somebody is told on the page that they come to after what they did.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) text: Text,
    pub(super) is_problem: bool,
    /// What goes into the gaps of the text.
    pub(super) counts: [u64; 3],
}

/// The notices there are, each by its word in an address. Nothing else of an address is shown.
const NOTICES: &[(&str, Text, bool)] = &[
    ("approved", text::APPROVED_NOW, false),
    ("bad_serial", text::BAD_SERIAL, true),
    ("resent", text::RESENT, false),
    ("on_its_way", text::ON_ITS_WAY, true),
    ("paused", text::PAUSED_NOW, false),
    ("resumed", text::RESUMED_NOW, false),
    ("test_sent", text::TEST_SENT, false),
    ("taken", text::TAKEN_AGAIN, false),
    ("registered", text::REGISTERED, false),
    ("put_away", text::PUT_AWAY_NOW, false),
    ("unread", text::ROW_UNREAD, true),
    ("bad_shift", text::BAD_SHIFT, true),
    ("bad_pin", text::BAD_PIN, true),
    ("bad_text", text::BAD_TEXT, true),
    ("bad_reason", text::BAD_REASON, true),
    ("bad_badge", text::BAD_BADGE, true),
    ("badge_taken", text::BADGE_TAKEN, true),
    ("gone", text::ROW_GONE, true),
    ("unavailable", text::UNAVAILABLE_LONG, true),
];

/// How a notice stands in an address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    notice: String,
    delivered: u64,
    suppressed: u64,
    held: u64,
}

impl Notice {
    pub(super) fn of(said: Said) -> Option<Self> {
        let Said { notice, delivered, suppressed, held } = said;
        let (_, text, is_problem) = *NOTICES.iter().find(|(word, ..)| *word == notice)?;
        Some(Self { text, is_problem, counts: [delivered, suppressed, held] })
    }
}

/// The words of a notice that says what became of rows.
pub(super) fn released(word: &str, released: Released) -> String {
    let Released { delivered, suppressed, replayed, held, .. } = released;
    // What was known already is a second time of what it is.
    let suppressed = suppressed.saturating_add(replayed);
    format!("{word}&delivered={delivered}&suppressed={suppressed}&held={held}")
}
