//! The own HRMS.

mod converging;
mod judging;
mod secrecy;
mod setup;
mod statements;
pub(crate) mod world;
