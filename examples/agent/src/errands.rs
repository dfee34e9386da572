//! What the gateway wants done at terminals: asked for, taken, and told of.

use core::time::Duration;

use chrono::NaiveDateTime;
use gateway::core::Step;
use punch_protocol::SerialNumber;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::Forwarder;

/// How long the gateway may wait until there is something.
const WAIT: Duration = Duration::from_secs(20);

/// Something to be done at a terminal. The gateway has written down that it is sent.
pub(crate) struct Errand {
    /// What is repeated when it is told what became of it.
    pub(crate) id: String,
    /// What is to be done.
    pub(crate) step: Step,
    /// Not begun after this.
    until: Instant,
    taken: Instant,
    clock: NaiveDateTime,
}

impl Errand {
    /// Whether it is too late to begin.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// What the terminal's clock should show now.
    pub(crate) fn clock(&self) -> NaiveDateTime {
        let passed = chrono::TimeDelta::from_std(self.taken.elapsed()).unwrap_or_default();
        self.clock.checked_add_signed(passed).unwrap_or(self.clock)
    }
}

/// What became of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) outcome: Became,
    /// Why it went wrong, without a word of whom it is about.
    pub(crate) reason: Option<String>,
    /// What the terminal said.
    pub(crate) answer: Map<String, Value>,
}

/// The words of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// It is as wanted.
    Done,
    /// The terminal refused, or it was not begun.
    Failed,
    /// It was sent, and nobody knows.
    Unknown,
}

impl Told {
    /// As the gateway takes it.
    pub(crate) fn result(&self) -> Value {
        let outcome = match self.outcome {
            Became::Done => "done",
            Became::Failed => "failed",
            Became::Unknown => "unknown",
        };
        let answer = (!self.answer.is_empty()).then_some(&self.answer);
        json!({ "id": self.id, "outcome": outcome, "reason": self.reason, "answer": answer })
    }
}

#[derive(Deserialize)]
struct Waiting {
    waiting: bool,
}

#[derive(Deserialize)]
struct Taken {
    steps: Vec<Given>,
}

#[derive(Deserialize)]
struct Given {
    id: String,
    step: Step,
    left_ms: u64,
    local_time: NaiveDateTime,
}

impl Forwarder {
    /// Whether something is to be done at a terminal; waits for a while if nothing is.
    pub(crate) async fn await_errands(&self, serial: &SerialNumber) -> Result<bool, String> {
        let path = format!("/v1/devices/{serial}/steps?wait_seconds={}", WAIT.as_secs());
        let Waiting { waiting } = read(self.call(Method::GET, &path, None, WAIT + Self::DEADLINE).await?)?;
        Ok(waiting)
    }

    /// Takes what is to be done at a terminal. What is taken and not told of may be given out again, unless it must not
    /// be done twice.
    pub(crate) async fn take_errands(&self, serial: &SerialNumber) -> Result<Vec<Errand>, String> {
        // What counts is how much time was left when the gateway wrote, so it begins before the call.
        let taken = Instant::now();
        let path = format!("/v1/devices/{serial}/steps/take");
        let Taken { steps } = read(self.call(Method::POST, &path, Some(&json!({})), Self::DEADLINE).await?)?;
        let errand = |Given { id, step, left_ms, local_time }| Errand {
            id,
            step,
            until: taken + Duration::from_millis(left_ms),
            taken,
            clock: local_time,
        };
        Ok(steps.into_iter().map(errand).collect())
    }

    /// Tells the gateway what became of what was taken.
    pub(crate) async fn tell_results(&self, serial: &SerialNumber, results: &[Value]) -> Result<(), String> {
        let body = json!({ "results": results });
        let path = format!("/v1/devices/{serial}/steps/results");
        self.call(Method::POST, &path, Some(&body), Self::DEADLINE).await.map(drop)
    }

    /// Tells the gateway what a terminal was found to be.
    pub(crate) async fn tell_probe(&self, serial: &SerialNumber, probe: &Map<String, Value>) -> Result<(), String> {
        let path = format!("/v1/devices/{serial}/probe");
        self.call(Method::POST, &path, Some(&Value::Object(probe.clone())), Self::DEADLINE).await.map(drop)
    }
}

fn read<T: for<'de> Deserialize<'de>>(data: Value) -> Result<T, String> {
    serde_json::from_value(data).map_err(|_| "not the answer of a gateway of this version".to_owned())
}
