//! Brings what is committed from the log of a SQLite file into the file, beside whoever writes: who waits for a commit does
//! not wait for that too.

use std::path::Path;
use std::sync::mpsc::sync_channel;

use super::{StoreError, sqlite};

/// Pages in the log from which on it is brought into the file: 32 MiB, so that a page that is written often is moved once.
const PAGES: i32 = 8192;

/// Pages in the log at which the writer does it itself: it writes without a pause, or somebody reads without one. 128 MiB.
const PAGES_MAX: i32 = 32_768;

/// Has the log of this connection's file emptied from now on. Ends with the connection.
pub(super) fn beside(writer: &mut rusqlite::Connection) -> Result<(), StoreError> {
    let Some(path) = writer.path().filter(|path| !path.is_empty()) else { return Ok(()) };
    let mover = sqlite::open(Path::new(path))?;
    let (wake, woken) = sync_channel::<()>(1);
    std::thread::spawn(move || {
        while woken.recv().is_ok() {
            // What cannot be moved now stays in the log, and is moved the next time.
            if let Err(error) = mover.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                tracing::warn!(%error, "the log of the store stays as long as it is for now");
            }
        }
    });
    writer.wal_hook(Some(move |log: &mut rusqlite::hooks::Wal, pages| {
        if pages >= PAGES_MAX {
            // The commit is done, whatever comes of this.
            drop(log.checkpoint());
        } else if pages >= PAGES {
            // If it is full, the mover has not begun yet; if it is gone, the log is emptied at its end.
            let _ = wake.try_send(());
        }
        Ok(())
    }))?;
    Ok(())
}
