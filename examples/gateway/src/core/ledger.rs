use punch_normalize::{EventId, HoldReason, Kept, Punch};
use punch_protocol::{Pin, RawPunch, SerialNumber};
use punch_webhook::{DeviceInfo, EmployeeInfo};

use chrono::{DateTime, NaiveDateTime, Utc};

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
