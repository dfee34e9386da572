//! The example programs from outside: signed webhooks in, an ERP on a real socket, and a kill in between.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test: std is there, and whatever goes wrong is a failed test"
)]

mod erpnext;
mod humand;
mod odoo;
mod program;
mod size;
mod successfactors;
