//! What is asked of a terminal over the API, and the commands of the protocol that this takes.

mod members;
mod step;

use core::fmt;
use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use punch_protocol::push::{Command, Dialect, UserRecord};
use serde_json::{Value, json};

use members::Members;
pub use step::Step;

/// The kinds of commands there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKind {
    /// Writes people to the terminal.
    SyncEmployees,
    /// Removes people from the terminal.
    DeleteEmployee,
    /// Locks people out without removing them: access terminals only.
    DisableEmployee,
    /// Lets them pass again.
    EnableEmployee,
    /// Opens a door for a moment: at most once, and only while somebody can stand there.
    UnlockDoor,
    /// Restarts the terminal: at most once.
    Restart,
    /// Sets the terminal's clock.
    SyncTime,
    /// Has the punches of a time sent again, under the identities they have.
    QueryAttendance,
    /// Asks what the terminal is and holds.
    Info,
}

impl OrderKind {
    /// All of them, in the order they are documented.
    pub const ALL: [Self; 9] = [
        Self::SyncEmployees,
        Self::DeleteEmployee,
        Self::DisableEmployee,
        Self::EnableEmployee,
        Self::UnlockDoor,
        Self::Restart,
        Self::SyncTime,
        Self::QueryAttendance,
        Self::Info,
    ];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SyncEmployees => "sync_employees",
            Self::DeleteEmployee => "delete_employee",
            Self::DisableEmployee => "disable_employee",
            Self::EnableEmployee => "enable_employee",
            Self::UnlockDoor => "unlock_door",
            Self::Restart => "restart",
            Self::SyncTime => "sync_time",
            Self::QueryAttendance => "query_attendance",
            Self::Info => "info",
        }
    }

    /// A payload of this kind, to see whether a terminal can do it at all.
    pub(crate) fn example(self) -> Value {
        match self {
            Self::SyncEmployees => json!({ "employees": [{ "badge_number": "1" }] }),
            Self::DeleteEmployee | Self::DisableEmployee | Self::EnableEmployee => json!({ "badge_number": "1" }),
            Self::QueryAttendance => json!({ "start_date": "2026-01-01", "end_date": "2026-01-01" }),
            Self::UnlockDoor | Self::Restart | Self::SyncTime | Self::Info => json!({}),
        }
    }
}

/// By what a terminal gets its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// It calls, and speaks this dialect.
    Push(Dialect),
    /// Somebody asks it on port 4370.
    Pull,
    /// A source tells of it, and nothing can be asked of it.
    Source,
}

/// What somebody asks of a terminal. `Debug` shows the kind and how many steps it takes, nobody's name.
#[derive(Clone, PartialEq, Eq)]
pub struct Order {
    /// The kind.
    pub kind: OrderKind,
    /// What was asked, without people.
    pub payload: Value,
    /// What it takes, in order; at least one.
    pub steps: Vec<Step>,
    /// Whether people whom the terminal is known to have as they should be are written all the same.
    pub everybody: bool,
    /// Whether people who were written to the terminal and are not named are removed from it.
    pub remove_others: bool,
}

/// What is wrong with an order. No text quotes a value: values are names and cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderError {
    /// The member at fault, such as `payload.employees[3].name`.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl Order {
    /// People one order may name.
    pub const PEOPLE_MAX: usize = 10_000;

    /// Longest name of a person, in bytes. Terminals show 24 or so.
    pub const NAME_MAX: usize = 100;

    /// Reads what a call says.
    ///
    /// # Errors
    ///
    /// [`OrderError`] names the member at fault.
    pub fn parse(kind: &str, payload: &Value) -> Result<Self, OrderError> {
        let Some(kind) = OrderKind::ALL.into_iter().find(|known| known.as_str() == kind) else {
            let words: Vec<&str> = OrderKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let problem = format!("is no command, expected one of: {}", words.join(", "));
            return Err(OrderError { field: "command".to_owned(), problem });
        };
        let mut members = Members::of("payload", payload)?;
        let order = match kind {
            OrderKind::SyncEmployees => sync(&mut members)?,
            OrderKind::DeleteEmployee => people(kind, &mut members, |badge| Step::DeleteUser { badge })?,
            OrderKind::DisableEmployee => people(kind, &mut members, |badge| Step::disabled(badge, true))?,
            OrderKind::EnableEmployee => people(kind, &mut members, |badge| Step::disabled(badge, false))?,
            OrderKind::UnlockDoor => unlock(&mut members)?,
            OrderKind::QueryAttendance => query(&mut members)?,
            OrderKind::Restart => Self::of(kind, json!({}), vec![Step::Restart]),
            OrderKind::SyncTime => Self::of(kind, json!({}), vec![Step::SyncTime]),
            OrderKind::Info => Self::of(kind, json!({}), vec![Step::Information]),
        };
        members.finish()?;
        Ok(order)
    }

    fn of(kind: OrderKind, payload: Value, steps: Vec<Step>) -> Self {
        Self { kind, payload, steps, everybody: false, remove_others: false }
    }

    /// How long it stays good unless the call says a shorter time.
    pub fn time_to_live(&self) -> TimeDelta {
        match self.kind {
            OrderKind::UnlockDoor => Command::DOOR_TTL,
            // The time is filled in when it is sent.
            OrderKind::Restart | OrderKind::SyncTime => Command::ONCE_TTL,
            _ => Command::REPEATABLE_TTL,
        }
    }

    /// Whether a terminal that gets its commands so can do it.
    ///
    /// # Errors
    ///
    /// What it cannot.
    pub fn check(&self, means: Means) -> Result<(), OrderError> {
        // A time that every terminal can be set to.
        if means == Means::Source {
            let problem =
                "is for terminals that take commands; this one is read through a `[[source]]`, give the command there";
            return Err(OrderError { field: "command".to_owned(), problem: problem.to_owned() });
        }
        let clock = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN);
        for step in &self.steps {
            let written = match means {
                Means::Push(dialect) => {
                    step.command(dialect, clock).and_then(|command| command.text(dialect).map(drop))
                }
                Means::Pull | Means::Source => step.check_pull(),
            };
            written.map_err(|error| OrderError { field: "command".to_owned(), problem: error.to_string() })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({}, {} steps)", self.kind.as_str(), self.steps.len())
    }
}

