//! Taking held rows once more: their cause is gone, or somebody says what the terminal did not.

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::{DeviceZone, HoldReason, Rules, Timeliness};
use punch_protocol::push::{Row, Rows, Table};
use punch_protocol::{Pin, SerialNumber, civil};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::handler::Devices;
use crate::core::{ByHand, Received, ReceivedRow, Tally};
use crate::store::{
    Again, Quarantined, Register, StoreError, Transaction, hold_again, keep_by_hand, replace, unregistered,
};

/// Rows that are read from the store at once and taken once more in one transaction.
const SLICE: u32 = 200;

/// What became of rows that were taken once more. The last four add up to the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Released {
    /// Rows taken once more.
    pub tried: u64,
    /// Punches now.
    pub delivered: u64,
    /// Second punches now.
    pub suppressed: u64,
    /// Rows that were something else by then: what somebody wrote is a punch that is known already.
    pub replayed: u64,
    /// Still held.
    pub held: u64,
}

impl Released {
    /// One row, and it is still held.
    const HELD: Self = Self { tried: 1, delivered: 0, suppressed: 0, replayed: 0, held: 1 };

    fn add(&mut self, other: Self) {
        self.tried = self.tried.saturating_add(other.tried);
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.suppressed = self.suppressed.saturating_add(other.suppressed);
        self.replayed = self.replayed.saturating_add(other.replayed);
        self.held = self.held.saturating_add(other.held);
    }
}

impl From<Tally> for Released {
    fn from(tally: Tally) -> Self {
        let Tally { delivered, suppressed, held, replayed, recorded, discarded } = tally;
        let [delivered, suppressed, held, replayed] = [delivered, suppressed, held, replayed].map(u64::from);
        let others = u64::from(recorded).saturating_add(discarded.into());
        let tried = [delivered, suppressed, held, replayed, others].into_iter().fold(0, u64::saturating_add);
        Self { tried, delivered, suppressed, replayed, held }
    }
}

/// Why one row was not taken once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// There is no such row, or it is settled.
    Gone,
    /// It could not be read.
    Unread,
    /// With this shift it would be before 2010, or too far ahead of its receipt.
    Impossible,
}

impl Devices {
    /// Takes every such row once more, in the order they came.
    ///
    /// # Errors
    ///
    /// The store cannot be written. What was taken until then stays so.
    pub(crate) async fn release(&self, which: Quarantined) -> Result<Released, StoreError> {
        self.release_with(which, ByHand::default()).await
    }

    /// Takes every such row once more, with what somebody says of them. A row that this would put before 2010, or too far
    /// ahead of its receipt, stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Devices::release`].
    pub(crate) async fn release_with(&self, which: Quarantined, by_hand: ByHand) -> Result<Released, StoreError> {
        let (mut released, mut after) = (Released::default(), 0);
        loop {
            let which = which.clone();
            let rows = self.0.store.read(move |connection| which.next(connection, after, SLICE)).await?;
            let Some(last) = rows.last() else { return Ok(released) };
            after = last.seq;
            released.add(self.take_slice(rows, by_hand.clone()).await?);
        }
    }

