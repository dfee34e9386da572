use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};

use crate::Evidence;
use crate::call_error::Kind;

/// Why a record waits for a person. The text begins with the [`code`](Self::code) and ends with what to do.
///
/// No text and no `Debug` shows a badge or a name; `remote_id` is the ERP's key of an attendance record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParkReason {
    /// No employee has the badge.
    #[error("unknown_employee: no employee of the ERP has this badge; enter it there, then release")]
    UnknownEmployee,
    /// Several employees have the badge.
    #[error("ambiguous_employee: {count} employees of the ERP have this badge; leave it with one, then release")]
    AmbiguousEmployee {
        /// How many.
        count: usize,
    },
    /// The employee has the badge and does not work there at the time of the punch.
    #[error(
        "employee_inactive: the employee is not active at the time of the punch; correct status or dates, then release"
    )]
    EmployeeInactive,
    /// The ERP refuses the data.
    #[error("refused: the ERP refuses the record{} (status {evidence}); read its answer, mend the cause, then release", Kind(.kind))]
    Refused {
        /// The server's own name of the error.
        kind: Option<Box<str>>,
        /// The answer.
        evidence: Evidence,
    },
    /// Stored, but at another time: the ERP puts *now* where the user may not set the time.
    #[error(
        "time_not_echoed: record `{remote_id}` was stored at another time; give the API user write access to the time, correct the record"
    )]
    TimeNotEchoed {
        /// The ERP's key of the record.
        remote_id: String,
    },
    /// Stored, but with something else changed.
    #[error(
        "echo_differs: record `{remote_id}` was stored with another {field}; correct the record and look for a script that changes it"
    )]
    EchoDiffers {
        /// The ERP's key of the record.
        remote_id: String,
        /// The field that differs.
        field: &'static str,
    },
    /// The record's key is taken by a record that says something else.
    #[error("conflict: record `{remote_id}` is this punch with another {field}; correct or delete it, then release")]
    Conflict {
        /// The ERP's key of the record.
        remote_id: String,
        /// The first field that differs.
        field: &'static str,
    },
    /// The ERP says the record exists, and does not show it.
    #[error(
        "duplicate_unseen: the ERP calls the record a duplicate and shows none; let the API user read all of them, then release"
    )]
    DuplicateUnseen,
    /// The same record is there more than once.
    #[error("doubled: the record is there {count} times, one of them `{remote_id}`; delete the others")]
    Doubled {
        /// The key of the one written by this attempt.
        remote_id: String,
        /// How many there are.
        count: usize,
    },
    /// Stored for an employee that does not exist.
    #[error("orphan_row: record `{remote_id}` names an employee that is gone; delete the record, then release")]
    OrphanRow {
        /// The ERP's key of the record.
        remote_id: String,
    },
    /// The clocks went back, and the hour's other passage has a punch at this second.
    #[error(
        "repeated_hour: record `{remote_id}` has this time in an hour that happened twice; enter one of the two by hand"
    )]
    RepeatedHour {
        /// The ERP's key of the other record.
        remote_id: String,
    },
    /// The ERP's clock is in another zone than the configured one, so the stored time is wrong.
    #[error(
        "site_zone_differs: the ERP is {found} minutes from UTC, the configured zone {configured}; \
         correct the setting `zone`, then record `{remote_id}`"
    )]
    SiteZoneDiffers {
        /// The ERP's key of the record.
        remote_id: String,
        /// Minutes east of UTC that the server's clock shows.
        found: i64,
        /// Minutes east of UTC of the configured zone at the same moment.
        configured: i64,
    },
    /// Before 2010 or more than a day ahead. The ERP would take it.
    #[error(
        "time_out_of_range: the time is before 2010 or more than a day ahead; set the terminal's clock, enter the punch by hand"
    )]
    TimeOutOfRange,
    /// Nobody knows whether the person came or left.
    #[error(
        "unknown_direction: the punch has no direction and the ERP wants one; give the terminal a role or a rule, release it then"
    )]
    UnknownDirection,
    /// A departure, and no arrival before it that it could belong to.
    #[error(
        "orphan_out: a departure without an arrival; it is written once the arrival comes, or enter the arrival by hand"
    )]
    OrphanOut,
    /// An arrival without a departure, and somebody came again since. Stored as a record of no length.
    #[error(
        "missing_out: record `{remote_id}` has no departure and counts no time; enter its end by hand, unless the punch still comes"
    )]
    MissingOut {
        /// The ERP's key of the record.
        remote_id: String,
    },
    /// It lies within a record that somebody else wrote or corrected.
    #[error(
        "covered: record `{remote_id}` covers the time of the punch and was not written from punches; correct it there, or dismiss the punch"
    )]
    Covered {
        /// The ERP's key of the record.
        remote_id: String,
    },
    /// It would be the second arrival in a row of its day, or the second departure, or cut into what belongs together.
    #[error(
        "alternation: with record `{remote_id}` there, arrivals and departures would not take turns; enter what is missing by hand, or dismiss the punch"
    )]
    Alternation {
        /// The ERP's key of the record in its way.
        remote_id: String,
    },
    /// The event's id makes no legal key.
    #[error("event_id_unusable: the event id is too long for a key of the ERP; have the sender use shorter ids")]
    EventIdUnusable,
    /// The direction is known, and the settings name no code of the ERP for it.
    #[error("no_type_code: the settings name no code for this direction; add one under `codes`, then release")]
    NoTypeCode,
    /// A punch of a kind that is not meant for the ERP.
    #[error(
        "left_out: punches of this kind are not written, by the settings or the rule of first and last; dismiss it"
    )]
    LeftOut,
    /// An arrival so long ago that its departure will not come.
    #[error("open_arrival: the departure is missing for too long; enter it by hand, unless the punch still comes")]
    OpenArrival,
    /// The database refuses the data: a constraint, a type, a trigger.
    #[error("refused_by_database: the database refuses the record ({kind}{}); mend the cause there, then release", Constraint(.constraint))]
    RefusedByDatabase {
        /// The kind of refusal, such as `check_violation`, or the database's code.
        kind: Box<str>,
        /// The constraint, if the database names it: letters, digits, `_` and `.` only.
        constraint: Option<Box<str>>,
    },
    /// The database would keep something else than was sent. Nothing was stored.
    #[error(
        "not_kept: the database would keep another {field} than was sent, so nothing is stored; give the column the type of the schema, look for a trigger, then release"
    )]
    NotKept {
        /// The field that differs.
        field: &'static str,
    },
}

