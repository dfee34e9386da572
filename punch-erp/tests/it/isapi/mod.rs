//! Terminals without HikCentral: vectors, and flows against a terminal in memory.

mod digest;
mod pushing;
mod searching;
mod streaming;
mod vectors;
mod world;
