use punch_normalize::Direction;

use super::fields::Fields;

/// The first known direction among the members that may carry one, or unknown.
pub(super) fn find(places: [&Fields<'_>; 2]) -> Direction {
    places
        .iter()
        .flat_map(|fields| ["direction", "punch_type"].into_iter().filter_map(|name| fields.text(name)))
        .map(|word| read(&word))
        .find(|direction| *direction != Direction::Unknown)
        .unwrap_or(Direction::Unknown)
}

/// Reads a direction word: ours, the synonyms senders use, or the attendance state as a digit. Letter case and
/// separators do not matter; a word nobody knows is unknown, never forced into in or out.
pub(super) fn read(word: &str) -> Direction {
    let word = word.trim().to_lowercase();
    match word.replace(['_', '-', ' '], "").as_str() {
        "in" | "checkin" | "clockin" | "punchin" | "entry" | "entrada" => Direction::In,
        "out" | "checkout" | "clockout" | "punchout" | "exit" | "salida" => Direction::Out,
        "breakout" | "breakstart" => Direction::BreakOut,
        "breakin" | "breakend" => Direction::BreakIn,
        "overtimein" | "otin" => Direction::OvertimeIn,
        "overtimeout" | "otout" => Direction::OvertimeOut,
        _ => state(&word),
    }
}

/// The attendance state as terminals number it. Only the bare digit: `-1` is not `1`.
fn state(word: &str) -> Direction {
    match word {
        "0" => Direction::In,
        "1" => Direction::Out,
        "2" => Direction::BreakOut,
        "3" => Direction::BreakIn,
        "4" => Direction::OvertimeIn,
        "5" => Direction::OvertimeOut,
        _ => Direction::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_ours_reads_back() {
        use Direction::{BreakIn, BreakOut, In, Out, OvertimeIn, OvertimeOut, Unknown};
        for direction in [In, Out, BreakOut, BreakIn, OvertimeIn, OvertimeOut, Unknown] {
            assert_eq!(read(direction.as_str()), direction);
        }
    }

    #[test]
    fn strange_words_are_unknown() {
        for word in ["-1", "inside", "00", "10", "6", "ı", "\u{0}in\u{0}x"] {
            assert_eq!(read(word), Direction::Unknown, "{word}");
        }
    }
}
