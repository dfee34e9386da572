//! Who passes a door of HikCentral gets an entry in Humand. Needs `HIKVISION_HOST`, `HIK_APP_KEY`, `HIK_SECRET` and
//! `HUMAND_TOKEN` (or `HUMAND_AUTH`); `HIK_DOORS=7=in,8=out` says which way doors go, `HIK_EVENT_DEST` and `HIK_TOKEN` have
//! events pushed; `docs/hikcentral.md` has the rest. `once` reads once and ends. `DRY_RUN=true` prints and writes nothing.
#![allow(clippy::print_stdout, reason = "a dry run is for reading")]

use middleware::{Inbox, Settings, hikcentral, humand, log_to_stderr};
use punch_erp::humand::WriteEntries;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    log_to_stderr();
    let (settings, community) = (Settings::without_webhook()?, humand::from_env()?);
    let source = hikcentral::from_env(settings.dry_run)?;
    let (inbox, reach) = (Inbox::open(&settings).await?.fed_by(source), WriteEntries::reach());
    tracing::info!(addr = %inbox.addr, dry_run = settings.dry_run, "receiving on /webhook/hikvision/events");
    if settings.dry_run {
        return inbox.serve_waiting(reach, humand::dry_run(community, |request| println!("{request}"))).await;
    }
    inbox.serve_waiting(reach, humand::writer(community, settings.trust.transport()?)).await
}
