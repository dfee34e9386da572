//! `punch config`: look at a configuration without starting anything.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gateway::config::{Config, ConfigErrors};

use crate::exit::{Exit, UsageError};

/// Look at a configuration file.
#[derive(Debug, Args)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say everything that is wrong with a file, at once, and what is hardly meant.
    ///
    /// Example: punch config check punch.toml
    Check {
        /// The file.
        #[arg(default_value = "punch.toml")]
        file: PathBuf,
    },
}

/// Runs the command.
pub(crate) fn run(command: &ConfigCommand) -> Exit {
    let Action::Check { file } = &command.action;
    match read(file) {
        Ok(config) => {
            for warning in config.warnings() {
                eprintln!("warning: `{}`: {}", warning.key, warning.problem);
            }
            crate::say(format_args!(
                "{}: good; {} terminals, {} endpoints",
                file.display(),
                config.devices.len(),
                config.endpoints.len()
            ));
            Exit::Done
        }
        Err(error) => {
            eprintln!("{error}");
            Exit::Usage
        }
    }
}

/// Reads and checks a file.
pub(crate) fn read(file: &Path) -> Result<Config, UsageError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| UsageError(format!("cannot read {}: {error}; name the file with --config", file.display())))?;
    Config::parse(&text).map_err(|errors| complaint(file, &errors))
}

/// Everything that is wrong with a file.
pub(crate) fn complaint(file: &Path, errors: &ConfigErrors) -> UsageError {
    let lines: Vec<String> = errors.to_string().lines().map(|line| format!("  {line}")).collect();
    UsageError(format!("{} has {} errors:\n{}", file.display(), errors.0.len(), lines.join("\n")))
}
