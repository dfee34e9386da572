//! Dating rows anew: after a zone was put right, or once a clock is known better.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use punch_normalize::{ClockEstimate, ClockOffset, ClockSamples, Dated, Direction, EventId, Hint, Normalizer, Person};
use punch_protocol::SerialNumber;
use serde::Serialize;
use utoipa::ToSchema;

use super::handler::Devices;
use crate::clock::now;
use crate::core::{Clockwork, Directory};
use crate::store::{ClockRow, Observed, Span, StoreError, StoreLedger, Transaction, by_hand, observed};

/// Rows that are dated anew in one transaction.
const SLICE: u32 = 500;

/// What became of rows that were to be dated anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Redated {
    /// Rows looked at.
    pub looked_at: u64,
    /// Rows whose instant is another one now.
    pub moved: u64,
}

/// How far back rows of an outage are looked for once the clock is known again.
const OUTAGE_MAX: TimeDelta = TimeDelta::days(45);

impl Devices {
    /// The clock of a terminal is known again: rows of the time between lie between two measurements now. That takes as
    /// long as it takes, and nobody waits for it.
    pub(super) fn adjust_outage(&self, serial: SerialNumber) {
        let (devices, until) = (self.clone(), now());
        let since = until.checked_sub_signed(OUTAGE_MAX).unwrap_or_default();
        tokio::spawn(async move {
            match devices.redate(Span { serial: serial.clone(), since, until }, "clock_adjusted").await {
                Ok(done) => tracing::info!(%serial, ?done, "rows of an outage dated by the clock"),
                Err(error) => tracing::error!(%serial, %error, "rows of an outage keep the time that was shown"),
            }
        });
    }

    /// T17: dates the rows of a terminal anew that were received in a span, by the zone it is configured with now and by
    /// what is known of its clock now. Identities stay, and what has moved is told as a revision.
    ///
    /// A second time it changes nothing.
    ///
    /// # Errors
    ///
    /// The store cannot be written. What was dated anew until then stays so.
    pub(crate) async fn redate(&self, span: Span, reason: &'static str) -> Result<Redated, StoreError> {
        let (mut done, mut after) = (Redated::default(), 0);
        let Some(directory) = self.0.registry.directory(&span.serial) else { return Ok(done) };
        loop {
            let (span, directory) = (span.clone(), directory.clone());
            let (intake, key) = (Arc::clone(&self.0.intake), self.0.key.clone());
            let work = move |tx: &mut Transaction<'_>| {
                let rows = span.rows(tx, after, SLICE)?;
                let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
                let looked_at = rows.len();
                let clockwork = ClockRow::of(tx, span.serial.as_str())?;
                let moved = moved(rows, clockwork.as_ref(), &directory, &Normalizer::new(key));
                let count = moved.values().map(Vec::len).sum::<usize>();
                let mut ledger = StoreLedger::new(tx);
                for (person, rows) in &moved {
                    intake.redate(person, rows, reason, &directory, now(), &mut ledger)?;
                }
                Ok(Some((last, looked_at, count)))
            };
            let Some((last, looked_at, moved)) = self.0.store.write(work).await? else { return Ok(done) };
            after = last;
            done.looked_at = done.looked_at.saturating_add(u64::try_from(looked_at).unwrap_or(u64::MAX));
            done.moved = done.moved.saturating_add(u64::try_from(moved).unwrap_or(u64::MAX));
        }
    }
}

impl Devices {
    /// Puts a direction in its place by hand, or takes that back. `false` if there is no such punch. What changes of it, and
    /// of those around it, is told as a revision.
    ///
    /// # Errors
    ///
    /// The store cannot be written; nothing was changed.
    pub(crate) async fn correct(
        &self,
        id: EventId,
        direction: Option<Direction>,
        note: String,
    ) -> Result<bool, StoreError> {
        let devices = self.clone();
        let work = move |tx: &mut Transaction<'_>| {
            let Some(Observed { mut observation, punched_at, local_time, .. }) = observed(tx, &id)? else {
                return Ok(false);
            };
            let serial = observation.raw.serial.clone();
            let Some(directory) = devices.0.registry.directory(&serial) else { return Ok(false) };
            observation.manual = direction;
            let normalizer = Normalizer::new(devices.0.key.clone());
            let mut dated = normalizer.date(&directory.rules, vec![observation]);
            for row in &mut dated {
                // Its time stays what it is, whatever is known of zone and clock since.
                (row.punch.punched_at, row.punch.local_time) = (punched_at, local_time);
            }
            let mut ledger = StoreLedger::new(tx);
            for row in &dated {
                devices.0.intake.redate(&row.person, &dated, "by_hand", &directory, now(), &mut ledger)?;
            }
            by_hand(tx, &id, direction, &note, now())?;
            Ok(true)
        };
        self.0.store.write(work).await
    }
}

/// The rows whose instant is another one now, by person.
fn moved(
    rows: Vec<Observed>,
    clockwork: Option<&Clockwork>,
    directory: &Directory,
    normalizer: &Normalizer,
) -> BTreeMap<Person, Vec<Dated>> {
    let zone = directory.rules.zone;
    let (mut known, mut observations) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for Observed { mut observation, punched_at, clock_offset_s, .. } in rows {
        let was_elsewhere = clockwork.is_some_and(|clock| clock.zone_at(observation.received_at) != zone);
        observation.clock = match clock_offset_s {
            // What was measured when it came stays so.
            Some(seconds) => {
                let offset = TimeDelta::try_seconds(seconds).unwrap_or_default();
                ClockOffset::measured(Some(ClockEstimate::new(offset, ClockSamples::MIN, TimeDelta::zero())))
            }
            None => clockwork
                .and_then(|clock| clock.backlog_offset(zone.resolve(observation.raw.time, Hint::default()).instant)),
        };
        let is_known_better = clock_offset_s.is_none() && observation.clock.is_some();
        known.push((punched_at, was_elsewhere || is_known_better));
        observations.push(observation);
    }
    let mut moved = BTreeMap::<Person, Vec<Dated>>::new();
    for (row, (punched_at, may_move)) in normalizer.date(&directory.rules, observations).into_iter().zip(known) {
        // Of a row for which nothing has changed, only what dated it then is forgotten.
        if may_move && row.hold.is_none() && row.punch.punched_at != punched_at {
            moved.entry(row.person.clone()).or_default().push(row);
        }
    }
    moved
}
