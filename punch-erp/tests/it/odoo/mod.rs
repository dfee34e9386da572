//! Odoo.

mod article;
mod calls;
mod crashes;
mod faults;
pub(crate) mod month;
mod planning;
mod requests;
mod secrecy;
mod setup;
pub(crate) mod world;
mod writing;
