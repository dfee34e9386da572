//! What each answer leads to.

use alloc::sync::Arc;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::WriteCheckin;
use super::stage::{Ask, Stage, Why, parked, retry, retry_look, settle};
use crate::answer::answer;
use crate::erpnext::judge::{difference, is_repeated, zone_gap};
use crate::erpnext::{Checkin, CreateCheckin, Created, FindCheckins, GetCheckin, ListEmployees, NewCheckin, Resource};
use crate::{CallError, Endpoint as _, Failure, HttpResponse, Outcome, ParkReason, RetryReason};

impl WriteCheckin {
    pub(super) fn after_employees(&mut self, reply: Result<HttpResponse, Failure>) -> Stage {
        match answer(reply, |response| ListEmployees::new(&self.site).response(response)) {
            Ok(directory) => {
                let directory = Arc::new(directory);
                let stage = self.resolve(&directory, false);
                self.directory = Some(directory);
                stage
            }
            Err(reason) => retry(reason),
        }
    }

    pub(super) fn after_create(
        &self,
        row: NewCheckin,
        resource: Resource,
        reply: Result<HttpResponse, Failure>,
    ) -> Stage {
        let call = CreateCheckin::new(&self.site, row.clone(), resource);
        let ask = match answer(reply, |response| call.response(response)) {
            Ok(Created::Stored { checkin, answered_at }) => return self.after_stored(row, &checkin, answered_at),
            Ok(Created::NameTaken) => Ask::Name(Why::Taken),
            Ok(Created::Duplicate) => Ask::Time(Why::Taken),
            Ok(Created::NoSuchResource) => Ask::Time(Why::NoV2),
            Err(RetryReason::Call(CallError::Refused { kind, evidence })) => {
                return parked(match kind.as_deref() {
                    Some("InactiveEmployeeStatusError") => ParkReason::EmployeeInactive,
                    _ => ParkReason::Refused { kind, evidence },
                });
            }
            // A gateway that gave up says so with a status; the server is ailing, and the next attempt may look.
            Err(RetryReason::Call(error)) if !matches!(error, CallError::Unreadable { .. }) => return retry(error),
            Err(reason) if reason.may_have_happened() => Ask::Name(Why::Lost),
            Err(reason) => return retry(reason),
        };
        Stage::Row { row, ask }
    }

    /// Compares what was stored with what was sent.
    fn after_stored(&self, row: NewCheckin, stored: &Checkin, answered_at: Option<DateTime<Utc>>) -> Stage {
        let remote_id = stored.name.clone();
        match difference(&row, stored) {
            Some("time") => return parked(ParkReason::TimeNotEchoed { remote_id }),
            Some(field) => return parked(ParkReason::EchoDiffers { remote_id, field }),
            None => {}
        }
        let times = stored.creation.zip(answered_at);
        if let Some((found, configured)) = times.and_then(|(creation, now)| zone_gap(self.site.zone(), creation, now)) {
            return parked(ParkReason::SiteZoneDiffers { remote_id, found, configured });
        }
        if stored.name != row.name {
            return Stage::Row { row, ask: Ask::Time(Why::Renamed(remote_id)) };
        }
        settle(row, stored, Outcome::Applied { remote_id })
    }

    pub(super) fn after_name(&self, row: NewCheckin, why: Why, reply: Result<HttpResponse, Failure>) -> Stage {
        let call = GetCheckin::new(&self.site, row.name.as_str());
        let found = match answer(reply, |response| call.response(response)) {
            Ok(found) => found,
            Err(reason) => return retry_look(&why, reason),
        };
        let Some(found) = found else {
            return match why {
                Why::Taken => parked(ParkReason::DuplicateUnseen),
                // An older server stored it under another name.
                Why::First | Why::Lost | Why::NoV2 | Why::Renamed(_) => Stage::Row { row, ask: Ask::Time(why) },
            };
        };
        let remote_id = found.name.clone();
        match difference(&row, &found) {
            Some(field) => parked(ParkReason::Conflict { remote_id, field }),
            None => settle(row, &found, Outcome::AlreadyThere { remote_id }),
        }
    }

    pub(super) fn after_time(&self, row: NewCheckin, why: Why, reply: Result<HttpResponse, Failure>) -> Stage {
        let call = FindCheckins::new(&self.site, row.employee.as_str(), row.time);
        let mut found: Vec<Checkin> = match answer(reply, |response| call.response(response)) {
            Ok(found) => found,
            Err(reason) => return retry_look(&why, reason),
        };
        found.retain(|checkin| difference(&row, checkin).is_none());
        // Our own first: in an hour that happens twice the other one is another punch.
        let Some(first) = found.iter().find(|checkin| self.is_ours(&row, checkin)).or_else(|| found.first()) else {
            return match why {
                Why::First => Stage::Row { row, ask: Ask::Create(Resource::V2) },
                Why::NoV2 => Stage::Row { row, ask: Ask::Create(Resource::V1) },
                Why::Taken => parked(ParkReason::DuplicateUnseen),
                Why::Lost | Why::Renamed(_) => retry(RetryReason::Unconfirmed),
            };
        };
        match why {
            Why::Renamed(remote_id) if found.len() > 1 => parked(ParkReason::Doubled { remote_id, count: found.len() }),
            Why::Renamed(remote_id) => settle(row, first, Outcome::Applied { remote_id }),
            Why::First | Why::Taken | Why::Lost | Why::NoV2 => {
                let remote_id = first.name.clone();
                if !self.is_ours(&row, first) && is_repeated(self.site.zone(), row.time) {
                    return parked(ParkReason::RepeatedHour { remote_id });
                }
                settle(row, first, Outcome::AlreadyThere { remote_id })
            }
        }
    }

    pub(super) fn after_employee(
        &mut self,
        row: &NewCheckin,
        outcome: Outcome,
        reply: Result<HttpResponse, Failure>,
    ) -> Stage {
        match answer(reply, |response| ListEmployees::new(&self.site).response(response)) {
            Ok(directory) => {
                let exists = directory.has_employee(&row.employee);
                self.directory = Some(Arc::new(directory));
                match outcome.remote_id() {
                    Some(id) if !exists => parked(ParkReason::OrphanRow { remote_id: id.into() }),
                    _ => Stage::Done(outcome),
                }
            }
            Err(reason) => retry(reason),
        }
    }

    /// Whether the record is of this very event, and not of another one at the same second.
    fn is_ours(&self, row: &NewCheckin, checkin: &Checkin) -> bool {
        checkin.name == row.name || checkin.device_id.as_deref() == Some(self.punch.event_id.as_str())
    }
}
