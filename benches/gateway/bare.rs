//! Servers that do the least there is to do with a request: nothing, or keep it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::process::{announce, wait_for_end};

/// Has this program answer `OK` to everything.
pub(crate) const DO_NOTHING: &str = "--do-nothing";
/// Has it answer `OK` to what it has on disk, in the folder that follows.
pub(crate) const KEEP: &str = "--keep";

/// Requests that share a commit, at most.
const GROUP_MAX: usize = 512;

/// Runs a server that reads a request and answers `OK`, until whoever started it has gone.
pub(crate) async fn do_nothing() -> anyhow::Result<()> {
    serve(async |_: Bytes| "OK: 1\n").await
}

/// Runs a server that reads a request and answers `OK` once it is on disk, until whoever started it has gone. One thread
/// enters each as a message and a delivery, and all that wait share a commit.
pub(crate) async fn keep(folder: &Path) -> anyhow::Result<()> {
    let (waiting, mut queue) = mpsc::channel::<(Bytes, oneshot::Sender<()>)>(4096);
    let mut file = File::create(folder)?;
    std::thread::spawn(move || {
        let mut group = Vec::new();
        while let Some(first) = queue.blocking_recv() {
            group.push(first);
            while let Some(next) = queue.try_recv().ok().filter(|_| group.len() < GROUP_MAX) {
                group.push(next);
            }
            file.enter(group.iter().map(|(body, _)| &body[..]))?;
            for (_, answer) in group.drain(..) {
                // Whoever has gone is not told.
                let _ = answer.send(());
            }
        }
        anyhow::Ok(())
    });
    serve(async move |body: Bytes| {
        let (answer, kept) = oneshot::channel();
        let is_kept = waiting.send((body, answer)).await.is_ok() && kept.await.is_ok();
        if is_kept { "OK: 1\n" } else { "ERROR: the disk\n" }
    })
    .await
}

async fn serve<H, T>(post: H) -> anyhow::Result<()>
where
    H: axum::handler::Handler<T, ()>,
    T: 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address: SocketAddr = listener.local_addr()?;
    announce(&[address]);
    let router = Router::new().route("/iclock/cdata", get(async || "GET OPTION FROM: nobody\n").post(post));
    tokio::spawn(async move { axum::serve(listener, router).await });
    wait_for_end().await;
    Ok(())
}

/// A file of SQLite with messages that have a unique text, and a delivery of each with an index.
pub(crate) struct File {
    connection: rusqlite::Connection,
    messages: u64,
}

impl File {
    pub(crate) fn create(folder: &Path) -> anyhow::Result<Self> {
        let connection = rusqlite::Connection::open(folder.join("limit.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE message (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
             CREATE TABLE delivery (id INTEGER PRIMARY KEY, message INTEGER NOT NULL, state TEXT NOT NULL, due INTEGER);
             CREATE INDEX delivery_due ON delivery (due) WHERE state = 'waiting';",
        )?;
        Ok(Self { connection, messages: 0 })
    }

    /// Enters messages in one commit. They are on disk when this returns.
    pub(crate) fn enter<'b>(&mut self, bodies: impl Iterator<Item = &'b [u8]>) -> anyhow::Result<()> {
        let group = self.connection.transaction()?;
        for body in bodies {
            let id = format!("evt_{:016x}", self.messages.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mut message = group.prepare_cached("INSERT INTO message (id, body) VALUES (?1, ?2)")?;
            let seq = message.insert((&id, body))?;
            let sql = "INSERT INTO delivery (message, state, due) VALUES (?1, 'waiting', ?2)";
            group.prepare_cached(sql)?.execute((seq, self.messages.cast_signed()))?;
            self.messages += 1;
        }
        Ok(group.commit()?)
    }
}
