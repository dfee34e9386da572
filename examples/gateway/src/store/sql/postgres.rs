use core::cell::{Cell, RefCell};
use core::fmt;
use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{TryStreamExt as _, future, stream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Statement};

use super::{Columns, Connection, Database, Parameters, Row, StoreError, Taking, Value};

/// Statements that are kept ready; beyond it all are prepared anew.
const STATEMENTS_MAX: usize = 512;

/// A commit waits for the disk, whatever the server's default is.
const SESSION: &str = "SET synchronous_commit = on; SET TIME ZONE 'UTC'; SET client_min_messages = warning";

/// A channel of the schema's own. PostgreSQL wants its name in the text of the statement.
const LISTEN: &str = "DO $$ BEGIN EXECUTE 'LISTEN ' || quote_ident('punch ' || current_schema()); END $$";

/// Tells those who listen, once it is on disk.
const COMMIT: &str = "SELECT pg_notify('punch ' || current_schema(), ''); COMMIT";

/// Before it is tried again to listen.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs the conversations with the servers. It has a thread of its own, so that whoever waits for an answer may be a thread
/// that drives no other.
#[derive(Clone)]
pub(super) struct Conversations(Arc<Driving>);

struct Driving(Option<Runtime>);

impl Conversations {
    pub(super) fn start() -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Self(Arc::new(Driving(Some(runtime.map_err(StoreError::Thread)?)))))
    }

    /// Waits for an answer. Not to be called by what drives a runtime.
    fn wait<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, StoreError> {
        let runtime = self.0.0.as_ref().ok_or(StoreError::Stopped)?;
        Ok(runtime.handle().block_on(answer)?)
    }

    /// Wakes whoever waits for `changed` when somebody has written to the schema.
    pub(super) fn listen(&self, config: &Config, changed: &Arc<Notify>) -> Result<(), StoreError> {
        let runtime = self.0.0.as_ref().ok_or(StoreError::Stopped)?;
        let (config, changed) = (config.clone(), Arc::clone(changed));
        drop(runtime.spawn(async move {
            loop {
                if let Err(error) = hear(&config, &changed).await {
                    tracing::debug!(%error, "what others write is not heard of for now");
                }
                // Until it is connected again, what others write is found when it is time to look.
                tokio::time::sleep(AGAIN).await;
            }
        }));
        Ok(())
    }

    /// A connection to a server.
    pub(super) fn connect(&self, config: &Config) -> Result<Connection, StoreError> {
        let (client, connection) = self.wait(config.connect(NoTls))?;
        let runtime = self.0.0.as_ref().ok_or(StoreError::Stopped)?;
        // It ends with the client, and the client hears of its errors.
        drop(runtime.spawn(connection));
        self.wait(client.batch_execute(SESSION))?;
        let statements = RefCell::default();
        Ok(Connection::new(Postgres { conversations: self.clone(), client, statements, changes: Cell::new(0) }))
    }
}

/// Hears of what others write, until the connection ends.
async fn hear(config: &Config, changed: &Notify) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let messages = stream::poll_fn(move |context| connection.poll_message(context));
    let hearing = messages.try_for_each(|message| {
        if matches!(message, AsyncMessage::Notification(_)) {
            changed.notify_one();
        }
        future::ready(Ok(()))
    });
    tokio::try_join!(hearing, client.batch_execute(LISTEN)).map(drop)
}

impl Drop for Driving {
    fn drop(&mut self) {
        // Whoever drops it last may be driving another runtime, and must not wait for this one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Conversations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conversations")
    }
}

struct Postgres {
    conversations: Conversations,
    client: Client,
    statements: RefCell<BTreeMap<String, Statement>>,
    changes: Cell<u64>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}