/// Adds the name of the constraint, if there is one.
struct Constraint<'a>(&'a Option<Box<str>>);

impl fmt::Display for Constraint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, ", constraint `{name}`"))
    }
}

impl ParkReason {
    /// Why a punch of this time is not written, if it is not.
    pub(crate) fn of_time(at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Self> {
        let is_out = at.year() < 2010 || at.signed_duration_since(now) > TimeDelta::days(1);
        is_out.then_some(Self::TimeOutOfRange)
    }

    /// Every code, in order.
    pub const CODES: [&'static str; 24] = [
        "unknown_employee",
        "ambiguous_employee",
        "employee_inactive",
        "refused",
        "time_not_echoed",
        "echo_differs",
        "conflict",
        "duplicate_unseen",
        "doubled",
        "orphan_row",
        "repeated_hour",
        "site_zone_differs",
        "time_out_of_range",
        "unknown_direction",
        "orphan_out",
        "missing_out",
        "covered",
        "alternation",
        "event_id_unusable",
        "no_type_code",
        "left_out",
        "open_arrival",
        "refused_by_database",
        "not_kept",
    ];

    /// The stable code, also the `reason` of the contract; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownEmployee => "unknown_employee",
            Self::AmbiguousEmployee { .. } => "ambiguous_employee",
            Self::EmployeeInactive => "employee_inactive",
            Self::Refused { .. } => "refused",
            Self::TimeNotEchoed { .. } => "time_not_echoed",
            Self::EchoDiffers { .. } => "echo_differs",
            Self::Conflict { .. } => "conflict",
            Self::DuplicateUnseen => "duplicate_unseen",
            Self::Doubled { .. } => "doubled",
            Self::OrphanRow { .. } => "orphan_row",
            Self::RepeatedHour { .. } => "repeated_hour",
            Self::SiteZoneDiffers { .. } => "site_zone_differs",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::UnknownDirection => "unknown_direction",
            Self::OrphanOut => "orphan_out",
            Self::MissingOut { .. } => "missing_out",
            Self::Covered { .. } => "covered",
            Self::Alternation { .. } => "alternation",
            Self::EventIdUnusable => "event_id_unusable",
            Self::NoTypeCode => "no_type_code",
            Self::LeftOut => "left_out",
            Self::OpenArrival => "open_arrival",
            Self::RefusedByDatabase { .. } => "refused_by_database",
            Self::NotKept { .. } => "not_kept",
        }
    }

    /// Whether a change of the employee table can cure it: such records are worth another attempt then.
    pub fn is_about_employee(&self) -> bool {
        matches!(self, Self::UnknownEmployee | Self::AmbiguousEmployee { .. } | Self::EmployeeInactive)
    }

    /// Whether the ERP holds a record that is wrong until somebody corrects it.
    pub fn is_alarm(&self) -> bool {
        matches!(
            self,
            Self::TimeNotEchoed { .. }
                | Self::EchoDiffers { .. }
                | Self::Doubled { .. }
                | Self::OrphanRow { .. }
                | Self::MissingOut { .. }
                | Self::SiteZoneDiffers { .. }
        )
    }

    /// The ERP's key of the record in question, if there is one.
    pub fn remote_id(&self) -> Option<&str> {
        match self {
            Self::TimeNotEchoed { remote_id }
            | Self::EchoDiffers { remote_id, .. }
            | Self::Conflict { remote_id, .. }
            | Self::Doubled { remote_id, .. }
            | Self::OrphanRow { remote_id }
            | Self::RepeatedHour { remote_id }
            | Self::MissingOut { remote_id }
            | Self::Covered { remote_id }
            | Self::Alternation { remote_id }
            | Self::SiteZoneDiffers { remote_id, .. } => Some(remote_id),
            Self::UnknownEmployee
            | Self::AmbiguousEmployee { .. }
            | Self::EmployeeInactive
            | Self::Refused { .. }
            | Self::DuplicateUnseen
            | Self::TimeOutOfRange
            | Self::UnknownDirection
            | Self::OrphanOut
            | Self::EventIdUnusable
            | Self::NoTypeCode
            | Self::LeftOut
            | Self::OpenArrival
            | Self::RefusedByDatabase { .. }
            | Self::NotKept { .. } => None,
        }
    }
}
