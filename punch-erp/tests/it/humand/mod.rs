//! Humand.

mod pace;
mod planning;
mod requests;
mod setup;
mod vectors;
mod world;
mod writing;
