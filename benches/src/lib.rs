//! What the benches measure with: bodies that are the same on every machine, and the parser a server writes
//! without thinking, or with care, to compare with.

extern crate alloc;

mod attendance;
mod bodies;
mod crowd;
mod plain_attendance;
mod readers;

pub use attendance::{
    Attendance, attendance_dataset, attendance_frames, read_attendance, read_attendance_streamed, read_frames,
};
pub use bodies::{CAPTURE, attlog_body, event_body, short_attlog_body};
pub use crowd::{Crowd, PUNCHES_A_DAY};
pub use plain_attendance::read_attendance_plainly;
pub use readers::{
    NaiveRow, count_separators, naive_rows, read_events, read_events_naively, read_punches, read_punches_naively,
    read_punches_streamed,
};
