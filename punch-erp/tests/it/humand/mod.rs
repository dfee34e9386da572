//! Humand.

mod crashes;
mod faults;
mod month;
mod pace;
mod planning;
mod requests;
mod secrecy;
mod setup;
mod vectors;
mod world;
mod writing;
