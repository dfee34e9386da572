//! `punch erp release`: another try for what a sink of the gateway has parked.

use clap::Args;
use serde_json::json;

use crate::api::{ApiArgs, number, text};
use crate::exit::{Exit, UsageError};

/// Have a gateway write what a sink has parked once more, after the cause was mended.
///
/// Badges that were entered in the ERP meanwhile are found without it, within `probe_seconds`.
///
/// Example: punch erp release --to plant --reason unknown_employee --api-key-file punch.key
#[derive(Debug, Args)]
pub(super) struct Release {
    /// The sink, as `punch.toml` names it.
    #[arg(long, value_name = "NAME")]
    to: String,
    /// Only what was parked for this reason, such as unknown_employee. Repeatable.
    #[arg(long, value_name = "CODE")]
    reason: Vec<String>,
    /// Only this event. Repeatable.
    #[arg(long, value_name = "EVENT_ID")]
    event: Vec<String>,
    #[command(flatten)]
    api: ApiArgs,
}

/// Runs the command.
pub(super) async fn run(command: Release) -> anyhow::Result<Exit> {
    let Release { to, reason, event, api } = command;
    let endpoints = api.all("/v1/webhooks", "the gateway sent no list of endpoints").await?;
    let url = format!("sink:{to}");
    let unknown = || UsageError(format!("the gateway has no sink `{to}`; see `punch webhook endpoints`"));
    let endpoint = endpoints.iter().find(|row| text(row, "url") == url).ok_or_else(unknown)?;
    let path = format!("/v1/deliveries?state=failed&endpoint_id={}", number(endpoint, "id"));
    let rows = api.all(&path, "the gateway sent no list of deliveries").await?;
    let has_code = |row: &serde_json::Value, code: &String| {
        let words = text(row, "reason");
        words.strip_prefix("parked: ").unwrap_or(words).split(':').next() == Some(code)
    };
    let is_wanted = |row: &&serde_json::Value| {
        (reason.is_empty() || reason.iter().any(|code| has_code(row, code)))
            && (event.is_empty() || event.iter().any(|id| id == text(row, "event_id")))
    };
    // The oldest first: of each person they are written in order.
    let wanted: Vec<u64> = rows.iter().rev().filter(is_wanted).map(|row| number(row, "id")).collect();
    let mut released = 0_usize;
    for id in &wanted {
        // The gateway may have done it by itself meanwhile.
        match api.post(&format!("/v1/deliveries/{id}/resend"), &json!({})).await {
            Ok(_) => released += 1,
            Err(error) if error.is::<UsageError>() => eprintln!("delivery {id}: {error}"),
            Err(error) => return Err(error),
        }
    }
    crate::say(format_args!("{released} released of {} parked", rows.len()));
    eprintln!("next: punch webhook deliveries --state failed --endpoint {}", number(endpoint, "id"));
    Ok(Exit::Done)
}
