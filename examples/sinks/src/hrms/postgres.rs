use std::fmt;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{anyhow, bail};
use chrono::{DateTime, Utc};
use punch_erp::hrms::{Seen, SqlState, Statement, Transaction, Value};
use punch_erp::{Failure, Outcome};
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, NoTls, Row};

use super::End;

/// How long one event may take, and how long a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// Each row is seen as committed, times are UTC, and a commit waits for the disk. Said in every transaction, so that a
/// pooler in between changes nothing.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL TIME ZONE 'UTC';
    SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";

/// What whoever makes the tables holds: any number that nobody else uses.
const SCHEMA_LOCK: i64 = 0x5055_4e43_4800;

/// A database of PostgreSQL. A connection in which something went wrong is not used again.
#[derive(Clone)]
pub(super) struct Postgres {
    config: Arc<Config>,
    schema: Arc<Mutex<Option<String>>>,
    idle: Arc<Mutex<Vec<Client>>>,
}

/// Shows nothing of the address, which has a password in it.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Postgres {
    pub(super) fn new(url: &str, schema: Option<String>) -> anyhow::Result<Self> {
        let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let config = is_url.then(|| Config::from_str(url).ok()).flatten();
        // The parser's own words may repeat the password.
        let mut config = config.ok_or_else(|| {
            anyhow!("the address of the database does not read; write postgres://user:password@host/database or sqlite:/path")
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            bail!(
                "the address of the database asks for TLS, which this program leaves to a proxy on this machine; see its documentation"
            );
        }
        if config.get_application_name().is_none() {
            config.application_name("punch-hrms");
        }
        config.connect_timeout(PATIENCE);
        Ok(Self { config: Arc::new(config), schema: Arc::new(Mutex::new(schema)), idle: Arc::default() })
    }

    pub(super) async fn run(&self, end: End, transaction: &Transaction) -> Outcome {
        // Dropped when it takes too long, and the connection with it: whatever it began is rolled back.
        let running = tokio::time::timeout(PATIENCE, self.run_once(end, transaction));
        running.await.unwrap_or_else(|_| super::retry(Failure::unknown("timed out")))
    }

    async fn run_once(&self, end: End, transaction: &Transaction) -> Outcome {
        let idle = lock(&self.idle).pop().filter(|client| !client.is_closed());
        let client = match idle {
            Some(client) => client,
            None => match self.connect().await {
                Ok(client) => client,
                Err(error) => {
                    let lost = || super::retry(Failure::not_reached("no connection to the database"));
                    return state(&error).map_or_else(lost, SqlState::retry);
                }
            },
        };
        match write(&client, end, transaction).await {
            Ok(outcome) => {
                lock(&self.idle).push(client);
                outcome
            }
            Err(error) => {
                let lost = || super::retry(Failure::unknown("the connection to the database broke"));
                state(&error).map_or_else(lost, SqlState::outcome)
            }
        }
    }

    async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = self.config.connect(NoTls).await?;
        // It ends with the client, and the client hears of its errors.
        drop(tokio::spawn(connection));
        let schema = lock(&self.schema).clone();
        if let Some(schema) = schema {
            // `IF NOT EXISTS` alone fails when two connections are at it.
            let alone = format!("BEGIN; SELECT pg_advisory_xact_lock({SCHEMA_LOCK}); {schema} COMMIT");
            client.batch_execute(&alone).await?;
            *lock(&self.schema) = None;
        }
        Ok(client)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(client: &Client, end: End, transaction: &Transaction) -> Result<Outcome, Error> {
    client.batch_execute(BEGIN).await?;
    let mut seen = Vec::new();
    for step in transaction.steps() {
        let written = client.execute_typed(&step.write.sql, &bound(&step.write)).await?;
        let row = client.query_typed_opt(&step.look.sql, &bound(&step.look)).await?;
        seen.push(Seen::new(written, row.as_ref().map(read)));
    }
    let outcome = transaction.judge(&seen);
    client.batch_execute(if outcome.is_done() && end == End::Commit { "COMMIT" } else { "ROLLBACK" }).await?;
    Ok(outcome)
}

fn bound(statement: &Statement) -> Vec<(&(dyn ToSql + Sync), Type)> {
    let mut bound: Vec<(&(dyn ToSql + Sync), Type)> = Vec::new();
    for value in &statement.values {
        bound.push(match value {
            Value::Text(text) => (text, Type::TEXT),
            Value::Instant(at) => (at, Type::TIMESTAMPTZ),
            Value::Number(number) => (number, Type::INT8),
        });
    }
    bound
}

/// The row in the types the statement reads it in. What does not read is null, and differs from whatever was sent.
fn read(row: &Row) -> Vec<Value> {
    let value = |(number, column): (usize, &tokio_postgres::Column)| match *column.type_() {
        Type::TIMESTAMPTZ => row.try_get::<_, DateTime<Utc>>(number).map_or(Value::Text(None), Value::Instant),
        Type::INT8 => row.try_get(number).map_or(Value::Text(None), Value::Number),
        _ => Value::Text(row.try_get(number).ok().flatten()),
    };
    row.columns().iter().enumerate().map(value).collect()
}

fn state(error: &Error) -> Option<SqlState> {
    error.as_db_error().map(|error| SqlState::postgres(error.code().code(), error.constraint()))
}
