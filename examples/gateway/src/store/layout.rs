//! The layouts of the store: each is made from the one before it, and none is ever changed.

use super::StoreError;
use super::sql::{Connection, Opener};

/// The layouts, each made from the one before it.
pub(super) const LAYOUTS: [(i64, &str); 24] = [
    (1, include_str!("schema_1.sql")),
    (2, include_str!("schema_2.sql")),
    (3, include_str!("schema_3.sql")),
    (4, include_str!("schema_4.sql")),
    (5, include_str!("schema_5.sql")),
    (6, include_str!("schema_6.sql")),
    (9, include_str!("schema_9.sql")),
    (12, include_str!("schema_12.sql")),
    (13, include_str!("schema_13.sql")),
    (14, include_str!("schema_14.sql")),
    (15, include_str!("schema_15.sql")),
    (16, include_str!("schema_16.sql")),
    (17, include_str!("schema_17.sql")),
    (18, include_str!("schema_18.sql")),
    (19, include_str!("schema_19.sql")),
    (20, include_str!("schema_20.sql")),
    (21, include_str!("schema_21.sql")),
    (22, include_str!("schema_22.sql")),
    (23, include_str!("schema_23.sql")),
    (25, include_str!("schema_25.sql")),
    (26, include_str!("schema_26.sql")),
    (27, include_str!("schema_27.sql")),
    (28, include_str!("schema_28.sql")),
    (29, include_str!("schema_29.sql")),
];
/// The newest layout this program knows.
pub(super) const VERSION: i64 = 29;

/// What is another on PostgreSQL. The first makes the layout as a whole, where there was none before it.
const POSTGRES: [(i64, &str); 3] = [
    (17, include_str!("schema_17_postgres.sql")),
    (28, include_str!("schema_28_postgres.sql")),
    (29, include_str!("schema_29_postgres.sql")),
];

/// Brings what a connection leads to to the newest layout.
pub(super) fn migrate(connection: &Connection, opener: &Opener) -> Result<(), StoreError> {
    connection.transact_layout(|found| {
        if found > VERSION {
            return Err(StoreError::Newer { place: opener.place().clone(), found });
        }
        for (version, sql) in missing(found, opener) {
            connection.batch(&opener.in_its_words(sql))?;
            connection.keep_layout(version)?;
        }
        Ok(())
    })
}

fn missing(found: i64, opener: &Opener) -> impl Iterator<Item = (i64, &'static str)> {
    let others = if opener.place().is_shared() { &POSTGRES[..] } else { &[] };
    let first = others.first().map_or(0, |(version, _)| *version);
    let missing = LAYOUTS.into_iter().filter(move |(version, _)| *version > found && *version >= first);
    missing.map(|layout| others.iter().copied().find(|(version, _)| *version == layout.0).unwrap_or(layout))
}
