//! Every punch becomes one Employee Checkin in ERPNext. Needs `WEBHOOK_SECRET`, `ERPNEXT_URL`, `API_KEY`,
//! `API_SECRET` and `SITE_ZONE`, the zone in the site's System Settings. `ERPNEXT_SHIFTS`, names of shift types
//! with commas between, have their mark moved to where every punch is written. `DRY_RUN=true` prints and sends nothing.
#![allow(clippy::print_stdout, reason = "a dry run is for reading")]

use middleware::{Inbox, Settings, erpnext, log_to_stderr, shifts};

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
    let transport = settings.trust.transport()?;
    let inbox = inbox.advancing(shifts::from_env(&site, &transport));
    inbox.serve(erpnext::writer(site, transport)).await
}
