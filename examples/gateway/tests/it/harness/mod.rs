//! What the tests share: a gateway on loopback, raw HTTP, a receiver that records, and patience.

mod book;
mod contract;
mod hold;
mod recorder;
mod sample;
mod shape;
mod signing;
mod site;
mod terminal;
mod visitor;
mod wire;

use std::time::Duration;

pub(crate) use book::{Book, Line};
pub(crate) use contract::{Contract, Heard, Operation};
pub(crate) use hold::Hold;
pub(crate) use recorder::{Recorder, Seen};
pub(crate) use sample::{Language, NODE, PYTHON, RUST, Sample, blocks, blocks_of, is_there};
pub(crate) use signing::{HEADER, Headers, OTHER_SECRET, STANDARD, flat_punch, rolling, signed, signer, standard};
pub(crate) use site::{API_KEY, SECRET, Site, device, endpoint, schema};
pub(crate) use terminal::Told;
pub(crate) use visitor::{PAGES, Visitor};
pub(crate) use wire::{Answer, exchange, get, post};

/// What has not happened after this long will not happen. No test is decided by anything shorter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until `look` sees something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let watching = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, watching).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}
