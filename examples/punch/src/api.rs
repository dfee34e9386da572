//! Asking the API of a gateway.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use agent::Forwarder;
use agent::config::GatewayConfig;
use anyhow::{Context as _, bail};
use clap::Args;
use gateway::api::ApiKey;
use reqwest::{Method, Response};
use serde_json::Value;

use crate::exit::UsageError;

/// Which gateway, and the key to it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ApiArgs {
    /// The gateway's API.
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    gateway: String,
    /// The gateway's API key.
    #[arg(long, global = true, value_name = "KEY", env = "PUNCH_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// A file with the API key, which keeps it out of the process list.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "api_key")]
    api_key_file: Option<PathBuf>,
    /// Send the key over plain http to another machine.
    #[arg(long, global = true)]
    plain_http: bool,
    /// The roots that the gateway's certificate has to lead to, in PEM; those of the system without it.
    #[arg(long, global = true, value_name = "FILE", env = "PUNCH_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Whether there is much to do.
    #[arg(skip)]
    is_patient: bool,
    /// Made at the first call, so that the next ones find a connection.
    #[arg(skip)]
    client: OnceLock<reqwest::Client>,
}

/// How long the gateway may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long it may take over many rows.
const PATIENCE: Duration = Duration::from_secs(3600);

/// As many rows as a gateway gives at once.
const PER_PAGE: usize = 200;

impl ApiArgs {
    /// The `data` of an answer; `None` if the gateway has no such thing.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Option<Value>> {
        self.call(Method::GET, path, None).await
    }

    /// Every row of a list, page by page. `wrong` is said if it is no list.
    pub(crate) async fn all(&self, path: &str, wrong: &'static str) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        for page in 1_u32.. {
            let answer = self.get(&format!("{path}{joint}per_page={PER_PAGE}&page={page}")).await?.unwrap_or_default();
            let more: Vec<Value> = serde_json::from_value(answer).context(wrong)?;
            let is_last = more.len() < PER_PAGE;
            rows.extend(more);
            if is_last {
                break;
            }
        }
        Ok(rows)
    }

    /// Has something done, and returns the `data` of the answer; `None` if the gateway has no such thing.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Option<Value>> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Changes something, and returns the `data` of the answer; `None` if the gateway has no such thing.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Option<Value>> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// Takes something back, and returns the `data` of the answer; `None` if the gateway has no such thing.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<Option<Value>> {
        self.call(Method::DELETE, path, None).await
    }

    /// For what goes through many rows and takes its time.
    pub(crate) fn patient(&self) -> Self {
        Self { is_patient: true, ..self.clone() }
    }

    /// How many rows a list has, if the gateway counts them.
    pub(crate) async fn count(&self, path: &str) -> anyhow::Result<Option<u64>> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let answer = whole(self.send(Method::GET, &format!("{path}{joint}per_page=1"), None).await?).await?;
        Ok(answer.and_then(|answer| answer.pointer("/meta/total")?.as_u64()))
    }

    /// An answer that is a file, to be read as it comes.
    pub(crate) async fn open(&self, path: &str) -> anyhow::Result<Response> {
        let answer = self.patient().send(Method::GET, path, None).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        match read(answer).await? {
            Some(_) => bail!("the gateway sent no file"),
            None => Err(UsageError("the gateway has no such file; is it of this version?".to_owned()).into()),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Option<Value>> {
        read(self.send(method, path, body).await?).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Response> {
        let key = self.key()?;
        // It looks at the address before a key goes there.
        self.forwarder()?;
        let url = format!("{}{path}", self.gateway.trim_end_matches('/'));
        let deadline = if self.is_patient { PATIENCE } else { DEADLINE };
        let mut request = self.client()?.request(method, url).timeout(deadline).bearer_auth(key);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        request.send().await.context("the gateway cannot be asked")
    }

    /// The way for rows to this gateway.
    pub(crate) fn forwarder(&self) -> Result<Forwarder, UsageError> {
        let (url, api_key) = (self.gateway.clone(), ApiKey::new(self.key()?));
        let roots = roots(self.ca_file.as_deref())?;
        crate::agent_command::forwarder(&GatewayConfig { url, api_key, plain_http: self.plain_http, roots })
    }

    fn client(&self) -> anyhow::Result<reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let mut client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        if let Some(roots) = roots(self.ca_file.as_deref())? {
            client = client.tls_certs_only(reqwest::Certificate::from_pem_bundle(&roots)?);
        }
        let client = client.build()?;
        Ok(self.client.get_or_init(|| client).clone())
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

/// What a file has of roots, if one is named.
pub(crate) fn roots(file: Option<&Path>) -> Result<Option<Vec<u8>>, UsageError> {
    let read =
        |file: &Path| std::fs::read(file).map_err(|error| UsageError(format!("--ca-file {}: {error}", file.display())));
    file.map(read).transpose()
}

/// A query of those that are there, as it stands in an address.
pub(crate) fn query(pairs: &[(&str, Option<String>)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            text.append_pair(name, value);
        }
    }
    let text = text.finish();
    if text.is_empty() { text } else { format!("?{text}") }
}

/// The `data` of an answer; `None` if there is no such thing.
async fn read(answer: Response) -> anyhow::Result<Option<Value>> {
    Ok(whole(answer).await?.map(|answer| answer.get("data").cloned().unwrap_or_default()))
}

/// All of an answer; `None` if there is no such thing.
async fn whole(answer: Response) -> anyhow::Result<Option<Value>> {
    let status = answer.status().as_u16();
    let text = answer.text().await.context("the answer broke off")?;
    let answer: Option<Value> = serde_json::from_str(&text).ok();
    let message = answer.as_ref().and_then(|answer| answer.pointer("/error/message")).and_then(Value::as_str);
    match (status, message) {
        (200..=299, _) => {}
        (401, _) => return Err(UsageError("the gateway does not know this API key".to_owned()).into()),
        (404, _) => return Ok(None),
        (400..=499, Some(message)) => return Err(UsageError(format!("the gateway refuses it: {message}")).into()),
        (_, Some(message)) => bail!("the gateway answered {status}: {message}"),
        (_, None) => bail!("the gateway answered {status}, expected 200"),
    }
    answer.context("the answer is no JSON; is it a gateway?").map(Some)
}

/// A text of a row; nothing if it has no such.
pub(crate) fn text<'v>(row: &'v Value, name: &str) -> &'v str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number of a row; 0 if it has no such.
pub(crate) fn number(row: &Value, name: &str) -> u64 {
    row.get(name).and_then(Value::as_u64).unwrap_or_default()
}
