//! A long upload is entered in turns, so that what happens now waits for one of them at most, and not for all of it.

use core::time::Duration;
use std::sync::Arc;

use punch_protocol::push::Stamps;
use tokio::time::Instant;

use super::clocks::{Attended, attend, tell};
use super::handler::{Devices, Entered};
use crate::core::{Directory, Progress, Received};
use crate::store::{ClockRow, DeviceRow, StoreError, StoreLedger, Transaction};

/// How long a turn lasts while somebody waits for the writer. If nobody does, it goes on.
const TURN: Duration = Duration::from_millis(20);

/// Rows that are entered before it is asked whether somebody waits.
const STEP: usize = 200;

/// How far an upload has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached {
    progress: Progress,
    /// Whether what it says of the clock of its terminal is taken in: all of it says that once.
    is_attended: bool,
}

impl Devices {
    /// Enters a long upload. What of it is entered when something fails stays, and is known when it comes again.
    pub(super) async fn enter_in_turns(&self, received: Received, directory: Directory) -> Result<Entered, StoreError> {
        let received = Arc::new(received);
        let (mut all, mut reached) = (Entered::default(), Reached::default());
        loop {
            let (devices, received_now, directory) = (self.clone(), Arc::clone(&received), directory.clone());
            let turn = move |tx: &mut Transaction<'_>| devices.enter_turn(tx, &received_now, reached, &directory);
            let entered;
            (entered, reached) = self.0.store.write_alone(turn).await?;
            all.join(entered);
            if reached.progress.is_over(&received) {
                return Ok(all);
            }
        }
    }

    fn enter_turn(
        &self,
        tx: &mut Transaction<'_>,
        received: &Received,
        mut reached: Reached,
        directory: &Directory,
    ) -> Result<(Entered, Reached), StoreError> {
        let began = Instant::now();
        let mut all = Entered::default();
        loop {
            all.join(self.enter_next(tx, received, &mut reached, STEP, directory.clone())?);
            let is_over = reached.progress.is_over(received);
            if is_over || began.elapsed() >= TURN && self.0.store.is_waited_for() {
                return Ok((all, reached));
            }
        }
    }

    /// Enters the next rows, what all of them say of the clock of their terminal, and behind the last one its resume mark.
    pub(super) fn enter_next(
        &self,
        tx: &mut Transaction<'_>,
        received: &Received,
        reached: &mut Reached,
        most: usize,
        mut directory: Directory,
    ) -> Result<Entered, StoreError> {
        let clockwork = ClockRow::of(tx, received.serial.as_str())?;
        if let Some(clockwork) = clockwork.as_ref().filter(|_| !received.in_zone_of_now) {
            directory.rules.zone = clockwork.zone_at(received.received_at);
        }
        let probe = received.contact.and_then(|contact| contact.probe);
        directory.clock = clockwork.as_ref().map(|clockwork| clockwork.with(probe));
        let before = tx.changes();
        let mut ledger = StoreLedger::new(tx);
        let tally = self.0.intake.take_next(received, &mut reached.progress, most, &directory, &mut ledger)?;
        // A replay says nothing new of the clock, and costs no write.
        let is_new = tx.changes() > before;
        let attended = if is_new && !core::mem::replace(&mut reached.is_attended, is_new) {
            attend(tx, clockwork, received, &directory.rules)?
        } else {
            Attended::default()
        };
        tell(tx, attended.notice.as_ref(), &directory.device, &self.0.key)?;
        let stamp =
            received.stamp.as_deref().filter(|_| reached.progress.is_over(received) && Stamps::has(&received.table));
        if let Some(stamp) = stamp {
            DeviceRow::keep_stamp(tx, received.serial.as_str(), &received.table, stamp)?;
        }
        Ok(Entered { tally, is_new, attended })
    }
}

impl Entered {
    fn join(&mut self, next: Self) {
        self.tally.add(next.tally);
        self.is_new |= next.is_new;
        self.attended.is_known_again |= next.attended.is_known_again;
        self.attended.notice = self.attended.notice.take().or(next.attended.notice);
    }
}
