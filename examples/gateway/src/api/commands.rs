use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use super::Api;
use super::envelope::{ApiError, One, Page, Problem, one};
use super::extract::{Json, Path};
use super::items::{self, Item};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms, words};
use super::whole::whole;
use crate::clock::now;
use crate::core::{Order, OrderError, OrderKind};
use crate::store::{CommandRow, Commands, Intent, NewCommand, Owner, put_command, put_steps};

/// What is asked of a terminal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "command": "sync_employees", "payload": { "employees": [{ "badge_number": "1042", "name": "Ana" }] },
}))]
pub(super) struct Wanted {
    #[schema(schema_with = commands)]
    pub(super) command: String,
    /// What the command takes; docs/api.md has it for each.
    #[serde(default)]
    #[schema(schema_with = payload)]
    pub(super) payload: Value,
    /// How long it stays good, if shorter than usual.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1)]
    pub(super) ttl_seconds: Option<i64>,
}

pub(super) fn commands() -> Object {
    words(OrderKind::ALL.map(OrderKind::as_str))
}

pub(super) fn payload() -> Object {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Object, Type::Null])).build()
}

/// What was asked of a terminal, and what has become of it.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownCommand {
    #[serde(flatten)]
    row: CommandRow,
    /// The id of the terminal in payloads.
    device_id: Option<String>,
    /// Why the terminal cannot do it.
    error: Option<Problem>,
    /// Of what takes one step and is looked at alone: how often that was sent.
    times: Option<u32>,
    /// When last.
    sent_at: Option<String>,
    /// What the terminal returned.
    code: Option<i32>,
    /// What the terminal told.
    answer: Option<Value>,
}

/// The states of a command.
const STATES: [&str; 9] = ["queued", "sent", "done", "partial", "failed", "unknown", "expired", "refused", "cancelled"];

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("device_id", Kind::Text),
        ("state", Kind::Words(|| STATES.to_vec())),
        ("command", Kind::Words(|| OrderKind::ALL.map(OrderKind::as_str).to_vec())),
        ("job_id", Kind::ID),
    ],
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

/// Asks something of a terminal. It is sent when the terminal next calls.
// S2-052, S2-053
#[utoipa::path(post, path = "/v1/devices/{serial}/commands", request_body = Wanted,
    responses((status = 202, body = One<ShownCommand>)))]
pub(super) async fn add_command(
    State(api): State<Api>,
    Path(device): Path<String>,
    body: Result<Json<Wanted>, ApiError>,
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
    let intent = Intent::current();
    intent.about(&new.serial);
    intent.detail("command", new.kind);
    let put = api.store.write(move |tx| {
        let list = put_steps(tx, &steps)?;
        let id = put_command(tx, &new, list, None, now())?;
        intent.detail("command_id", id);
        Ok(id)
    });
    let id = put.await?.cast_unsigned();
    api.devices.has_steps();
    Ok(one(StatusCode::ACCEPTED, &described(&api, find(&api, id).await?)))
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
#[utoipa::path(get, path = "/v1/commands", operation_id = "list_commands",
    responses((status = 200, body = Page<ShownCommand>)))]
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    listed(&api, Asked::of(query, &TERMS)?, None).await
}

/// The commands of one terminal.
#[utoipa::path(get, path = "/v1/devices/{serial}/commands", operation_id = "list_commands_of_device",
    responses((status = 200, body = Page<ShownCommand>)))]
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
    let serial = match (serial, asked.serial(api)?) {
        (Some(_), Some(_)) => return Err(ApiError::invalid("device_id", "is in the path already")),
        (of_path, of_query) => of_path.map(|serial| serial.to_string()).or(of_query),
    };
    let which = Commands {
        serial,
        state: asked.text("state"),
        kind: asked.text("command"),
        job: asked.number("job_id"),
        id: None,
    };
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows.into_iter().map(|row| (row.id, described(api, row))).collect(), total))
}

/// One command, and how it stands.
#[utoipa::path(get, path = "/v1/commands/{id}", operation_id = "show_command",
    responses((status = 200, body = One<ShownCommand>)))]
pub(super) async fn show(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    let mut shown = described(&api, row);
    // What takes one step is shown with what became of it.
    if shown.row.counts.total == 1
        && let Some(Item { times, sent_at, code, answer, error, .. }) = items::only_step(&api, id).await?
    {
        shown = ShownCommand { times: Some(times), sent_at, code, answer, error, ..shown };
    }
    Ok(one(StatusCode::OK, &shown))
}

/// The single steps of a command.
// S2-089
#[utoipa::path(get, path = "/v1/commands/{id}/items", operation_id = "list_items_of_command",
    responses((status = 200, body = Page<Item>)))]
pub(super) async fn list_items(
    State(api): State<Api>,
    Path(id): Path<u64>,
    query: Pairs,
) -> Result<Response, ApiError> {
    find(&api, id).await?;
    items::list(&api, Owner::Command(id), query).await
}

/// Asks once more for what went wrong of a command, and for nothing else.
// S2-089
#[utoipa::path(post, path = "/v1/commands/{id}/retry", operation_id = "retry_command",
    responses((status = 202, body = One<ShownCommand>)))]
pub(super) async fn retry(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    items::retry(&api, Owner::Command(id)).await?;
    if let Ok(serial) = SerialNumber::parse(&row.device_serial) {
        api.devices.has_commands(&serial);
    }
    Ok(one(StatusCode::ACCEPTED, &described(&api, find(&api, id).await?)))
}

/// Takes back what was not sent of a command. What was goes its way.
#[utoipa::path(delete, path = "/v1/commands/{id}", operation_id = "cancel_command",
    responses((status = 200, body = One<ShownCommand>)))]
pub(super) async fn cancel(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    if row.settled_at.is_some() {
        return Err(ApiError::conflict("state", &format!("is `{}` already", row.state)));
    }
    items::cancel(&api, Owner::Command(id)).await?;
    Ok(one(StatusCode::OK, &described(&api, find(&api, id).await?)))
}

fn described(api: &Api, row: CommandRow) -> ShownCommand {
    let device_id = SerialNumber::parse(&row.device_serial).ok().and_then(|serial| api.devices.id_of(&serial));
    let error = row.reason.as_deref().map(|reason| ApiError::unsupported(reason).of_object());
    ShownCommand { row, device_id, error, times: None, sent_at: None, code: None, answer: None }
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
