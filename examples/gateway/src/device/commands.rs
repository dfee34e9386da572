//! Commands on their way to terminals: from the store to the sessions, out, and back with what became of them.

use core::time::Duration;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Admission, CommandChange, CommandId, CommandResult, CommandResults, CommandState, CommandUpdate, Dialect, Dispatch,
    QueryPage, Receipt, Response, Ticket,
};
use tokio::sync::watch;

use super::handler::Devices;
use super::registry::{Device, Registry};
use crate::clock::now;
use crate::core::{Received, Step};
use crate::store::{
    OpenTicket, Outcome, StoreError, Transaction, keep_command_answer, overdue_tickets, record_sent, settle,
    with_open_tickets,
};

/// Commands that may be repeated and that a session holds before they are sent. It is less than goes into one answer, so
/// that an order to open a door always has room in the next one.
const AHEAD: usize = 150;

/// How often it is looked for commands whose time is over.
const TICK: Duration = Duration::from_secs(5);

/// Commands of that kind that are settled at once.
const OVERDUE_MAX: usize = 500;

/// Longest answer of a terminal that is kept, in bytes.
const ANSWER_MAX: usize = 16_384;

impl Registry {
    /// Whether the session of a terminal may lack commands. They count as loaded from now on.
    fn lacks_commands(&self, serial: &SerialNumber) -> bool {
        let mut devices = self.lock();
        let Some(device) = devices.get_mut(serial).filter(|device| device.admission == Admission::Approved) else {
            return false;
        };
        let queued = device.session.commands().tickets().filter(|ticket| ticket.state == CommandState::Queued).count();
        core::mem::take(&mut device.has_commands) || (queued < AHEAD && core::mem::take(&mut device.has_more))
    }

    /// The store has commands for a terminal.
    fn has_commands(&self, serial: &SerialNumber) {
        if let Some(device) = self.lock().get_mut(serial) {
            device.has_commands = true;
        }
    }

    fn take_commands(&self, serial: &SerialNumber, open: &[OpenTicket], now: DateTime<Utc>) {
        let mut devices = self.lock();
        let Some(device) = devices.get_mut(serial) else { return };
        let queued = open.iter().filter(|ticket| ticket.state == CommandState::Queued).count();
        device.has_more = queued >= AHEAD;
        for ticket in open {
            device.take_command(ticket, now);
        }
    }

    pub(super) fn session<T>(&self, serial: &SerialNumber, look: impl FnOnce(&mut Device) -> T) -> Option<T> {
        self.lock().get_mut(serial).map(look)
    }

    /// What is over in the sessions, by terminal.
    fn overdue(&self, now: DateTime<Utc>) -> Vec<(SerialNumber, Vec<CommandUpdate>)> {
        let devices = self.lock();
        let overdue = devices.iter().map(|(serial, device)| (serial.clone(), device.session.overdue(now)));
        overdue.filter(|(_, updates)| !updates.is_empty()).collect()
    }
}

impl Device {
    /// Commands are written in the dialect that is known; a terminal that has not said speaks attendance.
    pub(super) fn command_dialect(&self) -> Dialect {
        self.session.dialect().filter(|dialect| *dialect == Dialect::AccessControl).unwrap_or(Dialect::Attendance)
    }

    fn take_command(&mut self, ticket: &OpenTicket, now: DateTime<Utc>) {
        let is_unanswered = |known: &Ticket| matches!(known.state, CommandState::Sent { .. });
        let waits = self.session.commands().tickets().any(is_unanswered);
        // A time waits for nobody, so it is not filled in while it could not be sent.
        if matches!(ticket.step, Step::SyncTime) && waits {
            self.has_commands = true;
            return;
        }
        let clock = shown_at(&self.directory.rules.zone, now);
        match ticket.step.command(self.command_dialect(), clock) {
            // One that the session has already is refused as such.
            Ok(command) => drop(self.session.submit(ticket.ticket(command, now))),
            Err(error) => tracing::warn!(code = error.code(), %error, "command left for its time to run out"),
        }
    }
}

