use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::envelope::{ApiError, one};
use super::items;
use super::listing::{Asked, Pairs, Terms};
use crate::clock::now;
use crate::core::{Order, OrderError, OrderKind};
use crate::store::{CommandRow, Commands, NewCommand, Owner, put_command, put_steps};

/// What is asked of a terminal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    pub(super) command: String,
    #[serde(default)]
    pub(super) payload: Value,
    pub(super) ttl_seconds: Option<i64>,
}

/// The states of a command.
const STATES: [&str; 9] = ["queued", "sent", "done", "partial", "failed", "unknown", "expired", "refused", "cancelled"];

const TERMS: Terms = Terms {
    filters: &["device_id", "state", "command", "job_id"],
    sorts: &[
        ("id", "command.id"),
        ("created_at", "command.created_at"),
        ("expires_at", "command.expires_at"),
        ("settled_at", "coalesce(command.settled_at, 0)"),
        ("state", "command.state"),
        ("command", "command.kind"),
        ("device_serial", "command.serial"),
    ],
    newest_first: true,
};

/// Asks something of a terminal. It is sent when the terminal next calls. S2-052, S2-053.
pub(super) async fn add_command(
    State(api): State<Api>,
    Path(device): Path<String>,
    body: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(wanted) = body?;
    let order = wanted.order()?;
    let serial = find_device(&api, &device)?;
    match api.devices.admission(&serial) {
        Some(Admission::Approved) => {}
        found => return Err(ApiError::not_approved(&serial, found.unwrap_or(Admission::Pending))),
    }
    order.check(api.devices.means(&serial)).map_err(|error| ApiError::unsupported(&error.problem))?;
    let new = wanted.command_for(&order, serial, None)?;
    let steps = order.steps;
    let put = api.store.write(move |tx| {
        let list = put_steps(tx, &steps)?;
        put_command(tx, &new, list, None, now())
    });
    let id = put.await?.cast_unsigned();
    api.devices.has_steps();
    Ok(one(StatusCode::ACCEPTED, &described(&api, &find(&api, id).await?)))
}

impl Wanted {
    pub(super) fn order(&self) -> Result<Order, ApiError> {
        let wrong = |OrderError { field, problem }| ApiError::invalid(&field, &problem);
        Order::parse(&self.command, &self.payload).map_err(wrong)
    }

    /// What is written down of it for one terminal.
    pub(super) fn command_for(
        &self,
        order: &Order,
        serial: SerialNumber,
        refused: Option<String>,
    ) -> Result<NewCommand, ApiError> {
        let usual = order.time_to_live();
        let time_to_live = self.ttl_seconds.map_or(Some(usual), TimeDelta::try_seconds);
        let time_to_live = time_to_live.filter(|wish| *wish >= TimeDelta::seconds(1) && *wish <= usual);
        let time_to_live = time_to_live.ok_or_else(|| {
            let most = usual.num_seconds();
            ApiError::invalid("ttl_seconds", &format!("expected 1 to {most} seconds for `{}`", order.kind.as_str()))
        })?;
        let (kind, payload) = (order.kind.as_str(), order.payload.to_string());
        Ok(NewCommand { serial, kind, payload, total: order.steps.len(), time_to_live, refused })
    }
}

/// Commands, newest first.
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    listed(&api, Asked::of(query, &TERMS)?, None).await
}

/// Those of one terminal.
pub(super) async fn list_of_device(
    State(api): State<Api>,
    Path(device): Path<String>,
    query: Pairs,
) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let serial = find_device(&api, &device)?;
    listed(&api, asked, Some(serial)).await
}

async fn listed(api: &Api, asked: Asked, serial: Option<SerialNumber>) -> Result<Response, ApiError> {
    let kinds: Vec<&str> = OrderKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let serial = match (serial, asked.text("device_id")) {
        (Some(serial), None) => Some(serial),
        (Some(_), Some(_)) => return Err(ApiError::invalid("device_id", "is in the path already")),
        (None, None) => None,
        (None, Some(id)) => Some(known_device(api, "device_id", &id)?),
    };
    let which = Commands {
        serial: serial.map(|serial| serial.to_string()),
        state: asked.one_of("state", &STATES)?.map(ToOwned::to_owned),
        kind: asked.one_of("command", &kinds)?.map(ToOwned::to_owned),
        job: asked.number("job_id")?,
        id: None,
    };
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows.iter().map(|row| (row.id, described(api, row))).collect(), total))
}

/// One command, and how it stands.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    let mut value = described(&api, &row);
    // What takes one step is shown with what became of it.
    if let (1, Some(members)) = (row.counts.total, value.as_object_mut()) {
        let step = items::only_step(&api, id).await?;
        members.extend(step.into_iter().flat_map(|step| items::outcome_of(&step)));
    }
    Ok(one(StatusCode::OK, &value))
}

/// The single steps of a command. S2-089.
pub(super) async fn list_items(
    State(api): State<Api>,
    Path(id): Path<u64>,
    query: Pairs,
) -> Result<Response, ApiError> {
    find(&api, id).await?;
    items::list(&api, Owner::Command(id), query).await
}

/// Asks once more for what went wrong, and for nothing else. S2-089.
pub(super) async fn retry(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    items::retry(&api, Owner::Command(id)).await?;
    if let Ok(serial) = SerialNumber::parse(&row.device_serial) {
        api.devices.has_commands(&serial);
    }
    Ok(one(StatusCode::ACCEPTED, &described(&api, &find(&api, id).await?)))
}

/// Takes back what was not sent. What was goes its way.
pub(super) async fn cancel(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    if row.settled_at.is_some() {
        return Err(ApiError::conflict("state", &format!("is `{}` already", row.state)));
    }
    items::cancel(&api, Owner::Command(id)).await?;
    Ok(one(StatusCode::OK, &described(&api, &find(&api, id).await?)))
}

fn described(api: &Api, row: &CommandRow) -> Value {
    let mut value = json!(row);
    if let Some(members) = value.as_object_mut() {
        let id = SerialNumber::parse(&row.device_serial).ok().and_then(|serial| api.devices.id_of(&serial));
        members.insert("device_id".to_owned(), id.into());
        let problem = row.reason.as_deref().map(|reason| ApiError::unsupported(reason).to_json());
        members.insert("error".to_owned(), problem.unwrap_or_default());
        members.remove("reason");
    }
    value
}

async fn find(api: &Api, id: u64) -> Result<CommandRow, ApiError> {
    let row = api.store.read(move |connection| CommandRow::of(connection, id)).await?;
    row.ok_or_else(|| ApiError::not_found("command"))
}

/// The terminal of a path: its serial number, or its id in payloads.
pub(super) fn find_device(api: &Api, id: &str) -> Result<SerialNumber, ApiError> {
    api.devices.find(id).ok_or_else(|| ApiError::not_found("device"))
}

/// The terminal that a member of a call names.
pub(super) fn known_device(api: &Api, field: &str, id: &str) -> Result<SerialNumber, ApiError> {
    let unknown = || ApiError::invalid(field, "names no terminal here; see `GET /v1/devices`");
    api.devices.find(id).ok_or_else(unknown)
}
