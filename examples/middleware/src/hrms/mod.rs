//! The half of the middleware that writes to a database of one's own.
//!
//! To PostgreSQL it speaks no TLS: over a network that is not trusted, have a tunnel or a pooler on this machine speak it
//! (`stunnel`, `pgbouncer`, `ssh -L`) and give its address. `sslmode=require` is refused at the start, not ignored.

mod postgres;
mod sqlite;

use std::pin::Pin;

use anyhow::{Context as _, bail};
use gateway::clock::now;
use punch_erp::hrms::{Dialect, Hrms, HrmsColumns, HrmsSettings, Telling, Transaction};
use punch_erp::{Failure, Outcome};
use punch_webhook::ReceivedEvent;

use crate::{env, env_any, env_flag};
use postgres::Postgres;
use sqlite::Sqlite;

/// A write on its way.
pub type Writing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The way to the database. It is taken when the first event is due, not before.
#[derive(Debug, Clone)]
pub struct Database(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// By a few connections.
    Postgres(Postgres),
    /// By one.
    Sqlite(Sqlite),
}

/// The HRMS of the environment: `DATABASE_URL` is `postgres://…` or `sqlite:` and a path. `HRMS_TABLE`,
/// `HRMS_REVISION_TABLE` and `HRMS_COLUMNS` (`employee_id=badge,punch_time=at`) have defaults. `CREATE_TABLES=true` makes
/// the tables that are not there.
///
/// # Errors
///
/// There is no address, or a value is wrong; the text names the variable and repeats no address.
pub fn from_env() -> anyhow::Result<(Hrms, Database)> {
    let url = env("DATABASE_URL")?;
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let mut settings = HrmsSettings::new(if path.is_some() { Dialect::Sqlite } else { Dialect::Postgres });
    settings.table = env_any(&["HRMS_TABLE"]).unwrap_or(settings.table);
    settings.revision_table = env_any(&["HRMS_REVISION_TABLE"]).unwrap_or(settings.revision_table);
    rename(&mut settings.columns, &env_any(&["HRMS_COLUMNS"]).unwrap_or_default())?;
    let hrms = Hrms::new(settings).context("HRMS_TABLE, HRMS_REVISION_TABLE, HRMS_COLUMNS")?;
    let schema = env_flag("CREATE_TABLES").then(|| hrms.schema().to_owned());
    let database = match path {
        Some("") => bail!("DATABASE_URL names no file; write sqlite:/path/to/the/file"),
        Some(path) => Kind::Sqlite(Sqlite::new(path.into(), schema)),
        None => Kind::Postgres(Postgres::new(&url, schema)?),
    };
    Ok((hrms, Database(database)))
}

/// Reads `ours=theirs,ours=theirs`.
fn rename(columns: &mut HrmsColumns, list: &str) -> anyhow::Result<()> {
    for pair in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (ours, theirs) = pair.split_once('=').with_context(|| format!("HRMS_COLUMNS: `{pair}` lacks a `=`"))?;
        let column = match ours.trim() {
            "event_id" => &mut columns.event_id,
            "employee_id" => &mut columns.employee_id,
            "punch_time" => &mut columns.punch_time,
            "direction" => &mut columns.direction,
            "device_serial" => &mut columns.device_serial,
            "method" => &mut columns.method,
            "revision" => &mut columns.revision,
            other => bail!("HRMS_COLUMNS: no column is called `{other}`"),
        };
        theirs.trim().clone_into(column);
    }
    Ok(())
}

/// Writes each telling in one transaction.
pub fn writer(hrms: Hrms, database: Database) -> impl Fn(ReceivedEvent) -> Writing + Send + 'static {
    move |event| {
        let (planned, database) = (plan(&hrms, &event), database.clone());
        Box::pin(async move {
            match planned {
                Ok(transaction) => database.run(transaction).await,
                Err(outcome) => outcome,
            }
        })
    }
}

/// Shows the schema and the statements that would be run, and runs none.
pub fn dry_run(
    hrms: Hrms,
    show: impl Fn(String) + Send + 'static,
) -> impl Fn(ReceivedEvent) -> Writing + Send + 'static {
    show(hrms.schema().to_owned());
    move |event| {
        let outcome = plan(&hrms, &event).map_or_else(
            |outcome| outcome,
            |transaction| {
                let steps = transaction.steps().iter();
                let steps: String = steps.flat_map(|step| [step.write.render(), step.look.render()]).collect();
                show(format!("BEGIN;\n{steps}COMMIT;\n"));
                retry(Failure::not_reached("dry run"))
            },
        );
        Box::pin(async { outcome })
    }
}

fn plan(hrms: &Hrms, event: &ReceivedEvent) -> Result<Transaction, Outcome> {
    // The inbox remembers tellings alone, so there is always one.
    let nothing = || Outcome::AlreadyThere { remote_id: event.event_id().to_string() };
    let telling = Telling::of(event).ok_or_else(nothing)?;
    hrms.write(&telling, now()).map_err(Outcome::Park)
}

impl Database {
    async fn run(&self, transaction: Transaction) -> Outcome {
        match &self.0 {
            Kind::Postgres(postgres) => postgres.run(&transaction).await,
            Kind::Sqlite(sqlite) => sqlite.run(transaction).await,
        }
    }
}

fn retry(failure: Failure) -> Outcome {
    Outcome::Retry { after: None, reason: failure.into() }
}
