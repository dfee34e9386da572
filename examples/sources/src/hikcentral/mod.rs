//! HikCentral as a source: its events are received, and read again at intervals.
//!
//! A push is answered once its events are stored. What was missed is found by reading: the mark of how far moves only once
//! everything before it is stored.

mod feeding;
mod people;
mod receiving;

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use punch_erp::hikcentral::{HikCentral, HikCentralRules, KnownPeople, PollRules, Receiver, Stamp, Subscription};
use punch_erp::passage::PersonScheme;
use punch_erp::{Failure, HttpRequest, HttpResponse, ReqwestTransport};
use sinks::clock::now;

use crate::Health;
use crate::Pause;
use crate::seen::Seen;

/// A HikCentral, and how its events are taken.
#[derive(Debug, Clone)]
pub struct HikCentralSettings {
    /// Where it is, and who we are there.
    pub site: HikCentral,
    /// The way to it.
    pub transport: ReqwestTransport,
    /// How its events are read.
    pub rules: HikCentralRules,
    /// By which id people are known here.
    pub employee_field: PersonScheme,
    /// How often it is read.
    pub poll: PollRules,
    /// How long it is left alone after a failure.
    pub pause: Pause,
    /// From when on events are taken, at the first start. `None` is the time of it.
    pub begin: Option<DateTime<Utc>>,
    /// Who may push; `None` where nobody may.
    pub receiver: Option<Receiver>,
    /// How often it is looked whether it still pushes. Default 10 min: a lost subscription says nothing.
    pub look_every: TimeDelta,
    /// What is to be pushed, and where to.
    pub subscription: Option<Subscription>,
    /// Whether it is left as it is: nothing is subscribed, and what would be is logged.
    pub is_dry: bool,
}

impl HikCentralSettings {
    /// How often it is looked whether it still pushes.
    pub const LOOK_EVERY: TimeDelta = TimeDelta::minutes(10);
}

/// A HikCentral at work.
#[derive(Debug)]
pub struct HikCentralSource {
    settings: HikCentralSettings,
    people: Mutex<KnownPeople>,
    seen: Seen,
}

impl HikCentralSource {
    /// Nothing is asked yet.
    pub fn new(settings: HikCentralSettings) -> Self {
        Self { settings, people: Mutex::default(), seen: Seen::default() }
    }

    /// What it is told.
    pub fn settings(&self) -> &HikCentralSettings {
        &self.settings
    }

    /// What it has seen, and how it stands.
    pub fn health(&self) -> Health {
        self.seen.health()
    }

    /// Counts a push that was turned away before it was read.
    pub fn refused(&self) {
        self.seen.lock().refused += 1;
    }

    fn people(&self) -> MutexGuard<'_, KnownPeople> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (path, begun) = (request.uri().path().to_owned(), now());
        let reply = self.settings.transport.send(request).await;
        let ms = (now() - begun).num_milliseconds();
        match &reply {
            Ok(response) => tracing::debug!(path, status = response.status().as_u16(), ms, "HikCentral answered"),
            Err(failure) => tracing::warn!(path, %failure, ms, "HikCentral did not answer"),
        }
        reply
    }
}

/// A stamp that nobody had before.
fn stamp() -> Stamp {
    let mut seed = [0; 16];
    // Without random numbers the clock alone makes it another one.
    if getrandom::fill(&mut seed).is_err() {
        seed = i128::from(now().timestamp_micros()).to_be_bytes();
    }
    Stamp::new(seed, now())
}
