//! What a biometric terminal says, as pure functions of bytes and time.
//!
//! The crate opens no socket, reads no clock and keeps no file: bytes and `now` come in, typed rows and
//! exact reply bytes go out. It is `no_std` with `alloc`.
//!
//! # Features
//!
//! * `push` (default): ZKTeco's HTTP push protocol (`iclock`), see [`push`].
//!
//! Without features the crate is a vocabulary: [`SerialNumber`], [`Pin`], [`Status`], [`Verify`],
//! [`civil`] time and [`RawPunch`].
//!
//! # Guarantees
//!
//! * No input panics; a strange row is kept with its bytes and costs no neighbour.
//! * Unknown codes survive: wire values are integer newtypes with named constants.
//! * PINs, names and cards have a redacting `Debug`, so they cannot reach a log by accident.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod civil;
mod code;
mod named;
mod pin;
mod punch;
#[cfg(feature = "push")]
pub mod push;
mod serial;

pub use code::{Status, Verify};
pub use pin::Pin;
pub use punch::RawPunch;
pub use serial::{SerialError, SerialNumber};
