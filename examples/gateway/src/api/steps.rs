//! Commands for terminals on port 4370, from the side of whoever asks them: an agent waits for steps, takes them, carries
//! them out, and says what became of each.

use core::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::envelope::{ApiError, one};
use crate::clock::now;
use crate::device::{Became, Given, StepResult};

/// The longest an agent may wait for a step.
const WAIT_MAX: u64 = 25;

/// Most that is kept of what a terminal tells, in bytes.
const TOLD_MAX: usize = 4096;

/// The longest reason that is kept, in characters.
const REASON_MAX: usize = 500;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Patience {
    wait_seconds: u64,
}

/// Says whether steps wait for a terminal; waits for one if there is none.
pub(super) async fn wait(
    State(api): State<Api>,
    Path(serial): Path<String>,
    patience: Result<Query<Patience>, QueryRejection>,
) -> Result<Response, ApiError> {
    let expected = || ApiError::invalid("wait_seconds", &format!("expected a number from 0 to {WAIT_MAX}"));
    let Query(Patience { wait_seconds }) = patience.map_err(|_| expected())?;
    if wait_seconds > WAIT_MAX {
        return Err(expected());
    }
    let serial = met(&api, &serial).await?;
    let waiting = api.devices.await_steps(&serial, Duration::from_secs(wait_seconds)).await?;
    Ok(one(StatusCode::OK, &json!({ "waiting": waiting })))
}

/// Gives out steps. They are sent from then on, whether or not the answer arrives.
pub(super) async fn take(State(api): State<Api>, Path(serial): Path<String>) -> Result<Response, ApiError> {
    let serial = met(&api, &serial).await?;
    let given = api.devices.take_steps(&serial).await?;
    Ok(one(StatusCode::OK, &json!({ "steps": given.iter().map(described).collect::<Vec<_>>() })))
}

/// How long is left counts, and no time of ours: the clock of an agent may be wrong.
fn described(Given { taken, clock }: &Given) -> Value {
    json!({
        "id": taken.id.as_str(), "step": taken.step, "once": taken.step.is_once(),
        "left_ms": taken.expires_at.signed_duration_since(now()).num_milliseconds().max(0),
        "local_time": clock.format("%Y-%m-%dT%H:%M:%S").to_string(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Results {
    results: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    id: String,
    outcome: String,
    reason: Option<String>,
    answer: Option<Map<String, Value>>,
}

/// Writes down what became of steps.
pub(super) async fn settle(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Results>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(Results { results }) = body?;
    let serial = met(&api, &serial).await?;
    let count = results.len();
    let results = results.into_iter().enumerate().map(|(index, said)| said.read(index)).collect::<Result<_, _>>()?;
    let unknown = api.devices.settle_steps(&serial, results).await?;
    Ok(one(StatusCode::OK, &json!({ "settled": count.saturating_sub(unknown.len()), "unknown": unknown })))
}

impl Said {
    fn read(self, index: usize) -> Result<StepResult, ApiError> {
        let became = match self.outcome.as_str() {
            "done" => Became::Done,
            "failed" => Became::Failed,
            "unknown" => Became::Unknown,
            _ => {
                return Err(ApiError::invalid(
                    &format!("results[{index}].outcome"),
                    "expected done, failed or unknown",
                ));
            }
        };
        let visible =
            |text: String| text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_MAX).collect();
        let answer = self.answer.map(|answer| told(answer, &format!("results[{index}].answer"))).transpose()?;
        Ok(StepResult { id: self.id, became, reason: self.reason.map(visible), answer })
    }
}

/// Keeps what a terminal told whoever reads it: what it is, has and can.
pub(super) async fn add_probe(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(probe) = body?;
    let serial = met(&api, &serial).await?;
    api.devices.keep_probe(&serial, told(probe, "body")?).await?;
    Ok(one(StatusCode::OK, &json!({ "serial_number": serial.as_str() })))
}

/// Texts, numbers and yes or no by name, as JSON.
fn told(members: Map<String, Value>, field: &str) -> Result<String, ApiError> {
    let is_plain = members.values().all(|value| !value.is_object() && !value.is_array());
    let text = Value::Object(members).to_string();
    if !is_plain || text.len() > TOLD_MAX {
        return Err(ApiError::invalid(field, &format!("expected plain values in at most {TOLD_MAX} bytes")));
    }
    Ok(text)
}

/// The terminal, which somebody reads, and which is let in.
async fn met(api: &Api, serial: &str) -> Result<SerialNumber, ApiError> {
    let serial = SerialNumber::parse(serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    match api.devices.meet(&serial).await {
        Admission::Approved => Ok(serial),
        found => Err(ApiError::not_approved(&serial, found)),
    }
}
