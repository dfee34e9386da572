//! `punch terminal`: simulated terminals.

use core::time::Duration;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use punch_normalize::DeviceZone;
use punch_protocol::SerialNumber;
use punch_protocol::push::Terminal;
use simulator::terminal::{Behaviour, Happening};
use simulator::world::Crowd;
use tokio::sync::mpsc;

use crate::exit::{Exit, UsageError};

/// Play a terminal.
#[derive(Debug, Args)]
pub(crate) struct TerminalCommand {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// A ZKTeco terminal that pushes over HTTP.
    ///
    /// Example: punch terminal push --server http://127.0.0.1:8081 --serial SIM1 --users 20 --rate 5 --count 100
    Push(Push),
}

#[derive(Debug, Args)]
struct Push {
    /// Base address of the server.
    #[arg(long, value_name = "URL")]
    server: String,
    /// Serial number it reports.
    #[arg(long, value_name = "SN", default_value = "SIMULATED1")]
    serial: String,
    /// People who use it; their badges count from 1001.
    #[arg(long, default_value_t = 10)]
    users: u32,
    /// Punches a second.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Punches in all; with --replay 0 by default.
    #[arg(long)]
    count: Option<u64>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What its clock shows.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Rows of an ATTLOG body to upload first, byte for byte.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Rows in one upload.
    #[arg(long, default_value_t = Terminal::BATCH_DEFAULT)]
    batch: usize,
}

/// Runs the command.
pub(crate) async fn run(command: TerminalCommand) -> anyhow::Result<Exit> {
    let Role::Push(push) = command.role;
    let serial = SerialNumber::parse(&push.serial).map_err(|error| UsageError(format!("--serial: {error}")))?;
    let zone = DeviceZone::parse(&push.zone).map_err(|error| UsageError(format!("--zone: {error}")))?;
    if !(push.rate > 0.0 && push.rate.is_finite()) {
        return Err(UsageError("--rate: expected a number above 0".to_owned()).into());
    }
    let rows = match &push.replay {
        Some(file) => std::fs::read(file).with_context(|| format!("read {}", file.display()))?,
        None => Vec::new(),
    };
    let rows: Vec<Vec<u8>> = simulator::terminal::rows_of(&rows);
    let count = push.count.unwrap_or(if push.replay.is_some() { 0 } else { 10 });
    let (sender, happenings) = mpsc::channel(1024);
    let crowd = Crowd::new(serial.clone(), zone, push.users, push.seed);
    let total = count + u64::try_from(rows.len()).unwrap_or(0);
    tokio::spawn(play(crowd, rows, count, push.rate, total, sender));
    let terminal = Terminal::new(serial).with_batch(push.batch);
    let achieved = simulator::terminal::run(terminal, Behaviour::new(push.server), happenings).await?;
    crate::say(format_args!(
        "{} rows sent, {} acknowledged, {} requests refused",
        achieved.sent, achieved.acknowledged, achieved.refused
    ));
    Ok(if achieved.acknowledged == achieved.sent { Exit::Done } else { Exit::Wrong })
}

async fn play(mut crowd: Crowd, rows: Vec<Vec<u8>>, count: u64, rate: f64, total: u64, to: mpsc::Sender<Happening>) {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} rows");
    let bar = ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for row in rows {
        if to.send(Happening::Row(row)).await.is_err() {
            return;
        }
        bar.inc(1);
    }
    for _ in 0..count {
        let punch = crowd.punch(gateway::clock::now());
        if to.send(Happening::Punch(Box::new(punch))).await.is_err() {
            return;
        }
        bar.inc(1);
        tokio::time::sleep(Duration::from_secs_f64(1.0 / rate)).await;
    }
    bar.finish_and_clear();
}
