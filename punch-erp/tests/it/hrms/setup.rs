//! Configuration, and the schema.

use punch_erp::ConfigErrors;
use punch_erp::hrms::{Dialect, Hrms, HrmsSettings};

use super::world::hrms;

fn found(errors: &ConfigErrors) -> Vec<(&'static str, &'static str)> {
    errors.iter().map(|error| (error.key(), error.code())).collect()
}

/// Nothing that could end a quoted name, or that a database would cut, is a name.
#[test]
fn names_that_are_none() {
    let long = "a".repeat(64);
    for name in ["a\"b", "a;b", "a b", "1a", "a-b", "é", "a\0", "a.b.c", ".a", "a.", "a..b", "a'b", "a\nb", &long] {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let mut settings = HrmsSettings::new(dialect);
            (settings.table, settings.columns.method) = (name.to_owned(), name.to_owned());
            let errors = Hrms::new(settings).unwrap_err();
            assert_eq!(found(&errors), [("table", "PE-CONF-009"), ("columns.method", "PE-CONF-009")], "{name}");
        }
    }
    for name in ["a", "_1", "Attendance", &"a".repeat(63)] {
        let mut settings = HrmsSettings::new(Dialect::Sqlite);
        (settings.table, settings.columns.method) = (name.to_owned(), name.to_owned());
        assert!(Hrms::new(settings).is_ok(), "{name}");
    }
}

/// A schema is for tables of PostgreSQL.
#[test]
fn schemas() {
    let with_schema = |dialect| {
        let mut settings = HrmsSettings::new(dialect);
        settings.table = "hr.attendance".to_owned();
        settings
    };
    assert!(Hrms::new(with_schema(Dialect::Postgres)).is_ok());
    assert_eq!(found(&Hrms::new(with_schema(Dialect::Sqlite)).unwrap_err()), [("table", "PE-CONF-009")]);
    let mut settings = with_schema(Dialect::Postgres);
    settings.columns.event_id = "hr.event_id".to_owned();
    assert_eq!(found(&Hrms::new(settings).unwrap_err()), [("columns.event_id", "PE-CONF-009")]);
}

#[test]
fn names_that_are_taken() {
    let mut settings = HrmsSettings::new(Dialect::Postgres);
    settings.revision_table = "hr.ATTENDANCE".to_owned();
    (settings.columns.method, settings.columns.direction) = ("Event_Id".to_owned(), "kind".to_owned());
    settings.columns.device_serial = String::new();
    let errors = Hrms::new(settings).unwrap_err();
    assert_eq!(
        found(&errors),
        [
            ("revision_table", "PE-CONF-010"),
            ("columns.direction", "PE-CONF-010"),
            ("columns.device_serial", "PE-CONF-001"),
            ("columns.method", "PE-CONF-010"),
        ]
    );
    assert_eq!(errors.to_string().lines().count(), 4);
}

#[test]
fn settings_are_read_with_defaults() {
    let settings: HrmsSettings =
        serde_json::from_str(r#"{"dialect":"sqlite","columns":{"employee_id":"badge"}}"#).unwrap();
    assert_eq!((settings.table.as_str(), settings.columns.event_id.as_str()), ("attendance", "event_id"));
    assert_eq!(Hrms::new(settings).unwrap().dialect(), Dialect::Sqlite);
    assert!(serde_json::from_str::<HrmsSettings>(r#"{"dialect":"sqlite","tabel":"x"}"#).is_err());
}

#[test]
fn the_schema_in_both_dialects() {
    let table = "CREATE TABLE IF NOT EXISTS \"attendance\" (\n    \"event_id\" text NOT NULL PRIMARY KEY,\n    \
                 \"employee_id\" text NOT NULL,\n    \"punch_time\" timestamptz NOT NULL,\n    \
                 \"direction\" text NOT NULL,\n    \"device_serial\" text,\n    \"method\" text NOT NULL,\n    \
                 \"revision\" bigint NOT NULL DEFAULT 0\n);\n";
    let hrms = |dialect| hrms(dialect).schema().to_owned();
    assert!(hrms(Dialect::Postgres).starts_with(table), "{}", hrms(Dialect::Postgres));
    assert!(hrms(Dialect::Sqlite).starts_with(&table.replace("timestamptz", "text")));
    let index = "CREATE INDEX IF NOT EXISTS \"attendance_revision_by_punch\" ON \"attendance_revision\" (\"revises\", \"revision\");\n";
    assert!(hrms(Dialect::Postgres).ends_with(index));
}
