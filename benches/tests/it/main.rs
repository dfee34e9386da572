//! What the benches rest on, and the figures that are promises: no allocation per row, no memory per byte.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod attendance;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod streaming;
