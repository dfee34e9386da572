//! Humand: a punch becomes one entry of the time tracking, a START or an END.
//!
//! Facts come from Humand's own description of its interface (version 1.0.0), its manual of 2025 and public clients; nothing
//! was measured on a server. Those that decide the design:
//!
//! * One entry a request, and no key that makes a repetition harmless. So the event's id goes into the comment, and entries
//!   are read before anything is sent, see [`WriteEntries`].
//! * For one person START and END take turns within a day. What that makes of a punch is planned here, see [`Plan`]; what
//!   would not alternate is parked and not sent.
//! * A key has 50 requests a minute, see [`Pace`].
//! * Refusals for breaking a rule are known by hearsay only: their status, code and words are guessed, see [`Hint`], and
//!   each is followed by reading.
//! * Ids are texts, compared letter by letter: `0042` is not `42`.
//! * A time is written with the offset of the site. A punch ahead of our clock waits until it is not.
//!
//! # The key
//!
//! An administrator of the community makes it; it ends when that user is deactivated. 403 can also mean that the module is off
//! or that our address is not on the key's list; either way nothing is lost, the sink waits. Test and production communities
//! have different keys.

mod clock;
mod entry;
mod fault;
mod list_entries;
mod pace;
mod page;
mod plan;
mod rate_limit;
mod read_users;
mod settings;
mod site;
mod standing;
mod users;
mod write_entries;

pub use clock::{ClockEntry, Clocked, StoredEntry};
pub use entry::{Entry, EntryKind, MAX_COMMENT, NewEntry, comment};
pub use fault::Hint;
pub use list_entries::ListEntries;
pub use pace::Pace;
pub use page::Page;
pub use plan::{AlternationRules, Fate, Mark, Plan};
pub use rate_limit::RateLimit;
pub use read_users::ReadUsers;
pub use settings::{HumandSettings, InferUnknown, OnViolation, PathStyle};
pub use site::Humand;
pub use standing::Standing;
pub use users::{GetUser, ListUsers, User, UserDirectory};
pub use write_entries::WriteEntries;
