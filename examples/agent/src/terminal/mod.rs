//! Terminals on port 4370, read over the network: the sockets under [`tcp::Client`](punch_protocol::tcp::Client), and
//! what is asked of it.

mod examine;
mod link;
mod person;
mod reading;

pub use examine::{ClockReading, Examination, Reach, examine};
pub use link::{Address, Link, LinkError};
pub use person::SlotTable;
pub use reading::{About, Reading, ReadingError, Span, latest, read_about, read_attendance, read_clock, read_serial};
