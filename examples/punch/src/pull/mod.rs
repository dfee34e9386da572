//! `punch pull`: reads the log of a terminal on port 4370.

mod forward;

use core::time::Duration;
use std::io::Write as _;
use std::path::PathBuf;

use agent::Row;
use agent::terminal::{Address, Link, LinkError, Reading, Span, latest, read_attendance, read_clock, read_serial};
use anyhow::Context as _;
use chrono::NaiveDateTime;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use punch_normalize::TenantKey;
use punch_protocol::SerialNumber;
use punch_protocol::tcp::{Carrier, ClientConfig, CommKey, Ending, Timing};

use crate::exit::{Exit, UsageError};
use forward::Destination;

/// Read the punches of a terminal over TCP or UDP port 4370.
///
/// Prints one JSON object a punch, in the terminal's order. Nothing on the terminal is changed.
///
/// Example: punch pull --host 192.168.1.201 --since 2026-11-01 > punches.ndjson
#[derive(Debug, Args)]
pub(crate) struct Pull {
    #[command(flatten)]
    at: At,
    /// Only punches from this moment of the terminal's clock on: `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ss`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only punches up to this moment of the terminal's clock; a day means all of it.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The serial number to go by, for a terminal that does not tell its own.
    #[arg(long, value_name = "SN")]
    serial: Option<String>,
    /// The key of the event ids, 64 hexadecimal digits: the gateway's own, for the ids it has. By default zeros: the
    /// same punch has the same id every time, and another one than at your gateway.
    #[arg(long, value_name = "HEX", env = "PUNCH_TENANT_KEY", hide_env_values = true)]
    tenant_key: Option<String>,
    #[command(flatten)]
    destination: Destination,
}

/// Which terminal.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// Name or number of the terminal's host.
    #[arg(long)]
    host: String,
    /// Its port.
    #[arg(long, default_value_t = 4370)]
    port: u16,
    /// Datagrams instead of a stream: for old units.
    #[arg(long)]
    udp: bool,
    #[command(flatten)]
    manner: Manner,
}

/// How to talk to a terminal.
#[derive(Debug, Args)]
pub(crate) struct Manner {
    /// The number set in the terminal's menu as its comm key.
    #[arg(long, value_name = "KEY", env = "PUNCH_COMM_KEY", hide_env_values = true)]
    comm_key: Option<u32>,
    /// A file with the comm key, which keeps it out of the process list.
    #[arg(long, value_name = "FILE", conflicts_with = "comm_key")]
    comm_key_file: Option<PathBuf>,
    /// How long the terminal may say nothing.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    patience: u64,
}

impl At {
    fn address(&self) -> Address {
        Address { host: self.host.clone(), port: self.port }
    }
}

impl Manner {
    /// What a client is to be like.
    pub(crate) fn client(&self, udp: bool) -> anyhow::Result<ClientConfig> {
        let key = match (&self.comm_key, &self.comm_key_file) {
            (Some(key), _) => *key,
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
                let number = text.trim().parse();
                number.map_err(|_| UsageError(format!("{}: expected a number from 0 to 999999", file.display())))?
            }
            (None, None) => 0,
        };
        let comm_key = CommKey::new(key).map_err(|error| UsageError(error.to_string()))?;
        let carrier = if udp { Carrier::Udp } else { Carrier::Tcp };
        let timing = Timing { patience: Duration::from_secs(self.patience.max(1)), ..Timing::default() };
        Ok(ClientConfig { comm_key, timing, ..Link::config(carrier) })
    }
}

/// Runs the command.
pub(crate) async fn run(pull: Pull) -> anyhow::Result<Exit> {
    crate::log_to_stderr("warn");
    let span = pull.span()?;
    let given = pull.serial.as_deref().map(SerialNumber::parse).transpose();
    let given = given.map_err(|error| UsageError(format!("--serial: {error}")))?;
    let key = crate::normalize::tenant_key(pull.tenant_key.as_deref())?;
    let forwarder = pull.destination.forwarder()?;
    let config = pull.at.manner.client(pull.at.udp)?;
    let link = Link::open(pull.at.address(), config).await.map_err(|error| advise(&pull.at, error))?;
    let (serial, mut reading) = read(link, given, span).await?;
    let exit = report(&reading);
    if pull.destination.is_plain() {
        print(&reading.rows, &key)?;
    } else {
        let (memory, rows) = (pull.destination.memory()?, core::mem::take(&mut reading.rows));
        pull.destination.take(&memory, &serial, rows, forwarder.as_ref(), &key).await?;
    }
    Ok(exit)
}

