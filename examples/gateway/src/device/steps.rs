//! Commands for terminals that somebody else asks on port 4370: he takes the steps, carries them out, and says what
//! became of each. A step is written down as sent before he hears of it, as one by push is.

use core::time::Duration;

use chrono::NaiveDateTime;
use punch_protocol::SerialNumber;
use punch_protocol::push::{Admission, CommandChange, CommandUpdate, Dialect, ReturnCode};
use tokio::time::Instant;

use super::commands::shown_at;
use super::handler::Devices;
use super::registry::Device;
use crate::clock::now;
use crate::core::Means;
use crate::store::{DeviceRow, Outcome, StoreError, TakenStep, has_steps, take_steps};

/// Steps that are given out at once.
const TAKEN_MAX: usize = 50;

/// How often the store is asked although nobody said that it has something: another gateway may have written it, and what
/// was taken by somebody who has died becomes free again.
const LOOK: Duration = Duration::from_secs(2);

/// What is to be done at a terminal, with what its clock should show.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) taken: TakenStep,
    pub(crate) clock: NaiveDateTime,
}

/// What became of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Became {
    /// It is as wanted.
    Done,
    /// The terminal refused, or could not.
    Failed,
    /// Nobody knows: the terminal did not answer.
    Unknown,
}

/// What somebody says became of a step.
#[derive(Debug)]
pub(crate) struct StepResult {
    /// The step.
    pub(crate) id: String,
    /// What became of it.
    pub(crate) became: Became,
    /// Why it went wrong, for people.
    pub(crate) reason: Option<String>,
    /// What the terminal told, as JSON.
    pub(crate) answer: Option<String>,
}

impl Device {
    /// By what it gets its commands.
    pub(super) fn means(&self) -> Means {
        match self.session.dialect() {
            _ if self.source.is_some() => Means::Source,
            None if self.probe.is_some() => Means::Pull,
            _ => Means::Push(self.command_dialect()),
        }
    }
}

impl Devices {
    /// By what a terminal gets its commands: one that calls by itself gets them itself.
    pub(crate) fn means(&self, serial: &SerialNumber) -> Means {
        self.0.registry.session(serial, |device| device.means()).unwrap_or(Means::Push(Dialect::Attendance))
    }

    /// Keeps what a terminal told whoever reads it.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) async fn keep_probe(&self, serial: &SerialNumber, probe: String) -> Result<(), StoreError> {
        let is_known =
            self.0.registry.session(serial, |device| device.probe.replace(probe.clone()) == Some(probe.clone()));
        if is_known == Some(true) {
            return Ok(());
        }
        let text = serial.to_string();
        self.0.store.write(move |tx| DeviceRow::keep_probe(tx, &text, &probe)).await
    }

    /// Whether steps wait for a terminal. Without any it waits for one, at most for `patience`.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) async fn await_steps(&self, serial: &SerialNumber, patience: Duration) -> Result<bool, StoreError> {
        let until = Instant::now() + patience;
        loop {
            let commanded = self.0.commanded.notified();
            let of = serial.clone();
            let waits =
                self.is_asked(serial) && self.0.store.read(move |connection| has_steps(connection, &of, now())).await?;
            if waits || Instant::now() >= until {
                return Ok(waits);
            }
            let wait = LOOK.min(until.saturating_duration_since(Instant::now()));
            // Whichever comes first: it is looked again.
            drop(tokio::time::timeout(wait, commanded).await);
        }
    }

    /// Gives out steps, in their order, after writing down that they are sent.
    ///
    /// # Errors
    ///
    /// The store cannot be written; nothing is given out.
    pub(crate) async fn take_steps(&self, serial: &SerialNumber) -> Result<Vec<Given>, StoreError> {
        if !self.is_asked(serial) {
            return Ok(Vec::new());
        }
        let of = serial.clone();
        let taken = self.0.store.write(move |tx| take_steps(tx, &of, TAKEN_MAX, now())).await?;
        let zone = self.zone(serial);
        Ok(taken.into_iter().map(|taken| Given { taken, clock: shown_at(&zone, now()) }).collect())
    }

    /// Writes down what became of steps, and returns the ids that are of none.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) async fn settle_steps(
        &self,
        serial: &SerialNumber,
        results: Vec<StepResult>,
    ) -> Result<Vec<String>, StoreError> {
        let outcome = |StepResult { id, became, reason, answer }| {
            let change = match became {
                Became::Done => CommandChange::Succeeded { code: ReturnCode::OK },
                Became::Failed => CommandChange::Failed { code: ReturnCode(-1) },
                Became::Unknown => CommandChange::Unknown,
            };
            Outcome { update: CommandUpdate::new(&id, change), answer, reason }
        };
        // The codes are ours: 0 is done whatever the step is, as it is in this dialect.
        self.settle_in(serial, results.into_iter().map(outcome).collect(), Dialect::AccessControl).await
    }

    /// Whether a terminal is asked by somebody else: it is let in, and has not called itself lately.
    fn is_asked(&self, serial: &SerialNumber) -> bool {
        let asked = |device: &mut Device| device.admission == Admission::Approved && !device.calls_itself(now());
        self.0.registry.session(serial, asked).unwrap_or(false)
    }
}
