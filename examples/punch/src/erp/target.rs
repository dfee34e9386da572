//! Which ERP.

use std::path::PathBuf;

use clap::Args;
use sinks::{KINDS, SinkSettings};

use crate::exit::UsageError;

#[derive(Debug, Args)]
pub(super) struct Target {
    /// odoo, erpnext, successfactors, humand or hrms, as the environment describes it; or a sink of --config.
    #[arg(long, value_name = "NAME")]
    to: String,
    /// A punch.toml whose `[[sink]]` entries NAME is looked up in.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Target {
    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.to
    }

    /// What is to be known of it.
    pub(super) fn settings(&self) -> Result<SinkSettings, UsageError> {
        let Some(file) = &self.config else {
            return SinkSettings::from_env(&self.to)
                .map_err(|error| UsageError(format!("--to {}: {error:#}", self.to)));
        };
        let config = crate::config::read(file)?;
        let named: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
        let found = config.sinks.iter().find(|sink| sink.name == self.to);
        let missing = || {
            UsageError(format!(
                "{} has no sink `{}`; it has: {}. Without --config NAME is one of: {}",
                file.display(),
                self.to,
                named.join(", "),
                KINDS.join(", ")
            ))
        };
        found.map(|sink| sink.settings.clone()).ok_or_else(missing)
    }
}
