use std::io::Write as _;
use std::path::PathBuf;

use agent::config::GatewayConfig;
use agent::{Forwarder, Put, Row, Spool, SpoolLimits, Stored};
use clap::Args;
use gateway::api::ApiKey;
use punch_normalize::TenantKey;
use punch_protocol::SerialNumber;
use serde_json::json;

use crate::exit::UsageError;
use crate::forwarding::forward;

/// Where the punches go, and what is remembered of them.
#[derive(Debug, Args)]
pub(super) struct Destination {
    /// Put the punches into this gateway instead of printing them.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// The gateway's API key.
    #[arg(long, value_name = "KEY", env = "PUNCH_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// A file with the API key, which keeps it out of the process list.
    #[arg(long, value_name = "FILE", conflicts_with = "api_key")]
    api_key_file: Option<PathBuf>,
    /// Send the key over plain http to another machine.
    #[arg(long, requires = "to")]
    plain_http: bool,
    /// The roots that the gateway's certificate has to lead to, in PEM; those of the system without it.
    #[arg(long, requires = "to", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Remember in this file what was printed or forwarded, and do only the rest next time.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// With --to: print what became of the punches as JSON.
    #[arg(long, requires = "to")]
    json: bool,
}

/// Rows that wait to be printed or forwarded, on disk.
pub(super) struct Memory {
    spool: Spool,
    /// A file that is not kept.
    _folder: Option<tempfile::TempDir>,
}

impl Destination {
    /// Whether every row is printed, and nothing remembered.
    pub(super) fn is_plain(&self) -> bool {
        self.to.is_none() && self.resume.is_none()
    }

    /// The gateway, if the punches go to one. Looked at before a terminal is read.
    pub(super) fn forwarder(&self) -> anyhow::Result<Option<Forwarder>> {
        let Some(url) = self.to.clone() else { return Ok(None) };
        let key = match (&self.api_key, &self.api_key_file) {
            (Some(key), _) => key.clone(),
            (None, Some(file)) => std::fs::read_to_string(file)
                .map_err(|error| UsageError(format!("--api-key-file {}: {error}", file.display())))?
                .trim()
                .to_owned(),
            (None, None) => {
                let text = "--to: the gateway's key is needed; give --api-key-file FILE or set PUNCH_API_KEY";
                return Err(UsageError(text.to_owned()).into());
            }
        };
        let roots = crate::api::roots(self.ca_file.as_deref())?;
        let gateway = GatewayConfig { url, api_key: ApiKey::new(key), plain_http: self.plain_http, roots };
        Ok(Some(crate::agent_command::forwarder(&gateway)?))
    }

    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        let (folder, file) = match &self.resume {
            Some(file) => (None, file.clone()),
            None => {
                let folder = tempfile::tempdir()?;
                let file = folder.path().join("pull.sqlite");
                (Some(folder), file)
            }
        };
        Ok(Memory { spool: Spool::open(&file, SpoolLimits::default())?, _folder: folder })
    }

    /// Prints or forwards what waits, after putting `rows` behind it.
    pub(super) async fn take(
        &self,
        memory: &Memory,
        serial: &SerialNumber,
        rows: Vec<Row>,
        forwarder: Option<&Forwarder>,
        key: &TenantKey,
    ) -> anyhow::Result<()> {
        let put = memory.spool.put(rows).await?;
        match forwarder {
            Some(forwarder) => {
                let stored = forward(&memory.spool, serial, forwarder, self.resume.as_deref()).await?;
                self.summarise(put, stored);
            }
            None => print(&memory.spool, serial, key).await?,
        }
        Ok(())
    }

    fn summarise(&self, put: Put, stored: Stored) {
        let Stored { received, delivered, suppressed, held, replayed } = stored;
        if self.json {
            let summary = json!({
                "new": put.new, "known": put.known, "received": received, "delivered": delivered,
                "suppressed": suppressed, "held": held, "replayed": replayed,
            });
            crate::say(format_args!("{summary}"));
        } else {
            let new = format!("{} rows new, {} known before", put.new, put.known);
            crate::say(format_args!(
                "{new}; the gateway took {received}: {delivered} delivered, {suppressed} suppressed, {held} held, \
                 {replayed} it had"
            ));
        }
    }
}

/// Prints what waits. A row counts as printed once it was flushed.
async fn print(spool: &Spool, serial: &SerialNumber, key: &TenantKey) -> anyhow::Result<()> {
    loop {
        let batch = spool.batch(serial, Forwarder::ROWS_MAX).await?;
        if batch.rows.is_empty() {
            return Ok(());
        }
        super::print(&batch.rows, key)?;
        std::io::stdout().flush()?;
        spool.settle(&batch).await?;
    }
}
