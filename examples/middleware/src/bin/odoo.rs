//! The punches of a person become Attendances in Odoo. Needs `WEBHOOK_SECRET`, `ODOO_URL`, `ODOO_DB`, `ODOO_USER` and
//! `ODOO_PASS`, an API key of that user or the password. `DRY_RUN=true` prints and sends nothing.
#![allow(clippy::print_stdout, reason = "a dry run is for reading")]

use middleware::{Inbox, Settings, log_to_stderr, odoo};
use punch_erp::odoo::WriteAttendances;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    log_to_stderr();
    let settings = Settings::from_env()?;
    let server = odoo::from_env()?;
    let inbox = Inbox::open(&settings).await?;
    let reach = WriteAttendances::reach(&server);
    tracing::info!(addr = %inbox.addr, dry_run = settings.dry_run, "receiving on /webhook");
    if settings.dry_run {
        return inbox.serve_people(reach, odoo::dry_run(server, |request| println!("{request}"))).await;
    }
    inbox.serve_people(reach, odoo::writer(server, settings.trust.transport()?)).await
}
