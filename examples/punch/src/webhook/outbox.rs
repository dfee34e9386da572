//! `punch webhook endpoints`, `deliveries` and `resend`: what a gateway sends, and to whom.

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};

use crate::api::{ApiArgs, number, text};
use crate::exit::{Exit, UsageError};

const NO_LIST: &str = "the gateway sent no list";

#[derive(Debug, Args)]
pub(super) struct Endpoints {
    #[command(flatten)]
    api: ApiArgs,
    /// Print an object an endpoint, as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Deliveries {
    #[command(flatten)]
    api: ApiArgs,
    /// waiting, delivered or failed.
    #[arg(long)]
    state: Option<String>,
    /// To the endpoint with this number.
    #[arg(long, value_name = "ID")]
    endpoint: Option<u64>,
    /// Of one event.
    #[arg(long, value_name = "EVENT_ID")]
    event: Option<String>,
    /// Of events of this type, such as attendance.punch.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Of punches at the terminal with this serial number.
    #[arg(long, value_name = "SERIAL")]
    device: Option<String>,
    /// Made then or later: a moment such as 2026-03-28T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Made before.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// At most so many, the newest ones.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Print an object a delivery, as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Resend {
    #[command(flatten)]
    api: ApiArgs,
    /// The deliveries, by number.
    #[arg(required_unless_present = "all_failed")]
    ids: Vec<u64>,
    /// Every delivery that was given up.
    #[arg(long, conflicts_with = "ids")]
    all_failed: bool,
}

/// The exit code is 1 if one does not take events.
pub(super) async fn endpoints(command: Endpoints) -> anyhow::Result<Exit> {
    let rows = list(&command.api, "/v1/webhooks?per_page=200").await?;
    if !command.json {
        crate::say(format_args!("{:>4} {:<12} {:>8}  url", "id", "state", "failures"));
    }
    for row in &rows {
        if command.json {
            crate::say(format_args!("{row}"));
        } else {
            let (id, state, failures) = (number(row, "id"), text(row, "state"), number(row, "failures"));
            crate::say(format_args!("{id:>4} {state:<12} {failures:>8}  {}", text(row, "url")));
        }
    }
    let healthy = rows.iter().all(|row| text(row, "state") == "healthy");
    Ok(if healthy { Exit::Done } else { Exit::Wrong })
}

pub(super) async fn deliveries(command: Deliveries) -> anyhow::Result<Exit> {
    let Deliveries { api, state, endpoint, event, event_type, device, since, until, limit, json } = command;
    let named = [
        ("per_page", Some(limit.to_string())),
        ("state", state),
        ("endpoint_id", endpoint.map(|id| id.to_string())),
        ("event_id", event),
        ("event_type", event_type),
        ("device", device),
        ("since", since),
        ("until", until),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let url = reqwest::Url::parse_with_params("http://gateway/v1/deliveries", named).context("query")?;
    let rows = list(&api, &format!("{}?{}", url.path(), url.query().unwrap_or_default())).await?;
    if json {
        rows.iter().for_each(|row| crate::say(format_args!("{row}")));
    } else if rows.is_empty() {
        crate::say(format_args!("no such delivery; `punch webhook endpoints` says where events go"));
    } else {
        crate::say(format_args!("{:>8} {:<30} {:<10} {:>8}  to, and why not", "id", "event", "state", "attempts"));
        for row in &rows {
            let (id, attempts) = (number(row, "id"), number(row, "attempts"));
            let (event, state) = (text(row, "event_id"), text(row, "state"));
            let (url, reason) = (text(row, "url"), text(row, "reason"));
            crate::say(format_args!("{id:>8} {event:<30} {state:<10} {attempts:>8}  {url} {reason}"));
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn resend(command: Resend) -> anyhow::Result<Exit> {
    let Resend { api, ids, all_failed } = command;
    let ids = if all_failed { failed(&api).await? } else { ids };
    let bar = ProgressBar::with_draw_target(u64::try_from(ids.len()).ok(), ProgressDrawTarget::stderr());
    for id in &ids {
        again(&api, *id).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let resent = ids.len();
    crate::say(format_args!("{resent} on their way again; `punch webhook deliveries` says what becomes of them"));
    Ok(Exit::Done)
}

/// All of them, before the first is sent again: it may fail again at once.
async fn failed(api: &ApiArgs) -> anyhow::Result<Vec<u64>> {
    let rows = api.all("/v1/deliveries?state=failed", NO_LIST).await?;
    Ok(rows.iter().rev().map(|row| number(row, "id")).collect())
}

async fn again(api: &ApiArgs, id: u64) -> anyhow::Result<()> {
    let made = api.post(&format!("/v1/deliveries/{id}/resend"), &json!({})).await?;
    let unknown = || UsageError(format!("the gateway knows no delivery {id}; see `punch webhook deliveries`"));
    made.map(drop).ok_or_else(|| unknown().into())
}

async fn list(api: &ApiArgs, path: &str) -> anyhow::Result<Vec<Value>> {
    let answer = api.get(path).await?.unwrap_or_default();
    serde_json::from_value(answer).context(NO_LIST)
}
