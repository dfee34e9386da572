use std::sync::mpsc::{Sender, channel};

use gateway::store::{Store, StoreError, Transaction};
use tokio::task::JoinHandle;

use super::PATIENCE;

/// The writer of a store, held at a piece of work: what comes meanwhile waits.
pub(crate) struct Hold {
    go: Sender<()>,
    work: JoinHandle<Result<(), StoreError>>,
}

impl Hold {
    pub(crate) async fn of(store: &Store) -> Self {
        let (go, gate) = channel();
        let (begun, begins) = channel();
        let store = store.clone();
        let work = move |_: &mut Transaction<'_>| {
            begun.send(()).unwrap();
            gate.recv().map_err(|_| StoreError::Stopped)
        };
        let work = tokio::spawn(async move { store.write_alone(work).await });
        tokio::task::spawn_blocking(move || begins.recv_timeout(PATIENCE)).await.unwrap().unwrap();
        Self { go, work }
    }

    pub(crate) async fn release(self) {
        self.go.send(()).unwrap();
        self.work.await.unwrap().unwrap();
    }
}
