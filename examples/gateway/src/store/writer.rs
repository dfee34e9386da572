use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use punch_webhook::Waiting;

use super::StoreError;
use super::piece::{Answer, Job, Pending, Repeatable};
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
    outlet: Outlet,
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
        let outlet = Outlet::default();
        let after = After { outlet: outlet.clone(), metrics: metrics.clone() };
        let queue = Queue { jobs: queue, waiting: Arc::default(), alone: VecDeque::new() };
        let waiting = Arc::clone(&queue.waiting);
        std::thread::spawn(move || work_off(&opener, connection, queue, &after));
        Ok(Self { jobs, waiting, outlet, metrics })
    }

    /// Whoever is handed the deliveries of each commit from now on. It must not wait for anything.
    pub(super) fn hand_over_to(&self, take: impl Fn(Vec<Waiting>) + Send + 'static) {
        *self.outlet.lock() = Some(Box::new(take));
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
        self.put(|answer| Box::new(Pending::new(work, false, answer))).await
    }

    /// The same for work that may be done more than once, of which only the last time counts. As long as all goes well it
    /// costs less: nobody has to remember how it is undone alone.
    ///
    /// # Errors
    ///
    /// As [`Writer::run`].
    pub async fn run_repeatable<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnMut(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.put(|answer| Box::new(Repeatable::new(work, answer))).await
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
        self.put(|answer| Box::new(Pending::new(work, true, answer))).await
    }

    /// Whether work waits that would share a commit.
    pub fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    async fn put<T>(&self, job: impl FnOnce(Answer<T>) -> Box<dyn Job>) -> Result<T, StoreError> {
        let (answer, committed) = oneshot::channel();
        let job = job(answer);
        let place = self.jobs.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => StoreError::Busy { limit: WAITING_MAX },
            mpsc::error::TrySendError::Closed(()) => StoreError::Stopped,
        })?;
        if !job.is_alone() {
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

/// Where the deliveries of a commit go. Before anybody takes them they are found in the store.
#[derive(Clone, Default)]
struct Outlet(Arc<Mutex<Option<Take>>>);

type Take = Box<dyn Fn(Vec<Waiting>) + Send>;

impl Outlet {
    fn lock(&self) -> MutexGuard<'_, Option<Take>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What comes after a commit.
struct After {
    outlet: Outlet,
    metrics: Metrics,
}

impl After {
    /// What the jobs of a commit made is handed over, once and together, before anybody is told that it is on disk.
    fn committed(&self, group: &mut [Box<dyn Job>]) {
        let made: Vec<Waiting> = group.iter_mut().flat_map(|job| job.take_made()).collect();
        if let Some(take) = self.outlet.lock().as_ref().filter(|_| !made.is_empty()) {
            take(made);
        }
    }
}

fn work_off(opener: &Opener, mut connection: Connection, mut queue: Queue, after: &After) {
    let mut group: Vec<Box<dyn Job>> = Vec::new();
    loop {
        queue.shared(&mut group);
        let is_idle = group.is_empty();
        write(opener, &mut connection, &mut group, after);
        group.extend(queue.alone.pop_front());
        if is_idle && group.is_empty() {
            return;
        }
        write(opener, &mut connection, &mut group, after);
    }
}

/// Does the work of a group, makes it durable, and tells whoever waits.
fn write(opener: &Opener, connection: &mut Connection, group: &mut Vec<Box<dyn Job>>, after: &After) {
    if group.is_empty() {
        return;
    }
    let began = Instant::now();
    let committed = commit(opener, connection, group);
    after.metrics.committed(began.elapsed());
    match &committed {
        Ok(()) => after.committed(group),
        Err(error) => tracing::error!(%error, jobs = group.len(), "commit failed"),
    }
    for job in group.drain(..) {
        job.answer(committed.is_ok());
    }
}

fn commit(opener: &Opener, connection: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    if connection.is_closed() {
        *connection = opener.connect()?;
    }
    let is_one = group.len() == 1;
    if is_one || group.iter().all(|job| job.is_repeatable()) {
        let mut is_refused = false;
        let ended = connection.transact(|| {
            is_refused = !group.iter_mut().all(|job| job.work_openly(connection));
            if is_refused { Err(StoreError::NotCommitted) } else { Ok(()) }
        });
        match is_refused {
            false => return ended,
            // Whoever asked for what was refused is told why; nothing else was in it.
            true if is_one => return Ok(()),
            // Nothing of it remains. Again, so that those that can be done are.
            true => {}
        }
    }
    connection.transact(|| {
        group.iter_mut().for_each(|job| job.work(connection));
        Ok(())
    })
}
