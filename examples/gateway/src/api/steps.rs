//! Commands for terminals on port 4370, from the side of whoever asks them: an agent waits for steps, takes them, carries
//! them out, and says what became of each.

use core::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::Api;
use super::envelope::{ApiError, One, Refusal, one};
use super::extract::{Json, Path};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms, words};
use crate::clock::now;
use crate::device::{Became, Given, StepResult};

/// The longest an agent may wait for a step.
const WAIT_MAX: u64 = 25;

/// Most that is kept of what a terminal tells, in bytes.
const TOLD_MAX: usize = 4096;

/// The longest reason that is kept, in characters.
const REASON_MAX: usize = 500;

/// How long an agent waits for a step.
pub(super) const TERMS: Terms =
    Terms { filters: &[("wait_seconds", Kind::Number(0, WAIT_MAX))], sorts: &[], newest_first: false };

/// Whether something is to be done.
#[derive(Serialize, ToSchema)]
pub(super) struct Waiting {
    waiting: bool,
}

/// Says whether steps wait for a terminal that somebody asks on port 4370; waits for one if there is none.
#[utoipa::path(get, path = "/v1/devices/{serial}/steps",
    responses((status = 200, body = One<Waiting>), (status = 409, body = Refusal)))]
pub(super) async fn wait(
    State(api): State<Api>,
    Path(serial): Path<String>,
    query: Pairs,
) -> Result<Response, ApiError> {
    let patience = Asked::of(query, &TERMS)?.number("wait_seconds").unwrap_or(0);
    let serial = met(&api, &serial).await?;
    let waiting = api.devices.await_steps(&serial, Duration::from_secs(patience)).await?;
    Ok(one(StatusCode::OK, &Waiting { waiting }))
}

/// What is given out.
#[derive(Serialize, ToSchema)]
pub(super) struct TakenSteps {
    steps: Vec<TakenOut>,
}

/// A step that is sent from now on.
#[derive(Serialize, ToSchema)]
pub(super) struct TakenOut {
    /// What is repeated with its result.
    id: String,
    /// What is to be done: `action`, and what belongs to it.
    step: Value,
    /// Whether it is never given out again.
    once: bool,
    /// It is not begun after so many milliseconds. How long is left counts, and no time of ours: the clock of an agent may
    /// be wrong.
    left_ms: i64,
    /// What the terminal's clock should show.
    local_time: String,
}

/// Gives out steps, in their order. They are sent from then on, whether or not the answer arrives.
#[utoipa::path(post, path = "/v1/devices/{serial}/steps/take", responses((status = 200, body = One<TakenSteps>)))]
pub(super) async fn take(State(api): State<Api>, Path(serial): Path<String>) -> Result<Response, ApiError> {
    let serial = met(&api, &serial).await?;
    let given = api.devices.take_steps(&serial).await?;
    Ok(one(StatusCode::OK, &TakenSteps { steps: given.iter().map(TakenOut::of).collect() }))
}

impl TakenOut {
    fn of(Given { taken, clock }: &Given) -> Self {
        Self {
            id: taken.id.as_str().to_owned(),
            step: json!(taken.step),
            once: taken.step.is_once(),
            left_ms: taken.expires_at.signed_duration_since(now()).num_milliseconds().max(0),
            local_time: clock.format("%Y-%m-%dT%H:%M:%S").to_string(),
        }
    }
}

/// What became of steps.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Results {
    results: Vec<StepOutcome>,
}

/// What became of a step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepOutcome {
    id: String,
    #[schema(schema_with = outcomes)]
    outcome: String,
    /// Why it went wrong, for people.
    reason: Option<String>,
    /// What the terminal told: texts, numbers, yes or no.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Value>>)]
    answer: Option<Map<String, Value>>,
}

/// The words for what became of a step.
const OUTCOMES: [&str; 3] = ["done", "failed", "unknown"];

fn outcomes() -> Object {
    words(OUTCOMES)
}

/// How many results were taken, and the ids that are of none.
#[derive(Serialize, ToSchema)]
pub(super) struct Heard {
    settled: usize,
    unknown: Vec<String>,
}

/// Writes down what became of steps.
#[utoipa::path(post, path = "/v1/devices/{serial}/steps/results", request_body = Results,
    responses((status = 200, body = One<Heard>)))]
pub(super) async fn settle(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Results>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(Results { results }) = body?;
    let serial = met(&api, &serial).await?;
    if results.iter().any(|said| said.outcome == OUTCOMES[0]) {
        // Of a terminal that has done something, somebody has heard.
        api.devices.meet(&serial).await;
    }
    let count = results.len();
    let results = results.into_iter().enumerate().map(|(index, said)| said.read(index)).collect::<Result<_, _>>()?;
    let unknown = api.devices.settle_steps(&serial, results).await?;
    Ok(one(StatusCode::OK, &Heard { settled: count.saturating_sub(unknown.len()), unknown }))
}

impl StepOutcome {
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

/// The terminal of which something was kept.
#[derive(Serialize, ToSchema)]
pub(super) struct Probed {
    serial_number: String,
}

/// Keeps what a terminal told whoever reads it: what it is, has and can.
#[utoipa::path(post, path = "/v1/devices/{serial}/probe",
    request_body(content = std::collections::BTreeMap<String, Value>, description = "Texts, numbers, yes or no by name."),
    responses((status = 200, body = One<Probed>)))]
pub(super) async fn add_probe(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Map<String, Value>>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(probe) = body?;
    let serial = met(&api, &serial).await?;
    // Of a terminal that told what it is, somebody has heard.
    api.devices.meet(&serial).await;
    api.devices.keep_probe(&serial, told(probe, "body")?).await?;
    Ok(one(StatusCode::OK, &Probed { serial_number: serial.to_string() }))
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
    match api.devices.admission_of(&serial).await {
        Admission::Approved => Ok(serial),
        found => Err(ApiError::not_approved(&serial, found)),
    }
}
