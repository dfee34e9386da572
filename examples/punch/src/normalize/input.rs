use chrono::{DateTime, NaiveDateTime, Utc};
use punch_normalize::timeline::Role;
use punch_protocol::{Pin, SerialNumber, Status, Verify, civil};
use serde_json::{Map, Value};

use crate::exit::UsageError;

/// One row as it was read.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) serial: SerialNumber,
    pub(super) pin: Pin<'static>,
    pub(super) time: Moment,
    pub(super) state: Option<Status>,
    pub(super) verify: Option<Verify>,
    pub(super) received_at: Option<DateTime<Utc>>,
    pub(super) role: Option<Role>,
    pub(super) site: String,
}

/// When: by the clock of the terminal, or, of firmware that counts seconds, an instant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    Civil(NaiveDateTime),
    Instant(DateTime<Utc>),
}

/// A row that cannot be read: where it stands, and why.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) line: usize,
    pub(super) problem: String,
}

/// Reads objects, one a line, or a table whose first line names its columns.
pub(super) fn rows(text: &str) -> Result<Vec<Result<Row, Unread>>, UsageError> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let is_json = text.trim_start().starts_with('{');
    let mut columns = Vec::new();
    if !is_json && let Some((_, head)) = lines.next() {
        columns = fields(head);
        for needed in ["serial", "pin", "time"] {
            if !columns.iter().any(|column| column == needed) {
                let text =
                    format!("the first line names no column `{needed}`; expected JSON objects, or CSV with a head");
                return Err(UsageError(text));
            }
        }
    }
    let read = |(line, text): (usize, &str)| {
        let members = if is_json { object(text) } else { Ok(table(&columns, text)) };
        members.and_then(|members| row(&members)).map_err(|problem| Unread { line, problem })
    };
    Ok(lines.map(read).collect())
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|_| "not a JSON object".to_owned())
}

/// A line of a table. Empty fields are absent.
fn table(columns: &[String], line: &str) -> Map<String, Value> {
    let given = columns.iter().cloned().zip(fields(line)).filter(|(_, value)| !value.is_empty());
    given.map(|(column, value)| (column, Value::String(value))).collect()
}

/// The fields of a line of CSV; in double quotes a comma is no border, and two of them are one.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.trim_end_matches('\r').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(core::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields.into_iter().map(|field| field.trim().to_owned()).collect()
}

fn row(members: &Map<String, Value>) -> Result<Row, String> {
    let text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let serial = SerialNumber::parse(&text("serial").unwrap_or_default()).map_err(|error| error.to_string())?;
    let pin = text("pin").unwrap_or_default();
    // Pins come as they are, or as `punch pull` writes them.
    let pin = Pin::parse_text(&pin).unwrap_or_else(|_| Pin::new(pin.as_bytes())).into_owned();
    let number = |name: &str| match text(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => {
            text.parse::<u16>().map(Some).map_err(|_| format!("`{name}`: expected a whole number or nothing"))
        }
    };
    Ok(Row {
        serial,
        pin,
        time: moment(members.get("time"))?,
        state: number("state")?.map(Status),
        verify: number("verify")?.map(Verify),
        received_at: match text("received_at") {
            None => None,
            Some(text) => {
                Some(text.parse().map_err(|_| "`received_at`: expected a time such as 2026-03-28T14:47:13Z")?)
            }
        },
        role: match text("role").as_deref() {
            None | Some("") => None,
            Some("entry") => Some(Role::Entry),
            Some("exit") => Some(Role::Exit),
            Some(_) => return Err("`role`: expected entry, exit or nothing".to_owned()),
        },
        site: text("site").unwrap_or_default(),
    })
}

fn moment(value: Option<&Value>) -> Result<Moment, String> {
    let epoch = |seconds: i64| DateTime::from_timestamp(seconds, 0).map(Moment::Instant);
    match value {
        Some(Value::Number(number)) => {
            number.as_i64().and_then(epoch).ok_or_else(|| "`time`: no such second".to_owned())
        }
        Some(Value::String(text)) => match civil::parse(text.replace('T', " ").as_bytes()) {
            Ok(time) => Ok(Moment::Civil(time)),
            Err(civil::CivilError::Number) => {
                text.parse().ok().and_then(epoch).ok_or_else(|| "`time`: no such second".to_owned())
            }
            Err(error) => Err(format!("`time`: {error}")),
        },
        _ => Err("`time`: missing, expected YYYY-MM-DDThh:mm:ss".to_owned()),
    }
}
