//! What holds for every operation: who may call it, how often, how it is repeated, and how it is refused.

use serde_json::{Map, Value, json};

use super::super::terms::Terms;
use super::super::{
    api_keys, attendance, audit, commands, deliveries, devices, employees, export, items, jobs, punches, quarantine,
    reports, steps, webhooks,
};
use super::put;
use crate::core::KeyScope;

/// What can be asked of each list, and of what is made like one.
const ASKED: [(&str, &str, &Terms); 22] = [
    ("get", "/v1/api-keys", &api_keys::TERMS),
    ("get", "/v1/attendance", &attendance::TERMS),
    ("get", "/v1/attendance/export", &export::TERMS),
    ("get", "/v1/audit", &audit::TERMS),
    ("get", "/v1/audit/export", &audit::EXPORT),
    ("get", "/v1/commands", &commands::TERMS),
    ("get", "/v1/commands/{id}/items", &items::TERMS),
    ("get", "/v1/deliveries", &deliveries::TERMS),
    ("get", "/v1/devices", &devices::TERMS),
    ("get", "/v1/devices/{serial}/commands", &commands::TERMS),
    ("post", "/v1/devices/{serial}/punches", &punches::TERMS),
    ("get", "/v1/devices/{serial}/steps", &steps::TERMS),
    ("get", "/v1/employees", &employees::TERMS),
    ("get", "/v1/events", &deliveries::EVENTS),
    ("get", "/v1/jobs", &jobs::TERMS),
    ("get", "/v1/jobs/{id}/items", &items::TERMS),
    ("get", "/v1/quarantine", &quarantine::TERMS),
    ("get", "/v1/quarantine/summary", &quarantine::SUMMARY),
    ("get", "/v1/reports/daily", &reports::TERMS),
    ("get", "/v1/sites", &devices::SITES),
    ("get", "/v1/webhooks", &webhooks::TERMS),
    ("get", "/v1/webhooks/{id}/deliveries", &deliveries::OF_WEBHOOK),
];

pub(super) fn complete(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                Call { path, method }.complete(operation);
            }
        }
    }
    let headers = json!({
        "X-RateLimit-Limit": header("How many calls the key has a day."),
        "X-RateLimit-Remaining": header("How many are left of them."),
        "X-RateLimit-Reset": header("When it has all of them again, in seconds since 1970."),
        "Retry-After": header("In how many seconds to call again."),
    });
    put(document, "/components", "headers", headers);
}

fn header(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "integer", "minimum": 0 } })
}

struct Call<'a> {
    path: &'a str,
    method: &'a str,
}

impl Call<'_> {
    fn complete(&self, operation: &mut Map<String, Value>) {
        let tag = self.path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next()).unwrap_or("health");
        operation.insert("tags".to_owned(), json!([tag]));
        let mut parameters = self.of_path();
        if let Some(own) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            parameters.append(own);
        }
        let terms = ASKED.iter().find(|(method, path, _)| *method == self.method && *path == self.path);
        parameters.extend(terms.into_iter().flat_map(|(_, _, terms)| terms.parameters()));
        if self.is_guarded() {
            if self.changes() {
                parameters.push(json!({
                    "name": "Idempotency-Key", "in": "header", "required": false,
                    "description": "Sent again with the same key within 24 hours, the call is answered as the first time and not carried out again.",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
                }));
            }
            operation.insert("security".to_owned(), json!([{ "api_key": [] }]));
            operation.insert("x-scopes".to_owned(), json!(self.scopes()));
        } else {
            operation.insert("security".to_owned(), json!([]));
        }
        let has_query = parameters.iter().any(|parameter| parameter["in"] == "query");
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            self.refusals(has_query, responses);
            self.describe(responses);
        }
    }

    /// Everything under the key.
    fn is_guarded(&self) -> bool {
        self.path.starts_with("/v1/") || self.path == "/status"
    }

    fn changes(&self) -> bool {
        self.method != "get"
    }

    fn scopes(&self) -> Vec<&'static str> {
        let may = |scope: &KeyScope| scope.allows(!self.changes(), self.path);
        KeyScope::ALL.into_iter().filter(may).map(KeyScope::as_str).collect()
    }

    fn of_path(&self) -> Vec<Value> {
        let names = self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let parameter = |name: &str| {
            let (description, schema) = match name {
                "id" | "delivery_id" => {
                    ("Its number.", json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX, "example": 1 }))
                }
                "serial" => ("The terminal: its serial number, or its id in payloads.", json!({ "type": "string" })),
                "event_id" => ("The identity of the event.", json!({ "type": "string" })),
                _ => ("The identity of the row.", json!({ "type": "string" })),
            };
            json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
        };
        names.map(parameter).collect()
    }

    fn refusals(&self, has_query: bool, responses: &mut Map<String, Value>) {
        if !self.is_guarded() {
            return;
        }
        let names_one = self.path.contains('{');
        let always = [401, 403, 429, 503];
        let form = (has_query || names_one || self.changes()).then_some(400);
        // Whoever is to be erased is named in the body: paths are kept by whatever stands between.
        let missing = (names_one || self.path == "/v1/employees/erase").then_some(404);
        let changes = if self.changes() { &[409, 413, 422][..] } else { &[] };
        for status in always.into_iter().chain(form).chain(missing).chain(changes.iter().copied()) {
            responses.entry(status.to_string()).or_insert_with(|| {
                json!({ "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Refusal" } } } })
            });
        }
    }

    fn describe(&self, responses: &mut Map<String, Value>) {
        for (status, response) in responses {
            let Some(response) = response.as_object_mut() else { continue };
            response.insert("description".to_owned(), description(status).into());
            let mut headers = Map::new();
            let mut tell = |name: &str| {
                headers.insert(name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
            };
            if self.is_guarded() {
                ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"].into_iter().for_each(&mut tell);
            }
            if status == "429" || status == "503" {
                tell("Retry-After");
            }
            if !headers.is_empty() {
                response.insert("headers".to_owned(), headers.into());
            }
        }
    }
}

fn description(status: &str) -> &'static str {
    match status {
        "200" => "Done; what was asked for.",
        "201" => "Made.",
        "202" => "Taken; it goes on by itself.",
        "400" => "The call does not have the form that is expected; `field` says where.",
        "401" => "No key, or one that is not known.",
        "403" => "The scope of the key does not allow it.",
        "404" => "There is no such thing.",
        "409" => "It cannot be as things stand, or the same `Idempotency-Key` is being worked on.",
        "413" => "The body is too long.",
        "422" => "The terminal cannot do it, or the `Idempotency-Key` came with another call.",
        "429" => "Too many calls with this key.",
        _ => "Not now: the store cannot be read or written.",
    }
}
