//! `punch terminal fleet`: a load test with as many terminals as there are.

mod page;
mod receiver;
mod server;
mod summary;

use core::time::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use gateway::config::parse_span;
use indicatif::{ProgressBar, ProgressStyle};
use simulator::fleet::{self, Plan, Sample, Told};
use tokio::signal::unix::{SignalKind, signal};

use crate::api::ApiArgs;
use crate::exit::{Exit, UsageError};
use receiver::Arrivals;
use server::Spawned;

/// What `punch terminal fleet` is told.
#[derive(Debug, Args)]
pub(crate) struct Fleet {
    /// Base address of the server.
    #[arg(long, value_name = "URL", required_unless_present = "spawn")]
    server: Option<String>,
    /// Start a gateway on a throw-away store, which knows the terminals, and measure it.
    #[arg(long, conflicts_with_all = ["server", "pid"])]
    spawn: bool,
    /// Terminals.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    devices: u32,
    /// What their serial numbers begin with; six digits follow.
    #[arg(long, default_value = "FLEET")]
    prefix: String,
    /// How long each waits between two polls; a tenth more or less. `server` does what the server says.
    #[arg(long, value_name = "SPAN", default_value = "30s")]
    poll: String,
    /// Keep connections open. Real units open one a request, and close it first.
    #[arg(long)]
    keep_alive: bool,
    /// Punches a second, at all terminals together that have no backlog.
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// People at each terminal.
    #[arg(long, default_value_t = 50)]
    users: u32,
    /// For how long people punch; as long as there is a backlog they go on.
    #[arg(long, value_name = "SPAN", default_value = "1m")]
    duration: String,
    /// Terminals that were without the server for long.
    #[arg(long, default_value_t = 0)]
    backlog_devices: u32,
    /// Rows that each of them has.
    #[arg(long, default_value_t = 10_000)]
    backlog_rows: u32,
    /// Rows in one upload.
    #[arg(long, default_value_t = 100)]
    batch: usize,
    /// The most uploads a second of one terminal with a backlog. By default the next follows the answer.
    #[arg(long, value_name = "NUMBER")]
    uploads_per_second: Option<f64>,
    /// Let the power of all terminals fail at this moment, so that they come back at once.
    #[arg(long, value_name = "SPAN")]
    storm: Option<String>,
    /// Connections at once, at most. By default as many as there are terminals.
    #[arg(long, value_name = "NUMBER")]
    connections: Option<usize>,
    /// Give up when the server has said nothing good for so long.
    #[arg(long, value_name = "SPAN", default_value = "1m")]
    patience: String,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The server's process on this machine, to measure its memory and processor time.
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Receive webhooks here, and measure from each punch to its arrival. With --spawn the gateway is told.
    #[arg(long, value_name = "ADDR")]
    webhook_listen: Option<SocketAddr>,
    /// The secret of these webhooks.
    #[arg(long, value_name = "SECRET", env = "PUNCH_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,
    /// Let the terminals in over the gateway's API before they call; --gateway and a key say where.
    #[arg(long, conflicts_with = "spawn")]
    approve: bool,
    #[command(flatten)]
    api: ApiArgs,
    /// Write a page with charts to this file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// Files and connections that are open beside those of the terminals.
const OTHERS: u64 = 64;

/// How long deliveries may still come when everything is acknowledged.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(30);

/// Runs the command.
pub(crate) async fn run(fleet: Fleet) -> anyhow::Result<Exit> {
    crate::log_to_stderr("error");
    let mut plan = fleet.plan()?;
    fleet.check_descriptors(&plan)?;
    let arrivals = match fleet.webhook_listen {
        Some(addr) => Some(Arrivals::listen(addr, fleet.webhook_secret.as_deref(), fleet.spawn).await?),
        None => None,
    };
    let spawned = match fleet.spawn {
        true => Some(Spawned::start(&plan, arrivals.as_ref())?),
        false => None,
    };
    if let Some(spawned) = &spawned {
        (plan.server, plan.pid) = (spawned.server.clone(), Some(spawned.pid));
    }
    if fleet.approve {
        server::approve(&fleet.api, &plan).await?;
    }
    let bar = progress(&plan);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let told = |told: Told<'_>| match told {
        Told::Punch(punch, at) => arrivals.iter().for_each(|arrivals| arrivals.expect(punch, at)),
        Told::Second(second) => show(&bar, &plan, second),
    };
    let report = fleet::run(&plan, stop, told).await?;
    bar.finish_and_clear();
    // What was not acknowledged when somebody stopped it does not come.
    let patience = if report.is_stopped { Duration::ZERO } else { DELIVERY_PATIENCE };
    let delivered = match arrivals {
        Some(arrivals) => Some(arrivals.finish(patience).await),
        None => None,
    };
    drop(spawned);
    if let Some(file) = &fleet.report {
        let page = page::page(&plan, &report, delivered.as_ref()).into_string();
        std::fs::write(file, page).with_context(|| format!("write {}", file.display()))?;
    }
    summary::say(&plan, &report, delivered.as_ref(), fleet.json);
    let all_delivered = delivered.is_none_or(|delivered| delivered.missing == 0);
    Ok(if report.is_perfect(plan.devices) && all_delivered && !report.is_stopped { Exit::Done } else { Exit::Wrong })
}

