use core::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::exit::Exit;

/// Asks a gateway whether the rows of a terminal could be made durable now.
#[derive(Debug, Args)]
pub(super) struct Gateway {
    /// The gateway's API.
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// How long it may take: whoever watches containers waits no longer.
const DEADLINE: Duration = Duration::from_secs(4);

/// Exit code 0 if it is ready, 1 if it is not and says why, 3 if it cannot be asked.
pub(super) async fn run(gateway: Gateway) -> anyhow::Result<Exit> {
    let client = reqwest::Client::builder().timeout(DEADLINE).build()?;
    let url = format!("{}/readyz", gateway.url.trim_end_matches('/'));
    let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer; is the gateway up?"))?;
    let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
    if status.is_success() {
        crate::say(format_args!("ready"));
        return Ok(Exit::Done);
    }
    crate::say(format_args!("not ready: {} {}", status.as_u16(), text.trim_end()));
    Ok(Exit::Wrong)
}
