use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};

use crate::ParkReason;

/// Who has which badge. Compared with `==` it tells whether the table changed, and with that whether parked punches of
/// unknown people are worth another attempt.
///
/// ```
/// use punch_erp::ParkReason;
/// use punch_erp::erpnext::EmployeeDirectory;
///
/// let rows = r#"[{"name":"HR-EMP-00001","attendance_device_id":"0042","status":"Active"}]"#;
/// let directory: EmployeeDirectory = serde_json::from_str(rows)?;
/// let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 10).unwrap();
/// assert_eq!(directory.find("0042", day).unwrap().name, "HR-EMP-00001");
/// assert_eq!(directory.find("42", day), Err(ParkReason::UnknownEmployee));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EmployeeDirectory {
    by_badge: BTreeMap<String, Vec<Employee>>,
}

impl EmployeeDirectory {
    /// The one employee with exactly this badge who works there on `day` (local date of the site).
    ///
    /// People who left are found up to and including their relieving date: their last punch counts, however late it
    /// arrives.
    ///
    /// # Errors
    ///
    /// [`ParkReason::UnknownEmployee`], [`ParkReason::AmbiguousEmployee`] or [`ParkReason::EmployeeInactive`].
    pub fn find(&self, badge: &str, day: NaiveDate) -> Result<&Employee, ParkReason> {
        match self.by_badge.get(badge).map(Vec::as_slice) {
            // An empty badge matches every employee without one on the server; here it is nobody's.
            None | Some([]) => Err(ParkReason::UnknownEmployee),
            Some([employee]) if employee.works_on(day) => Ok(employee),
            Some([_]) => Err(ParkReason::EmployeeInactive),
            Some(several) => Err(ParkReason::AmbiguousEmployee { count: several.len() }),
        }
    }

    /// Whether there is an employee of this name, with whatever badge.
    pub fn has_employee(&self, name: &str) -> bool {
        self.by_badge.values().flatten().any(|employee| employee.name == name)
    }

    /// Number of different badges.
    pub fn len(&self) -> usize {
        self.by_badge.len()
    }

    /// Whether nobody has a badge.
    pub fn is_empty(&self) -> bool {
        self.by_badge.is_empty()
    }
}

impl FromIterator<(String, Employee)> for EmployeeDirectory {
    fn from_iter<I: IntoIterator<Item = (String, Employee)>>(rows: I) -> Self {
        let mut by_badge: BTreeMap<String, Vec<Employee>> = BTreeMap::new();
        for (badge, employee) in rows {
            if !badge.is_empty() {
                by_badge.entry(badge).or_default().push(employee);
            }
        }
        for employees in by_badge.values_mut() {
            // Rows come in the server's order of last change; equality must not depend on it.
            employees.sort();
        }
        Self { by_badge }
    }
}

impl<'de> Deserialize<'de> for EmployeeDirectory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = Vec::<Row>::deserialize(deserializer)?;
        Ok(rows.into_iter().filter_map(Row::into_entry).collect())
    }
}

impl fmt::Debug for EmployeeDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmployeeDirectory").field("badges", &self.by_badge.len()).finish_non_exhaustive()
    }
}

/// One row of the employee table. `Debug` shows no name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Employee {
    /// The record's name, such as `HR-EMP-00001`.
    pub name: String,
    /// `Active`, `Inactive`, `Suspended` or `Left`.
    pub status: String,
    /// The last day of work, if one is set.
    pub relieving_date: Option<NaiveDate>,
}

impl Employee {
    /// An employee who is `Active` and stays.
    pub fn active(name: impl Into<String>) -> Self {
        Self { name: name.into(), status: "Active".into(), relieving_date: None }
    }

    fn works_on(&self, day: NaiveDate) -> bool {
        match self.status.as_str() {
            "Active" => true,
            "Left" => self.relieving_date.is_some_and(|last| day <= last),
            // The server itself refuses `Inactive` only; it would book a punch on a suspended employee.
            _ => false,
        }
    }
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee").field("status", &self.status).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Row {
    name: String,
    #[serde(default)]
    attendance_device_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    relieving_date: Option<String>,
}

impl Row {
    fn into_entry(self) -> Option<(String, Employee)> {
        let relieving_date = self.relieving_date.and_then(|date| date.parse().ok());
        let employee = Employee { name: self.name, status: self.status.unwrap_or_default(), relieving_date };
        Some((self.attendance_device_id?, employee))
    }
}
