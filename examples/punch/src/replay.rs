//! `punch replay`: what was taken before, once more by what is known now.

use anyhow::bail;
use clap::Args;
use serde_json::{Map, Value};

use crate::api::ApiArgs;
use crate::exit::{Exit, UsageError};

/// Date a terminal's rows anew, by the zone it has in punch.toml now and by what its clock was measured to be.
///
/// Nothing is asked of the terminal, and no identity changes. What has moved goes out as attendance.revised, to those who
/// asked for it. Doing it twice changes nothing more.
///
/// Example: punch replay --retz --device CZKE2241600045 --since 2026-03-01T00:00:00Z
#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    api: ApiArgs,
    /// Date anew. There is nothing else to replay yet, so it has to be said.
    #[arg(long, required = true)]
    retz: bool,
    /// The terminal.
    #[arg(long, value_name = "SERIAL")]
    device: String,
    /// Only rows that were received from then on: a moment such as 2026-03-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only rows that were received before.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(command: Replay) -> anyhow::Result<Exit> {
    let Replay { api, device, since, until, json, .. } = command;
    let span = [("since", since), ("until", until)];
    let body: Map<String, Value> =
        span.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    let Some(done) = api.patient().post(&format!("/v1/devices/{device}/redate"), &body.into()).await? else {
        return Err(UsageError(format!("the gateway knows no terminal {device}; see `punch clocks`")).into());
    };
    if json {
        crate::say(format_args!("{done}"));
        return Ok(Exit::Done);
    }
    let count = |name: &str| done.get(name).and_then(Value::as_u64);
    let (Some(looked_at), Some(moved)) = (count("looked_at"), count("moved")) else {
        bail!("the gateway does not say what it did; is it of this version?");
    };
    crate::say(format_args!("{looked_at} rows of {device} looked at, {moved} have another instant now"));
    Ok(Exit::Done)
}
