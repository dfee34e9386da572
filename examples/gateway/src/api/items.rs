//! The single steps of commands and jobs, with what went wrong as error objects.

use axum::response::Response;
use punch_protocol::SerialNumber;
use punch_protocol::push::ReturnCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Api;
use super::envelope::{ApiError, Problem};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms};
use crate::clock::now;
use crate::store::{ItemRow, Items, Owner, Part};

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("state", Kind::Words(|| [&Items::STATES[..], &[WRONG]].concat())),
        ("badge_number", Kind::Text),
        ("device_id", Kind::Text),
    ],
    sorts: &[
        ("id", "ticket.id"),
        ("badge_number", "coalesce(ticket.badge, '')"),
        ("device_serial", "ticket.serial"),
        ("state", "ticket.state"),
    ],
    newest_first: false,
};

/// All states of what went wrong.
const WRONG: &str = "wrong";

/// One step of a command.
#[derive(Serialize, ToSchema)]
pub(super) struct Item {
    id: u64,
    command_id: u64,
    device_serial: String,
    /// Whom it is about.
    badge_number: Option<String>,
    /// What it does.
    action: String,
    state: String,
    /// How often it was sent.
    pub(super) times: u32,
    /// When last.
    pub(super) sent_at: Option<String>,
    /// What the terminal returned.
    pub(super) code: Option<i32>,
    /// What the terminal told.
    pub(super) answer: Option<Value>,
    settled_at: Option<String>,
    /// What went wrong, and what to do.
    pub(super) error: Option<Problem>,
}

/// Steps that are taken back, or asked for once more, in one piece.
const SLICE: usize = 500;

/// The steps of a command or of a job, in the order they are sent. `state=wrong` are all that can be asked for once more.
pub(super) async fn list(api: &Api, owner: Owner, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let states = match asked.word("state") {
        None => Vec::new(),
        Some(WRONG) => Items::WRONG.to_vec(),
        Some(state) => vec![state],
    };
    let which = Items { owner, states, badge: asked.text("badge_number"), serial: asked.serial(api)? };
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows.into_iter().map(|row| (row.id, described(api, row))).collect(), total))
}

/// The step of a command that has one.
pub(super) async fn only_step(api: &Api, command: u64) -> Result<Option<Item>, ApiError> {
    let which = Items { owner: Owner::Command(command), states: Vec::new(), badge: None, serial: None };
    let row = api.store.read(move |connection| which.part(connection, Part::newest(1))).await?.pop();
    Ok(row.map(|row| described(api, row)))
}

/// Asks once more for what went wrong. Nothing that must not be sent twice is.
pub(super) async fn retry(api: &Api, owner: Owner) -> Result<usize, ApiError> {
    let mut count = 0_usize;
    loop {
        let more = api.store.write(move |tx| owner.retry(tx, SLICE, now())).await?;
        count = count.saturating_add(more);
        if more < SLICE {
            break;
        }
    }
    if count == 0 {
        let problem =
            "has nothing that went wrong and may be sent again; an order to open a door or to restart is given anew";
        return Err(ApiError::conflict("id", problem));
    }
    Ok(count)
}

/// Takes back what was not sent.
pub(super) async fn cancel(api: &Api, owner: Owner) -> Result<(), ApiError> {
    while api.store.write(move |tx| owner.cancel(tx, SLICE, now())).await? >= SLICE {}
    Ok(())
}

fn described(api: &Api, row: ItemRow) -> Item {
    let error = error(api, &row).map(|error| error.of_object());
    Item {
        id: row.id,
        command_id: row.command_id,
        device_serial: row.device_serial,
        badge_number: row.badge_number,
        action: row.action,
        state: row.state,
        times: row.times,
        sent_at: row.sent_at,
        code: row.code,
        answer: row.answer,
        settled_at: row.settled_at,
        error,
    }
}

/// What went wrong, and what to do.
fn error(api: &Api, row: &ItemRow) -> Option<ApiError> {
    match row.state.as_str() {
        "failed" => {
            if let Some(reason) = &row.reason {
                return Some(ApiError::of_step("terminal_refused", reason.clone()));
            }
            let code = row.code.unwrap_or_default();
            let dialect = SerialNumber::parse(&row.device_serial).map(|serial| api.devices.command_dialect(&serial));
            let meaning = dialect.ok().and_then(|dialect| ReturnCode(code).describe(dialect));
            let meaning = meaning.map(|meaning| format!(": {meaning}")).unwrap_or_default();
            Some(ApiError::of_step("terminal_refused", format!("The terminal returned {code}{meaning}.")))
        }
        "unknown" => {
            let message = "It was sent, and the terminal has not said whether it was done.";
            Some(ApiError::of_step("outcome_unknown", message.to_owned()))
        }
        "expired" => {
            let message = "The terminal did not ask for commands while it was good; it was not sent.";
            Some(ApiError::of_step("command_expired", message.to_owned()))
        }
        "refused" => Some(ApiError::unsupported(row.reason.as_deref().unwrap_or("it cannot be written"))),
        _ => None,
    }
}
