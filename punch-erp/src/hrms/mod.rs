//! The own HRMS: a punch becomes one row of a table in PostgreSQL or SQLite, under the id of its event.
//!
//! [`Hrms::write`] gives the statements and the values of their parameters, [`Transaction::judge`] says what came of them;
//! the caller has the connection. Texts never hold values, and names of tables and columns are checked and quoted.
//!
//! ```
//! use punch_erp::hrms::{Dialect, Hrms, HrmsSettings, Seen, Telling};
//! # let body = br#"{"event_id":"evt_1","employee_id":"0042","timestamp":"2026-03-28T08:47:12Z","direction":"in"}"#;
//! # let event = punch_webhook::Verified::assume_verified(body).event()?;
//!
//! let hrms = Hrms::new(HrmsSettings::new(Dialect::Postgres))?;
//! let telling = Telling::of(&event).ok_or("not about a punch")?; // from a verified webhook
//! let transaction = hrms.write(&telling, "2026-03-28T08:47:15Z".parse()?)?;
//! let [step] = transaction.steps() else { panic!() };
//! assert_eq!(
//!     &*step.write.sql,
//!     r#"INSERT INTO "attendance" ("event_id", "employee_id", "punch_time", "direction", "device_serial", "method", "revision") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("event_id") DO NOTHING"#
//! );
//! // The database wrote one row and shows it as it was sent: commit.
//! let seen = Seen::new(1, Some(step.write.values[1..].to_vec()));
//! assert!(transaction.judge(&[seen]).is_done());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The tables
//!
//! `attendance` has one row a punch, as it was told last: event, employee, time, direction, terminal, method, and the number
//! of the last revision. `attendance_revision` has one row for each `attendance.revised` and `attendance.late`: a revision
//! changes the punch's row as well, a late one changes nothing, because a closed pay period is nobody's to change unseen. A
//! late punch that is delivered as a punch is a row of the first table, too. [`Hrms::schema`] makes both tables.
//!
//! The badge is text, or `0042` would become 42. The time is an instant: `timestamptz` in PostgreSQL, in SQLite text in UTC
//! that sorts as time does. A table of one's own may have more columns, if they have defaults; its names are settings. In
//! PostgreSQL run the statements under `READ COMMITTED` with `TimeZone` `UTC`, so that a column `timestamp` means UTC.
//!
//! # Idempotency argument
//!
//! An event may come any number of times, in any order, through several workers at once, and a worker may die anywhere.
//!
//! 1. *A punch is one row.* Its key is the event's id, the same for every delivery. `ON CONFLICT … DO NOTHING` leaves the
//!    test to the unique index: of two workers at once the second waits for the first and then writes nothing.
//! 2. *An older telling never replaces a newer one.* The row carries the number of the revision it tells. A revision
//!    overwrites only a lower number, compared by the database while it holds the row. A punch has number 0 and overwrites
//!    nothing, so a revision that overtakes its punch stays. Whatever the order, the row ends as the highest number told it.
//! 3. *A telling is recorded once.* `attendance_revision` has the telling's own id as its key, and its row is written in the
//!    transaction that changes the punch's row: there is no state with one and without the other.
//! 4. *Nothing counts before it is kept.* Each row is read back within the transaction. If the database would keep another
//!    value (a number for `0042`, a trigger, a padded column), all of it is rolled back and the event is parked.
//! 5. *Dying is harmless.* Before the commit there is nothing; after it, with the answer lost, the repetition writes no row,
//!    finds what it would have written and comes to *already there*. So whatever is unknown is simply tried again.
//!
//! It rests on two things: that ids name events and nothing else, which the signature vouches for, and that the key column
//! has a unique index. Without the index the statement itself is refused, and nothing is written. A row that somebody deletes
//! is written again only if its event is delivered again.

mod dialect;
mod error;
mod identifier;
mod settings;
mod state;
mod statement;
mod tables;
mod telling;
mod text;
mod transaction;

pub use dialect::Dialect;
pub use error::DatabaseError;
pub use identifier::MAX_IDENTIFIER;
pub use settings::{HrmsColumns, HrmsSettings};
pub use state::{Meaning, SqlState};
pub use statement::{Statement, Value};
pub use tables::Hrms;
pub use telling::{Telling, TellingKind};
pub use transaction::{Seen, Step, Transaction};
