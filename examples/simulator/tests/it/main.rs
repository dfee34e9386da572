//! The simulated world: the same seed gives the same world, and the recordings are what they claim to be.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test: std is there, and whatever goes wrong is a failed test"
)]

mod backlog;
mod binary_terminal;
mod captures;
mod odoo_contract;
mod receiver;
mod wire;
mod world;
