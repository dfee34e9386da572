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

pub mod erpnext;
mod gather;
pub mod hikcentral;
pub mod hrms;
pub mod humand;
mod inbox;
pub mod odoo;
pub mod shifts;
pub mod successfactors;
mod table;
mod worker;

use std::env::VarError;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Context as _;
use punch_webhook::Secret;

pub use inbox::Inbox;
pub use punch_erp::Outcome;
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
        let port = match std::env::var("PORT") {
            Ok(text) => text.parse().with_context(|| format!("PORT is `{text}`, expected a number up to 65535"))?,
            Err(VarError::NotPresent) => 3000,
            Err(error) => return Err(error).context("PORT"),
        };
        Ok(Self {
            secret: None,
            port,
            path: std::env::var_os("INBOX").map_or_else(|| PathBuf::from("inbox.sqlite"), PathBuf::from),
            dry_run: env_flag("DRY_RUN"),
            sample_answers: env_flag("SAMPLE_ANSWERS"),
        })
    }
}

/// A variable of the environment that has to be there.
///
/// # Errors
///
/// It is not; the text names it.
pub fn env(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("set the environment variable {name}"))
}

/// The first of these variables that is there and not empty.
pub fn env_any(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
}

/// Whether a variable is `true` or `1`.
pub fn env_flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|text| text.eq_ignore_ascii_case("true") || text == "1")
}

/// Logs to standard error, at the level of `RUST_LOG` or `info`.
pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second subscriber is refused; the first one logs.
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal());
    drop(logging.with_writer(std::io::stderr).try_init());
}
