use alloc::string::String;

use chrono::TimeDelta;

use crate::hrms::DatabaseError;
use crate::{CallError, Failure, ParkReason};

/// What became of one record in one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the contract's four words; a fifth is a breaking change")]
pub enum Outcome {
    /// Written now, and the ERP said so: it repeated the record, or gave its key.
    Applied {
        /// The ERP's key of the record.
        remote_id: String,
    },
    /// It was there before this attempt, as it should be.
    AlreadyThere {
        /// The ERP's key of the record.
        remote_id: String,
    },
    /// Not now. The same record may be written later.
    Retry {
        /// How long the server asks to wait, if it says so.
        after: Option<TimeDelta>,
        /// Why.
        reason: RetryReason,
    },
    /// Not without a person. The record is kept and shown; others go on.
    Park(ParkReason),
}

impl Outcome {
    /// The contract's word: `applied`, `already`, `retry` or `parked`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::AlreadyThere { .. } => "already",
            Self::Retry { .. } => "retry",
            Self::Park(_) => "parked",
        }
    }

    /// Why it is not done, in one word for machines; `None` if it is done.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Applied { .. } | Self::AlreadyThere { .. } => None,
            Self::Retry { reason, .. } => Some(reason.code()),
            Self::Park(reason) => Some(reason.code()),
        }
    }

    /// The ERP's key of the record, as far as one exists.
    pub fn remote_id(&self) -> Option<&str> {
        match self {
            Self::Applied { remote_id } | Self::AlreadyThere { remote_id } => Some(remote_id),
            Self::Retry { .. } => None,
            Self::Park(reason) => reason.remote_id(),
        }
    }

    /// Whether the record is in the ERP as it should be: applied or already there.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::AlreadyThere { .. })
    }
}

/// Why a record is to be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryReason {
    /// The ERP answered, and not with what was asked for.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No answer, and no record was on its way.
    #[error(transparent)]
    Network(#[from] Failure),
    /// The database answered with an error that is not about the record.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The record was sent, no readable answer came, and looking did not find it. It may still arrive.
    #[error(
        "PE-FLOW-001: the record was sent and not seen since; look before sending it again, \
         a slow server may still store it"
    )]
    Unconfirmed,
    /// Its time has not come: it is ahead of a clock, or earlier punches may still arrive.
    #[error("PE-FLOW-002: the punch is held until it is past and earlier ones had their time; it is sent then")]
    Held,
    /// It was not sent in this attempt: the ERP takes so many records a call, and so many calls.
    #[error("PE-FLOW-003: the record was not sent in this attempt; a later call has room for it")]
    HeldBack,
    /// Nothing is there to log in with.
    #[error(
        "PE-FLOW-004: there is no token, and none can be asked for; run the command that makes one and hand it to the session"
    )]
    NoToken,
    /// Half of a pair whose other half may still come.
    #[error("PE-FLOW-005: the departure has not come yet; the arrival is written with it")]
    Incomplete,
}

impl RetryReason {
    /// Codes of the variants that have their own, in order.
    pub const CODES: [&'static str; 5] = ["PE-FLOW-001", "PE-FLOW-002", "PE-FLOW-003", "PE-FLOW-004", "PE-FLOW-005"];

    /// One word for machines, the `reason` of the contract: that of the call, the network or the database, or `unconfirmed`,
    /// `held`, `held_back`, `no_token`, `incomplete`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Call(error) => error.reason(),
            Self::Network(failure) => failure.reason(),
            Self::Database(error) => error.reason(),
            Self::Unconfirmed => "unconfirmed",
            Self::Held => "held",
            Self::HeldBack => "held_back",
            Self::NoToken => "no_token",
            Self::Incomplete => "incomplete",
        }
    }

    /// How long the server asks to wait, if it does.
    pub(crate) fn asked_wait(&self) -> Option<TimeDelta> {
        match self {
            Self::Call(CallError::Busy { after, .. }) => *after,
            Self::Call(_)
            | Self::Network(_)
            | Self::Database(_)
            | Self::Unconfirmed
            | Self::Held
            | Self::HeldBack
            | Self::NoToken
            | Self::Incomplete => None,
        }
    }

    /// Whether the record may be in the ERP although no answer says so: the next attempt should look first.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Call(error) => error.may_have_happened(),
            Self::Network(failure) => failure.reached() == crate::Reached::Unknown,
            Self::Unconfirmed => true,
            // A statement that fails leaves nothing of its transaction.
            Self::Database(_) | Self::Held | Self::HeldBack | Self::NoToken | Self::Incomplete => false,
        }
    }
}
