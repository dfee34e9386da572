//! Which rows of a list, which part of them, and in which order.

use super::StoreError;
use super::sql::{Clause, Connection};

/// Which part of a list, and in which order. Rows of one place in the order stand by their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// At most so many.
    pub limit: u32,
    /// Behind so many.
    pub offset: u32,
    /// Behind the row with this key, if that is asked for instead: rows that come in between shift nothing.
    pub after: Option<i64>,
    /// The column by which they stand; without one it is the key.
    pub column: Option<&'static str>,
    /// Whether the last comes first.
    pub descending: bool,
}

impl Part {
    /// Rows that are counted for a list; of more it is not said how many there are.
    pub const COUNTED_MAX: u64 = 10_000;

    /// The newest `limit` rows.
    pub fn newest(limit: u32) -> Self {
        Self { limit, offset: 0, after: None, column: None, descending: true }
    }

    /// Narrows a clause to the rows behind the one that is named, and says what stands behind the clause.
    pub(super) fn cut(self, clause: &mut Clause, key: &str) -> String {
        let (direction, behind) = if self.descending { ("DESC", "<") } else { ("ASC", ">") };
        if let Some(after) = self.after {
            clause.and(&format!("{key} {behind}"), after);
        }
        let column = self.column.map(|column| format!("{column} {direction}, ")).unwrap_or_default();
        format!("ORDER BY {column}{key} {direction} LIMIT {} OFFSET {}", self.limit, self.offset)
    }
}

/// How many rows of `tables` there are, if they are not too many to be counted.
pub(super) fn total(connection: &Connection, tables: &str, clause: &Clause) -> Result<Option<u64>, StoreError> {
    let most = Part::COUNTED_MAX.saturating_add(1);
    let sql =
        format!("SELECT count(*) FROM (SELECT 1 FROM {tables} WHERE {} LIMIT {most}) AS counted", clause.after("TRUE"));
    let count: i64 = connection.value(&sql, &clause.values())?;
    Ok(Some(count.cast_unsigned()).filter(|count| *count < most))
}
