use alloc::string::String;
use core::fmt;

use chrono::{DateTime, FixedOffset, Offset as _, Timelike as _, Utc};
use punch_normalize::EventId;
use punch_webhook::ReceivedPunch;
use serde::{Serialize, Serializer};

use super::{SuccessFactors, TimeEventId};
use crate::ParkReason;

/// The longest assignment id, in characters.
const MAX_ASSIGNMENT_LEN: usize = 100;

/// The longest terminal id, in characters.
const MAX_TERMINAL_LEN: usize = 30;

/// A time event to be stored. `Debug` shows no assignment.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewTimeEvent {
    /// The key of the event.
    pub id: TimeEventId,
    /// Whose it is: the external id of a work assignment, 1 to 100 characters.
    pub assignment_id: String,
    /// What happened, in the tenant's code.
    pub type_code: String,
    /// When, whole seconds, with the site's offset: the tenant evaluates local days.
    #[serde(serialize_with = "write_timestamp")]
    pub timestamp: DateTime<FixedOffset>,
    /// Where, at most 30 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal_id: Option<String>,
    /// The time type, for a begin only; otherwise the tenant derives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_type_code: Option<String>,
    /// Whose `id` the id is made of.
    #[serde(skip)]
    pub event_id: EventId,
    /// Whether nobody said the zone, so that the time is in UTC.
    #[serde(skip)]
    pub is_without_zone: bool,
}

impl NewTimeEvent {
    /// The event of a punch.
    ///
    /// # Errors
    ///
    /// [`ParkReason`] if the punch cannot be written: the service would refuse it, or take it and be wrong.
    pub fn of(tenant: &SuccessFactors, punch: &ReceivedPunch, now: DateTime<Utc>) -> Result<Self, ParkReason> {
        if let Some(reason) = ParkReason::of_time(punch.at, now) {
            return Err(reason);
        }
        let assignment_id = assignment_of(tenant, punch)?;
        let coded = tenant.code(punch.direction)?;
        let (timestamp, is_without_zone) = tenant.local(punch);
        let terminal = punch.device_serial.as_deref().filter(|serial| tenant.sends_terminal() && !serial.is_empty());
        Ok(Self {
            id: TimeEventId::of(&punch.event_id),
            assignment_id,
            type_code: coded.code.into(),
            // Rounding could move a punch over a day's end; a leap second is the second before.
            timestamp: timestamp.with_nanosecond(0).unwrap_or(timestamp),
            terminal_id: terminal.map(|serial| serial.chars().take(MAX_TERMINAL_LEN).collect()),
            time_type_code: tenant.time_type().filter(|_| coded.is_start).map(Into::into),
            event_id: punch.event_id.clone(),
            is_without_zone,
        })
    }
}

/// The assignment id in a punch. The service knows no blank ones, and none that are longer.
pub(super) fn assignment_of(tenant: &SuccessFactors, punch: &ReceivedPunch) -> Result<String, ParkReason> {
    let assignment = tenant.assignment(punch).unwrap_or_default();
    let is_usable = !assignment.trim().is_empty()
        && assignment.chars().count() <= MAX_ASSIGNMENT_LEN
        && !assignment.chars().any(char::is_control);
    if is_usable { Ok(assignment.into()) } else { Err(ParkReason::UnknownEmployee) }
}

impl fmt::Debug for NewTimeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTimeEvent")
            .field("id", &self.id)
            .field("type_code", &self.type_code)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

/// No fraction, and a numeric offset also for UTC: whether `Z` is taken is not documented.
fn write_timestamp<S: Serializer>(timestamp: &DateTime<FixedOffset>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&timestamp.format("%Y-%m-%dT%H:%M:%S%:z"))
}

/// The same instant in UTC, with the offset written out.
pub(super) fn in_utc(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&Utc.fix())
}
