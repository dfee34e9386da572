//! SAP SuccessFactors with *Clock In Clock Out* (Time Tracking): a punch becomes one time event.
//!
//! Facts come from SAP's notes and specifications, read 2026-11-22; no tenant was at hand. Those that decide the design:
//!
//! * The service takes a list: 1000 events a call, 200 of one assignment (KBA 3216279, 3364562). It is called some 300 times
//!   a day and 10 times a minute, and nobody raises that (KBA 3657473). So punches are gathered, see [`CallBudget`].
//! * The answer tells of each event by itself, within a good status: stored, or refused and why. 400 refuses all of them.
//! * A second event of an assignment at a second is refused with words, whatever its id. That refusal is what a repetition
//!   looks like, and it counts as done. See [`WriteTimeEvents`] for why nothing is lost or doubled.
//! * Type codes are the tenant's own, so the [codes](TypeCodes) have no default.
//! * A time carries its offset, and the tenant evaluates local days: UTC would move night shifts. Fractions are not taken.
//! * Basic ended on 2026-11-20. A token comes from Identity Authentication or, for a SAML assertion, from the API server.
//! * No CSRF token appears anywhere for these services, and none is sent.
//!
//! # What a tenant needs
//!
//! Time Tracking; for each employee a time profile and a Clock In Clock Out group; an OIDC application in Identity
//! Authentication with a dependency on SuccessFactors (API `sf_technical_access`), mapped to an API user in *Manage OIDC
//! OAuth Client Application*; for that user the permission to import time events. 403 means that the mapping or the
//! permission is missing. The time type of an event comes from the setting, else from the tenant's derivation, else from
//! the time profile (KBA 3702146).
//!
//! # Without Clock In Clock Out, and on premise
//!
//! [`WriteExternalTimes`] writes pairs into `ExternalTimeData`. SAP on premise is reached by middleware: our webhook, an iFlow
//! of SAP Integration Suite with an HTTPS sender, the Cloud Connector, and `BAPI_CC1_UPLOAD_TIMEEVENT`, which fills table
//! `CC1TEV` for report `SAPCDT45`; a file for `RPTEUP10` is the alternative. A late punch fills `PHYSDATE`/`PHYSTIME` and
//! `LOGDATE`/`LOGTIME` with its own time: when it was transmitted is no field.

mod access;
mod call_budget;
mod check;
mod codes;
mod create_time_events;
mod external_time;
mod fault;
mod find_time_event_types;
mod find_time_events;
mod login;
mod odata;
mod pairing;
mod plan_calls;
mod request_token;
mod session;
mod settings;
mod tenant;
mod time_event;
mod time_event_id;
mod upsert_external_times;
mod write_external_times;
mod write_seed_record;
mod write_time_events;

pub use access::{Access, Token};
pub use call_budget::{CallBudget, CallRules};
pub use codes::TypeCodes;
pub use create_time_events::{CreateTimeEvents, TimeEventResult};
pub use external_time::ExternalTime;
pub use find_time_event_types::{FindTimeEventTypes, TimeEventKind, TimeEventType};
pub use find_time_events::{DeleteTimeEvents, FindTimeEvents, StoredTimeEvent, TimeEventPage};
pub use odata::{odata_day, odata_instant, odata_time, parse_odata_instant};
pub use plan_calls::plan_calls;
pub use request_token::{RequestToken, ValidateToken};
pub use session::Session;
pub use settings::{Auth, BreakFallback, EmployeeField, Mode, SuccessFactorsSettings};
pub use tenant::SuccessFactors;
pub use time_event::NewTimeEvent;
pub use time_event_id::TimeEventId;
pub use upsert_external_times::{UpsertExternalTimes, UpsertResult};
pub use write_external_times::WriteExternalTimes;
pub use write_seed_record::WriteSeedRecord;
pub use write_time_events::WriteTimeEvents;
