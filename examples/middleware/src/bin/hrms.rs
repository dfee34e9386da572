//! The punches become rows of your own table, in PostgreSQL or SQLite. Needs `WEBHOOK_SECRET` and `DATABASE_URL`;
//! `CREATE_TABLES=true` makes the tables. `DRY_RUN=true` prints the schema and the statements, and runs none.
#![allow(clippy::print_stdout, reason = "a dry run is for reading")]

use middleware::{Inbox, Settings, hrms, log_to_stderr};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    log_to_stderr();
    let (settings, (tables, database)) = (Settings::from_env()?, hrms::from_env()?);
    let inbox = Inbox::open(&settings).await?;
    tracing::info!(addr = %inbox.addr, dry_run = settings.dry_run, "receiving on /webhook");
    if settings.dry_run {
        return inbox.serve_tellings(hrms::dry_run(tables, |statements| println!("{statements}"))).await;
    }
    inbox.serve_tellings(hrms::writer(tables, database)).await
}
