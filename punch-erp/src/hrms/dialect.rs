use alloc::format;
use alloc::string::String;

use serde::Deserialize;

/// Which database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a shell must know how to run every one")]
pub enum Dialect {
    /// PostgreSQL 9.5 or later.
    Postgres,
    /// SQLite 3.24 or later.
    Sqlite,
}

impl Dialect {
    /// The place of a parameter, from 1.
    pub(super) fn place(self, number: usize) -> String {
        match self {
            Self::Postgres => format!("${number}"),
            Self::Sqlite => format!("?{number}"),
        }
    }

    /// The type of an instant's column. SQLite has none; RFC 3339 in UTC sorts as the instants do.
    pub(super) fn instant_type(self) -> &'static str {
        match self {
            Self::Postgres => "timestamptz",
            Self::Sqlite => "text",
        }
    }

    /// A column as it is read back: in the type it was sent in, whatever the column's own is.
    pub(super) fn read_as(self, column: &str, sql_type: &str) -> String {
        match self {
            Self::Postgres => format!("{column}::{sql_type}"),
            // A cast would hide that `0042` became a number.
            Self::Sqlite => column.into(),
        }
    }
}
