//! ERPNext with Frappe HR: a punch becomes one *Employee Checkin*, and nothing else is written.
//!
//! Facts come from runs against Frappe 15.101.1, ERPNext 15.99.1 and Frappe HR 15.58.2 (2026-11-22). Those that
//! decide the design:
//!
//! * The server's duplicate check is not a constraint: parallel or repeated calls can store a punch several times. A
//!   record with a name of our own cannot: the name is the primary key. It is made from the event's id, see
//!   [`checkin_name`].
//! * `time` is the site's local time without a zone. A time the API user may not set is replaced by *now*, with
//!   status 200. So an answer counts only if it repeats name, employee, time and direction.
//! * The server matches badges loosely (`42` finds `0042`), takes unknown employees, and takes people who left. So the
//!   employee table is read as a whole and matched here, see [`EmployeeDirectory`].
//! * A refused duplicate has the status of any other refusal; only its text differs, and that in the site's language.
//!   So every call asks for English, and what was called a duplicate is read back before it counts as done.
//! * Auto attendance reads the checkins. This module never addresses the doctype *Attendance* itself. It marks a day once, so
//!   its `last_sync_of_checkin` moves only to where every terminal has told everything, see [`MoveLastSync`].
//!
//! # The API user
//!
//! A user with the role *HR User* (or one with level 1 write access to *Employee Checkin*, or the time cannot be set),
//! read access to *Employee*, for the mark write access to *Shift Type*, and an API key and secret made in the user's settings.

mod checkin;
mod create_checkin;
mod directory;
mod fault;
mod find_checkins;
mod get_checkin;
mod judge;
mod list_employees;
mod logged_user;
mod move_last_sync;
mod settings;
mod shift_type;
mod site;
mod write_checkin;

pub use checkin::{Checkin, LogType, MAX_NAME_LEN, NewCheckin, checkin_name};
pub use create_checkin::{CreateCheckin, Created, Resource};
pub use directory::{Employee, EmployeeDirectory};
pub use find_checkins::FindCheckins;
pub use get_checkin::GetCheckin;
pub use list_employees::ListEmployees;
pub use logged_user::LoggedUser;
pub use move_last_sync::{LastSync, MoveLastSync};
pub use settings::{DeviceIdField, ErpNextSettings, UnknownDirection};
pub use shift_type::{GetShiftType, SetLastSync, ShiftType};
pub use site::ErpNext;
pub use write_checkin::WriteCheckin;
