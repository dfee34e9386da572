//! What access systems say of people at doors, and what becomes of it: the common part of [`hikcentral`](crate::hikcentral)
//! and [`isapi`](crate::isapi).
//!
//! An event becomes a [`Reading`]: a [`Passage`], or why it is none. A passage is the observation of a terminal like any
//! other: [`Passage::observation`] is what a [`Normalizer`](punch_normalize::Normalizer) takes, so that identity, second
//! punches and directions follow the rules there are for terminals that push.
//!
//! Health data, pictures, names and identity documents that come with events are left behind while reading.

mod clean;
mod method;
mod moment;
mod observed;
mod person;
mod reading;
mod rules;
mod sighting;
mod source_error;

pub(crate) use clean::{fields, is_true, kept, number, text};
pub use method::PassageMethod;
pub(crate) use moment::{Moment, read_moment};
pub use observed::{Passage, PassageDevice, PassageSource};
pub use person::{PersonKey, PersonScheme};
pub use reading::{DropReason, IgnoreReason, QuarantineReason, Reading};
pub use rules::PassageRules;
pub(crate) use sighting::Sighting;
pub use source_error::SourceError;
