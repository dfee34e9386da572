//! The API in the words of OpenAPI 3.1: made of the routes as they are, and completed by what holds for all of them.

mod operations;
mod shapes;

use std::sync::OnceLock;

use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// The document, which is the same as long as the program runs.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| complete(&super::open_routes().merge(super::guarded_routes()).into_openapi()))
}

/// What holds for all routes, put where readers look for it.
fn complete(routes: &OpenApi) -> Value {
    let mut document = json!(routes);
    put(
        &mut document,
        "",
        "info",
        json!({
            "title": "Punch gateway",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Attendance from biometric terminals: punches, terminals, people, webhooks, commands.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        }),
    );
    put(&mut document, "", "servers", json!([{ "url": "/" }]));
    operations::complete(&mut document);
    shapes::complete(&mut document);
    put(
        &mut document,
        "/components",
        "securitySchemes",
        json!({
            "api_key": {
                "type": "http", "scheme": "bearer",
                "description": "A key of `POST /v1/api-keys`, or that of the first start. `x-scopes` of an operation are \
                                the scopes of keys that may call it.",
            },
        }),
    );
    document
}

/// Puts a member into the object at a place.
fn put(document: &mut Value, place: &str, name: &str, value: Value) {
    if let Some(members) = document.pointer_mut(place).and_then(Value::as_object_mut) {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::document;

    fn operations() -> Vec<(&'static str, &'static str, &'static Value)> {
        let paths = document()["paths"].as_object().unwrap();
        let each = |(path, item): (&'static String, &'static Value)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        };
        paths.iter().flat_map(each).collect()
    }

    /// A schema, and those within it, each with the name of the first.
    fn objects<'s>(name: &'s str, schema: &'s Value) -> Vec<(&'s str, &'s Value)> {
        let within: Vec<&Value> = match schema {
            Value::Object(members) => members.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        let within = within.into_iter().flat_map(|schema| objects(name, schema));
        within.chain((schema["type"] == "object").then_some((name, schema))).collect()
    }

    /// S2-005: plural nouns, small letters, one prefix; what a path does beyond that is a verb or a part of one thing.
    #[test]
    fn every_route_is_named_by_one_convention() {
        let lists: BTreeSet<&str> = BTreeSet::from([
            "webhooks",
            "jobs",
            "commands",
            "devices",
            "deliveries",
            "events",
            "employees",
            "attendance",
            "sites",
            "quarantine",
            "api-keys",
            "audit",
            "reports",
        ]);
        let health = ["/livez", "/readyz", "/metrics", "/status", "/openapi.json"];
        for (path, method, operation) in operations() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{method} {path}: {id}");
            if health.contains(&path) {
                continue;
            }
            let mut segments = path.strip_prefix("/v1/").unwrap_or_else(|| panic!("{path}")).split('/');
            assert!(lists.contains(segments.next().unwrap()), "{path}");
            for segment in segments {
                let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(segment);
                assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{path}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let is_snake = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                assert!(is_snake || parameter["in"] == "header", "{method} {path}: {name}");
            }
        }
        let ids: Vec<&str> =
            operations().iter().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    }

    /// S2-005: the members of every object are snake case.
    /// S2-002, S2-071: and nothing else is in them, so nothing of a terminal's registers either. What it sent, byte for byte, is
    /// shown of rows that are held, to whoever may put them right, and nowhere else.
    #[test]
    fn every_object_has_the_members_that_are_named_and_no_others() {
        let schemas = document()["components"]["schemas"].as_object().unwrap();
        let mut closed = 0;
        for (name, schema) in schemas.iter().flat_map(|(name, schema)| objects(name, schema)) {
            let Some(members) = schema["properties"].as_object() else { continue };
            assert_eq!(schema["additionalProperties"], false, "{name}");
            closed += 1;
            for member in members.keys() {
                let is_snake = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                assert!(member.bytes().all(is_snake), "{name}.{member}");
                assert!(member != "raw" || name.ends_with("HeldRow"), "{name}.{member}");
            }
        }
        assert!(closed > 40, "{closed}");
    }

    /// S2-006, S2-007, S2-077: an answer is one object or a part of a list, a refusal is an error with a code of a closed list.
    #[test]
    fn every_answer_has_one_of_three_shapes() {
        let schemas = &document()["components"]["schemas"];
        for (path, method, operation) in operations() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let Some(schema) = response.pointer("/content/application~1json/schema") else { continue };
                let name = schema["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
                if path == "/openapi.json" {
                    continue;
                }
                if status.starts_with('2') {
                    let members: Vec<&String> = schemas[name]["properties"].as_object().unwrap().keys().collect();
                    assert_eq!(members, ["data", "meta"], "{method} {path} {status}: {name}");
                } else {
                    assert_eq!(name, "Refusal", "{method} {path} {status}");
                }
            }
        }
        assert_eq!(schemas["ErrorObject"]["properties"]["code"]["enum"].as_array().unwrap().len(), 18);
    }

    #[test]
    fn every_operation_says_what_it_does_and_every_reference_leads_somewhere() {
        for (path, method, operation) in operations() {
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{method} {path}");
            assert!(operation["tags"][0].is_string(), "{method} {path}");
        }
        let text = document().to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document().pointer(pointer).is_some(), "{pointer}");
        }
    }
}
