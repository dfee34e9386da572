//! Every punch becomes a time event in SuccessFactors. Needs `WEBHOOK_SECRET`, `SF_API_SERVER`, `SF_IAS_URL`,
//! `SF_IAS_CLIENT_ID`, `SF_IAS_SECRET`, `SF_IAS_DEPENDENCY`, and the tenant's codes `SF_CODE_IN` and `SF_CODE_OUT`. Calls are
//! few, so punches are gathered for 300 s. `DRY_RUN=true` prints and sends nothing.
#![allow(clippy::print_stdout, reason = "a dry run is for reading")]

use middleware::{Inbox, Settings, log_to_stderr, successfactors};
use punch_erp::successfactors::SuccessFactors;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    log_to_stderr();
    let settings = Settings::from_env()?;
    let tenant = SuccessFactors::new(successfactors::settings_from_env()?)?;
    let inbox = Inbox::open(&settings).await?;
    tracing::info!(addr = %inbox.addr, dry_run = settings.dry_run, "receiving on /webhook");
    if settings.dry_run {
        return inbox.serve(successfactors::dry_run(tenant, |request| println!("{request}"))).await;
    }
    let writer = successfactors::writer(tenant, settings.trust.transport()?, settings.path.with_extension("calls"));
    inbox.serve_many(successfactors::GATHERED, writer).await
}
