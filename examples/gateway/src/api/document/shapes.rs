//! What holds for every schema: objects are closed, moments are moments, and an answer leaves no member out.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::payload::SPARSE;
use super::put;

pub(super) fn complete(document: &mut Value) {
    let sent = reachable(document, "requestBody");
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    let flat: Map<String, Value> =
        schemas.iter().map(|(name, schema)| (name.clone(), flattened(schema, schemas))).collect();
    *schemas = flat;
    for (name, schema) in schemas {
        let is_whole = !sent.contains(name) && !SPARSE.contains(&name.as_str());
        close(schema, is_whole);
    }
}

/// The schemas that a part of an operation leads to.
fn reachable(document: &Value, part: &str) -> BTreeSet<String> {
    let operations = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = operations.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let mut waiting: Vec<&Value> = operations.filter_map(|(_, operation)| operation.get(part)).collect();
    let mut found = BTreeSet::new();
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(members) => {
                if let Some(name) = members.get("$ref").and_then(name_of)
                    && found.insert(name.to_owned())
                {
                    waiting.extend(document.pointer(&format!("/components/schemas/{name}")));
                }
                waiting.extend(members.values());
            }
            Value::Array(items) => waiting.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

fn name_of(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/components/schemas/")
}

/// A schema in which every object that has the members of others as its own is one object: of several none can be closed.
fn flattened(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let mut schema = schema.clone();
    for child in children(&mut schema) {
        *child = flattened(child, schemas);
    }
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return schema };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let named = part.get("$ref").and_then(name_of).and_then(|name| schemas.get(name));
        let part = flattened(named.unwrap_or(part), schemas);
        properties.extend(part.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
        required.extend(part.get("required").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    let mut whole = json!({ "type": "object", "required": required, "properties": properties });
    if let (Some(whole), Some(description)) = (whole.as_object_mut(), schema.get("description")) {
        whole.insert("description".to_owned(), description.clone());
    }
    whole
}

/// The schemas of which a schema is made.
fn children(schema: &mut Value) -> Vec<&mut Value> {
    let mut found = Vec::new();
    for (name, value) in schema.as_object_mut().into_iter().flatten() {
        match (name.as_str(), value) {
            ("properties", Value::Object(members)) => found.extend(members.values_mut()),
            ("oneOf" | "anyOf" | "allOf", Value::Array(choices)) => found.extend(choices.iter_mut()),
            ("items" | "additionalProperties", value @ Value::Object(_)) => found.push(value),
            _ => {}
        }
    }
    found
}

/// Nothing but the named members; those of an answer are always there, null where there is nothing to say.
fn close(schema: &mut Value, is_whole: bool) {
    for child in children(schema) {
        close(child, is_whole);
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, member) in properties.iter_mut() {
        let is_text =
            |kind: &Value| kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&"string".into()));
        if name.ends_with("_at") && member.get("type").is_some_and(is_text) {
            put(member, "", "format", "date-time".into());
        }
    }
    let optional = properties.iter().filter(|(_, member)| may_be_null(member));
    let names: Vec<Value> = optional.map(|(name, _)| name.as_str().into()).collect();
    put(schema, "", "additionalProperties", false.into());
    if is_whole && !names.is_empty() {
        let mut required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        required.extend(names);
        put(schema, "", "required", required.into());
    }
}

/// Whether it is written as null where there is nothing to say.
fn may_be_null(member: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let kinds = member.get("type").and_then(Value::as_array).into_iter().flatten();
    let choices = member.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    kinds.into_iter().any(is_null) || choices.filter_map(|choice| choice.get("type")).any(is_null)
}
