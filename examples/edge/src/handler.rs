use chrono::{DateTime, Utc};
use punch_erp::erpnext::WriteCheckin;
use punch_erp::{Outcome, ParkReason};
use punch_webhook::ReceivedEvent;

use crate::Settings;

/// What becomes of a webhook: it is forwarded, or answered at once with this status and word.
pub enum Verdict {
    /// The calls that write the punch.
    Forward(Box<WriteCheckin>),
    /// Nothing is to be written.
    Answer(u16, &'static str),
}

/// Verifies the bytes, and finds out what there is to write.
pub fn handle(headers: &[(String, String)], body: &[u8], settings: &Settings, now: DateTime<Utc>) -> Verdict {
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let Ok(verified) = settings.verifier.verify(headers, body, now) else { return Verdict::Answer(401, "signature") };
    match verified.event() {
        Ok(ReceivedEvent::Punch(punch)) => {
            let flow = WriteCheckin::new(&settings.site, &punch, now);
            let is_again = punch.delivery_attempt.is_some_and(|attempt| attempt > 1);
            Verdict::Forward(Box::new(if is_again { flow.look_first() } else { flow }))
        }
        Ok(_) => Verdict::Answer(200, "received"),
        Err(error) => Verdict::Answer(400, error.reason()),
    }
}

/// The status and the word for what came of it. The sender repeats after 503 for as long as its schedule says, after 404
/// some times, in case somebody enters the badge, and shows what is refused.
pub fn answer(outcome: &Outcome) -> (u16, &'static str) {
    match outcome {
        Outcome::Applied { .. } | Outcome::AlreadyThere { .. } => (200, "received"),
        Outcome::Retry { reason, .. } => (503, reason.code()),
        Outcome::Park(ParkReason::UnknownEmployee) => (404, "unknown_employee"),
        Outcome::Park(reason) => (422, reason.code()),
    }
}
