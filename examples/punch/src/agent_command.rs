//! `punch agent`: reads the terminals of a site and forwards their punches to a gateway elsewhere.

use std::path::{Path, PathBuf};

use agent::config::{Config, GatewayConfig};
use agent::{Counts, Courier, Forwarder, ForwarderError, Pace, Patrol, Spool, SpoolLimits};
use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::{Exit, UsageError};

/// Read the terminals of a site, keep their punches on disk, forward them to a gateway elsewhere.
///
/// Either side may be down for days: terminals keep what was not read, the agent keeps what was not forwarded.
///
/// Example: punch agent --config agent.toml
#[derive(Debug, Args)]
pub(crate) struct AgentCommand {
    /// Which terminals, and which gateway.
    #[arg(long, value_name = "FILE", default_value = "agent.toml")]
    config: PathBuf,
    /// Say how much waits to be forwarded, and end.
    #[arg(long)]
    status: bool,
    /// With --status: as JSON.
    #[arg(long, requires = "status")]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(command: AgentCommand) -> anyhow::Result<Exit> {
    crate::log_to_stderr("info");
    let config = read(&command.config)?;
    let spool = Spool::open(&config.spool, SpoolLimits::default())?;
    if command.status {
        return show(&spool, command.json).await;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let forwarder = forwarder(&config.gateway)?;
    let courier = Courier::new(spool.clone(), forwarder.clone(), Pace::default());
    let (stop, stopped) = watch::channel(false);
    let mut tasks = vec![tokio::spawn(courier.run(stopped.clone()))];
    for terminal in &config.terminals {
        let patrol = Patrol::new(spool.clone(), terminal.clone(), Pace::default()).telling(forwarder.clone());
        tasks.push(tokio::spawn(patrol.run(stopped.clone())));
    }
    crate::say(format_args!("agent reads {} terminals for {}", config.terminals.len(), config.gateway.url));
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    tracing::info!("stopping; what is not forwarded waits on disk");
    stop.send_replace(true);
    for task in tasks {
        task.await?;
    }
    Ok(Exit::Done)
}

fn read(file: &Path) -> Result<Config, UsageError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| UsageError(format!("cannot read {}: {error}; name the file with --config", file.display())))?;
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    Config::parse(&text, folder).map_err(|errors| crate::config::complaint(file, &errors))
}

/// The way to a gateway, or what is wrong with it.
pub(crate) fn forwarder(gateway: &GatewayConfig) -> Result<Forwarder, UsageError> {
    let make = if gateway.plain_http { Forwarder::over_plain_http } else { Forwarder::new };
    let forwarder = make(&gateway.url, &gateway.api_key);
    let trusting = |forwarder: Forwarder| match &gateway.roots {
        Some(roots) => forwarder.trusting(roots),
        None => Ok(forwarder),
    };
    forwarder.and_then(trusting).map_err(|error| {
        let cure = if matches!(error, ForwarderError::Plain) { " (or say that plain http is meant)" } else { "" };
        UsageError(format!("{error}{cure}"))
    })
}

/// How much of each terminal waits. Exit code 1 if anything does.
async fn show(spool: &Spool, as_json: bool) -> anyhow::Result<Exit> {
    let counts = spool.counts().await?;
    let mut waiting = 0;
    if !as_json {
        crate::say(format_args!("{:<20} {:>10} {:>10}  read up to", "terminal", "waiting", "forwarded"));
    }
    for (serial, Counts { waiting: left, forwarded }) in counts {
        waiting += left;
        let mark = spool.mark(&serial).await?.map(|mark| mark.format("%Y-%m-%dT%H:%M:%S").to_string());
        if as_json {
            let line = json!({ "serial": serial.as_str(), "waiting": left, "forwarded": forwarded, "mark": mark });
            crate::say(format_args!("{line}"));
        } else {
            let mark = mark.unwrap_or_else(|| "never".to_owned());
            crate::say(format_args!("{:<20} {left:>10} {forwarded:>10}  {mark}", serial.as_str()));
        }
    }
    let results = spool.results_waiting().await?;
    if results > 0 {
        eprintln!("punch: {results} results of commands wait for the gateway");
    }
    Ok(if waiting == 0 && results == 0 { Exit::Done } else { Exit::Wrong })
}
