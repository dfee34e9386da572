//! What every input must fulfil. The fuzz targets and the crate's own tests run these same functions.

mod answer;
mod commands;
mod reading;
mod request;
mod rows;
mod stream;
mod tcp;
mod tcp_client;
mod terminal;

pub use answer::server_answer;
pub use commands::{commands, devicecmd};
pub use request::request;
pub use rows::{TABLES, attlog, operlog, options, rows, rtlog, tabledata};
pub use stream::stream;
pub use tcp::{tcp_records, tcp_stream};
pub use tcp_client::tcp_client;
pub use terminal::tcp_terminal;

fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    (&data[..end], data.get(end + 1..).unwrap_or_default())
}

fn contains_ok(text: &[u8]) -> bool {
    text.windows(2).any(|pair| pair == b"OK")
}
