//! The OData services: reading time events back, groups, and the older upsert.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, Response, Uri};
use serde_json::{Map, Value, json};

use super::SuccessFactorsStandIn;
use super::reply::json;
use super::tokens::decode;

const MAX_RECORDS: usize = 1000;

impl SuccessFactorsStandIn {
    /// `GET …/timeevents`: the one filter that is asked with here, and a page.
    pub(super) fn read_back(&self, uri: &Uri) -> Response<Bytes> {
        let query = uri.query().unwrap_or_default();
        let part = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.and_then(decode).unwrap_or_default()
        };
        let Some((from, until)) = window(&part("$filter")) else {
            return json(400, &json!({ "error": { "code": "BadRequest", "message": "The filter is not valid." } }));
        };
        let number = |name: &str, default: usize| part(name).parse().unwrap_or(default);
        let found: Vec<_> = self.events.iter().filter(|event| from <= event.at && event.at < until).collect();
        let page = found.iter().skip(number("$skip", 0)).take(number("$top", 1000).min(1000));
        let row = |event: &&super::StoredTimeEvent| {
            json!({
                "externalId": event.id, "workAssignmentId": event.assignment, "timeEventTypeCode": event.code,
                "timestampUTC": event.at.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "timeZoneOffset": event.at.offset().to_string(), "terminalId": event.terminal,
                "pairingStatusCode": "UNPAIRED", "approvalStatusCode": "APPROVED", "validationStatusCode": "VALID",
                "creationSourceCode": "TERMINAL", "validationMessages": [],
            })
        };
        json(200, &json!({ "@odata.count": found.len(), "value": page.map(row).collect::<Vec<_>>() }))
    }

    /// `PATCH …/timeevents`.
    pub(super) fn delete(&mut self, body: &[u8]) -> Response<Bytes> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let rows = body.get("value").and_then(Value::as_array).cloned().unwrap_or_default();
        let deleted = |id: &str| rows.iter().any(|row| row["deleted"] == true && row["id"] == *id);
        self.events.retain(|event| !deleted(&event.id) && !deleted(&event.uuid));
        self.seconds = self.events.iter().map(|event| (event.assignment.clone(), event.at.to_utc())).collect();
        json(200, &json!({ "value": rows }))
    }

    /// `GET …/ClockInClockOutGroups?$expand=timeEventTypeNav`.
    pub(super) fn groups(&self) -> Response<Bytes> {
        let types = self.config.types.iter().map(|(code, kind)| json!({ "code": code, "event": kind, "active": true }));
        json(200, &json!({ "value": [{ "code": "ALL", "timeEventTypeNav": types.collect::<Vec<_>>() }] }))
    }

    /// `POST /odata/v2/upsert?$format=json`: every record for itself, with status 200.
    pub(super) fn upsert(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let rows = match serde_json::from_slice::<Value>(request.body()) {
            Ok(Value::Array(rows)) if rows.len() <= MAX_RECORDS => rows,
            Ok(row @ Value::Object(_)) => vec![row],
            _ => return json(400, &json!({ "error": { "code": "COE_PAYLOAD", "message": { "value": "Payload." } } })),
        };
        let mut answers = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let checked = row.as_object().ok_or("No record").and_then(|row| self.external_time(row));
            let (key, status, message, code) = match checked {
                Ok(key) => {
                    self.external_times.insert(key.clone(), row.clone());
                    (Some(key), "OK", None, 200)
                }
                Err(message) => (None, "ERROR", Some(message), 400),
            };
            let edit = key.as_ref().map(|_| "UPSERTED");
            answers.push(json!({
                "key": key, "status": status, "editStatus": edit, "message": message, "index": index,
                "httpCode": code, "inlineResults": null,
            }));
        }
        json(200, &json!({ "d": answers }))
    }

    /// The key of a record, or what is wrong with it.
    fn external_time(&self, row: &Map<String, Value>) -> Result<String, &'static str> {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let code = text("externalCode");
        if code.is_empty() || code.len() > 128 {
            return Err("External code not valid");
        }
        let metadata = |name: &str| row.get("__metadata").and_then(|data| data.get(name)).and_then(Value::as_str);
        if metadata("uri") != Some(&format!("ExternalTimeData('{code}')"))
            || metadata("type") != Some("SFOData.ExternalTimeData")
        {
            return Err("Metadata not valid");
        }
        if !self.config.assignments.iter().any(|known| known == text("userId")) {
            return Err("User not found");
        }
        let is_day = |text: &str| {
            let number = text.strip_prefix("/Date(").and_then(|text| text.strip_suffix(")/"));
            number.and_then(|number| number.parse::<i64>().ok()).is_some_and(|number| number % 86_400_000 == 0)
        };
        let is_time = |text: &str| matches!(text.as_bytes(), [b'P', b'T', _, _, b'H', _, _, b'M', _, _, b'S']);
        if !is_day(text("startDate")) || row.get("endDate").is_some_and(|day| !day.as_str().is_some_and(is_day)) {
            return Err("Date not valid");
        }
        if !is_time(text("startTime")) || !is_time(text("endTime")) {
            return Err("Time not valid");
        }
        if text("timeType") != "WORKING_TIME" {
            return Err("Time type not valid");
        }
        Ok(code.to_owned())
    }

    /// `POST /odata/v2/EmployeeTime` with the published sample: the entity has no such fields.
    pub(super) fn sample(&mut self, body: &[u8]) -> Response<Bytes> {
        if !self.config.takes_sample {
            let message = json!({ "lang": "en-US", "value": "Invalid property names: EmployeeTime/eventDate." });
            return json(400, &json!({ "error": { "code": "COE_INVALID_PROPERTY", "message": message } }));
        }
        self.samples.push(String::from_utf8_lossy(body).into_owned());
        json(201, &json!({ "d": {} }))
    }
}

/// `timestampUTC ge <instant> and timestampUTC lt <instant>`.
fn window(filter: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (from, until) = filter.strip_prefix("timestampUTC ge ")?.split_once(" and timestampUTC lt ")?;
    Some((from.parse().ok()?, until.parse().ok()?))
}
