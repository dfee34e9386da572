use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::process::Usage;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A handshake, and what follows it once.
    Handshake,
    /// A call for commands.
    Poll,
    /// Rows.
    Upload,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Handshake, Self::Poll, Self::Upload];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handshake => "handshakes",
            Self::Poll => "polls",
            Self::Upload => "uploads",
        }
    }
}

/// What a second was like.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// When it ended, from the start.
    pub at: Duration,
    /// Requests that were answered with 200.
    pub served: u64,
    /// Live punches that were acknowledged.
    pub punches: u64,
    /// Rows of backlogs that were acknowledged.
    pub rows: u64,
    /// How long the punches of this second took, in microseconds; sorted.
    pub latencies: Vec<u32>,
    /// Requests on their way.
    pub flying: usize,
    /// Live punches and rows of backlogs that are not acknowledged.
    pub waiting: u64,
    /// Terminals that have shaken hands.
    pub connected: usize,
    /// The server's process.
    pub usage: Option<Usage>,
    /// How busy the server's process was: 100 is one processor.
    pub cpu_percent: Option<u64>,
}

/// What a fleet achieved.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How long it took.
    pub took: Duration,
    /// Whether somebody ended it before its end.
    pub is_stopped: bool,
    /// Requests sent, by what they were for.
    pub sent: BTreeMap<Kind, u64>,
    /// Of which were answered with 200.
    pub served: BTreeMap<Kind, u64>,
    /// Requests that got another status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests that got no answer, by what the network said.
    pub errors: BTreeMap<String, u64>,
    /// Times a terminal was told that nobody knows it.
    pub disowned: u64,
    /// Terminals that a server has refused anything.
    pub refused: BTreeSet<u32>,
    /// Terminals that have shaken hands.
    pub connected: usize,
    /// Live punches that happened.
    pub punches: u64,
    /// Of which were acknowledged.
    pub punches_acknowledged: u64,
    /// Rows of backlogs.
    pub rows: u64,
    /// Of which were acknowledged.
    pub rows_acknowledged: u64,
    /// When the last backlog was acknowledged.
    pub backlog_took: Option<Duration>,
    /// How long it took after the power was back until every terminal had shaken hands again.
    pub storm_took: Option<Duration>,
    /// From each punch to its `OK`, in microseconds; sorted.
    pub latencies: Vec<u32>,
    /// Bytes of one terminal's machine, without what it holds.
    pub machine_bytes: usize,
    /// Second by second.
    pub samples: Vec<Sample>,
    /// The server's process at the end.
    pub usage: Option<Usage>,
}

impl Report {
    /// Whether every terminal was served, and everything that happened is acknowledged.
    pub fn is_perfect(&self, devices: u32) -> bool {
        self.refused.is_empty()
            && usize::try_from(devices).is_ok_and(|devices| self.connected == devices)
            && self.punches == self.punches_acknowledged
            && self.rows == self.rows_acknowledged
    }

    /// Within how many milliseconds so many percent of the punches were acknowledged; `None` without any.
    pub fn within_ms(&self, percent: usize) -> Option<f64> {
        quantile(&self.latencies, percent).map(|micros| f64::from(micros) / 1000.0)
    }
}

/// The smallest of the values, sorted, that so many percent of them do not exceed.
///
/// ```
/// use simulator::fleet::quantile;
///
/// assert_eq!(quantile(&[1, 2, 3, 4], 50), Some(2));
/// assert_eq!(quantile(&[1, 2, 3, 4], 99), Some(4));
/// assert_eq!(quantile::<u8>(&[], 50), None);
/// ```
pub fn quantile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied()
}
