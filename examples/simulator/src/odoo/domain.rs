//! Searches: the domain in Polish notation, fields, order and limit.

use core::cmp::Ordering;

use serde_json::{Map, Value};

use super::clock;
use super::exception::Exception;

/// A record as the server would show it, all fields.
pub(super) type Row = Map<String, Value>;

/// `search_read` over rows that the user may see.
pub(super) fn select(rows: Vec<Row>, known: &[&str], named: &Map<String, Value>) -> Result<Value, Exception> {
    let domain = named.get("domain").and_then(Value::as_array).cloned().unwrap_or_default();
    let fields: Vec<&str> = match named.get("fields").and_then(Value::as_array) {
        Some(fields) => fields.iter().filter_map(Value::as_str).collect(),
        None => known.to_vec(),
    };
    if let Some(unknown) = fields.iter().find(|field| !known.contains(field)) {
        return Err(Exception::value(format!("Invalid field '{unknown}'")));
    }
    let mut found = Vec::new();
    for row in rows {
        if holds(&domain, &row, known)? {
            found.push(row);
        }
    }
    if let Some(order) = named.get("order").and_then(Value::as_str) {
        sort(&mut found, order);
    }
    let limit = named.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    found.truncate(limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX));
    let shown = found.into_iter().map(|mut row| {
        row.retain(|field, _| field == "id" || fields.contains(&field.as_str()));
        Value::Object(row)
    });
    Ok(Value::Array(shown.collect()))
}

fn holds(domain: &[Value], row: &Row, known: &[&str]) -> Result<bool, Exception> {
    let malformed = || Exception::value("Domain is malformed");
    let mut stack: Vec<bool> = Vec::new();
    for part in domain.iter().rev() {
        let truth = match part {
            Value::String(operator) => {
                let (a, b) = (stack.pop().ok_or_else(malformed)?, stack.pop().ok_or_else(malformed)?);
                match operator.as_str() {
                    "|" => a || b,
                    "&" => a && b,
                    _ => return Err(malformed()),
                }
            }
            leaf => is_true(leaf, row, known)?,
        };
        stack.push(truth);
    }
    Ok(stack.into_iter().all(|truth| truth))
}

fn is_true(leaf: &Value, row: &Row, known: &[&str]) -> Result<bool, Exception> {
    let Some([Value::String(field), Value::String(operator), value]) = leaf.as_array().map(Vec::as_slice) else {
        return Err(Exception::value("Invalid leaf"));
    };
    let Some(have) = known.contains(&field.as_str()).then(|| row.get(field)).flatten() else {
        return Err(Exception::value(format!("Invalid field {field} in leaf {leaf}")));
    };
    // A reference is compared by its number.
    let have = have.get(0).unwrap_or(have);
    Ok(match (operator.as_str(), value) {
        ("=", value) => is_equal(have, value),
        ("in", Value::Array(values)) => values.iter().any(|value| is_equal(have, value)),
        (">=" | ">" | "<" | "<=", Value::String(text)) => {
            let Some(want) = clock::leaf(text) else { return Err(Exception::value(format!("Invalid time {text}"))) };
            let have = have.as_str().and_then(clock::leaf);
            have.is_some_and(|have| match operator.as_str() {
                ">=" => have >= want,
                ">" => have > want,
                "<=" => have <= want,
                _ => have < want,
            })
        }
        _ => return Err(Exception::value(format!("Invalid operator in leaf {leaf}"))),
    })
}

/// Nothing, `false` and the empty text are the same. A number is compared as its text.
fn is_equal(have: &Value, want: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::Bool(false) | Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text(have) == text(want)
}

fn sort(rows: &mut [Row], order: &str) {
    let keys: Vec<(&str, bool)> = order
        .split(',')
        .map(|key| key.trim().split_once(' ').map_or((key.trim(), false), |(field, way)| (field, way.trim() == "desc")))
        .collect();
    let compare = |a: &Row, b: &Row, field: &str| match (a.get(field), b.get(field)) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(a), Some(b)) => a.as_i64().cmp(&b.as_i64()),
        _ => Ordering::Equal,
    };
    rows.sort_by(|a, b| {
        let orders = keys.iter().map(|(field, falling)| {
            let order = compare(a, b, field);
            if *falling { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
}
