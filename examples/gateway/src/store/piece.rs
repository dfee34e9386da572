//! Pieces of work that wait for the writer.

use punch_webhook::Waiting;
use tokio::sync::oneshot;

use super::StoreError;
use super::sql::{Connection, Done, Transaction};

/// A piece of work.
pub(super) trait Job: Send {
    /// Whether it wants a commit of its own.
    fn is_alone(&self) -> bool {
        false
    }
    /// Whether it may be done again.
    fn is_repeatable(&self) -> bool {
        false
    }
    /// Does the work inside `group`, leaving nothing behind if it fails.
    fn work(&mut self, group: &Connection);
    /// Does the work as a part of a transaction that is not to be committed if it fails. Whether it went well.
    fn work_openly(&mut self, transaction: &Connection) -> bool;
    /// The deliveries it made, of which nobody was told.
    fn take_made(&mut self) -> Vec<Waiting>;
    /// Tells whoever waits, once the fate of the commit is known.
    fn answer(self: Box<Self>, committed: bool);
}

/// Who waits for what became of it.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Work that is done once.
pub(super) struct Pending<W, T> {
    work: Option<W>,
    is_alone: bool,
    done: Option<Result<Done<T>, StoreError>>,
    answer: Answer<T>,
}

impl<W, T> Pending<W, T> {
    pub(super) fn new(work: W, is_alone: bool, answer: Answer<T>) -> Self {
        Self { work: Some(work), is_alone, done: None, answer }
    }
}

impl<W, T> Job for Pending<W, T>
where
    T: Send,
    W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send,
{
    fn is_alone(&self) -> bool {
        self.is_alone
    }

    fn work(&mut self, group: &Connection) {
        let Some(work) = self.work.take() else { return };
        self.done = Some(Transaction::run(group, work));
    }

    fn work_openly(&mut self, transaction: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        self.done.insert(Transaction::whole(transaction, work)).is_ok()
    }

    fn take_made(&mut self) -> Vec<Waiting> {
        take_made(&mut self.done)
    }

    fn answer(self: Box<Self>, committed: bool) {
        answer(self.answer, self.done, committed);
    }
}

/// Work that may be done again, of which only the last time counts.
pub(super) struct Repeatable<W, T> {
    work: W,
    done: Option<Result<Done<T>, StoreError>>,
    answer: Answer<T>,
}

impl<W, T> Repeatable<W, T> {
    pub(super) fn new(work: W, answer: Answer<T>) -> Self {
        Self { work, done: None, answer }
    }
}

impl<W, T> Job for Repeatable<W, T>
where
    T: Send,
    W: FnMut(&mut Transaction<'_>) -> Result<T, StoreError> + Send,
{
    fn is_repeatable(&self) -> bool {
        true
    }

    fn work(&mut self, group: &Connection) {
        self.done = Some(Transaction::run(group, &mut self.work));
    }

    fn work_openly(&mut self, transaction: &Connection) -> bool {
        self.done.insert(Transaction::whole(transaction, &mut self.work)).is_ok()
    }

    fn take_made(&mut self) -> Vec<Waiting> {
        take_made(&mut self.done)
    }

    fn answer(self: Box<Self>, committed: bool) {
        answer(self.answer, self.done, committed);
    }
}

fn take_made<T>(done: &mut Option<Result<Done<T>, StoreError>>) -> Vec<Waiting> {
    let done = done.as_mut().and_then(|done| done.as_mut().ok());
    done.map(|(_, made)| core::mem::take(made)).unwrap_or_default()
}

fn answer<T>(answer: Answer<T>, done: Option<Result<Done<T>, StoreError>>, committed: bool) {
    let result = match done {
        Some(Ok((value, _))) if committed => Ok(value),
        Some(Err(error)) => Err(error),
        Some(Ok(_)) | None => Err(StoreError::NotCommitted),
    };
    // Whoever asked may be gone; what is on disk stays there.
    drop(answer.send(result));
}
