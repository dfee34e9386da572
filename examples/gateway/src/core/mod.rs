//! The thinking of the gateway, without a socket, a file or a clock.
//!
//! The same code runs behind the real listeners and in the seeded world of the tests; what differs is the
//! [`Ledger`] it reads and writes.

mod clock;
mod corrections;
mod encounters;
mod forwarded;
mod identity;
mod intake;
mod key_scope;
mod ledger;
mod order;
mod periods;
mod person;
mod quota;
mod shifts;
mod upload;

pub use clock::{
    Alarm, AlarmCause, ClockNotice, ClockReport, Clockwork, Contact, Presence, Probe, ProbeError, ZoneChange,
};
pub use encounters::{Encounter, Encounters};
pub use forwarded::ForwardedError;
pub use identity::{Bound, BoundError, Clash, Identity, Register, Scope, Validity};
pub use intake::{Directory, Intake, Tally};
pub use key_scope::KeyScope;
pub use ledger::{Correction, Entry, Fate, Ledger, Place, Settled, Standing, Telling};
pub use order::{Means, Order, OrderError, OrderKind, Step};
pub use periods::Periods;
pub use person::{Known, Told};
pub use quota::{Allowance, CallLimits, Quota};
pub use shifts::Shifts;
pub use upload::{ByHand, Received, ReceivedRow};
