//! The crate against recorded answers and against sites in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::wildcard_enum_match_arm,
    let_underscore_drop,
    reason = "tests"
)]

mod answers;
mod cut;
#[path = "../../../examples/simulator/src/dice.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod dice;
mod documents;
#[path = "../../../examples/simulator/src/erpnext/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod erpnext;
mod faults;
mod hikcentral;
#[path = "../../../examples/simulator/src/hikcentral/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod hikcentral_server;
mod hrms;
mod humand;
#[path = "../../../examples/simulator/src/humand/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod humand_server;
mod isapi;
#[path = "../../../examples/simulator/src/isapi/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod isapi_server;
mod last_sync;
mod middleware;
#[path = "../../../examples/simulator/src/month.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod month;
mod months;
mod odoo;
#[path = "../../../examples/simulator/src/odoo/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod odoo_server;
mod older_servers;
mod property;
mod recorded;
mod requests;
mod secrecy;
mod setup;
#[path = "../../../examples/simulator/src/stand_in.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod stand_in;
mod successfactors;
#[path = "../../../examples/simulator/src/successfactors/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the crate `simulator` compiles it as its own")]
mod successfactors_server;
#[cfg(feature = "reqwest")]
mod transport;
mod world;
mod writing;
