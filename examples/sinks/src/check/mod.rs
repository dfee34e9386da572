//! Looks at an ERP before anything is written: who we are there, what we may do, whose clock it is, who has which badge.

mod badges;
mod parts;

use punch_erp::{CallError, Endpoint, Failure, RetryReason};

use crate::clock::now;
use crate::{Erp, Sink};

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `login`, `employees`, `read`, `write`, `zone` or `codes`.
    pub part: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found, for people. Of what is wrong, with the cure.
    pub text: String,
}

/// How a part, or a badge, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As it should be.
    Good,
    /// It cannot be found out.
    Untold,
    /// No employee has the badge.
    Unknown,
    /// Several employees have it.
    Ambiguous,
    /// Whoever has it does not work there.
    Inactive,
    /// Not as it should be.
    Wrong,
    /// There was no answer.
    Unreached,
}

impl Standing {
    /// The word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Untold => "untold",
            Self::Unknown => "unknown",
            Self::Ambiguous => "ambiguous",
            Self::Inactive => "inactive",
            Self::Wrong => "wrong",
            Self::Unreached => "unreached",
        }
    }

    /// Whether punches would be parked, or not get there.
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::Good | Self::Untold)
    }
}

impl Finding {
    fn good(part: &'static str, text: impl Into<String>) -> Self {
        Self { part, standing: Standing::Good, text: text.into() }
    }

    fn untold(part: &'static str, text: impl Into<String>) -> Self {
        Self { part, standing: Standing::Untold, text: text.into() }
    }

    fn wrong(part: &'static str, text: impl Into<String>) -> Self {
        Self { part, standing: Standing::Wrong, text: text.into() }
    }

    fn failed(part: &'static str, reason: &RetryReason) -> Self {
        let standing = match reason {
            RetryReason::Network(_) | RetryReason::Call(CallError::Busy { .. } | CallError::Unavailable(_)) => {
                Standing::Unreached
            }
            _ => Standing::Wrong,
        };
        Self { part, standing, text: reason.to_string() }
    }

    /// `good` says what an answer means.
    fn of<T>(part: &'static str, answer: &Result<T, RetryReason>, good: impl FnOnce(&T) -> String) -> Self {
        match answer {
            Ok(answer) => Self::good(part, good(answer)),
            Err(reason) => Self::failed(part, reason),
        }
    }
}

impl Sink {
    /// Looks at everything but badges. Nothing is written that stays.
    pub async fn check(&self) -> Vec<Finding> {
        match &self.settings().erp {
            Erp::Odoo(odoo) => self.check_odoo(odoo).await,
            Erp::ErpNext(site) => self.check_erpnext(site).await,
            Erp::Humand(community) => self.check_humand(community).await,
            Erp::SuccessFactors(tenant, _) => self.check_successfactors(tenant).await,
            Erp::Hrms(tables, database) => vec![Self::check_hrms(tables, database).await],
        }
    }

    /// One call.
    async fn ask<E: Endpoint>(&self, call: &E) -> Result<E::Output, RetryReason> {
        let response = self.transport.send(call.request()).await.map_err(|failure: Failure| failure)?;
        Ok(call.response(&response)?)
    }
}

fn today() -> chrono::NaiveDate {
    now().date_naive()
}
