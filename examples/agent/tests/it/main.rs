//! The agent from outside: a spool in a file, a gateway in this process, and a line between them that breaks.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test: std is there, and whatever goes wrong is a failed test"
)]

mod canary;
mod config;
mod forwarding;
mod harness;
mod private_root;
mod spool;
