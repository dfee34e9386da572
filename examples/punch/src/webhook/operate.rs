//! `punch webhook replay`, `roll`, `test` and `attempts`: an endpoint operated from the terminal.

use core::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};

use crate::api::{ApiArgs, number, text};
use crate::exit::{Exit, UsageError};

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    api: ApiArgs,
    /// The endpoint, by number.
    endpoint: u64,
    /// Events that were made from then on: a moment such as 2026-03-28T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: String,
    /// Events that were made before. Without it: until now.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only events of which the delivery was given up.
    #[arg(long)]
    only_failed: bool,
    /// Do not wait for its end.
    #[arg(long)]
    detach: bool,
    /// Print the job as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Roll {
    #[command(flatten)]
    api: ApiArgs,
    /// The endpoint, by number.
    endpoint: u64,
    /// How long the older secret signs beside the new one, in hours: 0 to 168. Without it: 24.
    #[arg(long, value_name = "HOURS")]
    previous_hours: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct Test {
    #[command(flatten)]
    api: ApiArgs,
    /// The endpoint, by number.
    endpoint: u64,
}

#[derive(Debug, Args)]
pub(super) struct Attempts {
    #[command(flatten)]
    api: ApiArgs,
    /// The delivery, by number.
    delivery: u64,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// How often it is asked how far a replay has come.
const LOOK: Duration = Duration::from_millis(500);

/// The exit code is 1 if deliveries of it were given up.
pub(super) async fn replay(command: Replay) -> anyhow::Result<Exit> {
    let Replay { api, endpoint, since, until, only_failed, detach, json } = command;
    let mut wish = json!({ "since": since, "only_failed": only_failed });
    if let (Some(until), Some(members)) = (until, wish.as_object_mut()) {
        members.insert("until".to_owned(), until.into());
    }
    let begun = api.post(&format!("/v1/webhooks/{endpoint}/replay"), &wish).await?;
    let mut job = begun.ok_or_else(|| unknown_endpoint(endpoint))?;
    let path = format!("/v1/jobs/{}", number(&job, "id"));
    let bar = ProgressBar::with_draw_target(Some(number(&job, "total")), ProgressDrawTarget::stderr());
    while !detach && text(&job, "state") == "running" {
        tokio::time::sleep(LOOK).await;
        job = api.get(&path).await?.context("the gateway knows the job no more")?;
        bar.set_position(number(&job, "delivered").saturating_add(number(&job, "failed")));
    }
    bar.finish_and_clear();
    let [total, delivered, failed] = ["total", "delivered", "failed"].map(|name| number(&job, name));
    if json {
        crate::say(format_args!("{job}"));
    } else if detach {
        crate::say(format_args!("{total} events go out once more as job {}", number(&job, "id")));
    } else {
        crate::say(format_args!("{} of {total} events: {delivered} delivered, {failed} given up", text(&job, "state")));
    }
    Ok(if failed > 0 { Exit::Wrong } else { Exit::Done })
}

pub(super) async fn roll(command: Roll) -> anyhow::Result<Exit> {
    let Roll { api, endpoint, previous_hours } = command;
    let wish = previous_hours.map_or_else(|| json!({}), |hours| json!({ "previous_hours": hours }));
    let rolled = api.post(&format!("/v1/webhooks/{endpoint}/secret"), &wish).await?;
    let rolled = rolled.ok_or_else(|| unknown_endpoint(endpoint))?;
    // Alone on the first line, for scripts.
    crate::say(format_args!("{}", text(&rolled, "secret")));
    let until = text(&rolled, "previous_secret_until");
    if !until.is_empty() {
        crate::say(format_args!("the older secret signs too until {until}; give the receiver this one before"));
    }
    Ok(Exit::Done)
}

pub(super) async fn test(command: Test) -> anyhow::Result<Exit> {
    let Test { api, endpoint } = command;
    let sent = api.post(&format!("/v1/webhooks/{endpoint}/test"), &json!({})).await?;
    let sent = sent.ok_or_else(|| unknown_endpoint(endpoint))?;
    let event = text(&sent, "event_id");
    crate::say(format_args!(
        "{event} is on its way; `punch webhook deliveries --event {event}` says what becomes of it"
    ));
    Ok(Exit::Done)
}

/// The exit code is 1 if it was given up.
pub(super) async fn attempts(command: Attempts) -> anyhow::Result<Exit> {
    let Attempts { api, delivery, json } = command;
    let found = api.get(&format!("/v1/deliveries/{delivery}")).await?;
    let unknown = || UsageError(format!("the gateway knows no delivery {delivery}; see `punch webhook deliveries`"));
    let row = found.ok_or_else(unknown)?;
    if json {
        crate::say(format_args!("{row}"));
    } else {
        describe(&row);
    }
    Ok(if text(&row, "state") == "failed" { Exit::Wrong } else { Exit::Done })
}

fn describe(row: &Value) {
    let (event, kind, url) = (text(row, "event_id"), text(row, "event_type"), text(row, "url"));
    crate::say(format_args!("{event} ({kind}) to {url}: {} {}", text(row, "state"), text(row, "reason")));
    crate::say(format_args!("{:>7} {:<32} {:>6} {:>6}  answer", "attempt", "at", "status", "ms"));
    for attempt in row.get("attempt_log").and_then(Value::as_array).into_iter().flatten() {
        let (count, at, millis) = (number(attempt, "number"), text(attempt, "at"), number(attempt, "millis"));
        let status = match number(attempt, "status") {
            0 => "-".to_owned(),
            status => status.to_string(),
        };
        let answer = text(attempt, if status == "-" { "error" } else { "response" }).replace(['\n', '\t'], " ");
        crate::say(format_args!("{count:>7} {at:<32} {status:>6} {millis:>6}  {answer}"));
    }
    let sent = row.get("attempt_log").and_then(Value::as_array).and_then(|log| log.last());
    let headers = sent.and_then(|attempt| attempt.get("request_headers")).and_then(Value::as_object);
    for (name, value) in headers.into_iter().flatten() {
        crate::say(format_args!("sent last: {name}: {}", value.as_str().unwrap_or_default()));
    }
    if let Some(body) = sent.and_then(|attempt| attempt.get("body")).and_then(Value::as_str) {
        crate::say(format_args!("sent last: {body}"));
    }
    if !text(row, "next_at").is_empty() {
        crate::say(format_args!("next: {}", text(row, "next_at")));
    }
    if text(row, "state") == "failed" {
        crate::say(format_args!("next: punch webhook resend {}", number(row, "id")));
    }
}

fn unknown_endpoint(id: u64) -> UsageError {
    UsageError(format!("the gateway knows no endpoint {id}; see `punch webhook endpoints`"))
}
