//! What every middleware shares: receive, verify, remember, answer; then write to the ERP in order, with retries.
//!
//! A middleware is a function from a punch to an [`Outcome`]; [`Inbox::serve`] does the rest, [`Inbox::serve_people`]
//! where a record is made of several punches, [`Inbox::serve_many`] where a call writes many,
//! [`Inbox::serve_tellings`] where revisions are kept as they come. An event is
//! answered with 200 only once it is on disk, so a crash loses nothing, and it is written under one key, so a
//! repetition doubles nothing. What the ERP refuses is parked in the table and the others go on.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::wildcard_enum_match_arm,
    reason = "a shell: std is there, and nothing here is a published API"
)]

pub mod hikcentral;
mod inbox;
pub mod shifts;
mod table;
mod worker;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use punch_erp::Mapping;
use punch_webhook::Secret;
use sinks::environment::env_parsed;
use sinks::mapping_from_env;

pub use inbox::Inbox;
pub use punch_erp::Outcome;
pub use sinks::environment::{env, env_any, env_flag};
pub use sinks::{erpnext, hrms, humand, odoo, successfactors};
pub use table::Progress;

/// What the environment tells every middleware. The names are those of the published samples.
#[derive(Debug)]
pub struct Settings {
    /// `WEBHOOK_SECRET`: what the sender signs with. Without it there is no webhook, and a source brings the events.
    pub secret: Option<Secret>,
    /// `PORT`: where to listen. Default 3000; 0 takes any.
    pub port: u16,
    /// `INBOX`: the file that remembers events. Default `inbox.sqlite`.
    pub path: PathBuf,
    /// `DRY_RUN`: print the requests, send nothing.
    pub dry_run: bool,
    /// `SAMPLE_ANSWERS`: answer once the ERP has answered, as the published samples do: 404 for an unknown employee, 500 for a
    /// write that failed. The event is stored all the same. Default: 200 once it is.
    pub sample_answers: bool,
    /// `MAPPING_FILE`: whose badge is whose, where terminals and the ERP number people differently.
    pub mapping: Option<Arc<Mapping>>,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// A variable is missing or does not read; the text names it.
    pub fn from_env() -> anyhow::Result<Self> {
        let secret = Secret::new(env("WEBHOOK_SECRET")?).context("WEBHOOK_SECRET")?;
        Ok(Self { secret: Some(secret), ..Self::without_webhook()? })
    }

    /// Reads the environment of a program whose events come from elsewhere.
    ///
    /// # Errors
    ///
    /// A variable does not read; the text names it.
    pub fn without_webhook() -> anyhow::Result<Self> {
        let port = env_parsed("PORT", 3000, "a number up to 65535")?;
        Ok(Self {
            secret: None,
            port,
            path: std::env::var_os("INBOX").map_or_else(|| PathBuf::from("inbox.sqlite"), PathBuf::from),
            dry_run: env_flag("DRY_RUN"),
            sample_answers: env_flag("SAMPLE_ANSWERS"),
            mapping: mapping_from_env()?,
        })
    }
}

/// Logs to standard error, at the level of `RUST_LOG` or `info`.
pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second subscriber is refused; the first one logs.
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal());
    drop(logging.with_writer(std::io::stderr).try_init());
}
