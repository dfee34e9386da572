//! What the benches rest on, and the one figure that is a promise: no allocation per row.

#[cfg(test)]
mod allocations;
