//! SuccessFactors.

mod answers;
mod budget;
mod crashes;
mod external_times;
mod faults;
mod property;
mod requests;
mod secrecy;
mod seed;
mod setup;
mod tokens;
mod vectors;
pub(crate) mod world;
mod writing;
