use alloc::boxed::Box;
use core::fmt;

use bytes::Bytes;
use chrono::TimeDelta;

/// An answer that is not the one asked for, split by who has to act.
///
/// The texts hold the status and what to do, never a body, a badge or a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The credentials are wrong, or did not arrive.
    #[error(
        "PE-CALL-001: the ERP does not know the credentials (status {0}); check key, secret and whether the user is enabled"
    )]
    Unauthorized(Evidence),
    /// The credentials are right and may not do this.
    #[error("PE-CALL-002: the ERP forbids this to the API user (status {0}); give the user the role the page names")]
    Forbidden(Evidence),
    /// The answer points elsewhere. It is never followed: a `POST` would arrive as a `GET` and store nothing.
    #[error("PE-CALL-003: the ERP redirects (status {0}); set the base address to the final one, with its https")]
    Redirected(Evidence),
    /// Nothing at this address answers for the ERP: another host, another path, an app that is not installed.
    #[error(
        "PE-CALL-004: the address is not the ERP's (status {0}); check host name, path, database and installed apps"
    )]
    Misaddressed(Evidence),
    /// The server asks for patience.
    #[error("PE-CALL-005: the ERP is busy (status {evidence}); try again later")]
    Busy {
        /// How long it asks for, if it says so.
        after: Option<TimeDelta>,
        /// The answer.
        evidence: Evidence,
    },
    /// The server failed for a reason that passes.
    #[error("PE-CALL-006: the ERP failed (status {0}); try again later, and look into its log if it lasts")]
    Unavailable(Evidence),
    /// An answer that cannot be read, from the ERP or from something in between.
    #[error("PE-CALL-007: the answer (status {evidence}) is not {expected}; look for a proxy or a portal in between")]
    Unreadable {
        /// What was expected.
        expected: &'static str,
        /// The answer.
        evidence: Evidence,
    },
    /// The thing asked for is not there.
    #[error("PE-CALL-008: the ERP has no such record (status {0}); check whether it was deleted")]
    NotFound(Evidence),
    /// The data is refused; sending it again changes nothing.
    #[error("PE-CALL-009: the ERP refuses the record{} (status {evidence}); mend the cause, then release it", Kind(.kind))]
    Refused {
        /// The server's own name of the error, such as `MandatoryError`: letters, digits, `_` and `.` only.
        kind: Option<Box<str>>,
        /// The answer.
        evidence: Evidence,
    },
}

impl CallError {
    /// Every code, in order.
    pub const CODES: [&'static str; 9] = [
        "PE-CALL-001",
        "PE-CALL-002",
        "PE-CALL-003",
        "PE-CALL-004",
        "PE-CALL-005",
        "PE-CALL-006",
        "PE-CALL-007",
        "PE-CALL-008",
        "PE-CALL-009",
    ];

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "PE-CALL-001",
            Self::Forbidden(_) => "PE-CALL-002",
            Self::Redirected(_) => "PE-CALL-003",
            Self::Misaddressed(_) => "PE-CALL-004",
            Self::Busy { .. } => "PE-CALL-005",
            Self::Unavailable(_) => "PE-CALL-006",
            Self::Unreadable { .. } => "PE-CALL-007",
            Self::NotFound(_) => "PE-CALL-008",
            Self::Refused { .. } => "PE-CALL-009",
        }
    }

    /// One word for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::Redirected(_) => "redirected",
            Self::Misaddressed(_) => "misaddressed",
            Self::Busy { .. } => "busy",
            Self::Unavailable(_) => "unavailable",
            Self::Unreadable { .. } => "unreadable",
            Self::NotFound(_) => "not_found",
            Self::Refused { .. } => "refused",
        }
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unauthorized(_) | Self::Forbidden(_) | Self::Redirected(_) | Self::Misaddressed(_) => Blame::Setup,
            Self::Busy { .. } | Self::Unavailable(_) | Self::Unreadable { .. } => Blame::Server,
            Self::NotFound(_) | Self::Refused { .. } => Blame::Record,
        }
    }

    /// Whether the same request may succeed later. Setup faults are: once mended, nothing is lost.
    pub fn is_retryable(&self) -> bool {
        self.blame() != Blame::Record
    }

    /// Whether the ERP may have done what was asked, in spite of this answer.
    pub fn may_have_happened(&self) -> bool {
        // A gateway that gave up on a slow server also answers 502 or 504.
        matches!(self, Self::Unavailable(_) | Self::Unreadable { .. })
    }

    /// What the server answered.
    pub fn evidence(&self) -> &Evidence {
        match self {
            Self::Unauthorized(evidence)
            | Self::Forbidden(evidence)
            | Self::Redirected(evidence)
            | Self::Misaddressed(evidence)
            | Self::Busy { evidence, .. }
            | Self::Unavailable(evidence)
            | Self::Unreadable { evidence, .. }
            | Self::NotFound(evidence)
            | Self::Refused { evidence, .. } => evidence,
        }
    }
}

/// Adds "with" and the name of the error, if there is one.
pub(crate) struct Kind<'a>(pub(crate) &'a Option<Box<str>>);

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |kind| write!(f, " with `{kind}`"))
    }
}

/// Who has to act on a [`CallError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blame {
    /// Whoever set this up: address, credentials, roles. It concerns every record.
    Setup,
    /// The server, or time.
    Server,
    /// Whoever owns this one record.
    Record,
}

/// What a server answered, for a person to read: the status and the beginning of the body.
///
/// `Display` is the status; `Debug` adds the length. Neither shows the body, which may name a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    status: u16,
    body: Bytes,
    len: usize,
}

impl Evidence {
    /// How much of a body is kept, in bytes.
    pub const MAX_BODY: usize = 2048;

    /// Keeps the status and the first [`MAX_BODY`](Self::MAX_BODY) bytes of the body.
    pub fn of(response: &http::Response<Bytes>) -> Self {
        let body = response.body();
        // A copy, or two kilobytes would keep a table of megabytes alive.
        let kept = Bytes::copy_from_slice(body.get(..Self::MAX_BODY).unwrap_or(body));
        Self { status: response.status().as_u16(), body: kept, len: body.len() }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The beginning of the body. It may hold personal data: show it to the one who asks, do not log it.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Length of the whole body, in bytes.
    pub fn body_len(&self) -> usize {
        self.len
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence").field("status", &self.status).field("body_len", &self.len).finish_non_exhaustive()
    }
}
