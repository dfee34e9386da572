use chrono::{DateTime, NaiveDateTime, Utc};
use punch_protocol::civil::{self, CivilError};
use punch_protocol::push::Table;
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::clock::Contact;
use super::upload::{Received, ReceivedRow, clip};

/// Why none of a forwarded body can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardedError {
    /// There is no JSON in it.
    #[error("is no JSON; send one object a line, or an array of objects")]
    NotJson,
    /// It has more rows than are taken at once.
    #[error("has {rows} rows, at most {limit} are taken at once; send the rest in a further request")]
    TooManyRows {
        /// How many it has.
        rows: usize,
        /// How many may be.
        limit: usize,
    },
}

impl Received {
    /// Rows that may be forwarded at once. They are made durable together.
    pub const FORWARDED_ROWS: usize = 10_000;

    /// Longest body of forwarded rows, in bytes: 4 MiB.
    pub const FORWARDED_BODY: usize = 4 << 20;

    /// Reads punches that somebody else has read from the terminal: NDJSON, or a JSON array.
    ///
    /// A row is an object with `pin` (as [`Pin::to_text`] writes it), `time` (`YYYY-MM-DDThh:mm:ss`, as the terminal's
    /// clock showed it), `state`, `verify` and `work_code`; the last three may be missing or null. `serial`, if it is
    /// there, must be this terminal's. Other members mean nothing here and are not kept.
    ///
    /// A row that cannot be read, or is longer than [`Received::RAW_LIMIT`], is [`ReceivedRow::Broken`] with its JSON.
    /// The others are kept as the terminal would have pushed them: the fields of an `ATTLOG` row, with TABs between.
    /// `live` says that they happened just now, so that their receipt helps to date them.
    ///
    /// # Errors
    ///
    /// [`ForwardedError`]: nothing of the body is taken.
    pub fn forwarded(
        serial: SerialNumber,
        body: &[u8],
        live: bool,
        received_at: DateTime<Utc>,
    ) -> Result<Self, ForwardedError> {
        let received = Self { whole: live, ..Self::empty(serial, Table::ATTLOG, received_at) };
        let mut received = received.by(Contact::FORWARDED);
        let (unit, pieces) = pieces(body)?;
        if pieces.len() > Self::FORWARDED_ROWS {
            return Err(ForwardedError::TooManyRows { rows: pieces.len(), limit: Self::FORWARDED_ROWS });
        }
        for (number, piece) in pieces {
            received.rows.push(match read(piece, &received.serial) {
                Ok(punch) => ReceivedRow::Punch { raw: attlog(&punch), punch },
                Err(problem) => {
                    ReceivedRow::Broken { problem: format!("{unit} {number}: {problem}"), raw: clip(piece) }
                }
            });
        }
        Ok(received)
    }
}

type Pieces<'a> = Vec<(usize, &'a [u8])>;

/// The rows of a body with their numbers from 1, and what is counted. Of lines one at least has to be JSON.
fn pieces(body: &[u8]) -> Result<(&'static str, Pieces<'_>), ForwardedError> {
    let body = body.trim_ascii();
    if body.starts_with(b"[") {
        let items: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| ForwardedError::NotJson)?;
        return Ok(("row", (1..).zip(items.into_iter().map(|item| item.get().as_bytes())).collect()));
    }
    let lines = (1..).zip(body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii));
    let lines: Pieces<'_> = lines.filter(|(_, line)| !line.is_empty()).collect();
    let is_json = |line: &[u8]| serde_json::from_slice::<&RawValue>(line).is_ok();
    if lines.is_empty() || lines.iter().any(|(_, line)| is_json(line)) {
        Ok(("line", lines))
    } else {
        Err(ForwardedError::NotJson)
    }
}

/// The members that mean something, of any type: what is wrong with one is told by name and without its value.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    serial: Value,
    pin: Value,
    time: Value,
    state: Value,
    verify: Value,
    work_code: Value,
}

fn read(piece: &[u8], serial: &SerialNumber) -> Result<RawPunch, String> {
    if piece.len() > Received::RAW_LIMIT {
        return Err(format!("longer than {} bytes", Received::RAW_LIMIT));
    }
    let object = Some(piece).filter(|piece| piece.starts_with(b"{"));
    let members: Option<Members> = object.and_then(|piece| serde_json::from_slice(piece).ok());
    let members = members.ok_or("not a JSON object with each member once")?;
    match &members.serial {
        Value::Null => {}
        Value::String(text) if text == serial.as_str() => {}
        Value::String(_) => return Err("`serial` names another terminal than the path".to_owned()),
        other => return Err(wrong("serial", other, "a text")),
    }
    let Value::String(pin) = &members.pin else { return Err(wrong("pin", &members.pin, "a text")) };
    let pin = Pin::parse_text(pin).map_err(|error| format!("`pin`: {error}"))?.into_owned();
    let mut punch = RawPunch::new(serial.clone(), pin, moment(&members.time)?);
    punch.status = code("state", &members.state)?.map(Status);
    punch.verify = code("verify", &members.verify)?.map(Verify);
    punch.work_code = work_code(&members.work_code)?;
    Ok(punch)
}

/// The civil time of a terminal, in the form of ISO 8601.
fn moment(value: &Value) -> Result<NaiveDateTime, String> {
    let Value::String(text) = value else { return Err(wrong("time", value, "a text")) };
    let parsed = match text.split_once('T') {
        Some((day, time)) => civil::parse(format!("{day} {time}").as_bytes()),
        None => Err(CivilError::Format),
    };
    parsed.map_err(|error| match error {
        CivilError::Format => "`time` is not of the form `YYYY-MM-DDThh:mm:ss`".to_owned(),
        error => format!("`time`: {error}"),
    })
}

fn code(name: &str, value: &Value) -> Result<Option<u16>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    number.map(Some).ok_or_else(|| wrong(name, value, "a whole number from 0 to 65535, or null"))
}

/// Terminals write a work code as a number and mean none by 0.
fn work_code(value: &Value) -> Result<Option<String>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        other => return Err(wrong("work_code", other, "a text, a whole number or null")),
    };
    Ok(Some(text).filter(|text| !matches!(text.as_str(), "" | "0")))
}

fn wrong(name: &str, found: &Value, expected: &str) -> String {
    let found = match found {
        Value::Null => "missing or null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    format!("`{name}` is {found}, expected {expected}")
}

/// PIN, time, state, verify, work code, as in a pushed row. What is not known is an empty field.
fn attlog(punch: &RawPunch) -> Vec<u8> {
    let number = |code: Option<u16>| code.map(|code| code.to_string()).unwrap_or_default();
    let (state, verify) = (number(punch.status.map(|code| code.0)), number(punch.verify.map(|code| code.0)));
    let work_code = punch.work_code.as_deref().unwrap_or_default();
    let rest = format!("\t{}\t{state}\t{verify}\t{work_code}", civil::Written(punch.time));
    [punch.pin.as_bytes(), rest.as_bytes()].concat()
}
