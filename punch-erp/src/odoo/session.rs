use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::{EmployeeId, Login};

/// What was found out about a server and is kept from one flow to the next: the login, and who has which badge.
///
/// `Debug` shows no badge.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Session {
    pub(super) login: Option<Login>,
    employees: BTreeMap<String, Known>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    employee: EmployeeId,
    at: DateTime<Utc>,
}

impl Session {
    /// How long it is believed who has a badge: 15 minutes. Odoo books on people who left as on anybody else.
    pub const BADGES_KEPT: TimeDelta = TimeDelta::minutes(15);

    /// The login, if there is one.
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    pub(super) fn employee(&self, badge: &str, now: DateTime<Utc>) -> Option<EmployeeId> {
        self.employees.get(badge).filter(|known| known.is_fresh(now)).map(|known| known.employee)
    }

    pub(super) fn remember(&mut self, badge: &str, employee: EmployeeId, now: DateTime<Utc>) {
        self.employees.insert(badge.into(), Known { employee, at: now });
    }

    pub(super) fn forget(&mut self, employee: EmployeeId) {
        self.employees.retain(|_, known| known.employee != employee);
    }

    /// Drops what is not believed any more, so that the badges of a whole life do not gather.
    pub(super) fn age(&mut self, now: DateTime<Utc>) {
        self.employees.retain(|_, known| known.is_fresh(now));
    }
}

impl Known {
    fn is_fresh(self, now: DateTime<Utc>) -> bool {
        now.signed_duration_since(self.at).abs() < Session::BADGES_KEPT
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Session");
        shown.field("login", &self.login).field("badges", &self.employees.len()).finish_non_exhaustive()
    }
}
