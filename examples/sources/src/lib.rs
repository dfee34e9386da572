//! Access systems as places that punches are read from, for the middleware and the gateway.
//!
//! A source is at work between two others: it asks a server, or is posted to by it, and gives what it reads to a [`Keep`],
//! which makes it durable. Nothing is acknowledged, and no mark moves, before that.
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

mod answer;
pub mod hikcentral;
pub mod isapi;
mod keep;
mod pause;
mod reading;
mod section;
mod seen;
mod taking;

pub use answer::Answer;
pub use keep::{Keep, Unusable};
pub use pause::Pause;
pub use section::{Settings, read_section};
pub use seen::Health;
