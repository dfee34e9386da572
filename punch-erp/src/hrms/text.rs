//! The texts of the statements. Names are checked and quoted before they come here; values are parameters, always.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Dialect;
use super::identifier::Identifier;
use super::tables::{KIND, Names, REASON, REVISES};

/// The statements of two tables, made once.
pub(super) struct Texts {
    pub(super) schema: String,
    pub(super) insert: Arc<str>,
    pub(super) upsert: Arc<str>,
    pub(super) look: Arc<str>,
    pub(super) insert_revision: Arc<str>,
    pub(super) look_revision: Arc<str>,
}

impl Texts {
    pub(super) fn new(dialect: Dialect, names: &Names) -> Self {
        let Names { table, revision_table, columns } = names;
        let mut quoted: Vec<_> = columns.iter().map(ToString::to_string).collect();
        let insert = insert(dialect, table, &quoted);
        let (look, look_revision) = (look(dialect, table, &quoted), look(dialect, revision_table, &quoted));
        let (upsert, do_nothing) = (overwrite_older(table, &quoted), do_nothing(&quoted));
        quoted.extend([REVISES, KIND, REASON].map(|name| Identifier::checked(name).to_string()));
        let insert_revision = self::insert(dialect, revision_table, &quoted);
        Self {
            schema: schema(dialect, names),
            upsert: format!("{insert} {upsert}").into(),
            insert: format!("{insert} {do_nothing}").into(),
            look: look.into(),
            insert_revision: format!("{insert_revision} {do_nothing}").into(),
            look_revision: look_revision.into(),
        }
    }
}

fn insert(dialect: Dialect, table: &Identifier, columns: &[String]) -> String {
    let places: Vec<_> = (1..).map(|number| dialect.place(number)).take(columns.len()).collect();
    format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "))
}

fn do_nothing(columns: &[String]) -> String {
    let key = columns.first().map_or("", String::as_str);
    format!("ON CONFLICT ({key}) DO NOTHING")
}

/// The database compares the numbers while it holds the row, so of two revisions at once the higher one stays.
fn overwrite_older(table: &Identifier, columns: &[String]) -> String {
    let (Some((key, fields)), Some(revision)) = (columns.split_first(), columns.last()) else { return String::new() };
    let set: Vec<_> = fields.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let last = Identifier::checked(table.last());
    format!("ON CONFLICT ({key}) DO UPDATE SET {} WHERE {last}.{revision} < excluded.{revision}", set.join(", "))
}

fn look(dialect: Dialect, table: &Identifier, columns: &[String]) -> String {
    let Some((key, fields)) = columns.split_first() else { return String::new() };
    let types = column_types(dialect).into_iter().skip(1);
    let read: Vec<_> =
        fields.iter().zip(types).map(|(column, (sql_type, _))| dialect.read_as(column, sql_type)).collect();
    format!("SELECT {} FROM {table} WHERE {key} = {}", read.join(", "), dialect.place(1))
}

/// Types and constraints of the columns both tables have, that of the key first.
fn column_types(dialect: Dialect) -> [(&'static str, &'static str); 7] {
    [
        ("text", " NOT NULL PRIMARY KEY"),
        ("text", " NOT NULL"),
        (dialect.instant_type(), " NOT NULL"),
        ("text", " NOT NULL"),
        ("text", ""),
        ("text", " NOT NULL"),
        ("bigint", " NOT NULL DEFAULT 0"),
    ]
}

fn schema(dialect: Dialect, names: &Names) -> String {
    let Names { table, revision_table, columns } = names;
    let shared: Vec<_> = columns
        .iter()
        .zip(column_types(dialect))
        .map(|(column, (sql_type, constraint))| format!("    {column} {sql_type}{constraint}"))
        .collect();
    let column = |number: usize| columns.get(number).map(ToString::to_string).unwrap_or_default();
    let (employee, time, revision) = (column(1), column(2), column(6));
    let index = |table: &Identifier, what: &str| Identifier::checked(&format!("{}_{what}", table.last()));
    let (by_employee, by_punch) = (index(table, "by_employee"), index(revision_table, "by_punch"));
    let shared = shared.join(",\n");
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (\n{shared}\n);\n\
         CREATE INDEX IF NOT EXISTS {by_employee} ON {table} ({employee}, {time});\n\
         CREATE TABLE IF NOT EXISTS {revision_table} (\n{shared},\n    \"{REVISES}\" text NOT NULL,\n    \
         \"{KIND}\" text NOT NULL CHECK (\"{KIND}\" IN ('revised', 'late')),\n    \"{REASON}\" text\n);\n\
         CREATE INDEX IF NOT EXISTS {by_punch} ON {revision_table} (\"{REVISES}\", {revision});\n"
    )
}
