//! The gateway from outside: raw bytes into the device listener, HTTP into the API, signed webhooks out of it.
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

mod admission;
mod api;
mod api_keys;
mod audit;
mod batches;
mod canary;
mod clock_world;
mod clocks;
mod clockwork;
mod command_jobs;
mod commands;
mod config;
mod core;
mod dashboard;
mod dashboard_browser;
mod dashboard_login;
mod dashboard_work;
mod deliveries;
mod delivery;
mod device;
mod directions;
mod doors;
mod enrollments;
mod erasure;
mod every_route;
mod exports;
mod failing;
mod faults;
mod forwarded;
mod harness;
mod hostile;
mod idempotent;
mod identities;
mod lists;
mod mail;
mod metrics;
mod multitude;
mod options;
mod profiles;
mod quarantine;
mod rate_limit;
mod reach;
mod receivers;
mod release;
mod reload;
mod replays;
mod replicas;
mod reports;
mod retention;
mod rolling;
mod rules;
mod samples;
mod schemathesis;
mod sinks;
mod soak;
mod sources;
mod steps;
mod store;
mod streamed;
mod threats;
mod tls;
mod turns;
mod uploads;
