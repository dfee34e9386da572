use alloc::string::{String, ToString as _};
use core::fmt;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Method, StatusCode};
use punch_normalize::{Direction, EventId};
use punch_webhook::ReceivedPunch;
use serde::Serialize;

use super::{Access, SuccessFactors, fault};
use crate::answer::{answer, asked_wait};
use crate::{CallError, Evidence, Failure, Flow, HttpResponse, Outcome, Step};

const PATH: &str = "/odata/v2/EmployeeTime";

/// Sends a punch exactly as the published sample does: for gateways that were built after it, never for a tenant.
///
/// A tenant refuses it: `EmployeeTime` holds absences and attendances, and has none of these fields. And the sample is wrong
/// in itself: it takes digits of UTC for a local day, writes a departure for whatever is no arrival, and sends no key, so
/// that a repetition may be a second record. [`WriteTimeEvents`](super::WriteTimeEvents) does none of this. It needs
/// [`Mode::Seed`](super::Mode::Seed), or there is no password to send.
///
/// 200 and 201 are success, everything else is tried again; the schedule ends it. `Debug` shows the event, never a person.
pub struct WriteSeedRecord {
    tenant: SuccessFactors,
    event_id: EventId,
    record: Record,
    outcome: Option<Outcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    user_id: String,
    event_date: String,
    event_time: String,
    event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal_id: Option<String>,
}

impl WriteSeedRecord {
    /// Prepares the attempt. Nothing happens before the first [`poll`](Flow::poll).
    pub fn new(tenant: &SuccessFactors, punch: &ReceivedPunch) -> Self {
        let text = |form: &str| punch.at.format(form).to_string();
        let record = Record {
            user_id: punch.badge.clone(),
            event_date: text("%Y-%m-%d"),
            event_time: text("%H%M%S"),
            event_type: if punch.direction == Direction::In { "P10" } else { "P20" },
            terminal_id: punch.device_serial.clone(),
        };
        Self { tenant: tenant.clone(), event_id: punch.event_id.clone(), record, outcome: None }
    }
}

impl Flow for WriteSeedRecord {
    /// The remote id is the event's own: nothing is known of another one.
    type Output = Outcome;

    fn poll(&mut self) -> Step<Outcome> {
        if let Some(outcome) = &self.outcome {
            return Step::Done(outcome.clone());
        }
        // Texts and nothing else: this cannot fail to be written.
        let body = Bytes::from(serde_json::to_vec(&self.record).unwrap_or_default());
        let mut request = self.tenant.send_json(Method::POST, &Access::Basic, PATH, body);
        request.headers_mut().remove(ACCEPT);
        Step::Send(request)
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        let read = |response: &HttpResponse| {
            fault::check(response)?;
            let evidence = Evidence::of(response);
            let is_done = matches!(response.status(), StatusCode::OK | StatusCode::CREATED);
            is_done.then_some(()).ok_or(CallError::Unreadable { expected: "200 or 201", evidence })
        };
        let asked = asked_wait(&reply);
        self.outcome = Some(match answer(reply, read) {
            Ok(()) => Outcome::Applied { remote_id: self.event_id.to_string() },
            Err(reason) => Outcome::Retry { after: asked.or(reason.asked_wait()), reason },
        });
    }
}

impl fmt::Debug for WriteSeedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteSeedRecord").field("event_id", &self.event_id).finish_non_exhaustive()
    }
}
