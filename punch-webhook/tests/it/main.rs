//! The crate from outside: one module per subject, each case named after its row in the specification.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

extern crate alloc;

#[cfg(test)]
mod batch;
#[cfg(test)]
mod build;
#[cfg(test)]
mod error_codes;
#[cfg(test)]
mod events;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod javascript;
#[cfg(test)]
#[cfg(feature = "ed25519")]
mod key_pair;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod published;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod received;
#[cfg(test)]
mod receiving;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod signatures;
