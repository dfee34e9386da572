//! HikCentral: vectors, and flows against a server in memory.

mod faults;
mod observing;
mod poll;
mod secrecy;
mod signing;
mod subscribing;
pub(crate) mod vectors;
mod world;
