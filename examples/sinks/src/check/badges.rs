//! Who has which badge.

use std::collections::{BTreeMap, BTreeSet};

use punch_erp::erpnext::ListEmployees;
use punch_erp::humand::ReadUsers;
use punch_erp::odoo::{FindEmployees, Odoo, WriteAttendances};
use punch_erp::{ParkReason, RetryReason, drive_async};

use super::{Standing, today};
use crate::{Erp, Sink};

impl Sink {
    /// How badges stand, as terminals have them: the table of badges first, then the ERP. Where an ERP cannot be asked for
    /// people, each that the table knows, or that there is no table for, is untold.
    ///
    /// # Errors
    ///
    /// The ERP did not answer, or not with employees.
    pub async fn standings(&self, badges: &BTreeSet<String>) -> Result<BTreeMap<String, Standing>, RetryReason> {
        let mapping = self.settings().mapping.as_ref();
        let employee = |badge: &String| match mapping {
            Some(mapping) => mapping.employee(badge).map(ToOwned::to_owned),
            None => Some(badge.clone()),
        };
        let named: BTreeMap<&String, String> =
            badges.iter().filter_map(|badge| Some((badge, employee(badge)?))).collect();
        let asked = named.values().cloned().collect();
        let found = self.employees(asked).await?;
        let standing = |badge: &String| match named.get(badge) {
            None => Standing::Unknown,
            Some(employee) => found.get(employee).copied().unwrap_or(Standing::Unknown),
        };
        Ok(badges.iter().map(|badge| (badge.clone(), standing(badge))).collect())
    }

    async fn employees(&self, asked: BTreeSet<String>) -> Result<BTreeMap<String, Standing>, RetryReason> {
        match &self.settings().erp {
            Erp::Odoo(odoo) => self.odoo_employees(odoo, &asked).await,
            Erp::ErpNext(site) => {
                let table = self.ask(&ListEmployees::new(site)).await?;
                let standing = |employee: String| {
                    let found = table.find(&employee, today()).map(drop);
                    (employee, standing_of(&found))
                };
                Ok(asked.into_iter().map(standing).collect())
            }
            Erp::Humand(community) => {
                let users = drive_async(&mut ReadUsers::new(community), |request| self.transport.send(request)).await?;
                let standing = |employee: String| {
                    let found = users.check(&employee);
                    (employee, standing_of(&found))
                };
                Ok(asked.into_iter().map(standing).collect())
            }
            Erp::SuccessFactors(..) | Erp::Hrms(..) => {
                Ok(asked.into_iter().map(|employee| (employee, Standing::Untold)).collect())
            }
        }
    }

    async fn odoo_employees(
        &self,
        odoo: &Odoo,
        asked: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Standing>, RetryReason> {
        let login = self.log_in_to_odoo(odoo).await?;
        let asked: Vec<&String> = asked.iter().collect();
        let mut found: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        for part in asked.chunks(WriteAttendances::PEOPLE_PER_CALL) {
            let badges = part.iter().map(|badge| (*badge).clone());
            for employee in self.ask(&FindEmployees::new(odoo, &login, badges)).await? {
                found.entry(employee.badge).or_default().push(employee.is_active);
            }
        }
        let standing = |active: Vec<bool>| match active.as_slice() {
            [true] => Standing::Good,
            [false] => Standing::Inactive,
            [] => Standing::Unknown,
            _ => Standing::Ambiguous,
        };
        Ok(found.into_iter().map(|(badge, active)| (badge, standing(active))).collect())
    }
}

fn standing_of(found: &Result<(), ParkReason>) -> Standing {
    match found {
        Ok(()) => Standing::Good,
        Err(ParkReason::AmbiguousEmployee { .. }) => Standing::Ambiguous,
        Err(ParkReason::EmployeeInactive) => Standing::Inactive,
        Err(_) => Standing::Unknown,
    }
}
