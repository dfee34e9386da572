//! What several people did in one go, for an ERP that is asked about many as easily as about one.

use std::collections::VecDeque;
use std::fmt;

use punch_erp::{Outcome, RetryReason};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// What is to be written of one person, and who waits for the outcomes.
struct Waiting<T> {
    items: Vec<T>,
    tell: oneshot::Sender<Vec<Outcome>>,
}

/// Gives `write` what came while it was busy: of at most `people` at once, and at most `writers` of them at a time. Nobody
/// waits for others to come. What is given in is one person's, and not given again before it is answered for.
pub struct Gather<T> {
    orders: mpsc::UnboundedSender<Waiting<T>>,
}

impl<T: Send + 'static> Gather<T> {
    /// It ends when it is dropped. It needs a tokio runtime around it.
    pub fn start<W, F>(writers: usize, people: usize, write: W) -> Self
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = Vec<Outcome>> + Send + 'static,
    {
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(run(writers, people, write, inbox));
        Self { orders }
    }

    /// Has what is one person's written: an outcome for each.
    pub fn write(&self, items: Vec<T>) -> impl Future<Output = Vec<Outcome>> + Send + use<T> {
        let count = items.len();
        let (tell, told) = oneshot::channel();
        // If nobody gathers any more they are still on disk, for the next start.
        drop(self.orders.send(Waiting { items, tell }));
        async move {
            let unanswered = || vec![Outcome::Retry { after: None, reason: RetryReason::Unconfirmed }; count];
            told.await.unwrap_or_else(|_| unanswered())
        }
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").finish_non_exhaustive()
    }
}

async fn run<T, W, F>(writers: usize, people: usize, write: W, mut inbox: mpsc::UnboundedReceiver<Waiting<T>>)
where
    W: Fn(Vec<T>) -> F + Send + 'static,
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
        let mut idle = writers.saturating_sub(writing.len());
        while idle > 0 && !waiting.is_empty() {
            // A fair share for each, or the last of them would have nothing to do.
            let share = waiting.len().div_ceil(idle).min(people);
            let (mut items, mut askers) = (Vec::new(), Vec::new());
            for one in waiting.drain(..share) {
                askers.push((one.items.len(), one.tell));
                items.extend(one.items);
            }
            writing.spawn(answer(askers, write(items)));
            idle -= 1;
        }
    }
}

async fn answer<F: Future<Output = Vec<Outcome>>>(askers: Vec<(usize, oneshot::Sender<Vec<Outcome>>)>, written: F) {
    let mut outcomes = written.await.into_iter();
    for (count, tell) in askers {
        // Who asked may be gone; the outcome is found out again after the next start.
        drop(tell.send(outcomes.by_ref().take(count).collect()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What comes while all writers are busy goes in one call, and everybody gets the outcomes of their own.
    #[tokio::test]
    async fn what_comes_meanwhile_goes_together_and_each_hears_of_their_own() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (open, gate) = tokio::sync::watch::channel(false);
        let noted = Arc::clone(&calls);
        let gather = Gather::start(1, 3, move |items: Vec<u32>| {
            noted.lock().unwrap().push(items.clone());
            let mut gate = gate.clone();
            async move {
                drop(gate.wait_for(|open| *open).await);
                items.iter().map(|item| Outcome::Applied { remote_id: item.to_string() }).collect()
            }
        });
        let first = gather.write(vec![1]);
        while calls.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (1..5).map(|person| gather.write(vec![person * 10, person * 10 + 1])).collect();
        open.send_replace(true);
        let ids = |outcomes: Vec<Outcome>| {
            let id = |outcome| match outcome {
                Outcome::Applied { remote_id } => remote_id,
                other => panic!("{other:?}"),
            };
            outcomes.into_iter().map(id).collect::<Vec<_>>()
        };
        assert_eq!(ids(first.await), ["1"]);
        for (person, other) in (1..5).zip(others) {
            assert_eq!(ids(other.await), [format!("{person}0"), format!("{person}1")]);
        }
        let calls = calls.lock().unwrap().clone();
        assert_eq!(calls.len(), 3, "{calls:?}");
        assert!(calls.iter().all(|call| call.len() <= 6), "three people at most: {calls:?}");
    }
}
