//! The event contract: what is sent, how it is signed, when it is sent again, and who has it already.
//!
//! Everything here is a pure function of its arguments: no clock, no socket, no file, no random number.
//! The crate is `no_std` with `alloc`; `now` is always an argument, and the last one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod outcome;
mod payload;
mod queue;
mod received;
mod schedule;
mod secret;
mod signer;
mod verifier;

pub use received::ReceivedPunch;
