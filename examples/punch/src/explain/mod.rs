//! `punch explain`: what a gateway decided about a punch, and why, in plain words.

mod way;

use anyhow::Context as _;
use clap::Args;

use crate::api::ApiArgs;
use crate::exit::{Exit, UsageError};
use way::Way;

/// Say what a gateway decided about a punch, and why.
///
/// Example: punch explain --api-key-file punch.key evt_7nq31qrxzsfxgdnsttcs2e64ek
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The punch: its event id, or that of a revision.
    event_id: String,
    #[command(flatten)]
    api: ApiArgs,
    /// Print what the gateway answered, as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command. Exit code 1 if the gateway knows no such punch.
pub(crate) async fn run(command: Explain) -> anyhow::Result<Exit> {
    // The digits of an id need no escape in a path; anything else is no id.
    if command.event_id.is_empty() || !command.event_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(
            UsageError("EVENT_ID: expected letters, digits and `_`, like `evt_` and 26 digits".to_owned()).into()
        );
    }
    let Some(way) = command.api.get(&format!("/v1/attendance/{}", command.event_id)).await? else {
        eprintln!("punch: the gateway knows no such punch");
        return Ok(Exit::Wrong);
    };
    if command.json {
        crate::say(format_args!("{way}"));
    } else {
        let way: Way = serde_json::from_value(way).context("the answer is not the way of a punch")?;
        way.lines().iter().for_each(|line| crate::say(format_args!("{line}")));
    }
    Ok(Exit::Done)
}
