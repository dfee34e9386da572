use core::time::Duration;
use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, Utc};
use gateway::api::ApiKey;
use gateway::clock::now;
use punch_protocol::SerialNumber;
use punch_webhook::parse_retry_after;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::line;
use crate::outcome::Outcome;
use crate::row::Row;
use crate::terminal::ClockReading;

/// Posts punches to a gateway: with its key, once, without following redirects.
#[derive(Debug, Clone)]
pub struct Forwarder {
    client: reqwest::Client,
    base: String,
    key: HeaderValue,
}

/// Why there can be no [`Forwarder`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForwarderError {
    /// The address.
    #[error("gateway address: {problem}; expected one like `https://punch.example.com`")]
    Address {
        /// What is wrong with it.
        problem: String,
    },
    /// The key would be readable on the way.
    #[error(
        "gateway address: plain http to another machine shows the API key and the punches to the network; use https"
    )]
    Plain,
    /// The key has a character that no header can have.
    #[error("API key: it has a character that cannot be sent; copy it again")]
    Key,
    /// The certificates that were given as roots.
    #[error("the gateway's CA file: it has no certificate, expected PEM: `-----BEGIN CERTIFICATE-----`")]
    Roots,
    /// TLS cannot be set up.
    #[error("no HTTP client: {0}")]
    Client(reqwest::Error),
}

impl Forwarder {
    /// Rows that are posted at once.
    pub const ROWS_MAX: u32 = 1000;

    /// The time from the connection to the last byte of the answer.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// Bytes of an answer that are read.
    pub const ANSWER_MAX: usize = 16 << 10;

    /// Bytes that are read of what is to be done at a terminal.
    pub const CALL_MAX: usize = 1 << 20;

    /// Posts to the gateway at this address, over https; plain http goes to this very machine only.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] says what is wrong with the address or the key.
    pub fn new(gateway: &str, key: &ApiKey) -> Result<Self, ForwarderError> {
        let forwarder = Self::over_plain_http(gateway, key)?;
        if is_secure(&forwarder.base) { Ok(forwarder) } else { Err(ForwarderError::Plain) }
    }

    /// Like [`Forwarder::new`], for a network in which plain http is meant.
    ///
    /// # Errors
    ///
    /// As [`Forwarder::new`].
    pub fn over_plain_http(gateway: &str, key: &ApiKey) -> Result<Self, ForwarderError> {
        let base = address(gateway).map_err(|problem| ForwarderError::Address { problem })?;
        let mut key = HeaderValue::from_str(&format!("Bearer {}", key.expose())).map_err(|_| ForwarderError::Key)?;
        key.set_sensitive(true);
        let client = Self::builder().build();
        Ok(Self { client: client.map_err(ForwarderError::Client)?, base, key })
    }

    /// With a gateway whose certificate leads to one of these roots, in PEM, and to no other.
    ///
    /// # Errors
    ///
    /// They are no certificates.
    pub fn trusting(self, roots: &[u8]) -> Result<Self, ForwarderError> {
        let roots = reqwest::Certificate::from_pem_bundle(roots).map_err(|_| ForwarderError::Roots)?;
        if roots.is_empty() {
            return Err(ForwarderError::Roots);
        }
        let client = Self::builder().tls_certs_only(roots).build().map_err(ForwarderError::Client)?;
        Ok(Self { client, ..self })
    }

