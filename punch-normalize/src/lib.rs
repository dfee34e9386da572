//! From what a terminal said to what happened: time, identity, duplicates, direction, reasons.
//!
//! [`Normalizer`] judges rows. It asks [`timeline`], which reads a person's punches together: directions, shifts, what is missing.
//!
//! Everything here is a pure function of its arguments: no clock, no file, no random number. The crate is
//! `no_std` with `alloc`.
//!
//! ```
//! use punch_normalize::{DeviceZone, DuplicateKind, HoldReason, Normalizer, Observation, Rules, TenantKey, Verdict};
//! use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify, civil};
//!
//! // What the terminal said.
//! let row = |time: &[u8]| -> Result<RawPunch, Box<dyn std::error::Error>> {
//!     let serial = SerialNumber::parse("CZKE2241600045")?;
//!     let mut raw = RawPunch::new(serial, Pin::new(b"1042").into_owned(), civil::parse(time)?);
//!     raw.status = Some(Status::CHECK_IN);
//!     raw.verify = Some(Verify::FINGERPRINT);
//!     Ok(raw)
//! };
//! let received_at = "2026-03-28T14:50:00Z".parse()?;
//!
//! // One key per tenant, one set of rules per terminal.
//! let mut normalizer = Normalizer::new(TenantKey::new([7; 32]));
//! let rules = Rules::new(DeviceZone::parse("America/Mexico_City")?);
//!
//! let verdict = normalizer.observe(&rules, Observation::new(row(b"2026-03-28 08:47:12")?, received_at));
//! let Verdict::Fresh(punch) = verdict else { panic!("the first row is fresh") };
//! assert_eq!(punch.local_time.to_rfc3339(), "2026-03-28T08:47:12-06:00");
//! assert_eq!((punch.direction.as_str(), punch.method.as_str()), ("in", "fingerprint"));
//!
//! // The same finger 20 seconds later is the same arrival.
//! let verdict = normalizer.observe(&rules, Observation::new(row(b"2026-03-28 08:47:32")?, received_at));
//! assert!(matches!(verdict, Verdict::Duplicate { of, kind: DuplicateKind::Bounce, .. } if of == punch.event_id));
//!
//! // A dead battery is explained, not guessed at.
//! let verdict = normalizer.observe(&rules, Observation::new(row(b"2000-01-01 00:00:07")?, received_at));
//! assert!(matches!(verdict, Verdict::Held { reason: HoldReason::ClockReset, .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! * Every row gets exactly one [`Verdict`]; no input panics or is lost.
//! * The [`EventId`] depends on terminal, PIN, civil time and state alone: it survives replays, zone fixes
//!   and other transports.
//! * What was kept is never withdrawn, and what was settled is never fresh again while it is remembered.
//! * No time is invented or altered: `device_local` is the terminal's own, and `time_quality` says how sure the step to
//!   UTC is. Only a [`ClockPolicy`] that is chosen corrects an instant, and then says so.
//! * Nobody is forced in or out: where nothing is declared and nothing may be inferred, the direction stays
//!   [`Direction::Unknown`].
//! * No `Debug` or error text shows a PIN or the tenant key.
//!
//! # Why a row is held
//!
//! Checked in this order; the first that applies is the reason.
//!
//! | [`HoldReason`] | code | cause |
//! |---|---|---|
//! | `Malformed` | `malformed` | the row could not be read (set by the caller) |
//! | `Anonymous` | `anonymous` | the PIN is empty |
//! | `ClockReset` | `clock_reset` | the terminal's clock shows a year before 2010 |
//! | `Future` | `future` | more than 24 hours ahead of its receipt |
//! | `ClockWrong` | `clock_wrong` | the clock is wrong, and its rows are to be held then |
//! | `UnregisteredBadge` | `unregistered_badge` | the PIN belongs to nobody |
//!
//! # Limits
//!
//! | limit | default |
//! |---|---|
//! | [`timeline::BounceRules::WINDOW`] | 60 s between two punches of one person at one terminal |
//! | [`Rules::SUSPECT_AFTER`] | 2 min ahead of receipt |
//! | [`Rules::FUTURE_LIMIT`] | 24 h ahead of receipt |
//! | [`ClockSamples::MAX`], [`WINDOW`](ClockSamples::WINDOW) | 32 comparisons of a terminal's clock, of the last 24 h |
//! | [`ClockSamples::MIN`], [`MAX_SPREAD`](ClockSamples::MAX_SPREAD) | 5 comparisons that agree to 5 s |
//! | [`ClockSample::MAX_OFFSET`], [`MAX_ROUND_TRIP`](ClockSample::MAX_ROUND_TRIP) | 100 days, 5 s |
//! | [`Arrival::MAX_LIVE_ROWS`] | 3 rows in a live upload |
//! | [`ClockHistory::MAX`], [`SPACING`](ClockHistory::SPACING) | 8 measurements, 3 h apart |
//! | [`TerminalClock::MAX_STATE_LEN`] | 768 bytes |
//! | [`ZoneHistory::MAX_CHANGES`] | 32 changes of a terminal's zone |
//! | [`timeline::TimelineRules::max_shift`] | 14 h between coming and going |
//! | [`timeline::TimelineRules::shift_gap`] | 4 h begin a new shift |
//! | [`timeline::History::MARKS_MAX`] | 512 punches of a person |
//! | [`timeline::StateTrust::LAST_MAX`] | 200 punches of a terminal |
//! | [`Normalizer::PLACES_MAX`] | 65,535 terminals, and as many sites |
//! | [`EventId::MAX_LEN`] | 128 bytes |
//! | [`DeviceZone::MAX_LEN`] | 64 bytes |
//!
//! What a [`Normalizer`] remembers is bounded by [`Normalizer::forget_before`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod clock;
mod dating;
mod direction;
mod hold;
mod identity;
mod method;
mod normalizer;
mod observation;
mod person;
mod punch;
mod resolve;
mod rules;
mod saved;
pub mod timeline;
mod verdict;
mod zone;

pub use clock::{
    Adjustment, Arrival, ClockEstimate, ClockHealth, ClockHistory, ClockOffset, ClockPolicy, ClockSample, ClockSamples,
    ClockStateError, ClockTreatment, Diagnosis, Horizon, SampleKind, TerminalClock, Timeliness, ZoneHistory,
    ZoneHistoryError,
};
pub use dating::Dated;
pub use direction::{Direction, DirectionSource};
pub use hold::HoldReason;
pub use identity::{EventId, EventIdError, TenantKey};
pub use method::Method;
pub use normalizer::Normalizer;
pub use observation::Observation;
pub use person::Person;
pub use punch::{Punch, TimeQuality};
pub use resolve::{Hint, Resolved};
pub use rules::Rules;
pub use saved::{SavedNormalizer, SavedNormalizerError};
pub use verdict::{DuplicateKind, Verdict};
pub use zone::{DeviceZone, ZoneError};
