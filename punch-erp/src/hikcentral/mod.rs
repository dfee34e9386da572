//! HikCentral Professional, and iSecure Center, through the Artemis gateway: who passed which door.
//!
//! Facts come from the makers' guides and from public code (2026-11-22); no server was measured. Those that decide the design:
//!
//! * The signature covers the header lines that are there, and no line stands for one that is absent. `Accept` and
//!   `Content-Type` are among them, so a client must not touch either after [`HikCentral`] signed.
//! * Errors come with status 200. The `code` says what it is, see [`ArtemisClass`].
//! * Two products speak two dialects through one gateway; [`read_notification`] tells them apart by their keys.
//! * Most event types are not about attendance, and of some it is not known. So a list says which count, [`EventTypes`].
//! * Pushed events get lost with their subscription, and doors that were offline tell late. So events are always read again,
//!   with [`PollMark`] and [`ReadDoorEvents`], and taken once, by [`Passage::event_id`](crate::passage::Passage::event_id) and
//!   [`Passage::natural_key`](crate::passage::Passage::natural_key).
//!
//! # Prerequisites
//!
//! The OpenAPI module in the version of the server, with its licence (code 17 without), and a partner user whose key and
//! secret these are. Results are limited to what that user may see: a door that is missing is not an error.

mod artemis_code;
mod door_event_page;
mod door_events;
mod envelope;
mod event_types;
mod get_person;
mod keep_subscribed;
mod known_people;
mod list_doors;
mod normalize;
mod notification;
mod person;
mod poll_mark;
mod read_door_events;
mod receiver;
mod settings;
mod signature;
mod site;
mod stamp;
mod subscriptions;
mod version;

pub use artemis_code::{ArtemisAction, ArtemisClass, ArtemisCode};
pub use door_event_page::DoorEventPage;
pub use door_events::{DoorEventQuery, DoorEvents};
pub use event_types::EventTypes;
pub use get_person::GetPerson;
pub use keep_subscribed::{KeepSubscribed, Subscribed};
pub use known_people::{KnownPeople, Unresolved};
pub use list_doors::{Door, ListDoors};
pub use normalize::HikCentralRules;
pub use notification::{NOTIFICATION_BODY_MAX, NOTIFICATION_EVENTS_MAX, read_notification};
pub use person::PersonInfo;
pub use poll_mark::{PollMark, PollRules, PollWindow};
pub use read_door_events::{DoorEventsRead, ReadDoorEvents};
pub use receiver::Receiver;
pub use settings::{Dialect, HikCentralSettings};
pub use signature::{SignatureFault, sign, string_to_sign, verify};
pub use site::HikCentral;
pub use stamp::Stamp;
pub use subscriptions::{Subscribe, Subscription, Unsubscribe, ViewSubscriptions};
pub use version::{GetVersion, Version};
