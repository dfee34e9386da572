//! What can be read.

use bytes::Bytes;
use chrono::NaiveDate;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::HumandStandIn;
use super::reply::{refusal, response};

impl HumandStandIn {
    /// Employee and days are required; the last day is included.
    pub(super) fn list_entries(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let query = Query::of(request);
        let day = |name| query.get(name).and_then(|text| text.parse::<NaiveDate>().ok());
        let (Some(employee), Some(from), Some(to)) = (query.get("employeeId"), day("startDate"), day("endDate")) else {
            return refusal(400, "INVALID_DATA", "The provided data is invalid");
        };
        if !self.config.users.iter().any(|user| user.employee == employee) {
            return refusal(404, "NOT_FOUND", "Resource not found");
        }
        let mut rows: Vec<_> = self
            .entries
            .iter()
            .filter(|row| row.employee == employee && (from..=to).contains(&self.day(row.at)))
            .collect();
        rows.sort_by_key(|row| (row.at, row.id));
        self.paged(&query, "items", 1, rows.iter().map(|row| row.document(self.day(row.at))).collect())
    }

    pub(super) fn list_users(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let users = self.config.users.iter().enumerate().map(|(id, user)| user.document(id)).collect();
        self.paged(&Query::of(request), "users", 10, users)
    }

    pub(super) fn get_user(&self, employee: &str) -> Response<Bytes> {
        let employee = decode(employee);
        match self.config.users.iter().enumerate().find(|(_, user)| user.employee == employee) {
            Some((id, user)) => response(StatusCode::OK, &user.document(id)),
            None => refusal(404, "NOT_FOUND", "Resource not found"),
        }
    }

    /// At most 50 rows at once; the number of pages is always said to be 1.
    fn paged(&self, query: &Query, name: &str, least: usize, rows: Vec<Value>) -> Response<Bytes> {
        let number = |name, default| query.get(name).map_or(Some(default), |text| text.parse::<usize>().ok());
        let (Some(page @ 1..), Some(limit)) = (number("page", 1), number("limit", 10)) else {
            return refusal(400, "INVALID_DATA", "The provided data is invalid");
        };
        if !(least..=50).contains(&limit) {
            return refusal(400, "INVALID_DATA", "The provided data is invalid");
        }
        let count = rows.len();
        let shown: Vec<Value> = rows.into_iter().skip((page - 1) * limit).take(limit).collect();
        response(StatusCode::OK, &json!({ "count": count, "totalPages": 1, name: shown }))
    }
}

struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Request<Bytes>) -> Self {
        let pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).filter(|text| !text.is_empty())
    }
}

/// Undoes percent-encoding; what is not an escape stays.
fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.split_at_checked(2).and_then(|(hex, rest)| Some((u8::from_str_radix(hex, 16).ok()?, rest))) {
            Some((byte, rest)) => {
                bytes.push(byte);
                bytes.extend(rest.as_bytes());
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
