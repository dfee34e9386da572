//! Every punch becomes one Employee Checkin in ERPNext. Needs `WEBHOOK_SECRET`, `ERPNEXT_URL`, `API_KEY`,
//! `API_SECRET` and `SITE_ZONE`, the zone in the site's System Settings. `DRY_RUN=true` prints and sends nothing.
#![allow(clippy::print_stdout, reason = "a dry run is for reading")]

use middleware::{Inbox, Settings, erpnext, log_to_stderr};
use punch_erp::ReqwestTransport;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    log_to_stderr();
    let settings = Settings::from_env()?;
    let site = erpnext::from_env()?;
    let inbox = Inbox::open(&settings).await?;
    tracing::info!(addr = %inbox.addr, dry_run = settings.dry_run, "receiving on /webhook");
    if settings.dry_run {
        return inbox.serve(erpnext::dry_run(site, |request| println!("{request}"))).await;
    }
    inbox.serve(erpnext::writer(site, ReqwestTransport::new()?)).await
}
