//! What the machine can do, by the shortest way there is.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::bare::{DO_NOTHING, File, KEEP};
use crate::process::{Process, now};
use crate::terminal::{Company, Terminal};
use crate::{AT_50, Size, per_second};

/// Requests of one punch to a server that reads them and does nothing.
pub(crate) async fn requests(size: Size) -> anyhow::Result<f64> {
    requests_to(&[DO_NOTHING], size).await
}

/// The same to one that keeps them, as [`sqlite_rows`] does, and knows nothing of punches.
pub(crate) async fn kept_requests(size: Size) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    requests_to(&[KEEP, folder.path().to_str().context("the name of a temporary folder")?], size).await
}

async fn requests_to(server: &[&str], size: Size) -> anyhow::Result<f64> {
    let (_process, addresses) = Process::start(server).await?;
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

/// How long such an append takes at 50 in a second, each.
pub(crate) async fn sync_times(count: u32) -> anyhow::Result<Vec<f64>> {
    let mut file = tempfile::tempfile()?;
    let mut tick = tokio::time::interval(AT_50);
    let mut times = Vec::new();
    for _ in 0..count {
        tick.tick().await;
        let began = now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64());
    }
    Ok(times)
}

/// Messages of 400 bytes with a unique text, and a delivery of each with an index, 1,000 in a commit that is on disk.
pub(crate) fn sqlite_rows(count: u32) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path())?;
    let body = [7_u8; 400];
    let began = now();
    for written in (0..count).step_by(1000) {
        file.enter((written..count.min(written + 1000)).map(|_| &body[..]))?;
    }
    Ok(per_second(count, began.elapsed()))
}