impl Fleet {
    fn plan(&self) -> anyhow::Result<Plan> {
        if !(self.rate >= 0.0 && self.rate <= 1_000_000.0) {
            return Err(UsageError("--rate: expected a number from 0 to 1000000".to_owned()).into());
        }
        if self.uploads_per_second.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
            return Err(UsageError("--uploads-per-second: expected a number above 0".to_owned()).into());
        }
        if self.backlog_devices > self.devices {
            let text = format!("--backlog-devices: expected at most the {} of --devices", self.devices);
            return Err(UsageError(text).into());
        }
        let poll = (self.poll != "server").then(|| span("--poll", &self.poll)).transpose()?;
        let devices = usize::try_from(self.devices)?;
        let plan = Plan {
            server: self.server.clone().unwrap_or_default(),
            prefix: self.prefix.clone(),
            devices: self.devices,
            poll,
            keep_alive: self.keep_alive,
            users: self.users,
            rate: self.rate,
            backlog_devices: self.backlog_devices,
            backlog_rows: if self.backlog_devices == 0 { 0 } else { self.backlog_rows },
            batch: self.batch.max(1),
            uploads_per_second: self.uploads_per_second,
            duration: span("--duration", &self.duration)?,
            storm: self.storm.as_deref().map(|text| span("--storm", text)).transpose()?,
            connections: self.connections.unwrap_or(devices).clamp(1, devices),
            patience: span("--patience", &self.patience)?,
            seed: self.seed,
            pid: self.pid,
        };
        plan.serial(0).map_err(|error| UsageError(format!("--prefix: {error:#}")))?;
        Ok(plan)
    }

    fn check_descriptors(&self, plan: &Plan) -> Result<(), UsageError> {
        // Those of the terminals, as many that receive, and the rest.
        let open = if plan.keep_alive { usize::try_from(plan.devices).unwrap_or(usize::MAX) } else { plan.connections };
        let needed = u64::try_from(open).unwrap_or(u64::MAX).saturating_add(OTHERS);
        let needed = needed.saturating_add(if self.webhook_listen.is_some() { 256 } else { 0 });
        match fleet::descriptors() {
            Some(allowed) if allowed < needed => Err(UsageError(format!(
                "{needed} connections and files may be open at once, and the system allows this program {allowed}; \
                 raise it with `ulimit -n {needed}`, or give --connections {}",
                allowed.saturating_sub(OTHERS + 256)
            ))),
            _ => Ok(()),
        }
    }
}

fn span(flag: &str, text: &str) -> Result<Duration, UsageError> {
    let span = parse_span(text).map_err(|problem| UsageError(format!("{flag} {text}: {problem}")))?;
    span.to_std().map_err(|_| UsageError(format!("{flag} {text}: expected a time that is not negative")))
}

fn progress(plan: &Plan) -> ProgressBar {
    let length = if plan.backlog() > 0 { plan.backlog() } else { plan.duration.as_secs() };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, plan: &Plan, second: &Sample) {
    if plan.backlog() > 0 {
        bar.inc(second.rows);
    } else {
        bar.set_position(second.at.as_secs());
    }
    let latency = fleet::quantile(&second.latencies, 99).map_or(0, |micros| micros / 1000);
    let Sample { connected, flying, waiting, rows, served, .. } = second;
    bar.set_message(format!(
        "{connected} terminals, {served} requests/s, {rows} rows/s, live p99 {latency} ms, {flying} on their way, {waiting} wait"
    ));
}