async fn read(mut link: Link, given: Option<SerialNumber>, span: Span) -> anyhow::Result<(SerialNumber, Reading)> {
    let (told, clock) = (read_serial(&mut link).await?, read_clock(&mut link).await?);
    let serial = given.or(told).ok_or(agent::terminal::ReadingError::NoSerial)?;
    let bar = progress();
    let told = |got: usize, total: usize| {
        bar.set_length(u64::try_from(total).unwrap_or(0));
        bar.set_position(u64::try_from(got).unwrap_or(0));
    };
    let reading = read_attendance(&mut link, &serial, span, latest(clock, gateway::clock::now()), told).await;
    bar.finish_and_clear();
    let anomalies = link.anomalies();
    link.close().await;
    tracing::info!(%serial, damaged = anomalies.damaged, strays = anomalies.strays, "the conversation is over");
    Ok((serial, reading?))
}

/// One line a record, with the event id that a gateway with this key gives it. A reader that has gone away, as `head`
/// does, ends the program without a fuss.
fn print(rows: &[Row], key: &TenantKey) -> std::io::Result<()> {
    match write(rows, key) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}

fn write(rows: &[Row], key: &TenantKey) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for row in rows {
        let mut members = agent::line(row);
        if let Row::Punch(punch) = row {
            members.insert("event_id".to_owned(), key.event_id(punch).as_str().into());
        }
        serde_json::to_writer(&mut out, &members)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("reading {bar:30} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Tells on standard error what was not as it should be.
fn report(reading: &Reading) -> Exit {
    let broken = reading.broken().count();
    if broken > 0 {
        eprintln!("punch: {broken} records name no moment or nobody; they are printed with `error`");
    }
    match reading.shortfall {
        Some(shortfall) => {
            eprintln!("punch: {shortfall}");
            Exit::Wrong
        }
        None if broken > 0 => Exit::Wrong,
        None => Exit::Done,
    }
}

/// An error with what to try next.
fn advise(at: &At, error: LinkError) -> anyhow::Error {
    let host = &at.host;
    let advice = match (&error, error.ending()) {
        (_, Some(Ending::KeyNeeded | Ending::KeyRefused)) => {
            // Whoever typed the command knows the key, or not.
            return UsageError(format!("{error}; try: punch pull --host {host} --comm-key KEY")).into();
        }
        (LinkError::Network { .. }, _) | (_, Some(Ending::Unreachable)) if !at.udp => {
            format!("; try: punch pull --host {host} --udp, or: punch doctor device {host}")
        }
        (LinkError::Network { .. }, _) | (_, Some(Ending::Unreachable)) => format!("; try: punch doctor device {host}"),
        _ => String::new(),
    };
    anyhow::anyhow!("{error}{advice}")
}

impl Pull {
    fn span(&self) -> Result<Span, UsageError> {
        let since = self.since.as_deref().map(|text| moment("--since", text, "00:00:00")).transpose()?;
        let until = self.until.as_deref().map(|text| moment("--until", text, "23:59:59")).transpose()?;
        Ok(Span { since, until })
    }
}

/// A moment of a terminal's clock; `hour` completes a day.
pub(crate) fn moment(flag: &str, text: &str, hour: &str) -> Result<NaiveDateTime, UsageError> {
    let whole = if text.len() == 10 { format!("{text} {hour}") } else { text.replace('T', " ") };
    punch_protocol::civil::parse(whole.as_bytes())
        .map_err(|error| UsageError(format!("{flag} {text}: {error}; expected YYYY-MM-DD or YYYY-MM-DDThh:mm:ss")))
}
