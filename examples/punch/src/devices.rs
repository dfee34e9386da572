//! `punch devices`: the terminals of a gateway, and who is let in.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{ApiArgs, number, query, text};
use crate::exit::{Exit, UsageError};

/// Look at the terminals of a gateway, let them in or keep them out.
///
/// Example: punch devices list --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct DevicesCommand {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    api: ApiArgs,
    /// Print what the gateway says, as JSON, an object a terminal.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them. The exit code is 1 if one waits to be let in or is offline.
    ///
    /// Example: punch devices list --status pending
    List {
        /// online, offline, unheard, pending or blocked.
        #[arg(long)]
        status: Option<String>,
        /// Of this site.
        #[arg(long)]
        site: Option<String>,
    },
    /// Show one.
    ///
    /// Example: punch devices show CZKE2241600045
    Show {
        /// Its serial number.
        serial: String,
    },
    /// Let one in: what it has kept, it sends.
    ///
    /// Example: punch devices approve CZKE2241600045
    Approve {
        /// Its serial number.
        serial: String,
        /// What it is, for people, if it has not called yet.
        #[arg(long)]
        model: Option<String>,
    },
    /// Keep one out: it keeps its rows.
    ///
    /// Example: punch devices block CZKE2241600045
    Block {
        /// Its serial number.
        serial: String,
    },
    /// Say from which networks, and under which path, one may call. What is not named stays as it is.
    ///
    /// Example: punch devices restrict CZKE2241600045 --allow 10.1.0.0/16 --path-token-file token
    Restrict {
        /// Its serial number.
        serial: String,
        /// A network, or an address. Repeatable; all of them together replace those before.
        #[arg(long, value_name = "NETWORK")]
        allow: Vec<String>,
        /// A file with what the path begins with: 16 to 64 letters, digits, `-` and `_`.
        #[arg(long, value_name = "FILE")]
        path_token_file: Option<PathBuf>,
        /// From everywhere and under every path again.
        #[arg(long, conflicts_with_all = ["allow", "path_token_file"], required_unless_present_any = ["allow", "path_token_file"])]
        lift: bool,
    },
    /// Say what was seen of one since the gateway's start, and why it was refused.
    ///
    /// Example: punch devices timeline CZKE2241600045
    Timeline {
        /// Its serial number.
        serial: String,
    },
}

/// Runs the command.
pub(crate) async fn run(command: DevicesCommand) -> anyhow::Result<Exit> {
    let DevicesCommand { verb, api, json } = command;
    match verb {
        Verb::List { status, site } => list(&api, status, site, json).await,
        Verb::Show { serial } => show(api.get(&format!("/v1/devices/{serial}")).await?, &serial, json),
        Verb::Approve { serial, model } => {
            let approved = json!({ "admission": "approved" });
            let made = match api.patch(&format!("/v1/devices/{serial}"), &approved).await? {
                Some(made) => Some(made),
                // One that has not called yet is let in too.
                None => api.post("/v1/devices", &json!({ "serial_number": serial, "model": model })).await?,
            };
            done(made, &format!("{serial} is let in; it comes by itself"), &serial, json)
        }
        Verb::Block { serial } => {
            let blocked = api.patch(&format!("/v1/devices/{serial}"), &json!({ "admission": "blocked" })).await?;
            done(blocked, &format!("{serial} is kept out; what it has, it keeps"), &serial, json)
        }
        Verb::Restrict { serial, allow, path_token_file, lift } => {
            let body = restriction(allow, path_token_file, lift)?;
            let done_by = api.patch(&format!("/v1/devices/{serial}"), &body).await?;
            done(done_by, &format!("{serial} may call as it was said, from its next call on"), &serial, json)
        }
        Verb::Timeline { serial } => timeline(&api, &serial, json).await,
    }
}

fn restriction(allow: Vec<String>, token: Option<PathBuf>, lift: bool) -> Result<Value, UsageError> {
    if lift {
        return Ok(json!({ "allow": [], "path_token": "" }));
    }
    let mut body = serde_json::Map::new();
    if !allow.is_empty() {
        body.insert("allow".to_owned(), allow.into());
    }
    if let Some(file) = token {
        let text = std::fs::read_to_string(&file);
        let text = text.map_err(|error| UsageError(format!("--path-token-file {}: {error}", file.display())))?;
        body.insert("path_token".to_owned(), text.trim_end().into());
    }
    Ok(body.into())
}

