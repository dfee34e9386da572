//! `punch explain`: what a gateway decided about a punch, and why, in plain words.

mod way;

use core::time::Duration;
use std::path::PathBuf;

use agent::config::GatewayConfig;
use anyhow::{Context as _, bail};
use clap::Args;
use gateway::api::ApiKey;
use serde_json::Value;

use crate::exit::{Exit, UsageError};
use way::Way;

/// Say what a gateway decided about a punch, and why.
///
/// Example: punch explain --api-key-file punch.key evt_7nq31qrxzsfxgdnsttcs2e64ek
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The punch: its event id, or that of a revision.
    event_id: String,
    /// The gateway's API.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    gateway: String,
    /// The gateway's API key.
    #[arg(long, value_name = "KEY", env = "PUNCH_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// A file with the API key, which keeps it out of the process list.
    #[arg(long, value_name = "FILE", conflicts_with = "api_key")]
    api_key_file: Option<PathBuf>,
    /// Send the key over plain http to another machine.
    #[arg(long)]
    plain_http: bool,
    /// Print what the gateway answered, as JSON.
    #[arg(long)]
    json: bool,
}

/// How long the gateway may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Runs the command. Exit code 1 if the gateway knows no such punch.
pub(crate) async fn run(command: Explain) -> anyhow::Result<Exit> {
    // The digits of an id need no escape in a path; anything else is no id.
    if command.event_id.is_empty() || !command.event_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(
            UsageError("EVENT_ID: expected letters, digits and `_`, like `evt_` and 26 digits".to_owned()).into()
        );
    }
    let key = key(&command)?;
    let gateway =
        GatewayConfig { url: command.gateway, api_key: ApiKey::new(key.clone()), plain_http: command.plain_http };
    // It looks at the address before a key goes there.
    crate::agent_command::forwarder(&gateway)?;
    let url = format!("{}/v1/attendance/{}", gateway.url.trim_end_matches('/'), command.event_id);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE).build()?;
    let answer = client.get(url).bearer_auth(key).send().await.context("the gateway cannot be asked")?;
    match answer.status().as_u16() {
        200 => {}
        401 => return Err(UsageError("the gateway does not know this API key".to_owned()).into()),
        404 => {
            eprintln!("punch: the gateway knows no such punch");
            return Ok(Exit::Wrong);
        }
        status => bail!("the gateway answered {status}, expected 200"),
    }
    let text = answer.text().await.context("the answer broke off")?;
    let answer: Value = serde_json::from_str(&text).context("the answer is no JSON; is it a gateway?")?;
    let way = answer.get("data").cloned().unwrap_or_default();
    if command.json {
        crate::say(format_args!("{way}"));
    } else {
        let way: Way = serde_json::from_value(way).context("the answer is not the way of a punch")?;
        way.lines().iter().for_each(|line| crate::say(format_args!("{line}")));
    }
    Ok(Exit::Done)
}

fn key(command: &Explain) -> Result<String, UsageError> {
    match (&command.api_key, &command.api_key_file) {
        (Some(key), _) => Ok(key.clone()),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map(|text| text.trim().to_owned())
            .map_err(|error| UsageError(format!("--api-key-file {}: {error}", file.display()))),
        (None, None) => {
            Err(UsageError("the gateway's key is needed; give --api-key-file FILE or set PUNCH_API_KEY".to_owned()))
        }
    }
}
