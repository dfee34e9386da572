//! The ERPs as places that events are written to, for the middlewares, the gateway and the command line.
//!
//! A [`Sink`] is one of them at work: it gets events of people in order of time and answers with an
//! [`Outcome`](punch_erp::Outcome) for each. [`SinkSettings`] is what it is told, by the environment or a file.
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

mod around;
mod check;
pub mod clock;
pub mod environment;
pub mod erpnext;
mod gather;
pub mod hrms;
pub mod humand;
mod mapping;
pub mod odoo;
mod section;
mod settings;
mod sink;
pub mod successfactors;
mod telling;

pub use around::Around;
pub use check::{Finding, Standing};
pub use gather::Gather;
pub use mapping::read_mapping;
pub use section::{SectionError, read_section};
pub use settings::{Erp, KINDS, SinkSettings, mapping_from_env};
pub use sink::{Sink, Takes};
pub use telling::{Reach, punch_of, telling};
