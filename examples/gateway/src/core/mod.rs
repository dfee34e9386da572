//! The thinking of the gateway, without a socket, a file or a clock.
//!
//! The same code runs behind the real listeners and in the seeded world of the tests; what differs is the
//! [`Ledger`] it reads and writes.

mod access;
mod attempts;
mod audit;
mod clock;
mod corrections;
mod encounters;
mod enrollment;
mod erasure;
mod forwarded;
mod identity;
mod intake;
mod key_scope;
mod ledger;
mod networks;
mod order;
mod passages;
mod periods;
mod person;
mod preface;
mod quota;
mod reach;
mod shifts;
mod tally;
mod upload;

pub use access::{Access, PathToken};
pub use attempts::Attempts;
pub use audit::{AuditEntry, Break, Check, Deed, Head, Linked, NoEntry, NoHead, Outcome, Problem};
pub use clock::{
    Alarm, AlarmCause, ClockNotice, ClockReport, Clockwork, Contact, Presence, Probe, ProbeError, ZoneChange,
};
pub use encounters::{Encounter, Encounters};
pub use enrollment::{Enrolled, Enrollment};
pub use erasure::{Pseudonym, Traces};
pub use forwarded::ForwardedError;
pub use identity::{Bound, BoundError, Clash, Identity, Register, Scope, Validity};
pub use intake::{Directory, Intake, Progress};
pub use key_scope::KeyScope;
pub use ledger::{Correction, Entry, Fate, Ledger, Place, Settled, Standing, Telling};
pub use networks::Networks;
pub use order::{Means, Order, OrderError, OrderKind, Step};
pub use passages::Passed;
pub use periods::Periods;
pub use person::{Known, Told};
pub use preface::{BadPreface, Preface};
pub use quota::{Allowance, CallLimits, Quota};
pub use reach::Reach;
pub use shifts::Shifts;
pub use tally::Tally;
pub use upload::{ByHand, Received, ReceivedRow};
