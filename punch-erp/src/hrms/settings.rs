use alloc::string::String;

use serde::Deserialize;

use super::Dialect;

/// The tables of one HRMS, as written in a configuration file. [`Hrms::new`](super::Hrms::new) checks them.
///
/// ```
/// use punch_erp::hrms::{Dialect, Hrms, HrmsSettings};
///
/// // Every error is listed at once.
/// let mut settings = HrmsSettings::new(Dialect::Postgres);
/// (settings.table, settings.columns.method) = ("attendance; DROP TABLE x".into(), "".into());
/// let errors = Hrms::new(settings).unwrap_err();
/// let keys: Vec<_> = errors.iter().map(|error| error.key()).collect();
/// assert_eq!(keys, ["table", "columns.method"]);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HrmsSettings {
    /// Which database it is.
    pub dialect: Dialect,
    /// The table of punches, perhaps with its schema. Default `attendance`.
    #[serde(default = "table")]
    pub table: String,
    /// The table of revisions and late tellings, perhaps with its schema. Default `attendance_revision`.
    #[serde(default = "revision_table")]
    pub revision_table: String,
    /// The columns both tables have. Default: the names of the published sample.
    #[serde(default)]
    pub columns: HrmsColumns,
}

impl HrmsSettings {
    /// The one setting without a default.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, table: table(), revision_table: revision_table(), columns: HrmsColumns::default() }
    }
}

fn table() -> String {
    "attendance".into()
}

fn revision_table() -> String {
    "attendance_revision".into()
}

/// What the columns are called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HrmsColumns {
    /// The key: the id of the event. Default `event_id`.
    pub event_id: String,
    /// The badge, as text. Default `employee_id`.
    pub employee_id: String,
    /// The instant of the punch. Default `punch_time`.
    pub punch_time: String,
    /// `in`, `out`, `unknown` or a longer word of [`Direction`](punch_normalize::Direction). Default `direction`.
    pub direction: String,
    /// Serial number of the terminal, or null. Default `device_serial`.
    pub device_serial: String,
    /// How the person was recognised. Default `method`.
    pub method: String,
    /// How often the punch was told anew, 0 for never. Default `revision`.
    pub revision: String,
}

impl Default for HrmsColumns {
    fn default() -> Self {
        Self {
            event_id: "event_id".into(),
            employee_id: "employee_id".into(),
            punch_time: "punch_time".into(),
            direction: "direction".into(),
            device_serial: "device_serial".into(),
            method: "method".into(),
            revision: "revision".into(),
        }
    }
}
