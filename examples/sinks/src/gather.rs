//! Several people's punches in one go, for an ERP that is asked about many as easily as about one.

use std::collections::VecDeque;

use punch_erp::{Outcome, RetryReason};
use punch_webhook::ReceivedPunch;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// The punches of one person, and who waits for their outcomes.
#[derive(Debug)]
struct Waiting {
    punches: Vec<ReceivedPunch>,
    tell: oneshot::Sender<Vec<Outcome>>,
}

/// Gives the writer what came while it was busy: of several people at once, by several calls at a time. Nobody waits for
/// others to come. What is given in is one person's, and not given again before it is answered for.
#[derive(Debug)]
pub struct Gather {
    orders: mpsc::UnboundedSender<Waiting>,
}

impl Gather {
    /// How many are written to at a time: Odoo's threads share one processor.
    pub const WRITERS: usize = 4;

    /// How many people one of them writes for, where one call does for many.
    pub const PEOPLE: usize = 50;

    /// How many people may be given in: as many wait while the others are written.
    pub const ROOM: usize = 2 * Self::WRITERS * Self::PEOPLE;

    /// It needs a tokio runtime around it.
    pub fn start<W, F>(write: W) -> Self
    where
        W: Fn(Vec<ReceivedPunch>) -> F + Send + 'static,
        F: Future<Output = Vec<Outcome>> + Send + 'static,
    {
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(run(write, inbox));
        Self { orders }
    }

    /// Has the punches of one person written: an outcome for each.
    pub fn write(&self, punches: Vec<ReceivedPunch>) -> impl Future<Output = Vec<Outcome>> + Send + use<> {
        let count = punches.len();
        let (tell, told) = oneshot::channel();
        // If nobody gathers any more the punches are still in the table, for the next start.
        drop(self.orders.send(Waiting { punches, tell }));
        async move {
            let unanswered = || vec![Outcome::Retry { after: None, reason: RetryReason::Unconfirmed }; count];
            told.await.unwrap_or_else(|_| unanswered())
        }
    }
}

async fn run<W, F>(write: W, mut inbox: mpsc::UnboundedReceiver<Waiting>)
where
    W: Fn(Vec<ReceivedPunch>) -> F + Send + 'static,
    F: Future<Output = Vec<Outcome>> + Send + 'static,
{
    let (mut waiting, mut writing) = (VecDeque::new(), JoinSet::new());
    loop {
        tokio::select! {
            // What has arrived is taken along.
            biased;
            one = inbox.recv() => match one {
                Some(one) => waiting.push_back(one),
                None => return,
            },
            Some(_) = writing.join_next(), if !writing.is_empty() => {}
        }
        while let Ok(one) = inbox.try_recv() {
            waiting.push_back(one);
        }
        let mut idle = Gather::WRITERS.saturating_sub(writing.len());
        while idle > 0 && !waiting.is_empty() {
            // A fair share for each, or the last of them would have nothing to do.
            let share = waiting.len().div_ceil(idle).min(Gather::PEOPLE);
            let group: Vec<Waiting> = waiting.drain(..share).collect();
            let punches = group.iter().flat_map(|one| one.punches.iter().cloned()).collect();
            writing.spawn(answer(group, write(punches)));
            idle -= 1;
        }
    }
}

async fn answer<F: Future<Output = Vec<Outcome>>>(group: Vec<Waiting>, written: F) {
    let mut outcomes = written.await.into_iter();
    for Waiting { punches, tell } in group {
        // Who asked may be gone; the outcome is found out again after the next start.
        drop(tell.send(outcomes.by_ref().take(punches.len()).collect()));
    }
}
