use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::StoreError;
use super::sql::{Connection, Opener, Place, Transaction};
use crate::metrics::Metrics;

/// Pieces of work that may wait for the writer; beyond it terminals are told to come back.
const WAITING_MAX: usize = 4096;

/// Pieces of work that share one commit.
const GROUP_MAX: usize = 512;

/// The one thread that writes. Whoever waits for it waits for the disk.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    /// Pieces of work that wait and would share a commit.
    waiting: Arc<AtomicUsize>,
    metrics: Metrics,
}

impl Writer {
    /// A writer of a file that is made ready by `prepare`.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or `prepare` says no.
    pub fn over_file<E: From<StoreError>>(
        path: &Path,
        prepare: impl FnOnce(&Connection) -> Result<(), E>,
    ) -> Result<Self, E> {
        let opener = Opener::new(&Place::File(path.to_owned()))?;
        let connection = opener.connect()?;
        prepare(&connection)?;
        Ok(Self::start(opener, connection)?)
    }

    /// Starts the thread. It ends when the last clone is gone.
    pub(super) fn start(opener: Opener, mut connection: Connection) -> Result<Self, StoreError> {
        connection.checkpoint_beside()?;
        let (jobs, queue) = mpsc::channel(WAITING_MAX);
        let metrics = Metrics::default();
        let counted = metrics.clone();
        let queue = Queue { jobs: queue, waiting: Arc::default(), alone: VecDeque::new() };
        let waiting = Arc::clone(&queue.waiting);
        std::thread::spawn(move || work_off(&opener, connection, queue, &counted));
        Ok(Self { jobs, waiting, metrics })
    }

    /// What is counted of its commits, and by whoever works with it.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Runs `work` inside the next group commit. Returns once the commit is on disk, or not at all done.
    ///
    /// # Errors
    ///
    /// Whatever `work` or the commit failed with; nothing of `work` remains then.
    pub async fn run<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.put(work, false).await
    }

    /// The same in a commit of its own, for work that changes much: among others it would have to be kept in memory how it
    /// can be undone alone.
    ///
    /// # Errors
    ///
    /// As [`Writer::run`].
    pub async fn run_alone<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.put(work, true).await
    }

    /// Whether work waits that would share a commit.
    pub fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    async fn put<T, W>(&self, work: W, is_alone: bool) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, committed) = oneshot::channel();
        let job = Box::new(Pending { work: Some(work), is_alone, result: None, answer });
        let place = self.jobs.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => StoreError::Busy { limit: WAITING_MAX },
            mpsc::error::TrySendError::Closed(()) => StoreError::Stopped,
        })?;
        if !is_alone {
            self.waiting.fetch_add(1, Ordering::Relaxed);
        }
        place.send(job);
        committed.await.map_err(|_| StoreError::Stopped)?
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

trait Job: Send {
    /// Whether it wants a commit of its own.
    fn is_alone(&self) -> bool;
    /// Does the work inside `group`, leaving nothing behind if it fails.
    fn work(&mut self, group: &Connection);
    /// Does the work as all there is in a transaction. Whether that is to be committed.
    fn work_alone(&mut self, transaction: &Connection) -> bool;
    /// Tells whoever waits, once the fate of the commit is known.
    fn answer(self: Box<Self>, committed: bool);
}

struct Pending<W, T> {
    work: Option<W>,
    is_alone: bool,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
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
        self.result = Some(Transaction::run(group, work));
    }

    fn work_alone(&mut self, transaction: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        self.result.insert(Transaction::whole(transaction, work)).is_ok()
    }

    fn answer(self: Box<Self>, committed: bool) {
        let result = match self.result {
            Some(Ok(value)) if committed => Ok(value),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) | None => Err(StoreError::NotCommitted),
        };
        // Whoever asked may be gone; what is on disk stays there.
        drop(self.answer.send(result));
    }
}

/// What waits for the writer. Work that wants a commit of its own comes after what shares one, and takes turns with it.
struct Queue {
    jobs: mpsc::Receiver<Box<dyn Job>>,
    waiting: Arc<AtomicUsize>,
    alone: VecDeque<Box<dyn Job>>,
}

impl Queue {
    /// Takes what shares the next commit. If it is nothing, something waits that wants its own, or nothing comes any more.
    fn shared(&mut self, group: &mut Vec<Box<dyn Job>>) {
        while group.len() < GROUP_MAX {
            let is_idle = group.is_empty() && self.alone.is_empty();
            let job = if is_idle { self.jobs.blocking_recv() } else { self.jobs.try_recv().ok() };
            match job {
                Some(job) if job.is_alone() => self.alone.push_back(job),
                Some(job) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    group.push(job);
                }
                None => return,
            }
        }
    }
}

fn work_off(opener: &Opener, mut connection: Connection, mut queue: Queue, metrics: &Metrics) {
    let mut group: Vec<Box<dyn Job>> = Vec::new();
    loop {
        queue.shared(&mut group);
        let is_idle = group.is_empty();
        write(opener, &mut connection, &mut group, metrics);
        group.extend(queue.alone.pop_front());
        if is_idle && group.is_empty() {
            return;
        }
        write(opener, &mut connection, &mut group, metrics);
    }
}

/// Does the work of a group, makes it durable, and tells whoever waits.
fn write(opener: &Opener, connection: &mut Connection, group: &mut Vec<Box<dyn Job>>, metrics: &Metrics) {
    if group.is_empty() {
        return;
    }
    let began = Instant::now();
    let committed = commit(opener, connection, group);
    metrics.committed(began.elapsed());
    if let Err(error) = &committed {
        tracing::error!(%error, jobs = group.len(), "commit failed");
    }
    for job in group.drain(..) {
        job.answer(committed.is_ok());
    }
}

fn commit(opener: &Opener, connection: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    if connection.is_closed() {
        *connection = opener.connect()?;
    }
    let mut is_refused = false;
    let ended = connection.transact(|| {
        match group {
            [job] => is_refused = !job.work_alone(connection),
            jobs => jobs.iter_mut().for_each(|job| job.work(connection)),
        }
        if is_refused { Err(StoreError::NotCommitted) } else { Ok(()) }
    });
    // Whoever asked for what was refused is told why; nothing else was in it.
    if is_refused { Ok(()) } else { ended }
}
