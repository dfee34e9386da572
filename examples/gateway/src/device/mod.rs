//! The device listener: plain HTTP/1 exactly as firmware speaks and hears it.

mod clocks;
mod commands;
mod completeness;
mod connection;
mod door;
mod encounters;
mod expansion;
mod handler;
mod passages;
mod quarantine;
mod reach;
mod reception;
mod redating;
mod registry;
mod replicas;
mod request_line;
mod steps;
mod turns;

pub(crate) use clocks::NotProbed;
pub(crate) use connection::{CONNECTIONS_MAX, serve};
pub(crate) use encounters::Standing;
pub use handler::Devices;
pub(crate) use quarantine::NotTaken;
pub use quarantine::Released;
pub(crate) use reach::about;
pub use redating::Redated;
pub(crate) use steps::{Became, Given, StepResult};
