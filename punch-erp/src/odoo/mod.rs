//! Odoo 16 to 19: the punches of a person become *Attendances*, each with its begin and its end.
//!
//! Facts come from runs against Odoo 19.0, 18.0 and 16.0 Community (2026-11-22). Those that decide the design:
//!
//! * A record is a pair, and punches come late, doubled, in the wrong order, or never. So nothing is appended: the records
//!   there should be are derived from all known punches of a person and compared with those there are, see [`Plan`].
//! * Odoo refuses a second open record and records that overlap. It is also all that prevents doubles: there is no field for
//!   an event's id, and a refusal looks the same whether the record is there already or another one is in the way. So a
//!   refusal is followed by reading and planning anew.
//! * Times are UTC without a zone, `YYYY-MM-DD HH:MM:SS`, in every company and for every user. A `T`, a `Z` or a fraction
//!   is refused; a date alone is taken for midnight; a missing time becomes *now*.
//! * Errors are told by the name of the exception. Codes differ by version, statuses lie (JSON-RPC always answers 200, JSON-2
//!   answers 500 to a wrong time), and texts are translated and name people.
//! * An empty badge finds whoever has none, and people who left can be booked on. So neither is asked of the server.
//! * The same calls go through three doors, see [`Protocol`].
//!
//! # The API user
//!
//! Odoo 16: *Attendances: Officer*. 18: *Attendances: Administrator*, *Employees: Officer*. 19: *Attendances: Officer: Manage
//! all attendances*, *Employees: Officer*. An API key made by a user who is no administrator ends after 90 days at most from
//! 18 on, and with it every integration: write the day down. On Odoo.com the interface needs the plan *Custom*.

mod attendance;
mod call;
mod create_attendances;
mod employees;
mod fault;
mod find_attendances;
mod login;
mod plan;
mod server;
mod session;
mod settings;
mod version;
mod write_attendance;
mod write_attendances;
mod xml;

pub use attendance::{Attendance, AttendanceId, EndedBy, NewAttendance};
pub use create_attendances::CreateAttendances;
pub use employees::{Employee, EmployeeId, FindEmployees};
pub use find_attendances::FindAttendances;
pub use login::{Authenticate, Login};
pub use plan::{Change, Fate, Mark, PairingRules, Place, Plan};
pub use server::Odoo;
pub use session::Session;
pub use settings::{OdooSettings, Protocol, UnknownDirection};
pub use version::{DetectVersion, Version};
pub use write_attendance::WriteAttendance;
pub use write_attendances::WriteAttendances;
