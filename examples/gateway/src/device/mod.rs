//! The device listener: plain HTTP/1 exactly as firmware speaks and hears it.

mod clocks;
mod completeness;
mod connection;
mod handler;
mod reception;
mod registry;
mod request_line;

pub(crate) use clocks::NotProbed;
pub(crate) use connection::serve;
pub use handler::Devices;
