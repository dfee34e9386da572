//! `punch gateway`: the real thing.

use core::time::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use gateway::config::Config;
use gateway::store::Place;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::{Exit, UsageError};
use crate::reload::ConfigFile;

/// Receive punches, keep them, deliver them.
///
/// SIGHUP makes it take its certificates anew, and whoever the configuration names now: terminals, people, endpoints. What
/// else has changed counts from the next start on; the log says what that is.
///
/// Example: punch gateway --config punch.toml
#[derive(Debug, Args)]
pub(crate) struct GatewayCommand {
    /// The configuration; without it the defaults are used and terminals are let in by the API.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where terminals connect.
    #[arg(long, value_name = "ADDR", env = "PUNCH_DEVICE_ADDR")]
    device_addr: Option<SocketAddr>,
    /// Where the API listens.
    #[arg(long, value_name = "ADDR", env = "PUNCH_API_ADDR")]
    api_addr: Option<SocketAddr>,
    /// Where rows are kept: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE for one gateway or several.
    #[arg(long, value_name = "STORE", env = "PUNCH_STORE")]
    store: Option<String>,
}

/// How long a stop may take before what is in flight is given up; it is sent again at the next start.
const DRAIN_MAX: Duration = Duration::from_secs(9);

/// Runs the command.
pub(crate) async fn run(command: GatewayCommand) -> anyhow::Result<Exit> {
    crate::log_to_stderr("info");
    let mut config = match &command.config {
        Some(file) => crate::config::read(file)?,
        None => Config::default(),
    };
    for warning in config.warnings() {
        tracing::warn!(key = %warning.key, "{}", warning.problem);
    }
    config.device_addr = command.device_addr.unwrap_or(config.device_addr);
    config.api_addr = command.api_addr.unwrap_or(config.api_addr);
    if let Some(store) = command.store {
        config.store = Place::parse(&store).map_err(|problem| UsageError(format!("--store: {problem}")))?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut file = command.config.as_deref().map(ConfigFile::new);
    let gateway = gateway::start(config).await?;
    if let Some(key) = &gateway.new_api_key {
        crate::say(format_args!("api key (shown once, keep it): {}", key.expose()));
    }
    if Some(gateway.device_addr) != gateway.device_tls_addr {
        crate::say(format_args!("device listener on http://{}", gateway.device_addr));
    }
    if let Some(addr) = gateway.device_tls_addr {
        crate::say(format_args!("device listener on https://{addr}"));
    }
    let scheme = if gateway.api_is_tls { "https" } else { "http" };
    crate::say(format_args!("api on {scheme}://{}/v1", gateway.api_addr));
    crate::say(format_args!("dashboard on {scheme}://{}/", gateway.api_addr));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            result = tokio::signal::ctrl_c() => break result?,
            _ = hang_up.recv() => {
                gateway.renew_certificates();
                if let Some(file) = &mut file {
                    file.reload(&gateway).await;
                }
            }
        }
    }
    tracing::info!("stopping; what is in flight ends first");
    if tokio::time::timeout(DRAIN_MAX, gateway.shut_down()).await.is_err() {
        tracing::warn!("stopped with attempts in flight; they are repeated at the next start");
    }
    Ok(Exit::Done)
}
