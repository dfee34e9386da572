//! A fleet of simulated terminals in one process: each is the protocol's own terminal role, over sockets of its own.
//!
//! One task drives all of them and holds every machine; only a request on its way has a task and a connection. Nothing is
//! acknowledged that the server has not said `OK` to, so what is counted here is what terminals know.

mod conductor;
mod figures;
mod process;
mod unit;

use core::time::Duration;
use std::net::SocketAddr;

use anyhow::Context as _;
use punch_protocol::{RawPunch, SerialNumber};
use tokio::time::Instant;

pub use figures::{Kind, Report, Sample, quantile};
pub use process::{Usage, descriptors};

use crate::wire::Wire;
use conductor::Conductor;

/// What a fleet is like and what it does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Base address of the server, such as `http://127.0.0.1:8081`.
    pub server: String,
    /// What serial numbers begin with; six digits follow.
    pub prefix: String,
    /// How many terminals there are.
    pub devices: u32,
    /// How long a terminal waits between two polls; each a tenth more or less. `None`: what the server says.
    pub poll: Option<Duration>,
    /// Whether connections stay open. Real units open one a request and close it first.
    pub keep_alive: bool,
    /// People at each terminal.
    pub users: u32,
    /// Punches that happen in a second, at all terminals without a backlog together.
    pub rate: f64,
    /// Terminals with a backlog: the last ones.
    pub backlog_devices: u32,
    /// Rows in each backlog.
    pub backlog_rows: u32,
    /// Rows in one upload.
    pub batch: usize,
    /// The most uploads a second of one terminal with a backlog; `None`: the next as soon as one is acknowledged.
    pub uploads_per_second: Option<f64>,
    /// For how long people punch. It goes on as long as a backlog is left.
    pub duration: Duration,
    /// When the power of all terminals fails for a moment, so that they come back at once.
    pub storm: Option<Duration>,
    /// Connections at once; what is due beyond it waits.
    pub connections: usize,
    /// It is given up when the server has said nothing good for so long.
    pub patience: Duration,
    /// Seed of everything random.
    pub seed: u64,
    /// The server's process, to be measured.
    pub pid: Option<u32>,
}

impl Plan {
    /// The serial number of a terminal, counted from 0.
    ///
    /// # Errors
    ///
    /// The prefix is no beginning of a serial number.
    pub fn serial(&self, number: u32) -> anyhow::Result<SerialNumber> {
        let text = format!("{}{number:06}", self.prefix);
        SerialNumber::parse(&text).with_context(|| format!("serial numbers that begin with {:?}", self.prefix))
    }

    /// Rows of all backlogs.
    pub fn backlog(&self) -> u64 {
        u64::from(self.backlog_devices.min(self.devices)) * u64::from(self.backlog_rows)
    }
}

/// What is told while it goes on.
#[derive(Debug)]
pub enum Told<'a> {
    /// Somebody punched just now.
    Punch(&'a RawPunch, Instant),
    /// A second has passed.
    Second(&'a Sample),
}

/// Plays a fleet to its end: everything that happened is acknowledged, patience has run out, or `stop` says so.
///
/// # Errors
///
/// The server's address is none, or the serial numbers are none.
pub async fn run(plan: &Plan, stop: impl Future<Output = ()>, tell: impl FnMut(Told<'_>)) -> anyhow::Result<Report> {
    let wire = Wire::to(&plan.server, None)?;
    let at = locate(&wire).await?;
    Ok(Conductor::new(plan, wire.found_at(at))?.play(stop, tell).await)
}

/// Looks the server up once, instead of once a connection.
async fn locate(wire: &Wire) -> anyhow::Result<SocketAddr> {
    let mut found =
        tokio::net::lookup_host(wire.authority()).await.with_context(|| format!("look up {}", wire.host()))?;
    found.next().with_context(|| format!("{} has no address", wire.host()))
}