fn sync(members: &mut Members<'_>) -> Result<Order, OrderError> {
    let mut badges = BTreeSet::new();
    let mut steps = Vec::new();
    for mut employee in members.list("employees", 1, Order::PEOPLE_MAX)?.unwrap_or_default() {
        let badge = new_badge(&mut employee, &mut badges)?;
        let name = employee.text("name", Order::NAME_MAX)?;
        let card = employee.text("card_number", 20)?;
        let privilege = employee.number("privilege", 0, 14)?.and_then(|privilege| u16::try_from(privilege).ok());
        let step = Step::UpdateUser { badge, name, card, privilege, disabled: None };
        employee.check(&step)?;
        employee.finish()?;
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(members.missing("employees", "a list of people such as [{\"badge_number\": \"1042\"}]"));
    }
    let everybody = members.flag("force")?;
    let remove_others = members.flag("remove_others")?;
    let payload = json!({ "employees": steps.len(), "force": everybody, "remove_others": remove_others });
    Ok(Order { everybody, remove_others, ..Order::of(OrderKind::SyncEmployees, payload, steps) })
}

/// `badge_number`, or `employees` with one each.
fn people(kind: OrderKind, members: &mut Members<'_>, step: impl Fn(String) -> Step) -> Result<Order, OrderError> {
    let mut badges = BTreeSet::new();
    let mut steps = Vec::new();
    match members.list("employees", 1, Order::PEOPLE_MAX)? {
        None => {
            let one = step(new_badge(members, &mut badges)?);
            members.check(&one)?;
            steps.push(one);
        }
        Some(employees) => {
            for mut employee in employees {
                let one = step(new_badge(&mut employee, &mut badges)?);
                employee.check(&one)?;
                employee.finish()?;
                steps.push(one);
            }
        }
    }
    Ok(Order::of(kind, json!({ "employees": steps.len() }), steps))
}

fn new_badge(members: &mut Members<'_>, known: &mut BTreeSet<String>) -> Result<String, OrderError> {
    let badge = members.text("badge_number", UserRecord::PIN_MAX)?;
    let badge = badge.map(|badge| badge.trim().to_owned()).filter(|badge| !badge.is_empty());
    let badge = badge.ok_or_else(|| members.missing("badge_number", "the number that the terminal knows them by"))?;
    if !known.insert(badge.clone()) {
        return Err(members.wrong("badge_number", "is in the list twice; name everybody once"));
    }
    Ok(badge)
}

fn unlock(members: &mut Members<'_>) -> Result<Order, OrderError> {
    let byte = |number: Option<u64>| number.and_then(|number| u8::try_from(number).ok());
    let door = byte(members.number("door", 1, 16)?).unwrap_or(1);
    let seconds = byte(members.number("seconds", 1, 254)?);
    let payload = json!({ "door": door, "seconds": seconds });
    Ok(Order::of(OrderKind::UnlockDoor, payload, vec![Step::OpenDoor { door, seconds }]))
}

/// `start_date` and `end_date`: days or times of the terminal's own clock, both included.
fn query(members: &mut Members<'_>) -> Result<Order, OrderError> {
    let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
    let from = civil(members, "start_date", NaiveTime::MIN)?;
    let to = civil(members, "end_date", last)?;
    if from > to {
        return Err(members.wrong("end_date", "is before `start_date`"));
    }
    let text = |time: NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S").to_string();
    let payload = json!({ "start_date": text(from), "end_date": text(to) });
    Ok(Order::of(OrderKind::QueryAttendance, payload, vec![Step::QueryPunches { from, to }]))
}

fn civil(members: &mut Members<'_>, name: &str, of_day: NaiveTime) -> Result<NaiveDateTime, OrderError> {
    let expected = "a day such as `2026-03-28` or a time of the terminal's clock such as `2026-03-28T08:00:00`";
    let text = members.text(name, 19)?.ok_or_else(|| members.missing(name, expected))?;
    let day = text.parse::<NaiveDate>().map(|day| day.and_time(of_day));
    let time = day.or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S"));
    time.map_err(|_| members.wrong(name, &format!("does not read, expected {expected}")))
}
