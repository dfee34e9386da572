//! What the machine can do, by the shortest way there is.

use std::io::Write as _;
use std::net::SocketAddr;

use tokio::task::JoinSet;

use crate::process::{DO_NOTHING, Process, now};
use crate::terminal::{Company, Terminal};
use crate::{Size, per_second};

/// Requests of one punch to a server that reads them and does nothing.
pub(crate) async fn requests(size: Size) -> anyhow::Result<f64> {
    let (_process, addresses) = Process::start(&[DO_NOTHING]).await?;
    let addr: SocketAddr = addresses.first().copied().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let mut posting = JoinSet::new();
    let each = size.singles / size.terminals;
    let mut terminals = Vec::new();
    for number in 0..size.terminals {
        terminals.push(Terminal::connect(addr, number).await?);
    }
    let began = now();
    for (number, mut terminal) in (0..).zip(terminals) {
        let staff = size.company(size.terminals).staff(number);
        posting.spawn(async move {
            for index in 0..each {
                terminal.post(&staff.row(index)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = posting.join_next().await {
        ended??;
    }
    Ok(per_second(each * size.terminals, began.elapsed()))
}

/// Appends of one row, each on disk before the next.
pub(crate) fn syncs(count: u32) -> anyhow::Result<f64> {
    let staff = Company { terminals: 1, people: count }.staff(0);
    let mut file = tempfile::tempfile()?;
    let began = now();
    for index in 0..count {
        file.write_all(staff.row(index).as_bytes())?;
        file.sync_data()?;
    }
    Ok(per_second(count, began.elapsed()))
}

/// Messages of 400 bytes with a unique text, and a delivery of each with an index, 1,000 in a commit that is on disk.
pub(crate) fn sqlite_rows(count: u32) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut connection = rusqlite::Connection::open(folder.path().join("limit.sqlite"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE message (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
         CREATE TABLE delivery (id INTEGER PRIMARY KEY, message INTEGER NOT NULL, state TEXT NOT NULL, due INTEGER);
         CREATE INDEX delivery_due ON delivery (due) WHERE state = 'waiting';",
    )?;
    let body = vec![7_u8; 400];
    let began = now();
    let mut written = 0;
    while written < count {
        let group = connection.transaction()?;
        for index in written..count.min(written + 1000) {
            let id = format!("evt_{:016x}", u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mut message = group.prepare_cached("INSERT INTO message (id, body) VALUES (?1, ?2)")?;
            let seq = message.insert((&id, &body))?;
            let sql = "INSERT INTO delivery (message, state, due) VALUES (?1, 'waiting', ?2)";
            group.prepare_cached(sql)?.execute((seq, index))?;
        }
        group.commit()?;
        written += 1000;
    }
    Ok(per_second(count, began.elapsed()))
}
