//! `punch command`: what a gateway is to have terminals do, and what became of it.

use core::time::Duration;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};

use crate::api::{ApiArgs, number, text};
use crate::exit::{Exit, UsageError};

/// Have terminals do something, and see what became of it.
///
/// Example: punch command send sync_employees --site Plant --employees people.json --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct OrderCommand {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    api: ApiArgs,
    /// Print what the gateway says, as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Ask for something, and wait for what becomes of it. The exit code is 1 if it went wrong anywhere.
    ///
    /// Example: punch command send unlock_door --device CZKE2241600045
    Send(Box<Order>),
    /// List what was asked, newest first.
    ///
    /// Example: punch command list --state failed
    List {
        /// Of this terminal.
        #[arg(long, value_name = "SERIAL")]
        device: Option<String>,
        /// queued, sent, done, partial, failed, unknown, expired, refused or cancelled.
        #[arg(long)]
        state: Option<String>,
    },
    /// Show what became of one, with the steps that went wrong. The exit code is 1 if there are any.
    ///
    /// Example: punch command show 12
    Show {
        /// Its number.
        id: u64,
    },
    /// Ask once more for the steps that went wrong, and for nothing else.
    ///
    /// Example: punch command retry 12
    Retry {
        /// Its number.
        id: u64,
    },
    /// Take back what was not sent.
    ///
    /// Example: punch command cancel 12
    Cancel {
        /// Its number.
        id: u64,
    },
}

#[derive(Debug, Args)]
struct Order {
    /// sync_employees, delete_employee, disable_employee, enable_employee, unlock_door, restart, sync_time,
    /// query_attendance or info.
    command: String,
    /// A terminal; may be said again.
    #[arg(long, value_name = "SERIAL", required_unless_present = "site")]
    device: Vec<String>,
    /// All terminals of a site; may be said again.
    #[arg(long, value_name = "NAME")]
    site: Vec<String>,
    /// What belongs to the command, as JSON, such as '{"door": 2}'.
    #[arg(long, value_name = "JSON", conflicts_with = "employees")]
    payload: Option<String>,
    /// A file with the people it is about: a JSON list of objects with badge_number and name.
    #[arg(long, value_name = "FILE")]
    employees: Option<PathBuf>,
    /// For how long it stays good, if shorter than usual.
    #[arg(long, value_name = "SECONDS")]
    ttl_seconds: Option<u32>,
    /// Do not wait for its end.
    #[arg(long)]
    detach: bool,
}

/// How often it is asked how far a command has come.
const LOOK: Duration = Duration::from_secs(1);

/// Runs the command.
pub(crate) async fn run(command: OrderCommand) -> anyhow::Result<Exit> {
    let OrderCommand { verb, api, json } = command;
    match verb {
        Verb::Send(order) => ask(&api, *order, json).await,
        Verb::List { device, state } => list(&api, device, state, json).await,
        Verb::Show { id } => show(&api, id, json).await,
        Verb::Retry { id } => {
            let again = api.post(&format!("/v1/commands/{id}/retry"), &json!({})).await?.ok_or_else(|| unknown(id))?;
            say_counts(&again, json);
            Ok(Exit::Done)
        }
        Verb::Cancel { id } => {
            let cancelled = api.delete(&format!("/v1/commands/{id}")).await?.ok_or_else(|| unknown(id))?;
            say_counts(&cancelled, json);
            Ok(Exit::Done)
        }
    }
}

impl Order {
    fn payload(&self) -> anyhow::Result<Value> {
        let Some(file) = &self.employees else {
            let text = self.payload.as_deref().unwrap_or("{}");
            return serde_json::from_str(text).map_err(|error| UsageError(format!("--payload: {error}")).into());
        };
        let name = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| UsageError(format!("--employees {name}: {error}")))?;
        // What stands on the line is not shown: it names people.
        let place = |error: serde_json::Error| {
            UsageError(format!("--employees {name}: no JSON at line {}, column {}", error.line(), error.column()))
        };
        let employees: Value = serde_json::from_str(&text).map_err(place)?;
        Ok(json!({ "employees": employees }))
    }
}

