//! What a biometric terminal says, as pure functions of bytes and time.
//!
//! The crate opens no socket, reads no clock and keeps no file: bytes and `now` come in, typed rows and
//! exact reply bytes go out. It is `no_std` with `alloc`.
//!
//! # Features
//!
//! * `push` (default): ZKTeco's HTTP push protocol (`iclock`), see [`push`].
//! * `tcp` (default): the frames and records of ZKTeco's binary protocol on port 4370, see [`tcp`].
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
#[cfg(any(feature = "push", feature = "tcp"))]
mod encoded_time;
mod named;
#[cfg(any(feature = "push", feature = "tcp"))]
mod operation;
mod pin;
#[cfg(any(feature = "push", feature = "tcp"))]
mod privilege;
mod punch;
#[cfg(feature = "push")]
pub mod push;
mod serial;
#[cfg(feature = "tcp")]
pub mod tcp;

pub use code::{Status, Verify};
pub use pin::{Pin, PinError};
pub use punch::RawPunch;
pub use serial::{SerialError, SerialNumber};
