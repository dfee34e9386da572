//! The crate from outside: samples of the wire, properties, whole conversations.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the case it expects; any other fails it")]

extern crate alloc;

#[cfg(test)]
mod access;
#[cfg(test)]
mod admission;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod conversation;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod deviations;
#[cfg(test)]
mod error_codes;
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the library of another crate, the fuzz targets")]
mod fuzzed;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod option_block;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod package;
#[cfg(test)]
mod pin;
#[cfg(test)]
mod random;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod tcp;
#[cfg(test)]
mod terminal;
