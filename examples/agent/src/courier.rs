use core::time::Duration;
use std::collections::BTreeMap;

use punch_protocol::SerialNumber;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::outcome::{Outcome, Refusal};
use crate::rounds::{Next, Pace, Rounds};
use crate::{Forwarder, Spool, SpoolError};

/// Takes punches from a spool to a gateway, for as long as it runs.
#[derive(Debug)]
pub struct Courier {
    spool: Spool,
    forwarder: Forwarder,
    pace: Pace,
    standing: watch::Sender<Standing>,
}

/// How the forwarding stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Rows the gateway has taken since the start.
    pub stored: u64,
    /// How often in a row the gateway could not be asked.
    pub failures: u32,
    /// Why not, the last time.
    pub trouble: Option<String>,
    /// The terminals whose rows the gateway will not have. They wait, and are tried again.
    pub refused: BTreeMap<SerialNumber, Refusal>,
}

/// Looks again after this long even if nothing was put.
const IDLE: Duration = Duration::from_secs(3600);

impl Courier {
    /// A courier that has not begun.
    pub fn new(spool: Spool, forwarder: Forwarder, pace: Pace) -> Self {
        Self { spool, forwarder, pace, standing: watch::Sender::default() }
    }

    /// How it stands, for whoever shows it.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Forwards until `stop` is true or its sender is gone.
    ///
    /// Rows leave the spool only after the gateway has said that it has them. What is on its way when this ends waits
    /// in the spool and is posted again; the gateway knows it by then.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        crate::until_stopped(stop, self.forward()).await;
    }

    async fn forward(&self) {
        let mut rounds = Rounds::new(self.pace);
        loop {
            if let Err(error) = self.turn(&mut rounds).await {
                rounds.fail(None, Instant::now());
                tracing::error!(%error, "the spool cannot be used; nothing is forwarded meanwhile");
                tokio::time::sleep(self.pace.after(rounds.failures())).await;
            }
        }
    }

    /// Posts one batch, or waits for the next moment to do so.
    async fn turn(&self, rounds: &mut Rounds) -> Result<(), SpoolError> {
        let counts = self.spool.counts().await?;
        let waiting = counts.iter().filter(|(_, counts)| counts.waiting > 0).map(|(serial, _)| serial);
        match rounds.next(waiting, Instant::now()) {
            Next::Post(serial) => self.post(&serial, rounds).await,
            Next::Wait(until) => {
                self.tell_complete().await?;
                tokio::select! {
                    () = sleep_until(until.unwrap_or_else(|| Instant::now() + IDLE)) => {}
                    () = self.spool.filled() => {}
                }
                Ok(())
            }
        }
    }

    /// Tells the gateway of which terminals it has everything. What it does not hear now it hears after the next reading.
    async fn tell_complete(&self) -> Result<(), SpoolError> {
        for (serial, began) in self.spool.take_complete().await? {
            let outcome = self.forwarder.tell_complete(&serial, began).await;
            tracing::debug!(%serial, ?outcome, "told that everything was forwarded");
        }
        Ok(())
    }

    async fn post(&self, serial: &SerialNumber, rounds: &mut Rounds) -> Result<(), SpoolError> {
        let batch = self.spool.batch(serial, Forwarder::ROWS_MAX).await?;
        let outcome = self.forwarder.post(serial, &batch.rows).await;
        if let Outcome::Stored(_) = outcome {
            self.spool.settle(&batch).await?;
        }
        rounds.settle(serial, &outcome, Instant::now());
        self.tell(serial, batch.rows.len(), outcome, rounds.failures());
        Ok(())
    }

    /// Logs and shows what became of rows: serial numbers, counts and codes.
    fn tell(&self, serial: &SerialNumber, rows: usize, outcome: Outcome, failures: u32) {
        match &outcome {
            Outcome::Stored(stored) => {
                let (replayed, held) = (stored.replayed, stored.held);
                tracing::info!(%serial, rows, replayed, held, "forwarded");
            }
            Outcome::Retry { trouble, .. } => {
                tracing::warn!(%serial, rows, failures, trouble, "the gateway cannot take them now; they wait");
            }
            Outcome::Refused(Refusal { status, code, .. }) => {
                tracing::warn!(%serial, rows, status, code, "refused by the gateway; they wait until somebody acts");
            }
        }
        self.standing.send_modify(|standing| {
            standing.failures = failures;
            standing.trouble = None;
            match outcome {
                Outcome::Stored(stored) => {
                    standing.stored += stored.received;
                    standing.refused.remove(serial);
                }
                Outcome::Retry { trouble, .. } => standing.trouble = Some(trouble),
                Outcome::Refused(refusal) => drop(standing.refused.insert(serial.clone(), refusal)),
            }
        });
    }
}
