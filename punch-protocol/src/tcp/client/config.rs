use core::time::Duration;

use super::super::auth::CommKey;
use super::super::carrier::{Carrier, ChecksumPolicy};
use super::super::limits::Limits;

/// How a client behaves.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct ClientConfig {
    /// What its packets travel on.
    pub carrier: Carrier,
    /// The number set at the terminal as its comm key; [`CommKey::NONE`] if none is.
    pub comm_key: CommKey,
    /// How much the terminal may send.
    pub limits: Limits,
    /// How long it waits, and how often it asks.
    pub timing: Timing,
    /// What it does with damaged packets. Default: drops them.
    pub checksums: ChecksumPolicy,
    /// Whether it says `SDKBuild=1` after connecting, which some colour units want before they give PINs of more than
    /// nine characters. The answer is ignored. Default `true`.
    pub announce_sdk: bool,
}

impl ClientConfig {
    /// The defaults, for a terminal without a comm key.
    pub fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            comm_key: CommKey::NONE,
            limits: Limits::default(),
            timing: Timing::default(),
            checksums: ChecksumPolicy::default(),
            announce_sdk: true,
        }
    }
}

/// How long a client waits, and how often it asks.
///
/// Nothing that a terminal sends is taken for complete because time has passed; time only decides when to ask again and
/// when to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct Timing {
    /// How long a terminal may say nothing while an answer is due. Default 10 s: to prepare 100,000 records takes some
    /// units seconds.
    pub patience: Duration,
    /// The first wait before a datagram is sent again. Later waits follow what was measured. Default 500 ms.
    pub first_wait: Duration,
    /// How often the same is asked for without progress, in all. Default 8.
    pub attempts: u32,
    /// After so long without a word from the terminal, it is asked for its state. `None` (default) never does; whoever
    /// listens for events needs it, because a terminal that was switched off says nothing.
    pub probe: Option<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10), first_wait: Duration::from_millis(500), attempts: 8, probe: None }
    }
}

/// The round trips of datagrams, as RFC 6298 smooths them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RoundTrip {
    smooth: Option<Duration>,
    deviation: Duration,
}

impl RoundTrip {
    /// A terminal is never asked again before this has passed.
    const WAIT_MIN: Duration = Duration::from_millis(100);

    /// Takes the time between a packet that was sent once and the first packet of its answer.
    pub(super) fn measure(&mut self, took: Duration) {
        let Some(smooth) = self.smooth else {
            (self.smooth, self.deviation) = (Some(took), halved(took));
            return;
        };
        let error = took.abs_diff(smooth);
        // A quarter of what is new goes into the deviation, an eighth into the mean.
        self.deviation = halved(halved(self.deviation.saturating_mul(3).saturating_add(error)));
        self.smooth = Some(halved(halved(halved(smooth.saturating_mul(7).saturating_add(took)))));
    }

    /// How long to wait before asking again, having asked `sent` times.
    pub(super) fn wait(&self, timing: &Timing, sent: u32) -> Duration {
        let once = match self.smooth {
            Some(smooth) => smooth.saturating_add(self.deviation.saturating_mul(4)).max(Self::WAIT_MIN),
            None => timing.first_wait,
        };
        let doubled = 1u32.checked_shl(sent.saturating_sub(1)).unwrap_or(u32::MAX);
        once.saturating_mul(doubled).min(timing.patience)
    }
}

fn halved(time: Duration) -> Duration {
    time.checked_div(2).unwrap_or_default()
}
