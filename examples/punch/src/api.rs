//! Asking the API of a gateway.

use core::time::Duration;
use std::path::PathBuf;

use agent::config::GatewayConfig;
use anyhow::{Context as _, bail};
use clap::Args;
use gateway::api::ApiKey;
use serde_json::Value;

use crate::exit::UsageError;

/// Which gateway, and the key to it.
#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
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
}

/// How long the gateway may take.
const DEADLINE: Duration = Duration::from_secs(10);

impl ApiArgs {
    /// The `data` of an answer; `None` if the gateway has no such thing.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Option<Value>> {
        let key = self.key()?;
        let (url, plain_http) = (self.gateway.clone(), self.plain_http);
        let gateway = GatewayConfig { url, api_key: ApiKey::new(key.clone()), plain_http };
        // It looks at the address before a key goes there.
        crate::agent_command::forwarder(&gateway)?;
        let url = format!("{}{path}", gateway.url.trim_end_matches('/'));
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE).build()?;
        let answer = client.get(url).bearer_auth(key).send().await.context("the gateway cannot be asked")?;
        match answer.status().as_u16() {
            200 => {}
            401 => return Err(UsageError("the gateway does not know this API key".to_owned()).into()),
            404 => return Ok(None),
            status => bail!("the gateway answered {status}, expected 200"),
        }
        let text = answer.text().await.context("the answer broke off")?;
        let answer: Value = serde_json::from_str(&text).context("the answer is no JSON; is it a gateway?")?;
        Ok(Some(answer.get("data").cloned().unwrap_or_default()))
    }

    fn key(&self) -> Result<String, UsageError> {
        match (&self.api_key, &self.api_key_file) {
            (Some(key), _) => Ok(key.clone()),
            (None, Some(file)) => std::fs::read_to_string(file)
                .map(|text| text.trim().to_owned())
                .map_err(|error| UsageError(format!("--api-key-file {}: {error}", file.display()))),
            (None, None) => {
                Err(UsageError("the gateway's key is needed; give --api-key-file FILE or set PUNCH_API_KEY".to_owned()))
            }
        }
    }
}
