use core::time::Duration;

use serde::Deserialize;

/// What became of rows that were posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They are on disk at the gateway.
    Stored(Stored),
    /// Nobody knows, or not now. The same rows may be posted again; what arrived already changes nothing.
    Retry {
        /// Why, for people.
        trouble: String,
        /// How long the gateway asks to be left alone.
        after: Option<Duration>,
    },
    /// The gateway will not have them as things are. Somebody has to act.
    Refused(Refusal),
}

/// What the gateway did with the rows. The last four add up to the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Stored {
    /// Rows it read.
    pub received: u64,
    /// Punches that are new.
    pub delivered: u64,
    /// Second punches within the window.
    pub suppressed: u64,
    /// Rows kept aside until somebody acts.
    pub held: u64,
    /// Punches that were there before.
    pub replayed: u64,
}

/// Why a gateway will not have the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// The gateway's word for it, such as `device_not_approved`.
    pub code: Option<String>,
    /// Its sentence for people, with the cure; at most [`Refusal::TEXT_MAX`] characters.
    pub text: String,
}

impl Refusal {
    /// Longest sentence that is kept, in characters.
    pub const TEXT_MAX: usize = 500;
}

impl Outcome {
    /// Reads an answer to `rows` rows.
    ///
    /// A status of 200 alone proves nothing: sign-in pages of networks have it too. What counts is that the gateway
    /// says how many rows it has. 408, 425, 429 and 5xx pass; every other status, redirects included, stays until
    /// somebody acts.
    pub fn of_answer(status: u16, after: Option<Duration>, body: &[u8], rows: usize) -> Self {
        match status {
            200 => match serde_json::from_slice::<Answer>(body) {
                Ok(Answer { data }) if usize::try_from(data.received) == Ok(rows) => Self::Stored(data),
                _ => Self::Retry { trouble: "status 200, and not the answer of a gateway".to_owned(), after },
            },
            408 | 425 | 429 | 500..=599 => Self::Retry { trouble: format!("status {status}"), after },
            _ => {
                let (code, text) = said(body);
                Self::Refused(Refusal { status, code, text })
            }
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Stored,
}

#[derive(Deserialize)]
struct Refused {
    error: Said,
}

#[derive(Deserialize)]
struct Said {
    code: String,
    message: String,
}

/// Code and sentence of an error object. Whoever answered may be a stranger, so neither can write a line into a log.
fn said(body: &[u8]) -> (Option<String>, String) {
    let Ok(Refused { error }) = serde_json::from_slice(body) else {
        return (None, "the answer is not that of a gateway; check the address".to_owned());
    };
    let is_word =
        |code: &String| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let visible = error.message.chars().map(|c| if c.is_control() { ' ' } else { c });
    (Some(error.code).filter(is_word), visible.take(Refusal::TEXT_MAX).collect())
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::{Outcome, Refusal, Stored};

    const STORED: &[u8] = br#"{"data":{"received":2,"delivered":1,"suppressed":0,"held":0,"replayed":1},"meta":{}}"#;

    #[test]
    fn rows_are_stored_only_if_the_gateway_counts_them() {
        let stored = Stored { received: 2, delivered: 1, suppressed: 0, held: 0, replayed: 1 };
        assert_eq!(Outcome::of_answer(200, None, STORED, 2), Outcome::Stored(stored));
        for (body, rows) in [(STORED, 3), (STORED, 1), (b"<html>Sign in</html>", 2), (b"", 0), (b"{\"data\":{}}", 0)] {
            assert!(matches!(Outcome::of_answer(200, None, body, rows), Outcome::Retry { .. }));
        }
    }

    #[test]
    fn every_status_is_stored_or_passes_or_needs_somebody() {
        for status in 0..=u16::MAX {
            let outcome = Outcome::of_answer(status, Some(Duration::from_secs(7)), STORED, 2);
            match status {
                200 => assert!(matches!(outcome, Outcome::Stored(_))),
                408 | 425 | 429 | 500..=599 => {
                    let Outcome::Retry { after, .. } = outcome else { panic!("{status}") };
                    assert_eq!(after, Some(Duration::from_secs(7)));
                }
                _ => assert!(matches!(outcome, Outcome::Refused(refusal) if refusal.status == status), "{status}"),
            }
        }
    }

    #[test]
    fn what_a_stranger_says_stays_short_and_on_one_line() {
        let long = "x".repeat(Refusal::TEXT_MAX + 1);
        for (code, message, kept) in [
            ("device_not_approved", "Not\napproved.", Some("device_not_approved")),
            ("a b", long.as_str(), None),
            ("", "", Some("")),
        ] {
            let body = serde_json::json!({ "error": { "code": code, "message": message } }).to_string();
            let Outcome::Refused(refusal) = Outcome::of_answer(409, None, body.as_bytes(), 1) else { panic!("{body}") };
            assert_eq!(refusal.code.as_deref(), kept);
            assert!(refusal.text.chars().count() <= Refusal::TEXT_MAX && !refusal.text.contains('\n'));
        }
    }
}
