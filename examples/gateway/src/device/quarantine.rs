//! Taking held rows once more: their cause is gone, or somebody says what the terminal did not.

use chrono::{DateTime, Utc};
use punch_normalize::{EventId, HoldReason};
use punch_protocol::push::{Row, Rows, Table};
use punch_protocol::{Pin, SerialNumber};
use serde::Serialize;

use super::handler::Devices;
use crate::core::{ByHand, Received, ReceivedRow};
use crate::store::{Quarantined, Register, StoreError, held, hold_again, keep_by_hand, replace, unregistered};

/// Rows that are read from the store at once to be taken once more.
const SLICE: u32 = 200;

/// What became of held rows that were taken once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Released {
    /// Rows taken once more.
    pub tried: u64,
    /// Punches now.
    pub delivered: u64,
    /// Second punches now.
    pub suppressed: u64,
    /// Still held.
    pub held: u64,
}

impl Released {
    fn add(&mut self, other: Self) {
        self.tried = self.tried.saturating_add(other.tried);
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.suppressed = self.suppressed.saturating_add(other.suppressed);
        self.held = self.held.saturating_add(other.held);
    }
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

    /// Takes every such row once more, with what somebody says of them.
    ///
    /// # Errors
    ///
    /// As [`Devices::release`].
    pub(crate) async fn release_with(&self, which: Quarantined, by_hand: ByHand) -> Result<Released, StoreError> {
        let (mut released, mut after) = (Released::default(), 0);
        loop {
            let which = which.clone();
            let rows = self.0.store.read(move |connection| which.next(connection, after, SLICE)).await?;
            let Some((last, _)) = rows.last() else { return Ok(released) };
            after = *last;
            for (_, received) in rows {
                released.add(match received {
                    Some(received) => self.take_again(received.with(&by_hand)).await?,
                    // It could not be read, and can no better now.
                    None => Released { tried: 1, held: 1, ..Released::default() },
                });
            }
        }
    }

    /// Takes one row once more. `None` if there is no such row in quarantine.
    ///
    /// # Errors
    ///
    /// As [`Devices::release`].
    pub(crate) async fn retry(&self, id: String, by_hand: ByHand) -> Result<Option<Released>, StoreError> {
        let known = id.clone();
        let received = self.0.store.read(move |connection| held(connection, &known)).await?;
        let Some(received) = received else { return Ok(None) };
        self.0.store.write(move |tx| hold_again(tx, &id)).await?;
        Ok(Some(self.take_again(received.with(&by_hand)).await?))
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
        let event_id = self.0.key.event_id(&punch);
        let row = ReceivedRow::Punch { punch, raw };
        let released = self.take_again(Received::again(serial, received_at, row, ByHand::default())).await?;
        self.0.store.write(move |tx| replace(tx, &id, &event_id)).await?;
        Ok(Some(released))
    }

    /// Takes once more what is held for badges that are somebody's by now, such as those that punch.toml names.
    ///
    /// # Errors
    ///
    /// As [`Devices::release`].
    pub(crate) async fn release_registered(&self) -> Result<(), StoreError> {
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
            self.release(Self::held_for(pin)).await?;
        }
        Ok(())
    }

    /// The rows that are held because nobody had this PIN.
    pub(crate) fn held_for(pin: Pin<'static>) -> Quarantined {
        let reason = Some(HoldReason::UnregisteredBadge.code().to_owned());
        Quarantined { reason, pin: Some(pin), ..Quarantined::default() }
    }

    /// What came while the zone of a terminal was wrong may have seemed to lie in the future.
    pub(super) async fn release_future(&self, serial: &SerialNumber) {
        let (reason, device) = (Some(HoldReason::Future.code().to_owned()), Some(serial.to_string()));
        match self.release(Quarantined { reason, device, ..Quarantined::default() }).await {
            Ok(released) if released.tried > 0 => tracing::info!(%serial, ?released, "held rows taken once more"),
            Ok(_) => {}
            Err(error) => tracing::error!(%serial, %error, "held rows could not be taken once more"),
        }
    }

    async fn take_again(&self, received: Received) -> Result<Released, StoreError> {
        if received.by_hand != ByHand::default() {
            let (by_hand, ids) = (received.by_hand.clone(), received.punches().map(|punch| self.0.key.event_id(punch)));
            let ids: Vec<EventId> = ids.collect();
            self.0.store.write(move |tx| ids.iter().try_for_each(|id| keep_by_hand(tx, id, &by_hand))).await?;
        }
        let tally = self.take(received).await?;
        let count = u64::from;
        let (delivered, suppressed, held) = (count(tally.delivered), count(tally.suppressed), count(tally.held));
        Ok(Released { tried: 1, delivered, suppressed, held })
    }
}