async fn ask(api: &ApiArgs, order: Order, json: bool) -> anyhow::Result<Exit> {
    let mut wish = json!({ "command": order.command, "payload": order.payload()? });
    let mut put = |name: &str, value: Value| wish.as_object_mut().map(|members| members.insert(name.to_owned(), value));
    if let Some(seconds) = order.ttl_seconds {
        put("ttl_seconds", seconds.into());
    }
    let (begun, path) = if let ([serial], []) = (order.device.as_slice(), order.site.as_slice()) {
        (api.post(&format!("/v1/devices/{serial}/commands"), &wish).await?, "commands")
    } else {
        put("devices", order.device.clone().into());
        put("sites", order.site.clone().into());
        (api.post("/v1/commands", &wish).await?, "jobs")
    };
    let mut row =
        begun.ok_or_else(|| UsageError("the gateway knows no such terminal; see `punch devices list`".to_owned()))?;
    let path = format!("/v1/{path}/{}", number(&row, "id"));
    let bar = ProgressBar::with_draw_target(Some(number(&row, "total")), ProgressDrawTarget::stderr());
    while !order.detach && number(&row, "waiting") > 0 {
        tokio::time::sleep(LOOK).await;
        row = api.get(&path).await?.context("the gateway knows it no more")?;
        bar.set_position(number(&row, "total").saturating_sub(number(&row, "waiting")));
    }
    bar.finish_and_clear();
    say_counts(&row, json);
    let wrong = number(&row, "failed");
    if wrong > 0 && !json {
        crate::say(format_args!(
            "next: GET {path}/items?state=wrong says what went wrong, POST {path}/retry asks once more"
        ));
    }
    Ok(if wrong > 0 { Exit::Wrong } else { Exit::Done })
}

async fn list(api: &ApiArgs, device: Option<String>, state: Option<String>, json: bool) -> anyhow::Result<Exit> {
    let pairs = [("device_id", device), ("state", state)];
    let query: Vec<String> = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    let rows = api.all(&format!("/v1/commands?{}", query.join("&")), "the gateway sent no list of commands").await?;
    if !json {
        crate::say(format_args!(
            "{:>8} {:<20} {:<18} {:<10} {:>12}  asked",
            "id", "terminal", "command", "state", "done"
        ));
    }
    for row in &rows {
        if json {
            crate::say(format_args!("{row}"));
        } else {
            let done = format!("{}/{}", number(row, "done"), number(row, "total"));
            let [serial, command, state, at] =
                ["device_serial", "command", "state", "created_at"].map(|name| text(row, name));
            crate::say(format_args!(
                "{:>8} {serial:<20} {command:<18} {state:<10} {done:>12}  {at}",
                number(row, "id")
            ));
        }
    }
    Ok(Exit::Done)
}

async fn show(api: &ApiArgs, id: u64, json: bool) -> anyhow::Result<Exit> {
    let row = api.get(&format!("/v1/commands/{id}")).await?.ok_or_else(|| unknown(id))?;
    let wrong = api.all(&format!("/v1/commands/{id}/items?state=wrong"), "the gateway sent no list of steps").await?;
    say_counts(&row, json);
    for step in &wrong {
        if json {
            crate::say(format_args!("{step}"));
        } else {
            let why = step.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
            crate::say(format_args!("{:<24} {:<12} {why}", text(step, "badge_number"), text(step, "action")));
        }
    }
    if let Some(answer) = row.get("answer").and_then(Value::as_object).filter(|_| !json) {
        for (name, value) in answer {
            crate::say(format_args!("{name}: {}", value.as_str().unwrap_or_default()));
        }
    }
    Ok(if wrong.is_empty() { Exit::Done } else { Exit::Wrong })
}

fn say_counts(row: &Value, json: bool) {
    if json {
        return crate::say(format_args!("{row}"));
    }
    let [total, done, failed, waiting] = ["total", "done", "failed", "waiting"].map(|name| number(row, name));
    let (id, state) = (number(row, "id"), text(row, "state"));
    crate::say(format_args!("{id} is {state}: {done} of {total} done, {failed} went wrong, {waiting} on their way"));
}

fn unknown(id: u64) -> UsageError {
    UsageError(format!("the gateway knows no command {id}; see `punch command list`"))
}
