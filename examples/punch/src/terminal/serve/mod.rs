//! `punch terminal serve`: a terminal on port 4370.

mod choices;
mod told;

use core::time::Duration;
use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use punch_protocol::tcp::{CommKey, FinalAck, Terminal, TerminalProfile};
use punch_protocol::{SerialNumber, Status, Verify};
use serde_json::json;
use simulator::backlog::{self, Backlog};
use simulator::binary_terminal::{BinaryTerminal, Mishaps, Passer, Sockets};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::exit::{Exit, UsageError};
use choices::{Layout, Segment, Users};
use told::tell;

/// What `punch terminal serve` is told.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where it listens; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4370")]
    addr: SocketAddr,
    /// Serve UDP only.
    #[arg(long)]
    udp: bool,
    /// Serial number it reports.
    #[arg(long, value_name = "SN", default_value = "SIMULATED1")]
    serial: String,
    /// Attendance records in its memory.
    #[arg(long, default_value_t = 100)]
    records: u32,
    /// People who use it; their PINs count from 1001.
    #[arg(long, default_value_t = 10)]
    users: u16,
    /// How its attendance records lie.
    #[arg(long, value_enum, default_value_t = Layout::Text40)]
    layout: Layout,
    /// How its users lie; as units with such records have them, if not given.
    #[arg(long, value_enum)]
    user_layout: Option<Users>,
    /// Comm key that clients have to prove; 0 is none.
    #[arg(long, value_name = "KEY", default_value_t = 0)]
    comm_key: u32,
    /// How the bytes of a connection are cut.
    #[arg(long, value_enum, default_value_t = Segment::Frame)]
    segment: Segment,
    /// Probability that a datagram is lost, from 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    loss: f64,
    /// Probability that a datagram comes twice, from 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    duplicate: f64,
    /// Probability that a datagram is overtaken, from 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    reorder: f64,
    /// How long a datagram to the client is under way.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay_ms: u64,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Bytes of data in a packet of a transfer at most; as units with such records have it, if not given.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    packet_max: Option<u32>,
    /// Send no acknowledgement behind a transfer.
    #[arg(long)]
    no_final_ack: bool,
    /// Refuse to give attendance records between two times.
    #[arg(long)]
    no_range: bool,
    /// Refuse to prepare a buffer.
    #[arg(long)]
    no_buffer: bool,
    /// Count so many attendance records too many; a negative number, too few.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    count_off: i32,
    /// Send an event in front of every answer.
    #[arg(long)]
    early_event: bool,
    /// Demand encryption of whoever connects.
    #[arg(long)]
    secure: bool,
    /// Let somebody punch every so often, beginning when it is ready.
    #[arg(long, value_name = "SECONDS")]
    live_every: Option<f64>,
    /// Print the addresses and what happens as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command until it is stopped.
pub(crate) async fn run(serve: Serve) -> anyhow::Result<Exit> {
    crate::log_to_stderr("info");
    let (terminal, mishaps, pause) = (serve.terminal()?, serve.mishaps()?, serve.pause()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let sockets = Sockets::bind(serve.addr, serve.udp).await.with_context(|| format!("listen on {}", serve.addr))?;
    let json = serve.json;
    let terminal = BinaryTerminal::new(terminal, serve.seed)
        .with_segments(serve.segment.segments())
        .with_mishaps(mishaps)
        .on_event(move |event| tell(json, event));
    let (sender, passers) = mpsc::channel(16);
    serve.announce(sockets.tcp_addr(), sockets.udp_addr()?);
    if let Some(pause) = pause {
        tokio::spawn(pass(serve.users.max(1), pause, sender));
    }
    tokio::select! {
        served = terminal.serve(sockets, passers) => served?,
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    Ok(Exit::Done)
}

impl Serve {
    fn terminal(&self) -> anyhow::Result<Terminal> {
        let serial = SerialNumber::parse(&self.serial).map_err(|error| UsageError(format!("--serial: {error}")))?;
        let key = CommKey::new(self.comm_key).map_err(|error| UsageError(format!("--comm-key: {error}")))?;
        let mut terminal = Terminal::new(&serial, self.profile());
        terminal.memory_mut().set_comm_key(key);
        let backlog = Backlog { users: self.users, records: self.records, seed: self.seed };
        backlog.fill(&mut terminal).map_err(|error| UsageError(format!("--users, --layout: {error}")))?;
        Ok(terminal)
    }

    fn profile(&self) -> TerminalProfile {
        let usual = TerminalProfile::of(self.layout.layout());
        TerminalProfile {
            users: self.user_layout.map_or(usual.users, Users::layout),
            packet_max: self.packet_max.unwrap_or(usual.packet_max),
            final_ack: if self.no_final_ack { FinalAck::None } else { usual.final_ack },
            serves_range: !self.no_range,
            serves_buffer: !self.no_buffer,
            count_off: self.count_off,
            early_events: self.early_event,
            demands_encryption: self.secure,
            user_capacity: usual.user_capacity.max(self.users.into()),
            // Room for the punches to come.
            record_capacity: usual.record_capacity.max(self.records.saturating_mul(2)),
            ..usual
        }
    }

    fn mishaps(&self) -> Result<Mishaps, UsageError> {
        for (flag, value) in [("--loss", self.loss), ("--duplicate", self.duplicate), ("--reorder", self.reorder)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(UsageError(format!("{flag}: {value}, expected a probability from 0 to 1, such as 0.05")));
            }
        }
        let delay = Duration::from_millis(self.delay_ms);
        Ok(Mishaps { loss: self.loss, duplicate: self.duplicate, reorder: self.reorder, delay })
    }

    fn pause(&self) -> Result<Option<Duration>, UsageError> {
        let pause = self.live_every.map(Duration::try_from_secs_f64).transpose();
        match pause {
            Ok(Some(Duration::ZERO)) | Err(_) => Err(UsageError("--live-every: expected seconds above 0".to_owned())),
            Ok(pause) => Ok(pause),
        }
    }

    /// Says that it is ready, and where.
    fn announce(&self, tcp: Option<SocketAddr>, udp: SocketAddr) {
        let serial = &self.serial;
        if self.json {
            let ready = json!({
                "serial": serial,
                "tcp": tcp.map(|addr| addr.to_string()),
                "udp": udp.to_string(),
            });
            return crate::say(format_args!("{ready}"));
        }
        if let Some(addr) = tcp {
            crate::say(format_args!("terminal {serial} on tcp {addr}"));
        }
        crate::say(format_args!("terminal {serial} on udp {udp}"));
    }
}

/// Everybody punches in turn.
async fn pass(users: u16, pause: Duration, to: mpsc::Sender<Passer>) {
    for number in 0_u32.. {
        let slot = u16::try_from(number % u32::from(users)).unwrap_or(0) + 1;
        let state = if (number / u32::from(users)).is_multiple_of(2) { 0 } else { 1 };
        let passer = Passer { pin: backlog::pin(slot), state: Status(state), verify: Verify::FINGERPRINT };
        if to.send(passer).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}
