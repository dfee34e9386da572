//! Terminals on port 4370, read over the network: the sockets under [`tcp::Client`](punch_protocol::tcp::Client), and
//! what is asked of it.

mod examine;
mod link;
mod person;
mod reading;

pub use examine::{Examination, Reach, examine};
pub use link::{Address, Link, LinkError};
pub use person::SlotTable;
pub use reading::{About, Reading, ReadingError, Span, identify, read_about, read_attendance};
