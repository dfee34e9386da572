use core::ops::ControlFlow;

use punch_normalize::timeline::{Finding, Role, StateTrust};
use punch_normalize::{EventId, Hint, HoldReason, Person, Punch};
use punch_protocol::{Pin, RawPunch, SerialNumber};
use punch_webhook::{DeviceInfo, EmployeeInfo};

use chrono::{DateTime, Utc};

use super::enrollment::Enrollment;
use super::identity::Register;
use super::person::Known;

/// Where rows end up. One implementation writes SQLite inside a transaction, another a map in a test.
pub trait Ledger {
    /// What can go wrong with it.
    type Error;

    /// What became of the row with this identity, if it is known.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn settled(&mut self, event_id: &EventId) -> Result<Option<Settled>, Self::Error>;

    /// What the row with this identity says, if it became a punch, kept or suppressed.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn punch(&mut self, event_id: &EventId) -> Result<Option<Punch>, Self::Error>;

    /// Hands over the punches of this person before `at`, kept and suppressed, newest first, until `take` has enough.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn look_back(
        &mut self,
        person: &Person,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;

    /// Hands over the punches of this person from `at` on, kept and suppressed, oldest first, until `take` has enough.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn look_ahead(
        &mut self,
        person: &Person,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;

    /// What the states of this terminal's last punches say about them.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn trust(&mut self, serial: &SerialNumber) -> Result<StateTrust, Self::Error>;

    /// Keeps that.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    fn keep_trust(&mut self, serial: &SerialNumber, trust: &StateTrust) -> Result<(), Self::Error>;

    /// Up to when everything of a site is known, if anybody knows.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn complete_to(&mut self, site: &str) -> Result<Option<DateTime<Utc>>, Self::Error>;

    /// Who has, or had, this PIN.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn register(&mut self, pin: &Pin<'_>) -> Result<Register, Self::Error>;

    /// The names of the shifts that a person works, as the register has them.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn shifts_of(&mut self, person: &Person) -> Result<Vec<String>, Self::Error>;

    /// Whether anybody is registered.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn has_employees(&mut self) -> Result<bool, Self::Error>;

    /// Writes one row and, for a delivered one, its event and its deliveries.
    ///
    /// A row that is known already stays as it is, except that a held one may be settled, and that a suppressed one may
    /// turn out to be a punch of its own.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), Self::Error>;

    /// Writes the instant that a punch has now, and how it was found.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    fn redate(&mut self, punch: &Punch) -> Result<(), Self::Error>;

    /// Writes what is found now of a punch that was delivered and, if receivers have to hear of it, the event that tells
    /// them and its deliveries.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    fn correct(&mut self, correction: &Correction<'_>) -> Result<(), Self::Error>;
}

/// What is found now of a punch that was delivered.
#[derive(Debug)]
pub struct Correction<'a> {
    /// The punch.
    pub known: &'a Known,
    /// What is found now.
    pub finding: &'a Finding,
    /// What receivers are told; `None` if they need not hear of it.
    pub telling: Option<Telling<'a>>,
}

/// An event that tells a punch anew.
#[derive(Debug)]
pub struct Telling<'a> {
    /// Its identity.
    pub event_id: &'a EventId,
    /// How often the punch was told anew with it.
    pub number: u32,
    /// Why, as a word.
    pub reason: &'static str,
    /// The instant that was told last, if it is another one now.
    pub old_timestamp: Option<DateTime<Utc>>,
    /// Whether the pay period of its day is closed.
    pub is_late: bool,
    /// When the row arrived that caused it.
    pub at: DateTime<Utc>,
}

/// What a ledger knows about a row that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was delivered.
    Delivered,
    /// It was suppressed.
    Suppressed,
    /// Somebody has put it away.
    Discarded,
    /// It is held, and somebody has said of it what the terminal did not.
    HeldByHand,
    /// It is held, or no punch.
    Held,
}

/// One row, and what became of it.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its identity; rows that could not be read have one made from their bytes.
    pub id: &'a str,
    /// The terminal.
    pub serial: &'a SerialNumber,
    /// The row's bytes.
    pub raw: &'a [u8],
    /// What it says, if it could be read.
    pub punch: Option<&'a RawPunch>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// What became of it.
    pub fate: Fate<'a>,
}

/// What became of a row. Every row has exactly one fate.
#[derive(Debug)]
pub enum Fate<'a> {
    /// To be delivered.
    Delivered {
        /// What happened.
        punch: &'a Punch,
        /// How it stands among those of its person.
        standing: &'a Standing,
        /// The terminal, for payloads.
        device: &'a DeviceInfo,
        /// The person, for payloads.
        employee: &'a EmployeeInfo,
        /// Whether receivers get it now. What is too old waits to be asked for.
        is_sent: bool,
        /// The identity of the event that says so, if the pay period of its day is closed.
        late: Option<&'a EventId>,
    },
    /// A second punch of the same person within the window.
    Suppressed {
        /// What would have been delivered.
        punch: &'a Punch,
        /// How it stands among those of its person.
        standing: &'a Standing,
        /// The punch that stands for it.
        of: &'a EventId,
    },
    /// Kept aside until somebody acts.
    Held {
        /// Why.
        reason: HoldReason,
        /// Where and why in detail, for rows that could not be read.
        problem: Option<&'a str>,
        /// Where it stood in its upload, of a row that could be read.
        place: Option<Place>,
    },
    /// Not a punch; kept for the record.
    Recorded {
        /// The table it was posted to.
        table: &'a str,
        /// What receivers are told of it.
        told: Option<Enrollment<'a>>,
    },
}

/// Where a row stood in its upload. It is kept with a row that is held, which comes without the others once it is
/// released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its place among them; it decides between two of one second.
    pub order: u64,
    /// Which of two repeated hours it belongs to.
    pub hint: Hint,
    /// What the door or the reader was there for by which it came, if an access system told it.
    pub passed_by: Option<Role>,
}

/// How a punch stands among those of its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub person: Person,
    /// The site of the terminal.
    pub site: Option<String>,
    /// Where it stood in its upload.
    pub place: Place,
    /// What the terminal is there for, if it has one direction.
    pub role: Option<Role>,
    /// Whether the terminal's states say something.
    pub is_trusted: bool,
}
