//! Words of the API as people read them. One that is not here is shown as it is.

use super::language::Language;
use super::text::{self, Text};

/// What a word means for whoever looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Somebody should know.
    Watch,
    /// Somebody should do something.
    Bad,
    /// Neither.
    Plain,
}

const WORDS: &[(&str, Text, Tone)] = &[
    // Terminals.
    ("online", text::ONLINE, Tone::Good),
    ("late", text::LATE, Tone::Bad),
    ("forwarded", text::FORWARDED, Tone::Good),
    ("never", text::NEVER, Tone::Watch),
    ("approved", text::APPROVED, Tone::Good),
    ("pending", text::PENDING, Tone::Watch),
    ("blocked", text::BLOCKED, Tone::Bad),
    ("behind", text::BEHIND, Tone::Watch),
    ("level", text::LEVEL, Tone::Good),
    // Clocks.
    ("ok", text::CLOCK_OK, Tone::Good),
    ("drift", text::CLOCK_DRIFT, Tone::Watch),
    ("timezone_misconfigured", text::CLOCK_ZONE, Tone::Bad),
    ("clock_wrong", text::CLOCK_WRONG, Tone::Bad),
    // Deliveries.
    ("waiting", text::WAITING, Tone::Watch),
    ("delivered", text::DELIVERED, Tone::Good),
    ("failed", text::FAILED, Tone::Bad),
    // Endpoints.
    ("healthy", text::HEALTHY, Tone::Good),
    ("backing_off", text::BACKING_OFF, Tone::Bad),
    ("paused", text::PAUSED, Tone::Watch),
    ("disabled", text::DISABLED, Tone::Bad),
    // Rows.
    ("held", text::HELD, Tone::Watch),
    ("discarded", text::DISCARDED, Tone::Plain),
    ("unregistered_badge", text::UNREGISTERED_BADGE, Tone::Watch),
    ("anonymous", text::ANONYMOUS, Tone::Watch),
    ("clock_reset", text::CLOCK_RESET, Tone::Watch),
    ("future", text::FUTURE, Tone::Watch),
    ("malformed", text::MALFORMED, Tone::Watch),
    // Punches.
    ("in", text::IN, Tone::Plain),
    ("out", text::OUT, Tone::Plain),
    ("break_in", text::BREAK_IN, Tone::Plain),
    ("break_out", text::BREAK_OUT, Tone::Plain),
    ("overtime_in", text::OVERTIME_IN, Tone::Plain),
    ("overtime_out", text::OVERTIME_OUT, Tone::Plain),
    ("unknown", text::UNKNOWN, Tone::Plain),
    ("fingerprint", text::FINGERPRINT, Tone::Plain),
    ("face", text::FACE, Tone::Plain),
    ("palm", text::PALM, Tone::Plain),
    ("card", text::CARD, Tone::Plain),
    ("password", text::PASSWORD, Tone::Plain),
    ("pin", text::PIN, Tone::Plain),
    ("vein", text::VEIN, Tone::Plain),
    ("multi", text::MULTI, Tone::Plain),
    ("missing_in", text::MISSING_IN, Tone::Watch),
    ("missing_out", text::MISSING_OUT, Tone::Watch),
    ("repeat_in", text::REPEAT_IN, Tone::Watch),
    ("repeat_out", text::REPEAT_OUT, Tone::Watch),
    ("unclosed_break", text::UNCLOSED_BREAK, Tone::Watch),
    ("missing_break_out", text::MISSING_BREAK_OUT, Tone::Watch),
    ("impossible_travel", text::IMPOSSIBLE_TRAVEL, Tone::Watch),
    ("wrong_key", text::WRONG_BUTTON, Tone::Watch),
];

/// How a word is said, and its tone.
pub(super) fn of(language: Language, word: &str) -> (String, Tone) {
    match WORDS.iter().find(|(known, ..)| *known == word) {
        Some((_, text, tone)) => (language.say(*text).to_owned(), *tone),
        None => (word.to_owned(), Tone::Plain),
    }
}

/// What to do about a row that is held for this reason.
pub(super) fn advice(reason: &str) -> Option<Text> {
    let advice = [
        ("unregistered_badge", text::ADVICE_UNREGISTERED_BADGE),
        ("anonymous", text::ADVICE_ANONYMOUS),
        ("clock_reset", text::ADVICE_CLOCK_RESET),
        ("future", text::ADVICE_FUTURE),
        ("clock_wrong", text::ADVICE_CLOCK_WRONG),
        ("malformed", text::ADVICE_MALFORMED),
    ];
    advice.into_iter().find(|(known, _)| *known == reason).map(|(_, text)| text)
}

/// What to do about a clock that stands so.
pub(super) fn clock_advice(health: &str) -> Option<Text> {
    let advice = [
        ("drift", text::ADVICE_DRIFT),
        ("timezone_misconfigured", text::ADVICE_ZONE),
        ("clock_wrong", text::ADVICE_CLOCK),
    ];
    advice.into_iter().find(|(known, _)| *known == health).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use punch_normalize::HoldReason;

    use super::super::language::Language;
    use super::{advice, of};

    #[test]
    fn every_reason_to_hold_a_row_has_its_words() {
        for reason in HoldReason::ALL {
            assert!(advice(reason.code()).is_some(), "{}", reason.code());
            assert_ne!(of(Language::Spanish, reason.code()).0, reason.code());
        }
        assert_eq!(of(Language::Spanish, "of_tomorrow").0, "of_tomorrow");
    }
}
