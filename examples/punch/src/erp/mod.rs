//! `punch erp`: events into an ERP, a look at it before, and another try for what was parked.

mod backlog;
mod check;
mod reading;
mod release;
mod target;
mod write;

use clap::{Args, Subcommand};

use crate::exit::Exit;

/// Write punches into an ERP: Odoo, ERPNext, SuccessFactors, Humand, or a table of your own.
///
/// The environment says where it is and who we are there, by the names of the middlewares: ODOO_URL, ODOO_DB, ODOO_USER,
/// ODOO_PASS; ERPNEXT_URL, API_KEY, API_SECRET, SITE_ZONE; SF_API_SERVER, SF_IAS_URL, SF_IAS_CLIENT_ID, SF_IAS_SECRET,
/// SF_IAS_DEPENDENCY, SF_CODE_IN, SF_CODE_OUT; HUMAND_TOKEN, HUMAND_BASE_URL, HUMAND_ZONE; DATABASE_URL. MAPPING_FILE names a
/// table `badge,employee`. docs/sinks.md has a page for each.
///
/// Example: punch erp check --to odoo --events events.ndjson && punch erp write --to odoo < events.ndjson
#[derive(Debug, Args)]
pub(crate) struct ErpCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Write(write::Write),
    Check(Box<check::Check>),
    Release(release::Release),
}

/// Runs the command.
pub(crate) async fn run(command: ErpCommand) -> anyhow::Result<Exit> {
    match command.verb {
        Verb::Write(write) => write::run(write).await,
        Verb::Check(check) => check::run(*check).await,
        Verb::Release(release) => release::run(release).await,
    }
}
