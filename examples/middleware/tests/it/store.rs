//! The databases that `hrms` writes to.

use punch_erp::hrms::{Dialect, Hrms, HrmsSettings};
use simulator::cluster::Cluster;
use tempfile::{TempDir, tempdir};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A database, empty at first.
pub(crate) enum Store {
    Sqlite(TempDir),
    Postgres(Cluster),
}

impl Store {
    /// One of each kind there is.
    pub(crate) fn all() -> Vec<Self> {
        let postgres = Cluster::start().unwrap().map(Self::Postgres);
        [Self::Sqlite(tempdir().unwrap())].into_iter().chain(postgres).collect()
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("hrms.sqlite").display()),
            Self::Postgres(cluster) => cluster.url(),
        }
    }

    pub(crate) fn schema(&self) -> String {
        let dialect = if matches!(self, Self::Sqlite(_)) { Dialect::Sqlite } else { Dialect::Postgres };
        Hrms::new(HrmsSettings::new(dialect)).unwrap().schema().to_owned()
    }

    /// Runs a statement; the rows it gives, `a|b`.
    pub(crate) async fn run(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(folder) => {
                let file = rusqlite::Connection::open(folder.path().join("hrms.sqlite")).unwrap();
                file.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
                if !sql.starts_with("SELECT") {
                    file.execute_batch(sql).unwrap();
                    return Vec::new();
                }
                let mut statement = file.prepare(sql).unwrap();
                let columns = statement.column_count();
                let cell = |row: &rusqlite::Row<'_>, number| match row.get_ref(number).unwrap() {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    other => other.as_str_or_null().unwrap().unwrap_or_default().to_owned(),
                };
                let line =
                    |row: &rusqlite::Row<'_>| Ok((0..columns).map(|at| cell(row, at)).collect::<Vec<_>>().join("|"));
                statement.query_map([], line).unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres(cluster) => {
                let (client, connection) = tokio_postgres::connect(&cluster.url(), NoTls).await.unwrap();
                drop(tokio::spawn(connection));
                let messages = client.simple_query(sql).await.unwrap();
                let line = |message| match message {
                    SimpleQueryMessage::Row(row) => {
                        let cells = (0..row.len()).map(|at| row.get(at).unwrap_or_default());
                        Some(cells.collect::<Vec<_>>().join("|"))
                    }
                    _ => None,
                };
                messages.into_iter().filter_map(line).collect()
            }
        }
    }
}
