//! The crate from outside: one module per subject, each case named after its row in the specification.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

extern crate alloc;

#[cfg(test)]
mod build;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod clock_properties;
#[cfg(test)]
mod clock_rows;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod duplicates;
#[cfg(test)]
mod holds;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod normalizer;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod timeline;
#[cfg(test)]
mod upload;
#[cfg(test)]
mod zones;
