//! Punches that are read in one place and forwarded to a gateway in another.
//!
//! Whoever reads a terminal puts its rows into a [`Spool`], which is a file; a [`Courier`] takes them from there to the
//! gateway through a [`Forwarder`]. A row leaves the queue after the gateway has said that it is on disk there, and at no
//! other time: a line that is down, a crash on either side and an answer that is lost cost time and no punch. Rows that
//! arrive twice are one punch, because the gateway knows them by their identity.
//!
//! ```no_run
//! # async fn example(key: gateway::api::ApiKey, rows: Vec<punch_protocol::RawPunch>) -> Result<(), Box<dyn std::error::Error>> {
//! use agent::{Courier, Forwarder, Pace, Spool, SpoolLimits};
//!
//! let spool = Spool::open("spool.sqlite".as_ref(), SpoolLimits::default())?;
//! let courier = Courier::new(spool.clone(), Forwarder::new("https://punch.example.com", &key)?, Pace::default());
//! let (stop, stopped) = tokio::sync::watch::channel(false);
//! let running = tokio::spawn(courier.run(stopped));
//! spool.put(rows).await?;
//! // They are on disk now, and on their way.
//! stop.send_replace(true);
//! running.await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::wildcard_enum_match_arm,
    reason = "a shell: std is there, and nothing here is a published API"
)]

mod carrying;
pub mod config;
mod courier;
mod errands;
mod forwarder;
mod line;
mod outcome;
mod patrol;
mod results;
mod rounds;
mod row;
mod spool;
pub mod terminal;

pub use courier::{Courier, Standing};
pub use forwarder::{Forwarder, ForwarderError};
pub use line::line;
pub use outcome::{Outcome, Refusal, Stored};
pub use patrol::{Patrol, Watch};
pub use rounds::Pace;
pub use row::{BrokenRow, Row};
pub use spool::{Batch, Counts, Put, Spool, SpoolError, SpoolLimits};

/// Works until `stop` is true or its sender is gone: without a sender nobody could ever stop it.
async fn until_stopped(mut stop: tokio::sync::watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|&stop| stop) => {}
    }
}
