mod answers;
mod stage;

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use chrono::{DateTime, NaiveDateTime, Timelike as _, Utc};
use punch_normalize::{Direction, EventId};
use punch_webhook::ReceivedPunch;

use super::{
    CreateCheckin, DeviceIdField, EmployeeDirectory, ErpNext, FindCheckins, GetCheckin, ListEmployees, LogType,
    NewCheckin, Resource, checkin_name,
};
use crate::{Endpoint as _, Failure, Flow, HttpResponse, Outcome, ParkReason, Step};
use stage::{Ask, Stage, Why, parked};

/// Writes one punch as one *Employee Checkin*: one attempt, as few calls as are safe.
///
/// With a directory at hand and a current server it is one call. The record's name comes from the event, so repeating
/// the attempt cannot store it twice. What the server answers counts only if it repeats what was sent; what it calls
/// a duplicate counts only if it can be read back.
///
/// ```text
/// employees ── no such badge ─────────────► parked        (the table is read once more before that)
///     │
///   create ── stored as sent ─────────────► applied
///     │ ├──── stored otherwise ───────────► parked, alarm
///     │ ├──── name taken ──► read ────────► already, or parked if it says something else
///     │ ├──── duplicate ───► find ────────► already, or parked if nothing is shown
///     │ ├──── no answer ───► read, find ──► already, or retry
///     │ ├──── no /api/v2 ──► find ──► create with /api/resource ──► find ──► applied
///     │ └──── 401 403 404 3xx 429 5xx ────► retry
///     └────── anything else ──────────────► parked
/// ```
///
/// `Debug` shows the event and the stage, never a person.
pub struct WriteCheckin {
    site: ErpNext,
    punch: Facts,
    directory: Option<Arc<EmployeeDirectory>>,
    may_refresh: bool,
    look_first: bool,
    stage: Stage,
}

/// What of a punch is written, and nothing else of it.
struct Facts {
    event_id: EventId,
    badge: String,
    at: DateTime<Utc>,
    direction: Direction,
    serial: Option<String>,
}

impl WriteCheckin {
    /// Prepares the attempt. Nothing happens before the first [`poll`](Flow::poll).
    ///
    /// A punch before 2010 or more than a day after `now` is parked: the server would take it, and payroll with it.
    pub fn new(site: &ErpNext, punch: &ReceivedPunch, now: DateTime<Utc>) -> Self {
        let stage = ParkReason::of_time(punch.at, now).map_or(Stage::Start, parked);
        Self {
            site: site.clone(),
            punch: Facts {
                event_id: punch.event_id.clone(),
                badge: punch.badge.clone(),
                at: punch.at,
                direction: punch.direction,
                serial: punch.device_serial.clone(),
            },
            directory: None,
            may_refresh: true,
            look_first: false,
            stage,
        }
    }

    /// Uses an employee table read earlier. On a miss the flow reads it anew, once.
    #[must_use]
    pub fn with_directory(mut self, directory: Arc<EmployeeDirectory>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Takes the table as it is: a miss parks at once. For a burst of punches right after the table was read.
    #[must_use]
    pub fn without_refresh(mut self) -> Self {
        self.may_refresh = false;
        self
    }

    /// Looks for the record before creating it. For every attempt after one that
    /// [may have happened](crate::RetryReason::may_have_happened), until the punch is settled: keep that answer with
    /// the punch. Servers that honour our names do not need it; on others it prevents a second record.
    #[must_use]
    pub fn look_first(mut self) -> Self {
        self.look_first = true;
        self
    }

    /// The employee table, given or read by this flow. Keep it for the next punches.
    pub fn directory(&self) -> Option<&Arc<EmployeeDirectory>> {
        self.directory.as_ref()
    }

    fn start(&self) -> Stage {
        match &self.directory {
            Some(directory) => self.resolve(directory, self.may_refresh),
            None => Stage::Employees,
        }
    }

    /// From the badge to the row to be written.
    fn resolve(&self, directory: &EmployeeDirectory, may_refresh: bool) -> Stage {
        let Some(name) = checkin_name(&self.punch.event_id) else {
            return parked(ParkReason::EventIdUnusable);
        };
        let time = site_time(&self.site, self.punch.at);
        let employee = match directory.find(&self.punch.badge, time.date()) {
            Ok(employee) => employee,
            Err(_) if may_refresh => return Stage::Employees,
            Err(reason) => return parked(reason),
        };
        let mut row = NewCheckin::new(name, employee.name.clone(), time);
        row.device_id = match self.site.device_id() {
            DeviceIdField::EventId => Some(self.punch.event_id.as_str().into()),
            DeviceIdField::Serial => self.punch.serial.clone(),
        };
        row.log_type = LogType::of(self.punch.direction, self.site.unknown_direction());
        let ask = if self.look_first { Ask::Name(Why::First) } else { Ask::Create(Resource::V2) };
        Stage::Row { row, ask }
    }
}

impl Flow for WriteCheckin {
    type Output = Outcome;

    fn poll(&mut self) -> Step<Outcome> {
        if let Stage::Start = self.stage {
            self.stage = self.start();
        }
        let site = &self.site;
        Step::Send(match &self.stage {
            Stage::Start | Stage::Employees => ListEmployees::new(site).request(),
            Stage::Row { row, ask } => match ask {
                Ask::Create(resource) => CreateCheckin::new(site, row.clone(), *resource).request(),
                Ask::Name(_) => GetCheckin::new(site, row.name.as_str()).request(),
                Ask::Time(_) => FindCheckins::new(site, row.employee.as_str(), row.time).request(),
                Ask::Employee(_) => ListEmployees::new(site).request(),
            },
            Stage::Done(outcome) => return Step::Done(outcome.clone()),
        })
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        self.stage = match core::mem::replace(&mut self.stage, Stage::Start) {
            // Nothing was asked, so this answers nothing.
            stage @ (Stage::Start | Stage::Done(_)) => stage,
            Stage::Employees => self.after_employees(reply),
            Stage::Row { row, ask } => match ask {
                Ask::Create(resource) => self.after_create(row, resource, reply),
                Ask::Name(why) => self.after_name(row, why, reply),
                Ask::Time(why) => self.after_time(row, why, reply),
                Ask::Employee(outcome) => self.after_employee(&row, outcome, reply),
            },
        };
    }
}

impl fmt::Debug for WriteCheckin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Start => "start",
            Stage::Employees => "employees",
            Stage::Row { ask: Ask::Create(_), .. } => "create",
            Stage::Row { ask: Ask::Name(_) | Ask::Time(_), .. } => "look",
            Stage::Row { ask: Ask::Employee(_), .. } => "verify",
            Stage::Done(outcome) => outcome.word(),
        };
        f.debug_struct("WriteCheckin")
            .field("event_id", &self.punch.event_id)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}

/// Local time of the site in whole seconds; the server would cut the fraction and the echo would differ.
fn site_time(site: &ErpNext, at: DateTime<Utc>) -> NaiveDateTime {
    let local = at.with_timezone(&site.zone()).naive_local();
    local.with_nanosecond(0).unwrap_or(local)
}