impl Postgres {
    fn prepare(&self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.conversations.wait(self.client.prepare(&translate(sql)))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn number(&self, sql: &str) -> Result<i64, StoreError> {
        Ok(self.conversations.wait(self.client.query_one(sql, &[]))?.try_get(0)?)
    }
}

impl Database for Postgres {
    fn execute(&self, sql: &str, values: &Parameters<'_>) -> Result<usize, StoreError> {
        let statement = self.prepare(sql)?;
        let values: Vec<Value<'_>> = values.iter().map(|value| value.to_value()).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let changed = self.conversations.wait(self.client.execute(&statement, &values))?;
        self.changes.set(self.changes.get().saturating_add(changed));
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn insert_new(&self, sql: &str, key: &str, values: &Parameters<'_>) -> Result<Option<i64>, StoreError> {
        let mut number = None;
        self.query(&format!("{sql} RETURNING {key}"), values, &mut |row| {
            number = Some(row.get(0)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(number)
    }

    fn query(&self, sql: &str, values: &Parameters<'_>, take: &mut Taking<'_>) -> Result<(), StoreError> {
        let statement = self.prepare(sql)?;
        let values: Vec<Value<'_>> = values.iter().map(|value| value.to_value()).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let rows = self.conversations.wait(self.client.query(&statement, &values))?;
        if is_change(sql) {
            self.changes.set(self.changes.get().saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX)));
        }
        for row in &rows {
            if take(&Row { columns: row })?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.conversations.wait(self.client.batch_execute(sql))
    }

    /// Others hear of it.
    fn commit(&self) -> Result<(), StoreError> {
        self.batch(COMMIT)
    }

    /// Readers are not in the way of this lock. It orders all who write, whichever gateway they belong to, so that numbers
    /// are committed in the order they are given.
    fn begin(&self) -> Result<(), StoreError> {
        self.batch("BEGIN; LOCK TABLE meta IN EXCLUSIVE MODE")
    }

    /// Two gateways may begin at once, and `IF NOT EXISTS` alone fails then.
    fn begin_layout(&self) -> Result<i64, StoreError> {
        self.batch(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtext('punch layout ' || current_schema()));
             CREATE TABLE IF NOT EXISTS layout (version BIGINT PRIMARY KEY)",
        )?;
        self.number("SELECT coalesce(max(version), 0) FROM layout")
    }

    fn keep_layout(&self, version: i64) -> Result<(), StoreError> {
        self.batch(&format!("INSERT INTO layout VALUES ({version})"))
    }

    fn changes(&self) -> u64 {
        self.changes.get()
    }

    fn size(&self) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(CAST(sum(pg_total_relation_size(pg_class.oid)) AS BIGINT), 0) FROM pg_class
                   JOIN pg_namespace ON pg_namespace.oid = relnamespace
                   WHERE nspname = current_schema() AND relkind = 'r'";
        Ok(self.number(sql)?.cast_unsigned())
    }

    fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn checkpoint_beside(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Whether the rows that a statement returns are rows it changed.
fn is_change(sql: &str) -> bool {
    ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| sql.trim_start().starts_with(verb))
}

/// The statement in the words of PostgreSQL, of which only two differ.
fn translate(sql: &str) -> String {
    sql.replace('?', "$").replace("CAST(whose AS BLOB)", "bytes_of(whose)")
}

/// A layout in the words of PostgreSQL. Texts sort by their bytes, as they do in SQLite.
pub(super) fn translate_layout(sql: &str) -> String {
    sql.replace("INTEGER PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace("INTEGER", "BIGINT")
        .replace("CAST(whose AS BLOB)", "bytes_of(whose)")
        .replace("BLOB", "BYTEA")
        .replace("TEXT", "TEXT COLLATE \"C\"")
        .replace("WITHOUT ROWID", "")
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn core::error::Error + Sync + Send>> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if *kind == Type::BOOL => (number != 0).to_sql(kind, out),
            Self::Integer(number) if *kind == Type::INT4 => i32::try_from(number)?.to_sql(kind, out),
            Self::Integer(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            // The one character that PostgreSQL has no place for in a text. The bytes of a row stay as they are.
            Self::Text(text) if text.contains('\0') => text.replace('\0', "\u{2400}").to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
            Self::Integer(_) => Err(format!("a number cannot be of the type {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Columns for tokio_postgres::Row {
    fn count(&self) -> usize {
        self.len()
    }

    fn value(&self, index: usize) -> Result<Value<'_>, StoreError> {
        let kind = self.columns().get(index).map(tokio_postgres::Column::type_);
        let missing = StoreError::Column { index };
        let value = match kind.ok_or(missing)? {
            kind if *kind == Type::INT8 => self.try_get::<_, Option<i64>>(index)?.map(Value::Integer),
            kind if *kind == Type::INT4 => {
                self.try_get::<_, Option<i32>>(index)?.map(|number| Value::Integer(number.into()))
            }
            kind if *kind == Type::BOOL => {
                self.try_get::<_, Option<bool>>(index)?.map(|flag| Value::Integer(flag.into()))
            }
            kind if *kind == Type::BYTEA => self.try_get::<_, Option<&[u8]>>(index)?.map(Value::Bytes),
            _ => self.try_get::<_, Option<&str>>(index)?.map(Value::Text),
        };
        Ok(value.unwrap_or(Value::Null))
    }
}
