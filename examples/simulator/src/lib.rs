//! The world around a gateway, simulated: terminals, receivers, ERPs.
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

pub mod backlog;
pub mod between;
pub mod binary_terminal;
pub mod captures;
#[cfg(unix)]
pub mod cluster;
mod dice;
pub mod erp;
pub mod erpnext;
pub mod fleet;
pub mod hikcentral;
pub mod humand;
pub mod isapi;
pub mod month;
pub mod odoo;
pub mod odoo_server;
pub mod receiver;
pub mod stand_in;
pub mod successfactors;
pub mod terminal;
pub mod wire;
pub mod world;
