use core::ops::ControlFlow;

use punch_normalize::timeline::{Finding, Role, StateTrust};
use punch_normalize::{EventId, HoldReason, Kept, Punch};
use punch_protocol::{Pin, RawPunch, SerialNumber};
use punch_webhook::{DeviceInfo, EmployeeInfo};

use chrono::{DateTime, NaiveDateTime, Utc};

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

    /// The punches kept for this person at this terminal whose civil time lies in `from..=to`.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn kept(
        &mut self,
        serial: &SerialNumber,
        pin: &Pin<'static>,
        from: NaiveDateTime,
        to: NaiveDateTime,
    ) -> Result<Vec<Kept>, Self::Error>;

    /// Hands over the punches kept for this person before `at`, newest first, until `take` has enough.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn look_back(
        &mut self,
        pin: &Pin<'static>,
        at: DateTime<Utc>,
        take: &mut dyn FnMut(Known) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;

    /// Hands over the punches kept for this person from `at` on, oldest first, until `take` has enough.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn look_ahead(
        &mut self,
        pin: &Pin<'static>,
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

    /// The person registered under `badge`.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn employee(&mut self, badge: &str) -> Result<Option<EmployeeInfo>, Self::Error>;

    /// Whether anybody is registered.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn has_employees(&mut self) -> Result<bool, Self::Error>;

    /// Writes one row and, for a delivered one, its event and its deliveries.
    ///
    /// A row that is known already stays as it is, except that a held one may be settled.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), Self::Error>;

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
    /// When the row arrived that caused it.
    pub at: DateTime<Utc>,
}

/// What a ledger knows about a row that was seen before.
#[derive(Debug, Clone)]
pub enum Settled {
    /// It was delivered.
    Delivered(Kept),
    /// It was suppressed, and this is its instant.
    Suppressed(DateTime<Utc>),
    /// It is held.
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
        /// What the punches around it make of it.
        finding: Option<&'a Finding>,
        /// What the terminal is there for, if it has one direction.
        role: Option<Role>,
        /// Whether the terminal's states say something.
        is_trusted: bool,
        /// The terminal, for payloads.
        device: &'a DeviceInfo,
        /// The person, for payloads.
        employee: &'a EmployeeInfo,
    },
    /// A second punch of the same person within the window.
    Suppressed {
        /// What would have been delivered.
        punch: &'a Punch,
        /// The punch that stands for it.
        of: &'a EventId,
    },
    /// Kept aside until somebody acts.
    Held {
        /// Why.
        reason: HoldReason,
        /// Where and why in detail, for rows that could not be read.
        problem: Option<&'a str>,
    },
    /// Not a punch; kept for the record.
    Recorded {
        /// The table it was posted to.
        table: &'a str,
    },
}