    fn builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder().redirect(Policy::none()).timeout(Self::DEADLINE)
    }

    /// Posts rows of one terminal, in their order. [`Outcome::Stored`] means that they are on disk at the gateway.
    pub async fn post(&self, serial: &SerialNumber, rows: &[Row]) -> Outcome {
        self.send(&format!("/v1/devices/{serial}/punches"), rows).await
    }

    /// Tells the gateway that it has every row that the terminal had at this moment.
    pub async fn tell_complete(&self, serial: &SerialNumber, complete_to: DateTime<Utc>) -> Outcome {
        let complete_to = complete_to.to_rfc3339_opts(SecondsFormat::Millis, true);
        self.send(&format!("/v1/devices/{serial}/punches?complete_to={complete_to}"), &[]).await
    }

    async fn send(&self, path: &str, rows: &[Row]) -> Outcome {
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header(AUTHORIZATION, self.key.clone())
            .header(CONTENT_TYPE, "application/x-ndjson")
            .body(line::body(rows));
        let retry = |trouble| Outcome::Retry { trouble, after: None };
        match tokio::time::timeout(Self::DEADLINE, exchange(request, rows.len())).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) if error.is_timeout() => retry("no answer in time".to_owned()),
            Ok(Err(error)) => retry(causes(&error)),
            Err(_) => retry("no answer in time".to_owned()),
        }
    }

    /// Calls something of the API, and returns the `data` of the answer, or why there is none, for people.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<Value, String> {
        let request = self.client.request(method, format!("{}{path}", self.base)).timeout(patience);
        let mut request = request.header(AUTHORIZATION, self.key.clone());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let mut response = request.send().await.map_err(|error| causes(&error))?;
        let status = response.status().as_u16();
        let body = bounded(&mut response, Self::CALL_MAX).await.map_err(|error| causes(&error))?;
        if status != 200 {
            return Err(format!("status {status}"));
        }
        let answer: Value = serde_json::from_slice(&body).map_err(|_| "status 200, and no JSON".to_owned())?;
        Ok(answer.get("data").cloned().unwrap_or_default())
    }

    /// Tells the gateway what a terminal's clock showed. Nothing waits for it: what is not told now is told the next time.
    ///
    /// # Errors
    ///
    /// Why the gateway has not taken it, for people.
    pub async fn tell_clock(&self, serial: &SerialNumber, reading: ClockReading) -> Result<(), String> {
        let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let body = json!({
            "device_time": reading.shown.format("%Y-%m-%dT%H:%M:%S").to_string(),
            "before": written(reading.asked), "after": written(reading.answered),
        });
        let path = format!("/v1/devices/{serial}/clock");
        self.call(Method::POST, &path, Some(&body), Self::DEADLINE).await.map(drop)
    }
}

async fn exchange(request: reqwest::RequestBuilder, rows: usize) -> Result<Outcome, reqwest::Error> {
    let mut response = request.send().await?;
    let (status, after) = (response.status().as_u16(), retry_after(response.headers()));
    let body = bounded(&mut response, Forwarder::ANSWER_MAX).await?;
    Ok(Outcome::of_answer(status, after, &body, rows))
}

/// The first bytes of a body.
async fn bounded(response: &mut reqwest::Response, most: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = most.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if body.len() >= most {
            break;
        }
    }
    Ok(body)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now())?.to_std().ok()
}

/// The address without a slash at its end.
fn address(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is not spoken here", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a name or a password in it".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a `?` or a `#` in it".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_secure(base: &str) -> bool {
    let Ok(url) = Url::parse(base) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    url.scheme() == "https" || host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The causes of an error without the address, which the operator knows.
fn causes(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use gateway::api::ApiKey;

    use super::{Forwarder, ForwarderError};

    fn make(address: &str) -> Result<Forwarder, ForwarderError> {
        Forwarder::new(address, &ApiKey::new("pk_canary".to_owned()))
    }

    #[test]
    fn the_key_leaves_this_machine_over_tls_only() {
        for address in ["https://punch.example.com", "http://127.0.0.1:8080", "http://[::1]:8080/", "http://localhost"]
        {
            let forwarder = make(address).unwrap_or_else(|error| panic!("{address}: {error}"));
            assert!(!format!("{forwarder:?}").contains("canary"));
            assert!(!forwarder.base.ends_with('/'));
        }
        for address in ["http://punch.example.com", "http://192.168.1.5:8080", "http://localhost.example.com"] {
            assert!(matches!(make(address), Err(ForwarderError::Plain)), "{address}");
            assert!(Forwarder::over_plain_http(address, &ApiKey::new("k".to_owned())).is_ok());
        }
    }

    #[test]
    fn an_address_or_a_key_that_cannot_be_is_refused() {
        for address in
            ["", "punch.example.com", "ftp://h", "https://u:p@h", "https://u@h", "https://h/?a=1", "https://h/#a"]
        {
            assert!(matches!(make(address), Err(ForwarderError::Address { .. })), "{address}");
        }
        let key = ApiKey::new("pk\n1".to_owned());
        assert!(matches!(Forwarder::new("https://h", &key), Err(ForwarderError::Key)));
        assert_eq!(make("https://h/punch/").unwrap().base, "https://h/punch");
    }
}