    async fn take_slice(&self, rows: Vec<Again>, by_hand: ByHand) -> Result<Released, StoreError> {
        let devices = self.clone();
        let work = move |tx: &mut Transaction<'_>| {
            let mut released = Released::default();
            for row in rows {
                let taken = devices.take_again(tx, row, &by_hand)?;
                released.add(taken.unwrap_or(Released::HELD));
            }
            Ok(released)
        };
        self.0.store.write(work).await
    }

    /// Takes one row once more.
    ///
    /// # Errors
    ///
    /// As [`Devices::release`].
    pub(crate) async fn retry(&self, id: String, by_hand: ByHand) -> Result<Result<Released, NotTaken>, StoreError> {
        let devices = self.clone();
        let work = move |tx: &mut Transaction<'_>| {
            let Some(row) = Again::of(tx, &id)? else { return Ok(Err(NotTaken::Gone)) };
            devices.take_again(tx, row, &by_hand)
        };
        self.0.store.write(work).await
    }

    fn take_again(
        &self,
        tx: &mut Transaction<'_>,
        row: Again,
        by_hand: &ByHand,
    ) -> Result<Result<Released, NotTaken>, StoreError> {
        let Again { id, is_discarded, received, .. } = row;
        let Some(received) = received else {
            if is_discarded && *by_hand == ByHand::default() {
                hold_again(tx, &id)?;
                return Ok(Ok(Released::HELD));
            }
            return Ok(Err(NotTaken::Unread));
        };
        let Some(directory) = self.0.registry.directory(&received.serial) else { return Ok(Ok(Released::HELD)) };
        if by_hand.shift.is_some_and(|shift| !is_possible(&received, shift, &directory.rules)) {
            return Ok(Err(NotTaken::Impossible));
        }
        if is_discarded {
            hold_again(tx, &id)?;
        }
        if *by_hand != ByHand::default() {
            keep_by_hand(tx, &id, by_hand)?;
        }
        let entered = self.enter(tx, &received.with(by_hand), directory)?;
        Ok(Ok(entered.tally.into()))
    }

    /// Takes a row in the place of one that could not be read. `None` if the text is no row either.
    ///
    /// # Errors
    ///
    /// As [`Devices::release`].
    pub(crate) async fn replace(
        &self,
        id: String,
        serial: SerialNumber,
        received_at: DateTime<Utc>,
        text: &str,
    ) -> Result<Option<Released>, StoreError> {
        let mut rows = Rows::of(Table::ATTLOG, text.as_bytes());
        let (Some(Ok(Row::Punch(row))), None) = (rows.next(), rows.next()) else { return Ok(None) };
        let ReceivedRow::Punch { punch, raw } = Received::attendance_row(&serial, &row) else { return Ok(None) };
        let Some(directory) = self.0.registry.directory(&serial) else { return Ok(Some(Released::HELD)) };
        let event_id = self.0.key.event_id(&punch);
        let received = Received::again(serial, received_at, ReceivedRow::Punch { punch, raw }, ByHand::default());
        let devices = self.clone();
        let work = move |tx: &mut Transaction<'_>| {
            let entered = devices.enter(tx, &received, directory)?;
            replace(tx, &id, &event_id)?;
            Ok(entered)
        };
        Ok(Some(self.0.store.write(work).await?.tally.into()))
    }

    /// Takes once more what the file may have put right since the last start, until it is done or the gateway stops.
    pub(crate) async fn release_by_file(self, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            released = self.release_put_right() => match released {
                Ok(released) if released.tried > 0 => tracing::info!(?released, "held rows taken once more"),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "held rows could not be taken once more; the next start tries again"),
            },
            _ = stopped.wait_for(|&stop| stop) => {}
        }
    }

    /// Rows of badges that the file names, and those that lay in the future under the former zone of their terminal.
    async fn release_put_right(&self) -> Result<Released, StoreError> {
        let future = Some(HoldReason::Future.code().to_owned());
        let mut released = self.release(Quarantined { reason: future, ..Quarantined::default() }).await?;
        let known = self.0.store.read(|connection| {
            let mut known = Vec::new();
            for pin in unregistered(connection)? {
                if !Register::of_pin(connection, &pin)?.is_empty() {
                    known.push(pin);
                }
            }
            Ok(known)
        });
        for pin in known.await? {
            released.add(self.release(Self::held_for(pin)).await?);
        }
        Ok(released)
    }

    /// The rows that are held because nobody had this PIN.
    pub(crate) fn held_for(pin: Pin<'static>) -> Quarantined {
        let reason = Some(HoldReason::UnregisteredBadge.code().to_owned());
        Quarantined { reason, pin: Some(pin), ..Quarantined::default() }
    }
}

/// Whether a row can have been made when a shift says: after 2010, and not too far ahead of its receipt.
fn is_possible(received: &Received, shift: TimeDelta, rules: &Rules) -> bool {
    received.punches().all(|punch| {
        let zone = if punch.is_utc { DeviceZone::Utc } else { rules.zone };
        zone.reanchor(punch.time, shift).is_some_and(|there| {
            let timeliness = Timeliness::of(rules, there.instant, received.received_at, None);
            !civil::is_unset_clock(there.local.naive_local()) && timeliness != Timeliness::Future
        })
    })
}
