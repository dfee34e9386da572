//! Numbers with meanings, one table a file.

mod command;
mod event_code;
mod small;

pub use command::Command;
pub use event_code::{EventCode, EventMask};
pub use small::{DatasetKind, MachineState, VerifyStyle};