async fn list(api: &ApiArgs, status: Option<String>, site: Option<String>, json: bool) -> anyhow::Result<Exit> {
    let asked = query(&[("status", status), ("site", site)]);
    let rows = api.all(&format!("/v1/devices{asked}"), "the gateway sent no list of terminals").await?;
    if !json {
        crate::say(format_args!(
            "{:<20} {:<8} {:<16} {:<15} {:<22} last heard",
            "terminal", "status", "site", "speaks", "clock"
        ));
    }
    let mut is_wrong = false;
    for row in &rows {
        is_wrong |= ["pending", "offline"].contains(&text(row, "status"));
        if json {
            crate::say(format_args!("{row}"));
        } else {
            let [serial, status, site, dialect, heard] =
                ["serial_number", "status", "site", "dialect", "last_seen"].map(|name| text(row, name));
            let health = row.get("clock").map(|clock| text(clock, "health")).unwrap_or_default();
            crate::say(format_args!("{serial:<20} {status:<8} {site:<16} {dialect:<15} {health:<22} {heard}"));
        }
    }
    Ok(if is_wrong { Exit::Wrong } else { Exit::Done })
}

fn show(found: Option<Value>, serial: &str, json: bool) -> anyhow::Result<Exit> {
    let row = found.ok_or_else(|| unknown(serial))?;
    if json {
        crate::say(format_args!("{row}"));
        return Ok(Exit::Done);
    }
    for name in [
        "serial_number",
        "id",
        "name",
        "model",
        "site",
        "admission",
        "status",
        "dialect",
        "zone",
        "first_seen",
        "last_seen",
    ] {
        crate::say(format_args!("{name:<14} {}", text(&row, name)));
    }
    let networks = row.get("allow").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    crate::say(format_args!("{:<14} {}", "allow", networks.collect::<Vec<_>>().join(", ")));
    let has_token = row.get("has_path_token").and_then(Value::as_bool).unwrap_or_default();
    crate::say(format_args!("{:<14} {}", "path token", if has_token { "set" } else { "" }));
    for part in ["info", "said", "capabilities", "backlog", "clock"] {
        say_members(part, row.get(part));
    }
    Ok(Exit::Done)
}

/// The members of an object, one a line; an object among them has lines of its own.
fn say_members(part: &str, value: Option<&Value>) {
    for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Object(_) => say_members(name, Some(value)),
            Value::Array(values) => {
                let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                crate::say(format_args!("{part:<14} {name}: {}", words.join(", ")));
            }
            Value::String(text) => crate::say(format_args!("{part:<14} {name}: {text}")),
            other => crate::say(format_args!("{part:<14} {name}: {other}")),
        }
    }
}

async fn timeline(api: &ApiArgs, serial: &str, json: bool) -> anyhow::Result<Exit> {
    let seen = api.get(&format!("/v1/devices/{serial}/timeline")).await?.ok_or_else(|| unknown(serial))?;
    let seen = seen.get("since_start").and_then(Value::as_array).cloned().unwrap_or_default();
    if !json {
        crate::say(format_args!("{:<28} {:<22} {:>7}  last", "what", "outcome", "times"));
    }
    for row in &seen {
        if json {
            crate::say(format_args!("{row}"));
        } else {
            let (what, outcome, last) = (text(row, "what"), text(row, "outcome"), text(row, "last_at"));
            let count = number(row, "count");
            crate::say(format_args!("{what:<28} {outcome:<22} {count:>7}  {last}"));
        }
    }
    Ok(Exit::Done)
}

fn done(answer: Option<Value>, words: &str, serial: &str, json: bool) -> anyhow::Result<Exit> {
    let answer = answer.ok_or_else(|| unknown(serial))?;
    crate::say(format_args!("{}", if json { answer.to_string() } else { words.to_owned() }));
    Ok(Exit::Done)
}

fn unknown(serial: &str) -> UsageError {
    UsageError(format!("the gateway knows no terminal {serial}; see `punch devices list`"))
}
