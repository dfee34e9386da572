//! Every punch becomes an entry in Humand. Needs `WEBHOOK_SECRET` and `HUMAND_TOKEN` (or `HUMAND_AUTH`); `HUMAND_BASE_URL`
//! (or `HUMAND_BASE`) and `HUMAND_ZONE` have defaults. `DRY_RUN=true` prints and sends nothing.
#![allow(clippy::print_stdout, reason = "a dry run is for reading")]

use middleware::{Inbox, Settings, humand, log_to_stderr};
use punch_erp::humand::WriteEntries;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    log_to_stderr();
    let (settings, community) = (Settings::from_env()?, humand::from_env()?);
    let (inbox, reach) = (Inbox::open(&settings).await?, WriteEntries::reach());
    tracing::info!(addr = %inbox.addr, dry_run = settings.dry_run, "receiving on /webhook");
    if settings.dry_run {
        return inbox.serve_waiting(reach, humand::dry_run(community, |request| println!("{request}"))).await;
    }
    inbox.serve_waiting(reach, humand::writer(community, settings.trust.transport()?)).await
}
