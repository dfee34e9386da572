use super::{DailyReport, DayPunch, EmployeeDay};
use crate::export::Cells;

const NAMES: [&str; 16] = [
    "date",
    "employee",
    "employee_name",
    "at_utc",
    "local_time",
    "at_original",
    "direction",
    "direction_source",
    "method",
    "device_serial",
    "site",
    "session_id",
    "exceptions",
    "revisions",
    "late_minutes",
    "event_id",
];

/// The report as CSV: a row a punch.
pub(crate) fn table(report: &DailyReport) -> Result<Vec<u8>, csv::Error> {
    let rows = report.employees.iter().flat_map(|person| person.punches.iter().map(move |punch| (person, punch)));
    Cells::new(NAMES).rows(rows.map(|(person, punch)| cells(report, person, punch)))
}

fn cells(report: &DailyReport, person: &EmployeeDay, punch: &DayPunch) -> [String; 16] {
    let changes = punch
        .revisions
        .iter()
        .map(|revision| format!("{}: {} to {}", revision.reason, revision.old_direction, revision.new_direction));
    [
        report.date.clone(),
        person.badge_number.clone(),
        person.name.clone().unwrap_or_default(),
        punch.punched_at.clone(),
        punch.local_time.clone(),
        punch.device_local.clone(),
        punch.direction.clone(),
        punch.direction_source.clone(),
        punch.method.clone(),
        punch.device_serial.clone(),
        punch.site.clone().unwrap_or_default(),
        punch.session_id.clone().unwrap_or_default(),
        punch.exceptions.join(" "),
        changes.collect::<Vec<_>>().join("; "),
        punch.late_minutes.map(|minutes| minutes.to_string()).unwrap_or_default(),
        punch.event_id.clone(),
    ]
}
