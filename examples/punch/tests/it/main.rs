//! The binary from outside: arguments in, lines and exit codes out, and what is left on disk when it is killed.
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

mod agent;
mod agent_commands;
mod audit;
mod clocks;
mod command;
mod commands;
mod decode;
mod decode_tcp;
mod demo;
mod doctor;
mod erp;
mod erp_month;
mod explain;
mod export;
mod fleet;
mod gateway;
mod image;
mod import;
mod interop;
mod interop_push;
mod interop_tcp;
mod kill;
mod kill_replicas;
mod kill_sink;
mod kill_source;
mod normalize;
mod odoo_server;
mod pull;
mod quarantine;
mod reload;
mod replay;
mod rules;
mod site;
mod terminal_serve;
mod webhook;
