//! The half of the middleware that writes to a database of one's own.
//!
//! To PostgreSQL it speaks no TLS: over a network that is not trusted, have a tunnel or a pooler on this machine speak it
//! (`stunnel`, `pgbouncer`, `ssh -L`) and give its address. `sslmode=require` is refused at the start, not ignored.

mod postgres;
mod sqlite;

use std::pin::Pin;

use crate::clock::now;
use anyhow::{Context as _, bail};
use punch_erp::hrms::{Dialect, Hrms, HrmsColumns, HrmsSettings, Telling, Transaction};
use punch_erp::{Failure, Outcome};
use punch_webhook::{ReceivedEvent, Verified};

use crate::environment::{env, env_any, env_flag};
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
    let mut settings = HrmsSettings::new(dialect(&url));
    settings.table = env_any(&["HRMS_TABLE"]).unwrap_or(settings.table);
    settings.revision_table = env_any(&["HRMS_REVISION_TABLE"]).unwrap_or(settings.revision_table);
    rename(&mut settings.columns, &env_any(&["HRMS_COLUMNS"]).unwrap_or_default())?;
    let hrms = Hrms::new(settings).context("HRMS_TABLE, HRMS_REVISION_TABLE, HRMS_COLUMNS")?;
    let database = Database::at(&url, &hrms, env_flag("CREATE_TABLES")).context("DATABASE_URL")?;
    Ok((hrms, database))
}

/// What an address leads to.
pub(crate) fn dialect(url: &str) -> Dialect {
    if url.starts_with(SQLITE) { Dialect::Sqlite } else { Dialect::Postgres }
}

const SQLITE: &str = "sqlite:";

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

/// Writes tellings, of whomever, as fast as the database allows: an outcome for each.
pub(crate) async fn write_together(hrms: &Hrms, sqlite: &TogetherIn<'_>, events: &[ReceivedEvent]) -> Vec<Outcome> {
    let planned: Vec<Result<Transaction, Outcome>> = events.iter().map(|event| plan(hrms, event)).collect();
    let transactions: Vec<Transaction> = planned.iter().filter_map(|one| one.as_ref().ok()).cloned().collect();
    let mut written = Vec::new();
    for some in transactions.chunks(TOGETHER) {
        written.extend(sqlite.0.run_together(some.to_vec()).await);
    }
    let mut written = written.into_iter();
    let unanswered = || retry(Failure::unknown("the writer stopped"));
    planned
        .into_iter()
        .map(|one| one.map_or_else(|known| known, |_| written.next().unwrap_or_else(unanswered)))
        .collect()
}

/// Tellings in one transaction. Others wait for its end.
const TOGETHER: usize = 1000;

/// A database that commits many tellings as fast as one, and one after the other.
pub(crate) struct TogetherIn<'d>(&'d Sqlite);

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
    /// The database at `postgres://…` or `sqlite:` and a path. Tables that are not there are made, if wanted.
    ///
    /// # Errors
    ///
    /// The address does not read; the text does not repeat it.
    pub fn at(url: &str, hrms: &Hrms, create_tables: bool) -> anyhow::Result<Self> {
        let schema = create_tables.then(|| hrms.schema().to_owned());
        let path = url.strip_prefix(SQLITE).map(|path| path.strip_prefix("//").unwrap_or(path));
        Ok(Self(match path {
            Some("") => bail!("the address names no file; write sqlite:/path/to/the/file"),
            Some(path) => Kind::Sqlite(Sqlite::new(path.into(), schema)),
            None => Kind::Postgres(Postgres::new(url, schema)?),
        }))
    }

    /// Whether many tellings are written in one go.
    pub(crate) fn together(&self) -> Option<TogetherIn<'_>> {
        match &self.0 {
            Kind::Sqlite(sqlite) => Some(TogetherIn(sqlite)),
            Kind::Postgres(_) => None,
        }
    }

    async fn run(&self, transaction: Transaction) -> Outcome {
        self.run_to(End::Commit, transaction).await
    }

    /// Writes a row of nobody and takes it back: everything but the commit.
    pub(crate) async fn rehearse(&self, hrms: &Hrms) -> Outcome {
        let body =
            br#"{"event_id":"evt_rehearsal","employee_id":"0","timestamp":"2020-01-01T00:00:00Z","direction":"in"}"#;
        let Ok(event) = Verified::assume_verified(body).event() else {
            return retry(Failure::not_reached("nothing to rehearse with"));
        };
        match plan(hrms, &event) {
            Ok(transaction) => self.run_to(End::Rollback, transaction).await,
            Err(outcome) => outcome,
        }
    }

    async fn run_to(&self, end: End, transaction: Transaction) -> Outcome {
        match &self.0 {
            Kind::Postgres(postgres) => postgres.run(end, &transaction).await,
            Kind::Sqlite(sqlite) => sqlite.run(end, transaction).await,
        }
    }
}

/// How a transaction ends that came out well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Commit,
    Rollback,
}

fn retry(failure: Failure) -> Outcome {
    Outcome::Retry { after: None, reason: failure.into() }
}
