//! `punch terminal push`: a terminal that pushes over HTTP.

use core::time::Duration;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use punch_normalize::DeviceZone;
use punch_protocol::SerialNumber;
use punch_protocol::push::{Deserves, Hostile, Mischief, Profile, Terminal};
use simulator::terminal::{Achieved, Behaviour, Happening, Play};
use simulator::world::Crowd;
use tokio::sync::mpsc;

use crate::exit::{Exit, UsageError};

/// What `punch terminal push` is told.
#[derive(Debug, Args)]
pub(crate) struct Push {
    /// Base address of the server.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The certificate that it believes behind https://, in PEM: the root, or the server's own.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Serial number it reports.
    #[arg(long, value_name = "SN", default_value = "SIMULATED1")]
    serial: String,
    /// What kind of terminal to be.
    #[arg(long, value_enum, default_value_t = Kind::Attendance)]
    profile: Kind,
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
    /// Misbehave in this way; repeatable. `list` prints them.
    #[arg(long, value_name = "MODE")]
    hostile: Vec<String>,
    /// Give up at the first refusal.
    #[arg(long)]
    once: bool,
    /// Give up when nothing was acknowledged for so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    patience: u64,
    /// Stay for commands when everything is acknowledged.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    stay: u64,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// The kinds of terminal, for the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Current attendance firmware, protocol 2.4.1.
    Attendance,
    /// The 2.0 generation: HTTP/1.0, resume marks, quick retries.
    Classic,
    /// Access control, protocol 3.1.2.
    Access,
}

impl Kind {
    fn profile(self) -> Profile {
        match self {
            Self::Attendance => Profile::attendance(),
            Self::Classic => Profile::classic(),
            Self::Access => Profile::access_control(),
        }
    }
}

/// Runs the command.
pub(crate) async fn run(push: Push) -> anyhow::Result<Exit> {
    if push.hostile.iter().any(|mode| mode == "list") {
        list_modes();
        return Ok(Exit::Done);
    }
    let server = push.server.clone().ok_or_else(|| {
        UsageError("--server: expected the address of a server, such as http://127.0.0.1:8081".to_owned())
    })?;
    let (script, modes) = (push.script()?, push.modes()?);
    let mut behaviour = Behaviour::new(server);
    behaviour.patience = Duration::from_secs(push.patience);
    behaviour.ca_file.clone_from(&push.ca_file);
    let terminal = Terminal::with_profile(script.serial.clone(), push.profile.profile()).with_batch(push.batch);
    let (sender, happenings) = mpsc::channel(1024);
    let total = script.total();
    tokio::spawn(perform(script, total, sender));
    let hostile = (!modes.is_empty()).then(|| Hostile::new(modes, push.seed));
    let play = Play { hostile, stay: Duration::from_secs(push.stay), once: push.once };
    #[expect(clippy::disallowed_methods, reason = "a shell: it measures how long it took")]
    let start = Instant::now();
    let achieved = simulator::terminal::play(terminal, behaviour, play, happenings).await?;
    summarise(&push, &achieved, start.elapsed());
    let fair = achieved.unfair.is_empty();
    // What was planned counts: a terminal that gives up has not sent everything.
    Ok(if fair && achieved.acknowledged == total { Exit::Done } else { Exit::Wrong })
}

/// What is going to happen in front of the terminal.
struct Script {
    serial: SerialNumber,
    crowd: Crowd,
    rows: Vec<Vec<u8>>,
    count: u64,
    rate: f64,
}

impl Script {
    fn total(&self) -> u64 {
        self.count + u64::try_from(self.rows.len()).unwrap_or(0)
    }
}

impl Push {
    fn script(&self) -> anyhow::Result<Script> {
        let serial = SerialNumber::parse(&self.serial).map_err(|error| UsageError(format!("--serial: {error}")))?;
        let zone = DeviceZone::parse(&self.zone).map_err(|error| UsageError(format!("--zone: {error}")))?;
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(UsageError("--rate: expected a number above 0".to_owned()).into());
        }
        if self.replay.is_some() && matches!(self.profile, Kind::Access) {
            let text = "--replay: holds ATTLOG rows, which access terminals do not send; try --profile attendance";
            return Err(UsageError(text.to_owned()).into());
        }
        let rows = match &self.replay {
            Some(file) => std::fs::read(file).with_context(|| format!("read {}", file.display()))?,
            None => Vec::new(),
        };
        Ok(Script {
            serial: serial.clone(),
            crowd: Crowd::new(serial, zone, self.users, self.seed),
            rows: simulator::terminal::rows_of(&rows),
            count: self.count.unwrap_or(if self.replay.is_some() { 0 } else { 10 }),
            rate: self.rate,
        })
    }

    fn modes(&self) -> Result<Vec<Mischief>, UsageError> {
        let read = |name: &String| {
            let unknown =
                || UsageError(format!("--hostile {name}: no such mode; see punch terminal push --hostile list"));
            Mischief::named(name).ok_or_else(unknown)
        };
        self.hostile.iter().map(read).collect()
    }
}

fn list_modes() {
    for mischief in Mischief::ALL {
        let deserves = match mischief.deserves() {
            Deserves::Acknowledgement => "must be acknowledged",
            Deserves::Refusal => "must be refused",
            Deserves::Either => "either is right",
        };
        crate::say(format_args!("{:<17} {} ({deserves})", mischief.name(), mischief.effect()));
    }
}

fn summarise(push: &Push, achieved: &Achieved, took: Duration) {
    let Achieved { sent, acknowledged, refused, .. } = achieved;
    if push.json {
        let unfair: serde_json::Map<_, _> =
            achieved.unfair.iter().map(|(mischief, count)| (mischief.name().to_owned(), (*count).into())).collect();
        let summary = serde_json::json!({
            "serial": push.serial,
            "sent": sent,
            "acknowledged": acknowledged,
            "refused": refused,
            "commands": achieved.commands,
            "clock_sets": achieved.clock_sets,
            "doors_opened": achieved.doors_opened,
            "bent": achieved.bent,
            "unfair": unfair,
            "seconds": took.as_secs_f64(),
        });
        crate::say(format_args!("{summary}"));
    } else {
        crate::say(format_args!("{sent} rows sent, {acknowledged} acknowledged, {refused} requests refused"));
        if achieved.bent > 0 {
            let count: u64 = achieved.unfair.values().sum();
            crate::say(format_args!("{} bent requests, {count} answered as no correct server answers", achieved.bent));
        }
    }
    for (mischief, count) in &achieved.unfair {
        eprintln!("punch: {} ({}): {count} wrong answers", mischief.name(), mischief.effect());
    }
    if *acknowledged == 0 && *refused > 0 {
        eprintln!(
            "punch: nothing was acknowledged. Is a gateway there (punch gateway --config punch.toml), and does it list \
             {} among its devices?",
            push.serial
        );
    }
}

async fn perform(mut script: Script, total: u64, to: mpsc::Sender<Happening>) {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} rows");
    let bar = ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for row in script.rows {
        if to.send(Happening::Row(row)).await.is_err() {
            return;
        }
        bar.inc(1);
    }
    for _ in 0..script.count {
        let punch = script.crowd.punch(gateway::clock::now());
        if to.send(Happening::Punch(Box::new(punch))).await.is_err() {
            return;
        }
        bar.inc(1);
        tokio::time::sleep(Duration::from_secs_f64(1.0 / script.rate)).await;
    }
    bar.finish_and_clear();
}