/// What a clock in this zone shows.
pub(super) fn shown_at(zone: &punch_normalize::DeviceZone, now: DateTime<Utc>) -> NaiveDateTime {
    let offset = TimeDelta::minutes(zone.offset_minutes_at(now).into());
    now.naive_utc().checked_add_signed(offset).unwrap_or_else(|| now.naive_utc())
}

impl Devices {
    /// Tells the sessions that the store has commands of an earlier life.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) async fn find_commands(&self) -> Result<(), StoreError> {
        for serial in self.0.store.read(with_open_tickets).await? {
            self.0.registry.has_commands(&serial);
        }
        Ok(())
    }

    /// The store has got commands for a terminal.
    pub(crate) fn has_commands(&self, serial: &SerialNumber) {
        self.0.registry.has_commands(serial);
        self.0.commanded.notify_waiters();
    }

    /// What a terminal is known to speak; attendance, if it has not said.
    pub(crate) fn command_dialect(&self, serial: &SerialNumber) -> Dialect {
        self.0.registry.session(serial, |device| device.command_dialect()).unwrap_or(Dialect::Attendance)
    }

    /// Brings commands from the store into the session of a terminal that asks for some.
    pub(super) async fn load_commands(&self, serial: &SerialNumber) {
        if !self.0.registry.lacks_commands(serial) {
            return;
        }
        let of = serial.clone();
        match self.0.store.read(move |connection| OpenTicket::of(connection, &of, AHEAD)).await {
            Ok(open) => self.0.registry.take_commands(serial, &open, now()),
            Err(error) => {
                self.0.registry.has_commands(serial);
                tracing::error!(%serial, %error, "commands cannot be read now");
            }
        }
    }

    /// Writes down that commands are sent, then sends them.
    pub(super) async fn send_commands(&self, serial: &SerialNumber, dispatch: Dispatch) -> Response {
        let (of, ids) = (serial.clone(), dispatch.commands().to_vec());
        match self.0.store.write(move |tx| record_sent(tx, &of, &ids, now())).await {
            Ok(gone) if gone.is_empty() => {
                self.0.store.metrics().commanded("sent", dispatch.commands().len());
                dispatch.recorded()
            }
            Ok(gone) => {
                let response = self.0.registry.withhold(serial, dispatch);
                self.forget_commands(serial, &gone);
                response
            }
            Err(error) => {
                tracing::error!(%serial, %error, "commands not sent");
                self.0.registry.withhold(serial, dispatch)
            }
        }
    }

    /// Nobody waits for these any more.
    fn forget_commands(&self, serial: &SerialNumber, gone: &[CommandId]) {
        let update = |id: &CommandId| CommandUpdate::new(id.as_str(), CommandChange::Expired);
        let updates: Vec<CommandUpdate> = gone.iter().map(update).collect();
        let _ = self.0.registry.session(serial, |device| device.session.settled(&updates));
    }

    /// Writes down what became of commands, then acknowledges.
    pub(super) async fn take_results(
        &self,
        serial: SerialNumber,
        receipt: Receipt,
        posted: &CommandResults<'_>,
    ) -> Response {
        let updates = self.0.registry.session(&serial, |device| device.session.outcomes(posted)).unwrap_or_default();
        let results = posted.read();
        let outcome = |(update, result): (CommandUpdate, &CommandResult<'_>)| Outcome {
            update,
            answer: told(result),
            reason: None,
        };
        let outcomes: Vec<Outcome> = updates.into_iter().zip(&results).map(outcome).collect();
        match self.settle(&serial, outcomes).await {
            Err(error) => {
                tracing::error!(%serial, %error, "results refused");
                receipt.refused()
            }
            Ok(strange) if strange.is_empty() => receipt.stored(),
            Ok(strange) => {
                let results: Vec<CommandResult<'_>> =
                    results.into_iter().filter(|result| strange.iter().any(|id| *id == result.id)).collect();
                self.store(receipt, Received::results(serial, &results, now())).await
            }
        }
    }

    /// Writes down what became of commands and returns the ids that are of none.
    async fn settle(&self, serial: &SerialNumber, outcomes: Vec<Outcome>) -> Result<Vec<String>, StoreError> {
        self.settle_in(serial, outcomes, self.command_dialect(serial)).await
    }

    /// The same, of return codes of a dialect.
    pub(super) async fn settle_in(
        &self,
        serial: &SerialNumber,
        outcomes: Vec<Outcome>,
        dialect: Dialect,
    ) -> Result<Vec<String>, StoreError> {
        let updates: Vec<CommandUpdate> = outcomes.iter().map(|outcome| outcome.update.clone()).collect();
        let of = serial.clone();
        let settled = self.0.store.write(move |tx| settle(tx, &of, &outcomes, dialect, now())).await?;
        settled.words.iter().for_each(|word| self.0.store.metrics().commanded(word, 1));
        let _ = self.0.registry.session(serial, |device| device.session.settled(&updates));
        Ok(settled.strange)
    }

    /// Access terminals tell what was asked apart from the result. A failure here costs no row.
    pub(super) async fn keep_answer(&self, serial: &SerialNumber, page: &QueryPage<'_>) {
        let Some(id) = page.command.as_deref().and_then(|id| CommandId::parse(id).ok()) else { return };
        if page.kind != "options" {
            return;
        }
        let body = String::from_utf8_lossy(page.body()).into_owned();
        let pairs = body.split([',', '\n', '\r']).filter_map(|pair| pair.split_once('='));
        let Some(answer) = pairs_as_json(pairs) else { return };
        let of = serial.clone();
        let work = move |tx: &mut Transaction<'_>| keep_command_answer(tx, &of, &id, &answer);
        if let Err(error) = self.0.store.write(work).await {
            tracing::error!(%serial, %error, "what a terminal told of itself is not kept");
        }
    }

    /// Looks for commands whose time is over until `stop` says so.
    pub(crate) async fn watch_commands(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.wait_for(|&stop| stop) => return,
            }
            if let Err(error) = self.look_at_commands(now()).await {
                tracing::error!(%error, "commands whose time is over could not be written down");
            }
        }
    }

    /// Writes down which commands are over, because their time is or because they cannot be written.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn look_at_commands(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        for (serial, updates) in self.0.registry.overdue(now) {
            let outcomes = updates.into_iter().map(|update| Outcome { update, answer: None, reason: None }).collect();
            self.settle(&serial, outcomes).await?;
        }
        loop {
            let over = self.0.store.read(move |connection| overdue_tickets(connection, now, OVERDUE_MAX)).await?;
            let is_last = over.len() < OVERDUE_MAX;
            let mut by_terminal = BTreeMap::<SerialNumber, Vec<Outcome>>::new();
            for (serial, outcome) in over {
                by_terminal.entry(serial).or_default().push(outcome);
            }
            for (serial, outcomes) in by_terminal {
                self.settle(&serial, outcomes).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// What a terminal tells behind its result, as JSON.
fn told(result: &CommandResult<'_>) -> Option<String> {
    let pairs = result.info.iter().chain(&result.extra);
    pairs_as_json(pairs.map(|(key, value)| (key.as_ref(), value.as_ref())))
}

/// Pairs without whatever may be a secret; `None` if there are none.
fn pairs_as_json<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> Option<String> {
    let is_secret = |key: &str| {
        let key = key.to_ascii_lowercase();
        ["pwd", "passw", "key", "token", "secret"].iter().any(|word| key.contains(word))
    };
    let pairs = pairs.map(|(key, value)| (key.trim(), value.trim())).filter(|(key, _)| !is_secret(key));
    let members: serde_json::Map<String, serde_json::Value> =
        pairs.map(|(key, value)| (key.trim_start_matches('~').to_owned(), value.into())).collect();
    let text = serde_json::Value::Object(members).to_string();
    (text.len() > "{}".len() && text.len() <= ANSWER_MAX).then_some(text)
}
