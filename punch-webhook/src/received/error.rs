/// Why a verified body is not an event we can use. Names the JSON field, never its value: it may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// More than [`ReceivedEvent::MAX_BODY`](crate::ReceivedEvent::MAX_BODY) bytes.
    #[error("PW-RCV-001: body has {len} bytes, expected at most 65536; an event is far smaller")]
    TooLarge {
        /// Bytes found.
        len: usize,
    },
    /// Not JSON, or not UTF-8.
    #[error("PW-RCV-002: body is not JSON at line {line}, column {column}, expected one object; send it as UTF-8")]
    BadJson {
        /// Line of the first byte that does not fit, from 1.
        line: usize,
        /// Column of that byte, from 1.
        column: usize,
    },
    /// JSON, but a list, a string, a number …
    #[error("PW-RCV-003: body is not a JSON object, expected one event; a list is taken apart by `Verified::each`")]
    NotAnObject,
    /// No `event_id`, without which a repeated delivery cannot be told from a new punch.
    #[error(
        "PW-RCV-004: no `event_id`, expected a string that is equal for every delivery of the event; \
         have the sender add it"
    )]
    MissingEventId,
    /// A field that an event of this type cannot do without is absent, `null` or empty.
    #[error(
        "PW-RCV-005: no `{field}`, expected in every event of this type (flat punches: `employee_id`, `timestamp`); \
         have the sender add it"
    )]
    MissingField {
        /// The field, in the names of the nested shape.
        field: &'static str,
    },
    /// A field has a value that cannot be read.
    #[error("PW-RCV-006: `{field}` cannot be read, expected {expected}; have the sender write it so")]
    BadField {
        /// The field, in the names of the nested shape.
        field: &'static str,
        /// What would have been right.
        expected: &'static str,
    },
    /// `punch.local_time` and `timestamp` are a second or more apart.
    #[error(
        "PW-RCV-007: `punch.local_time` is not the instant of `timestamp`, expected the same one with the \
         site's offset; check the sender's zone"
    )]
    TimeConflict,
    /// More than [`Verified::MAX_BODY`](crate::Verified::MAX_BODY) bytes of several events.
    #[error("PW-RCV-008: list of events has {len} bytes, expected at most 262144; have the sender make smaller ones")]
    BatchTooLarge {
        /// Bytes found.
        len: usize,
    },
    /// No event, or more than [`BatchBody::MAX_EVENTS`](crate::BatchBody::MAX_EVENTS).
    #[error("PW-RCV-009: list has {found} events, expected 1 to 500; have the sender make smaller ones")]
    BatchCount {
        /// Events found.
        found: usize,
    },
}

impl ReceiveError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "PW-RCV-001",
            Self::BadJson { .. } => "PW-RCV-002",
            Self::NotAnObject => "PW-RCV-003",
            Self::MissingEventId => "PW-RCV-004",
            Self::MissingField { .. } => "PW-RCV-005",
            Self::BadField { .. } => "PW-RCV-006",
            Self::TimeConflict => "PW-RCV-007",
            Self::BatchTooLarge { .. } => "PW-RCV-008",
            Self::BatchCount { .. } => "PW-RCV-009",
        }
    }

    /// One word for machines, such as the `code` of an HTTP error object: `missing_event_id`, `bad_field` …
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::BadJson { .. } => "bad_json",
            Self::NotAnObject => "not_an_object",
            Self::MissingEventId => "missing_event_id",
            Self::MissingField { .. } => "missing_field",
            Self::BadField { .. } => "bad_field",
            Self::TimeConflict => "time_conflict",
            Self::BatchTooLarge { .. } => "batch_too_large",
            Self::BatchCount { .. } => "batch_count",
        }
    }

    /// The status to answer with: always 400, because the same bytes will not get better.
    pub fn http_status(&self) -> u16 {
        400
    }
}
