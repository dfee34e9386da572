//! A Hikvision terminal without HikCentral as a source: it posts, and what it did not post is searched for.
//!
//! Posts survive our restarts, so they are the way of choice. A stream is for terminals that cannot post: many have one
//! only, which a dead client blocks. Searching is needed with either, for what was missed.

mod feeding;
mod login;
mod receiving;
mod streaming;

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use punch_erp::ReqwestTransport;
use punch_erp::hikcentral::PollRules;
use punch_erp::isapi::{HttpHost, IsapiRules, IsapiTerminal};
use sinks::clock::now;
use tokio::sync::Notify;

use login::Login;
pub use receiving::Pieces;

use crate::seen::Seen;
use crate::{Health, Pause};

/// A terminal, and how its events are taken.
#[derive(Debug, Clone)]
pub struct IsapiSettings {
    /// Where it is, and who we are there.
    pub terminal: IsapiTerminal,
    /// The way to it.
    pub transport: ReqwestTransport,
    /// How its events are read.
    pub rules: IsapiRules,
    /// How often it is searched while nothing comes by itself. While it does, every half hour.
    pub poll: PollRules,
    /// How long it is left alone after a failure.
    pub pause: Pause,
    /// From when on events are taken, at the first start. `None` is the time of it.
    pub begin: Option<DateTime<Utc>>,
    /// Where it is told to post to, and in which of its slots.
    pub host: Option<(HttpHost, u8)>,
    /// Whether its stream is opened.
    pub streams: bool,
}

impl IsapiSettings {
    /// How a search begins ten minutes before what is known.
    pub fn poll() -> PollRules {
        let mut poll = PollRules::default();
        // It holds its events itself, so none is told days later.
        (poll.overlap, poll.late_sweep) = (TimeDelta::minutes(10), TimeDelta::zero());
        poll
    }
}

/// A terminal at work.
#[derive(Debug)]
pub struct IsapiSource {
    settings: IsapiSettings,
    /// The login of searches and settings.
    session: Login,
    /// That of the stream, whose requests come in between: of one login each request has the next number.
    stream_session: Login,
    /// Whether the terminal refuses times with an offset.
    without_offset: AtomicBool,
    /// The last serial number that was posted or streamed.
    last_serial: Mutex<Option<u32>>,
    /// Something may have been missed: search now.
    missed: Notify,
    seen: Seen,
}

/// How long a terminal may be silent before it is searched as if it never posted.
const SILENCE: TimeDelta = TimeDelta::minutes(5);

impl IsapiSource {
    /// Nothing is asked yet.
    pub fn new(settings: IsapiSettings) -> Self {
        Self {
            settings,
            session: Login::default(),
            stream_session: Login::default(),
            without_offset: AtomicBool::new(false),
            last_serial: Mutex::default(),
            missed: Notify::new(),
            seen: Seen::default(),
        }
    }

    /// What it is told.
    pub fn settings(&self) -> &IsapiSettings {
        &self.settings
    }

    /// What it has seen, and how it stands.
    pub fn health(&self) -> Health {
        self.seen.health()
    }

    /// Counts a post that was turned away before it was read.
    pub fn refused(&self) {
        self.seen.lock().refused += 1;
    }

    /// What comes by itself: the time between two searches depends on it.
    fn poll(&self, now: DateTime<Utc>) -> PollRules {
        let mut poll = self.settings.poll;
        let heard = self.seen.lock().last_push;
        if heard.is_some_and(|at| now.signed_duration_since(at) < SILENCE) {
            poll.interval = poll.interval.max(PollRules::RECONCILE_INTERVAL);
        }
        poll
    }

    /// An instant as the terminal's clock shows it.
    fn local(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        let minutes = self.settings.rules.passage.zone.as_ref().map_or(0, |zone| zone.offset_minutes_at(at));
        let offset = FixedOffset::east_opt(minutes.saturating_mul(60));
        offset.map_or_else(|| at.fixed_offset(), |offset| at.with_timezone(&offset))
    }
}

/// Letters and digits that nobody had before.
fn random_text() -> String {
    let mut bytes = [0_u8; 16];
    // Without random numbers the clock alone makes it another one.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = i128::from(now().timestamp_micros()).to_be_bytes();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
