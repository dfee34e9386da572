//! From what a terminal said to what happened: time, identity, duplicates, direction, reasons.
//!
//! Everything here is a pure function of its arguments: no clock, no file, no random number. The crate is
//! `no_std` with `alloc`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod direction;
mod identity;
mod method;
mod punch;

pub use direction::{Direction, DirectionSource};
pub use identity::{EventId, EventIdError, TenantKey};
pub use method::Method;
pub use punch::{Punch, TimeQuality};
