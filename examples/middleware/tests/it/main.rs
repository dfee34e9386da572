//! The example programs from outside: signed webhooks in, an ERP on a real socket, and a kill in between.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test: std is there, and whatever goes wrong is a failed test"
)]

#[allow(dead_code, reason = "the bench shows the rest")]
mod drain;
mod erpnext;
mod hikcentral;
mod hrms;
mod humand;
mod odoo;
mod odoo_server;
mod program;
mod size;
mod store;
mod successfactors;
