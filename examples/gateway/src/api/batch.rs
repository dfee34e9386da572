use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Api;
use super::commands::{Wanted, commands, known_device, payload};
use super::envelope::{ApiError, One, one};
use super::extract::Json;
use super::whole::whole;
use crate::clock::now;
use crate::core::Order;
use crate::store::{CommandJob, Intent, NewCommand, put_steps};

/// What is asked of many terminals.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandBatch {
    #[schema(schema_with = commands)]
    command: String,
    /// What the command takes; docs/api.md has it for each.
    #[serde(default)]
    #[schema(schema_with = payload)]
    payload: Value,
    /// How long it stays good, if shorter than usual.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1)]
    ttl_seconds: Option<i64>,
    /// Terminals, by serial number or id.
    #[serde(default)]
    devices: Vec<String>,
    /// All approved terminals of these sites.
    #[serde(default)]
    sites: Vec<String>,
}

/// Terminals that one call is for at most.
const DEVICES_MAX: usize = 1000;

/// Asks the same of many terminals: a job, with a command for each of them.
// S2-087
#[utoipa::path(post, path = "/v1/commands", request_body = CommandBatch, responses((status = 202, body = One<CommandJob>)))]
pub(super) async fn add_commands(
    State(api): State<Api>,
    body: Result<Json<CommandBatch>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(CommandBatch { command, payload, ttl_seconds, devices, sites }) = body?;
    let wanted = Wanted { command, payload, ttl_seconds };
    let order = wanted.order()?;
    let serials = named(&api, &devices, &sites)?;
    let commands: Vec<NewCommand> = serials
        .into_iter()
        .map(|serial| wanted.command_for(&order, serial.clone(), refusal(&api, &order, &serial)))
        .collect::<Result<_, _>>()?;
    let steps = order.steps;
    let intent = Intent::current();
    intent.detail("command", order.kind.as_str());
    intent.detail("devices", commands.len());
    let begin = api.store.write(move |tx| {
        let list = put_steps(tx, &steps)?;
        let job = CommandJob::begin(tx, &commands, list, now())?;
        intent.about(job);
        CommandJob::of(tx, job)
    });
    let job = begin.await?.ok_or_else(|| ApiError::not_found("job"))?;
    api.devices.has_steps();
    Ok(one(StatusCode::ACCEPTED, &job))
}

/// Everybody who is named, once.
fn named(api: &Api, devices: &[String], sites: &[String]) -> Result<BTreeSet<SerialNumber>, ApiError> {
    let mut serials = BTreeSet::new();
    for (index, id) in devices.iter().enumerate() {
        serials.insert(known_device(api, &format!("devices[{index}]"), id)?);
    }
    for (index, site) in sites.iter().enumerate() {
        let at_site = api.devices.of_site(site);
        if at_site.is_empty() {
            return Err(ApiError::invalid(
                &format!("sites[{index}]"),
                "has no approved terminal; see `GET /v1/devices`",
            ));
        }
        serials.extend(at_site);
    }
    if serials.is_empty() || serials.len() > DEVICES_MAX {
        let problem = format!("and `sites` name {} terminals, expected 1 to {DEVICES_MAX}", serials.len());
        return Err(ApiError::invalid("devices", &problem));
    }
    Ok(serials)
}

/// Why a terminal cannot do it. The others still do: S2-089.
fn refusal(api: &Api, order: &Order, serial: &SerialNumber) -> Option<String> {
    match api.devices.admission(serial) {
        Some(Admission::Approved) => order.check(api.devices.means(serial)).err().map(|error| error.problem),
        Some(Admission::Blocked) => Some("it is blocked".to_owned()),
        Some(Admission::Pending) | None => Some("it is not approved".to_owned()),
    }
}
