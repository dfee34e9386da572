//! What a terminal's log of operations says it has learned of people.

use chrono::{DateTime, NaiveDateTime, Utc};
use punch_normalize::{EventId, Hint, Method, Person};
use punch_protocol::push::{Operation, OperationRow};
use punch_protocol::{Pin, SerialNumber};
use punch_webhook::{DeviceInfo, EmployeeInfo, EnrollmentKind};

use super::intake::{Directory, Intake};
use super::ledger::{Entry, Fate, Ledger};
use super::upload::Received;

/// Somebody was enrolled at a terminal. `Debug` does not say who.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The PIN of whoever it was.
    pub pin: Pin<'static>,
    /// What the terminal learned.
    pub kind: EnrollmentKind,
    /// What its clock showed, if it says so.
    pub at: Option<NaiveDateTime>,
}

/// An enrolment that receivers are told of.
#[derive(Debug)]
pub struct Enrollment<'a> {
    /// The identity of the event: that of the row.
    pub event_id: &'a EventId,
    /// The terminal, for payloads.
    pub device: &'a DeviceInfo,
    /// The person, for payloads.
    pub employee: &'a EmployeeInfo,
    /// What the terminal learned.
    pub kind: EnrollmentKind,
    /// When.
    pub at: DateTime<Utc>,
}

impl Enrolled {
    /// What an operation says, if it is about an enrolment and names somebody.
    pub(super) fn of(row: &OperationRow<'_>) -> Option<Self> {
        let kind = kind_of(row.code())?;
        // The first object is the PIN of each of these; what the others are differs between manuals and terminals.
        let pin = Pin::new(row.objects().next()?);
        let names_somebody = !pin.is_empty() && pin.as_bytes() != b"0";
        names_somebody.then(|| Self { pin: pin.into_owned(), kind, at: row.time().ok() })
    }
}

/// What a terminal learns by an operation; nothing by most of them.
fn kind_of(operation: Operation) -> Option<EnrollmentKind> {
    let method = match operation {
        Operation::USER_ADDED => return Some(EnrollmentKind::User),
        Operation::FINGER_ENROLLED => Method::Fingerprint,
        Operation::FACE_ENROLLED => Method::Face,
        Operation::PALM_ENROLLED => Method::Palm,
        Operation::FINGER_VEIN_ENROLLED => Method::Vein,
        Operation::HID_CARD_ENROLLED | Operation::MF_CARD_ENROLLED => Method::Card,
        Operation::PASSWORD_ENROLLED => Method::Password,
        _ => return None,
    };
    Some(EnrollmentKind::Credential(method))
}

impl Intake {
    /// Enters the row of an enrolment. It is told as often as the row is new: once.
    pub(super) fn enter_enrolled<L: Ledger>(
        &self,
        received: &Received,
        raw: &[u8],
        enrolled: &Enrolled,
        directory: &Directory,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let Received { serial, table, received_at, .. } = received;
        let id = self.row_id(received, raw);
        let local = enrolled.at.unwrap_or_else(|| directory.rules.zone.at(*received_at).local.naive_local());
        let shown = directory.rules.zone.resolve(local, Hint::default());
        let employee = self.enrolled_employee(serial, enrolled, shown.local, directory, ledger)?;
        let is_sent = directory.sends(directory.rules.horizon.is_historic(shown.local, *received_at));
        let event_id = self.own_id("enrollment", &id).filter(|_| is_sent);
        let device = &directory.device;
        // A clock that is ahead makes nothing happen later than it was told.
        let (kind, at) = (enrolled.kind, shown.instant.min(*received_at));
        let told = event_id.as_ref().map(|event_id| Enrollment { event_id, device, employee: &employee, kind, at });
        let fate = Fate::Recorded { table, told };
        ledger.enter(&Entry { id: &id, serial, raw, punch: None, received_at: *received_at, fate })
    }

    fn enrolled_employee<L: Ledger>(
        &self,
        serial: &SerialNumber,
        enrolled: &Enrolled,
        at: DateTime<chrono::FixedOffset>,
        directory: &Directory,
        ledger: &mut L,
    ) -> Result<EmployeeInfo, L::Error> {
        let (pin, site) = (&enrolled.pin, directory.device.site.as_deref().unwrap_or_default());
        let register = ledger.register(pin)?;
        let identity = register.find(serial, site, pin, at);
        let person = identity.map_or_else(|| Person::of_pin(pin), |identity| Person::new(identity.person()));
        Ok(self.employee(&person, identity))
    }
}
