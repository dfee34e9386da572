//! A serverless function: a signed webhook comes in, and a record is in ERPNext, or the webhook is refused.
//!
//! [`handle`] and [`answer`] are all of it. [`Visit`] is one webhook on its way, step by step, without a socket: whatever
//! runs the function sends what it says, which is `worker.mjs` around the WebAssembly. Nothing is stored here: the sender
//! has the event until it is answered with 2xx, and the record is named after the event, so a repetition writes nothing.

#[expect(unsafe_code, reason = "an exported name is one: two could be equal. There is no block of it")]
mod exports;
mod handler;
mod visit;

pub use handler::{Verdict, answer, handle};
pub use visit::{Next, Settings, Visit};
