//! The event contract: what is sent, how it is signed, when it is sent again, and who has it already.
//!
//! A sender builds an [`Event`], stores its body, and signs every attempt with a [`Signer`]. A receiver checks the
//! bytes with a [`Verifier`], reads the event, and remembers its id: in a table, or in a [`Seen`]. A server whose
//! clients repeat their requests answers them by [`Idempotency`].
//!
//! The feature `ed25519` adds signatures by key pair: `SigningKey` for the sender, `VerifyingKey` for receivers.
//!
//! # Receiving
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! use chrono::{DateTime, Utc};
//! use punch_webhook::{ReceivedEvent, Secret, Signer, Verifier};
//!
//! /// Everything a receiver does; the answer is a status. `seen` stands for a table with a unique key.
//! fn receive<'h>(
//!     headers: impl IntoIterator<Item = (&'h str, &'h str)>,
//!     body: &[u8],
//!     seen: &mut BTreeSet<String>,
//!     verifier: &Verifier,
//!     now: DateTime<Utc>,
//! ) -> u16 {
//!     let verified = match verifier.verify(headers, body, now) {
//!         Ok(verified) => verified,
//!         Err(error) => return error.http_status(), // log `error`: it says what to do and names nobody
//!     };
//!     match verified.event() {
//!         Ok(ReceivedEvent::Punch(punch)) => {
//!             // Mark and process in one transaction, or a crash between the two loses the punch.
//!             if seen.insert(punch.event_id.to_string()) {
//!                 // write punch.badge, punch.at, punch.direction to the ERP
//!             }
//!             200
//!         }
//!         Ok(_) => 200, // another type of event: nothing to do
//!         Err(error) => error.http_status(),
//!     }
//! }
//!
//! let secret = Secret::from_random([7; 32]);
//! let body = br#"{"event_id":"evt_1","employee_id":"0042","timestamp":"2026-03-28T08:47:12Z","punch_type":"in"}"#;
//! let (now, mut seen) = (DateTime::from_timestamp(1_774_687_633, 0).unwrap(), BTreeSet::new());
//! let signed = Signer::new(&secret).headers(&punch_normalize::EventId::parse("evt_1")?, body, now);
//! assert_eq!(receive(signed.iter(), body, &mut seen, &Verifier::new(&secret), now), 200);
//! assert_eq!(receive([], body, &mut seen, &Verifier::new(&secret), now), 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! * Everything here is a pure function of its arguments: no clock, no socket, no file, no random number. The crate
//!   is `no_std` with `alloc`; `now` is always an argument, and the last one.
//! * No input panics, whatever a stranger writes into headers or body.
//! * Bodies are signed and verified as bytes, never written anew. Signatures are decoded, then compared in constant
//!   time; what they cover is read only afterwards.
//! * A request may hold several events where the receiver asked for it: [`BatchBody`] writes it, [`Verified::each`] takes it
//!   apart. Signed is the whole; each event is judged by itself.
//! * A [`ReceivedEvent`] comes from a [`Verified`] body and from nowhere else.
//! * `event_id` is equal for every delivery of an event, and nothing else is: the body holds the attempt number.
//! * No correction is a [`ReceivedEvent::Punch`]: what tells a punch anew, or too late, is another variant.
//! * What is remembered is bounded: [`QueueLimits`], [`SeenLimits`], [`Idempotency::MAX_IN_PROGRESS`].
//! * Secrets are wiped when dropped. Secrets, badges and names appear in no `Debug` and in no error text.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod claims;
mod event_type;
mod header;
mod idempotency;
#[cfg(feature = "ed25519")]
mod key_pair;
mod outcome;
mod payload;
mod queue;
mod received;
mod schedule;
mod secret;
mod seen;
mod signer;
mod verifier;

pub use event_type::EventType;
pub use header::{HeaderName, HeaderNameError};
pub use idempotency::{
    AnswerTooLarge, Claim, Execution, Fingerprint, Idempotency, IdempotencyError, IdempotencyKey, IdempotencyRecord,
    SavedAnswer,
};
#[cfg(feature = "ed25519")]
pub use key_pair::{KeyPairError, SigningKey, VerifyingKey};
pub use outcome::{Class, MAX_RETRY_AFTER, Outcome, Reason, body_says_duplicate, parse_retry_after};
pub use payload::{
    BatchBody, ClockAlarm, DeviceInfo, DeviceStatus, EmployeeInfo, EnrollmentKind, Event, FailingEndpoint,
    PayloadFormat, PayloadFormatError, Revision, StoredBody,
};
pub use queue::{
    Attempt, DeliveryId, EndpointId, EndpointRules, EndpointState, EndpointStatus, EnqueueError, Health, Lane,
    Progress, Queue, QueueLimits, QueueStatus, Record, Waiting,
};
pub use received::{
    ReceiveError, ReceivedChange, ReceivedClock, ReceivedDevice, ReceivedDeviceStatus, ReceivedEnrollment,
    ReceivedEvent, ReceivedFailing, ReceivedLate, ReceivedMetadata, ReceivedPunch, ReceivedRevision,
    ReceivedSyntheticOut, ReceivedWatermark,
};
pub use schedule::{Disposition, Schedule, ScheduleError};
pub use secret::{Secret, SecretError};
pub use seen::{EventClaim, Seen, SeenLimits, Sighting};
pub use signer::{SignatureStyle, SignedHeaders, Signer};
pub use verifier::{Scheme, Verified, Verifier, VerifyError};

#[doc = include_str!("../ERRORS.md")]
pub mod errors {}
