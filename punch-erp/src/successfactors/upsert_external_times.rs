use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use super::{Access, ExternalTime, SuccessFactors, fault};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

const PATH: &str = "/odata/v2/upsert?$format=json";

/// Stores or overwrites records of `ExternalTimeData`, each for itself.
#[derive(Debug, Clone)]
pub struct UpsertExternalTimes {
    tenant: SuccessFactors,
    access: Access,
    rows: Vec<ExternalTime>,
}

impl UpsertExternalTimes {
    /// How many records go into one call: 1000 (KBA 3145174).
    pub const MAX_ROWS: usize = 1000;

    /// `POST /odata/v2/upsert`
    pub fn new(tenant: &SuccessFactors, access: &Access, rows: Vec<ExternalTime>) -> Self {
        Self { tenant: tenant.clone(), access: access.clone(), rows }
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer for each of them")]
pub enum UpsertResult {
    /// It is there as sent.
    Stored,
    /// Not stored; the evidence is the service's message.
    Refused(Evidence),
    /// The answer does not mention it.
    Unmentioned,
}

#[derive(Deserialize)]
struct Answer {
    d: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    status: String,
    index: usize,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    http_code: Option<u16>,
}

impl Endpoint for UpsertExternalTimes {
    /// A result for each record, in the order given.
    type Output = Vec<UpsertResult>;

    fn request(&self) -> HttpRequest {
        // One record stands by itself, several in a list. Texts and nothing else: this cannot fail to be written.
        let body = match self.rows.as_slice() {
            [row] => serde_json::to_vec(row),
            rows => serde_json::to_vec(rows),
        };
        self.tenant.send_json(Method::POST, &self.access, PATH, Bytes::from(body.unwrap_or_default()))
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<UpsertResult>, CallError> {
        let answer: Answer = fault::read(response, "what became of each record")?;
        let result = |index: usize| {
            let row = answer.d.iter().find(|row| row.index == index)?;
            // `ACCEPTED` is of another kind of call, and says nothing yet.
            match row.status.as_str() {
                "OK" => Some(UpsertResult::Stored),
                "ERROR" => Some(UpsertResult::Refused(evidence(row, response))),
                _ => None,
            }
        };
        Ok((0..self.rows.len()).map(|index| result(index).unwrap_or(UpsertResult::Unmentioned)).collect())
    }
}

/// Status and message of this record alone.
fn evidence(row: &Row, response: &HttpResponse) -> Evidence {
    let text = row.message.as_deref().unwrap_or_default();
    let mut brief = HttpResponse::new(Bytes::copy_from_slice(text.as_bytes()));
    let status = row.http_code.and_then(|code| http::StatusCode::from_u16(code).ok());
    *brief.status_mut() = status.unwrap_or(response.status());
    Evidence::of(&brief)
}
