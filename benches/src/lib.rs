//! What the benches measure with: bodies that are the same on every machine, and the parser a server writes
//! without thinking, to compare with.

mod bodies;
mod readers;

pub use bodies::{CAPTURE, attlog_body, event_body, short_attlog_body};
pub use readers::{
    NaiveRow, count_separators, naive_rows, read_events, read_events_naively, read_punches, read_punches_naively,
    read_punches_streamed,
};
