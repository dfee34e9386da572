use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use punch_erp::Mapping;
use punch_erp::erpnext::ErpNext;
use punch_erp::hrms::Hrms;
use punch_erp::humand::Humand;
use punch_erp::odoo::{Odoo, WriteAttendances};
use punch_erp::successfactors::SuccessFactors;

use crate::environment::env_any;
use crate::hrms::Database;
use crate::sink::Takes;
use crate::{Gather, Reach, erpnext, hrms, humand, odoo, read_mapping, successfactors};

/// The ERPs there are, as they are named.
pub const KINDS: [&str; 5] = ["odoo", "erpnext", "successfactors", "humand", "hrms"];

/// One ERP, and whose badge is whose there: checked, and not asked yet.
#[derive(Debug, Clone)]
pub struct SinkSettings {
    /// The ERP.
    pub erp: Erp,
    /// The table of badges, if terminals and the ERP number people differently.
    pub mapping: Option<Arc<Mapping>>,
}

/// An ERP.
#[derive(Debug, Clone)]
pub enum Erp {
    /// A database of Odoo.
    Odoo(Odoo),
    /// A site of ERPNext.
    ErpNext(ErpNext),
    /// A tenant of SuccessFactors, and the file with the count of the day's calls.
    SuccessFactors(SuccessFactors, PathBuf),
    /// A community of Humand.
    Humand(Humand),
    /// Tables of one's own.
    Hrms(Hrms, Database),
}

impl SinkSettings {
    /// The ERP of this kind that the environment describes, by the names of the middlewares; `MAPPING_FILE` is the table of
    /// badges.
    ///
    /// # Errors
    ///
    /// There is no such kind, a variable is missing or does not read: the text names it.
    pub fn from_env(kind: &str) -> anyhow::Result<Self> {
        let erp = match kind {
            "odoo" => Erp::Odoo(odoo::from_env()?),
            "erpnext" => Erp::ErpNext(erpnext::from_env()?),
            "successfactors" => {
                let calls = env_any(&["SF_CALLS_FILE"]).unwrap_or_else(|| "successfactors.calls".to_owned());
                Erp::SuccessFactors(SuccessFactors::new(successfactors::settings_from_env()?)?, calls.into())
            }
            "humand" => Erp::Humand(humand::from_env()?),
            "hrms" => {
                let (tables, database) = hrms::from_env()?;
                Erp::Hrms(tables, database)
            }
            other => bail!("`{other}` is no ERP; expected one of: {}", KINDS.join(", ")),
        };
        Ok(Self { erp, mapping: mapping_from_env()? })
    }
}

/// The table of badges that `MAPPING_FILE` names, if it is there.
///
/// # Errors
///
/// It cannot be read, or a line of it is wrong.
pub fn mapping_from_env() -> anyhow::Result<Option<Arc<Mapping>>> {
    let Some(path) = env_any(&["MAPPING_FILE"]) else { return Ok(None) };
    Ok(Some(read_mapping(Path::new(&path)).context("MAPPING_FILE")?))
}

impl Erp {
    /// What it is called, one of [`KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Odoo(_) => "odoo",
            Self::ErpNext(_) => "erpnext",
            Self::SuccessFactors(..) => "successfactors",
            Self::Humand(_) => "humand",
            Self::Hrms(..) => "hrms",
        }
    }

    /// Which events it makes use of.
    pub fn takes(&self) -> Takes {
        match self {
            Self::ErpNext(_) | Self::SuccessFactors(..) => Takes::Punches,
            Self::Odoo(_) | Self::Humand(_) => Takes::Revisions,
            Self::Hrms(..) => Takes::Tellings,
        }
    }

    /// Which other punches of the person it wants with each, if records are made of several.
    pub fn reach(&self) -> Option<Reach> {
        match self {
            Self::Odoo(odoo) => Some(Reach { time: WriteAttendances::reach(odoo), waiting_only: false }),
            Self::Humand(_) => Some(Reach { time: punch_erp::humand::WriteEntries::reach(), waiting_only: true }),
            Self::ErpNext(_) | Self::SuccessFactors(..) | Self::Hrms(..) => None,
        }
    }

    /// How many people it is written to for at once, or gathered for one call. Some serialise their writers.
    pub fn at_once(&self) -> usize {
        match self {
            Self::SuccessFactors(..) => successfactors::GATHERED,
            Self::Odoo(_) => Gather::ROOM,
            Self::ErpNext(_) | Self::Humand(_) | Self::Hrms(..) => 4,
        }
    }

    /// Whether what is to be written may wait long for company, with nothing sent.
    pub fn gathers(&self) -> bool {
        matches!(self, Self::SuccessFactors(..))
    }
}
