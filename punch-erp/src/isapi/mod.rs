//! Hikvision terminals without HikCentral, by ISAPI: who passed, pushed by the terminal or read from it.
//!
//! Facts come from the maker's guides, public code and observations others published (2026-11-22); no terminal was measured.
//! Those that decide the design:
//!
//! * A terminal can post events to us, hold a stream open, or be asked. Posts survive our restarts; some terminals have one
//!   stream only, and a dead client blocks it; asking is needed always, for what was missed. So: [`read_push`], then
//!   [`SearchEvents`], and [`AlertStream`] where nothing else works.
//! * What is asked for is not what comes: JSON, XML or multipart with a picture, whatever the setting says. The picture is
//!   skipped while it comes, and never kept.
//! * Serial numbers count to 100000 and begin anew, so an event's id has its time in it.
//! * Codes are pairs, [`is_pass`](PassCodes): the same minor code means something else under another major one.
//! * `currentVerifyMode` is what the terminal is set to, not what the person did.

mod acs_event;
mod alert_stream;
mod digest;
mod event;
mod http_host;
mod multipart;
mod pass_codes;
mod push;
mod search_events;
mod settings;
mod terminal;
mod xml;

pub use acs_event::{AcsEventPage, AcsEventQuery, FindAcsEvents};
pub use alert_stream::{AlertStream, OpenAlertStream};
pub use digest::{DigestAlgorithm, DigestChallenge, DigestSession};
pub use event::IsapiRules;
pub use http_host::{HttpHost, SetHttpHost};
pub use multipart::{MultipartReader, Part, boundary_of};
pub use pass_codes::PassCodes;
pub use push::{PUSH_REPLY, read_push};
pub use search_events::{AcsEventsRead, SearchEvents};
pub use settings::IsapiSettings;
pub use terminal::IsapiTerminal;
