use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};

use super::ErpNextStandIn;
use super::clock::{self, Reading};
use super::reply::Exception;

/// What a list without a limit shows.
const DEFAULT_PAGE: usize = 20;

/// A filter `[field, operator, value]`.
type Filter = (String, String, Value);

impl ErpNextStandIn {
    pub(super) fn list_employees(&self, request: &Request<Bytes>) -> Result<Value, Exception> {
        select(self.config.employees.iter().map(|employee| employee.fields()), request)
    }

    pub(super) fn list_checkins(&self, request: &Request<Bytes>) -> Result<Value, Exception> {
        // Newest change first.
        select(self.checkins.iter().rev().map(|row| row.fields()), request)
    }

    pub(super) fn get_checkin(&self, name: &str) -> Result<Value, Exception> {
        self.checkin(name).map(|row| row.document()).ok_or_else(Exception::does_not_exist)
    }
}

fn select(rows: impl Iterator<Item = Map<String, Value>>, request: &Request<Bytes>) -> Result<Value, Exception> {
    let query = request.uri().query().unwrap_or_default();
    let (mut fields, mut filters, mut limit) = (vec!["name".to_owned()], Vec::new(), DEFAULT_PAGE);
    let broken = || Exception::new(500, "JSONDecodeError", "Expecting ',' delimiter");
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = decode(&value.replace('+', " "));
        match key {
            "fields" => fields = serde_json::from_str(&value).map_err(|_| broken())?,
            "filters" => filters = serde_json::from_str::<Vec<Filter>>(&value).map_err(|_| broken())?,
            "limit_page_length" => limit = value.parse().unwrap_or(DEFAULT_PAGE),
            _ => {}
        }
    }
    let limit = if limit == 0 { usize::MAX } else { limit };
    let matching = rows.filter(|row| filters.iter().all(|filter| matches(row, filter)));
    let chosen = matching.take(limit).map(|row| {
        let pick = |field: &String| Some((field.clone(), row.get(field)?.clone()));
        Value::Object(fields.iter().filter_map(pick).collect())
    });
    Ok(Value::Array(chosen.collect()))
}

/// Equality as the database has it: letter case and trailing blanks do not count, and nothing equals the empty text.
fn matches(row: &Map<String, Value>, (field, operator, value): &Filter) -> bool {
    let have = row.get(field).and_then(Value::as_str).unwrap_or_default();
    let want = value.as_str().unwrap_or_default();
    match operator.as_str() {
        "is" if want == "set" => !have.is_empty(),
        "is" => have.is_empty(),
        "=" if field == "time" => match (clock::read(have), clock::read(want)) {
            (Reading::Local(have), Reading::Local(want)) => have == want,
            _ => false,
        },
        "=" => have.trim_end().eq_ignore_ascii_case(want.trim_end()),
        _ => false,
    }
}

/// Undoes percent-encoding; what is not an escape stays.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => {
                core::str::from_utf8(&[*high, *low]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
