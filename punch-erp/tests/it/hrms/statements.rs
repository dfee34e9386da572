//! S0-064: the statements, letter by letter.

use punch_erp::ParkReason;
use punch_erp::hrms::{Dialect, Hrms, HrmsSettings, Telling, TellingKind, Value};

use super::world::{event, hrms, now, punch, text, told, transaction};

const COLUMNS: &str = r#""event_id", "employee_id", "punch_time", "direction", "device_serial", "method", "revision""#;

/// Values in the order of the columns; text and time as they came.
#[test]
fn a_punch_in_postgres() {
    let transaction = transaction(&hrms(Dialect::Postgres), &punch("evt_1", "0042", "in"));
    let [step] = transaction.steps() else { panic!() };
    assert_eq!(
        *step.write.sql,
        format!(
            "INSERT INTO \"attendance\" ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (\"event_id\") DO NOTHING"
        )
    );
    let at = Value::Instant("2026-03-28T08:47:12Z".parse().unwrap());
    let values = [text("evt_1"), text("0042"), at, text("in"), text("T1"), text("face"), Value::Number(0)];
    assert!(step.write.values == values);
    assert_eq!(
        &*step.look.sql,
        "SELECT \"employee_id\"::text, \"punch_time\"::timestamptz, \"direction\"::text, \"device_serial\"::text, \
         \"method\"::text, \"revision\"::bigint FROM \"attendance\" WHERE \"event_id\" = $1"
    );
    assert!(step.look.values == [text("evt_1")]);
}

#[test]
fn a_punch_in_sqlite() {
    let transaction = transaction(&hrms(Dialect::Sqlite), &punch("evt_1", "0042", "in"));
    let [step] = transaction.steps() else { panic!() };
    assert_eq!(
        *step.write.sql,
        format!(
            "INSERT INTO \"attendance\" ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (\"event_id\") DO NOTHING"
        )
    );
    assert!(step.write.values[2] == text("2026-03-28T08:47:12.000Z"));
    assert_eq!(
        &*step.look.sql,
        "SELECT \"employee_id\", \"punch_time\", \"direction\", \"device_serial\", \"method\", \"revision\" \
         FROM \"attendance\" WHERE \"event_id\" = ?1"
    );
}

/// Its own row first, then the punch's, guarded by the number.
#[test]
fn a_revision_and_a_late_one() {
    let hrms = hrms(Dialect::Postgres);
    let revised = transaction(&hrms, &told("revised", 3, "out"));
    let [row, change] = revised.steps() else { panic!() };
    assert_eq!(
        *row.write.sql,
        format!(
            "INSERT INTO \"attendance_revision\" ({COLUMNS}, \"revises\", \"kind\", \"reason\") \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (\"event_id\") DO NOTHING"
        )
    );
    assert!(row.write.values[6..] == [Value::Number(3), text("evt_1"), text("revised"), text("late_row")]);
    assert_eq!(
        *change.write.sql,
        format!(
            "INSERT INTO \"attendance\" ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (\"event_id\") DO UPDATE SET \
             \"employee_id\" = excluded.\"employee_id\", \"punch_time\" = excluded.\"punch_time\", \
             \"direction\" = excluded.\"direction\", \"device_serial\" = excluded.\"device_serial\", \
             \"method\" = excluded.\"method\", \"revision\" = excluded.\"revision\" \
             WHERE \"attendance\".\"revision\" < excluded.\"revision\""
        )
    );
    assert!((&row.write.values[0], &change.write.values[0]) == (&text("evt_revised_3"), &text("evt_1")));
    let late = transaction(&hrms, &told("late", 0, "out"));
    let [row] = late.steps() else { panic!("a closed period is left alone") };
    assert!(row.write.values[6..] == [Value::Number(0), text("evt_1"), text("late"), text("late_row")]);
}

/// Of a table with its schema only the last part is what `WHERE` may call it.
#[test]
fn names_are_quoted_part_by_part() {
    let mut settings = HrmsSettings::new(Dialect::Postgres);
    (settings.table, settings.columns.direction) = ("hr.user".to_owned(), "order".to_owned());
    let hrms = Hrms::new(settings).unwrap();
    let revised = transaction(&hrms, &told("revised", 1, "out"));
    let sql = &revised.steps()[1].write.sql;
    assert!(
        sql.starts_with("INSERT INTO \"hr\".\"user\" (")
            && sql.ends_with("WHERE \"user\".\"revision\" < excluded.\"revision\"")
    );
    assert!(sql.contains("\"order\" = excluded.\"order\""));
    assert!(hrms.schema().contains("CREATE INDEX IF NOT EXISTS \"user_by_employee\" ON \"hr\".\"user\" ("));
}

/// Values never reach the text, however they are spelled.
#[test]
fn values_are_parameters() {
    let nasty = "x'); DROP TABLE attendance; --";
    let event = punch("evt_1');DROP", nasty, "in");
    let transaction = transaction(&hrms(Dialect::Sqlite), &event);
    let step = &transaction.steps()[0];
    assert!(!step.write.sql.contains("DROP") && !step.look.sql.contains("DROP"));
    assert!(step.write.render().contains("-- 2: 'x''); DROP TABLE attendance; --'\n"), "{}", step.write.render());
}

#[test]
fn a_rendered_statement_shows_every_value() {
    let transaction = transaction(&hrms(Dialect::Sqlite), &punch("evt_1", "0042\u{1b}[2J", "unknown"));
    let shown = transaction.steps()[0].write.render();
    assert!(shown.ends_with(
        ";\n-- 1: 'evt_1'\n-- 2: '0042\\u{1b}[2J'\n-- 3: '2026-03-28T08:47:12.000Z'\n-- 4: 'unknown'\n-- 5: 'T1'\n\
         -- 6: 'face'\n-- 7: 0\n"
    ));
}

#[test]
fn what_is_no_telling_and_what_no_punch_can_be() {
    let test = event(&serde_json::json!({ "event_id": "evt_9", "event_type": "webhook.test" }));
    assert!(Telling::of(&test).is_none());
    let late = told("late", 2, "in");
    assert_eq!(Telling::of(&late).unwrap().kind(), TellingKind::Late);
    let old =
        event(&serde_json::json!({ "event_id": "evt_1", "employee_id": "1", "timestamp": "2001-01-01T00:00:00Z" }));
    let refused = hrms(Dialect::Sqlite).write(&Telling::of(&old).unwrap(), now());
    assert_eq!(refused.unwrap_err(), ParkReason::TimeOutOfRange);
}
