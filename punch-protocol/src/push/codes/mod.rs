//! Numbers with meanings: the manual's tables, one file each.

mod access_event;
mod access_function;
mod biometric;
mod card_number;
mod error_log;
mod event_set;
mod language;
mod nation;
mod return_code;
mod version;

pub use crate::operation::{AlarmReason, Operation};
pub use crate::privilege::Privilege;
pub use access_event::{AccessEvent, EventBand};
pub use access_function::{AccessFunction, AccessFunctions};
pub use biometric::{BiometricType, TemplateValidity};
pub use card_number::CardNumber;
pub use error_log::{ErrorLogCode, ErrorModule};
pub use event_set::EventSet;
pub use language::Language;
pub use nation::Nation;
pub use return_code::ReturnCode;
pub use version::ProtocolVersion;
