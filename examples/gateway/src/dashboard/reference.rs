use axum::Extension;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::layout::titled;
use super::visit::Visit;
use crate::api::document;

/// The API as its document tells it, for people: every call, and what goes in and comes out.
pub(super) async fn show(Extension(visit): Extension<Visit>) -> Response {
    let document = document();
    let operations: Vec<Operation<'_>> = members(document, "paths")
        .flat_map(|(path, item)| {
            let each = move |(method, value): (&'static String, &'static Value)| Operation { path, method, value };
            item.as_object().into_iter().flatten().map(each)
        })
        .collect();
    let mut tags: Vec<&str> = operations.iter().map(Operation::tag).collect();
    tags.sort_unstable();
    tags.dedup();
    let content = html! {
        p { (text(document, "/info/description")) " " a href="/openapi.json" { "openapi.json" } }
        nav aria-label="Contents" {
            ul.chips {
                @for tag in &tags { li { a href={ "#" (tag) } { (tag) } } }
                li { a href="#objects" { "objects" } }
            }
        }
        @for tag in &tags {
            h2 id=(tag) { (tag) }
            @for operation in operations.iter().filter(|operation| operation.tag() == *tag) { (operation.show()) }
        }
        h2 #objects { "objects" }
        @for (name, schema) in document.get("components").into_iter().flat_map(|all| members(all, "schemas")) {
            (object(name, schema))
        }
    };
    titled(&visit, "API", &content)
}

struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    value: &'a Value,
}

impl Operation<'_> {
    fn tag(&self) -> &str {
        text(self.value, "/tags/0")
    }

    fn show(&self) -> Markup {
        let parameters = self.value.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let scopes: Vec<&str> = self
            .value
            .get("x-scopes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        html! {
            section.card id=(text(self.value, "/operationId")) {
                h3.code { (self.method.to_uppercase()) " " (self.path) }
                p { (text(self.value, "/summary")) " " (text(self.value, "/description")) }
                p.hint { @if scopes.is_empty() { "Without a key." } @else { "Scopes: " (scopes.join(", ")) "." } }
                @if !parameters.is_empty() {
                    details {
                        summary { "Parameters" }
                        dl.facts { @for parameter in parameters { (described(parameter)) } }
                    }
                }
                @for (media, content) in contents(self.value.get("requestBody")) {
                    p { "Sent: " span.code { (media) } " " (kind(content.get("schema"))) }
                }
                dl.facts {
                    @for (status, response) in members(self.value, "responses") {
                        dt.code { (status) }
                        dd {
                            (text(response, "/description"))
                            @for (_, content) in contents(Some(response)) { " " (kind(content.get("schema"))) }
                        }
                    }
                }
            }
        }
    }
}

fn described(parameter: &Value) -> Markup {
    html! {
        dt.code { (text(parameter, "/name")) }
        dd { (text(parameter, "/description")) " " (kind(parameter.get("schema"))) }
    }
}

fn object(name: &str, schema: &Value) -> Markup {
    let required = |member: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|name| name == member))
    };
    html! {
        section.card id={ "object-" (name) } {
            h3.code { (name) }
            p { (text(schema, "/description")) }
            @if schema.get("properties").is_some() {
                dl.facts {
                    @for (member, schema) in members(schema, "properties") {
                        dt.code { (member) @if !required(member) { "?" } }
                        dd { (text(schema, "/description")) " " (kind(Some(schema))) }
                    }
                }
            } @else {
                p { (kind(Some(schema))) }
            }
        }
    }
}

/// What a value can be.
fn kind(schema: Option<&Value>) -> Markup {
    let Some(schema) = schema else { return html! {} };
    let choices = ["oneOf", "anyOf", "allOf"].into_iter().find_map(|word| schema.get(word)?.as_array());
    let words = schema.get("enum").and_then(Value::as_array);
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
    html! {
        @if let Some(name) = named {
            a.code href={ "#object-" (name) } { (name) }
        } @else if let Some(choices) = choices {
            @for (index, choice) in choices.iter().enumerate() { @if index > 0 { " or " } (kind(Some(choice))) }
        } @else if let Some(words) = words {
            span.code { (words.iter().map(word).collect::<Vec<_>>().join(" | ")) }
        } @else {
            span.code { (type_of(schema)) }
            @if let Some(items) = schema.get("items") { " of " (kind(Some(items))) }
        }
    }
}

fn type_of(schema: &Value) -> String {
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().map(word).collect::<Vec<_>>().join(" | "),
        Some(kind) => word(kind),
        None => "anything".to_owned(),
    };
    let limits = ["format", "minimum", "maximum", "minLength", "maxLength", "default"].into_iter();
    let limits = limits.filter_map(|name| Some(format!(", {name} {}", word(schema.get(name)?))));
    limits.fold(kind, |kind, limit| kind + &limit)
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn members<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value.get(name).and_then(Value::as_object).map(Map::iter).into_iter().flatten()
}

/// The kinds of content that are sent.
fn contents(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(|value| value.get("content")).and_then(Value::as_object).map(Map::iter).into_iter().flatten()
}
