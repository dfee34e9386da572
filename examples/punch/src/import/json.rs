//! Objects, in a list, in a list that is a member of an object, or one a line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_json::value::RawValue;

use super::table::{Entry, Lines, Table};

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Table<'_>, String> {
    let items = items(text)?;
    let objects: Vec<Option<BTreeMap<String, Value>>> =
        items.iter().map(|item| serde_json::from_str(item).ok()).collect();
    let names: BTreeSet<&String> = objects.iter().flatten().flat_map(BTreeMap::keys).collect();
    let mut table = Table::of(names.into_iter().cloned().collect());
    let mut lines = Lines::default();
    for (item, object) in items.iter().zip(&objects) {
        let values = match object {
            Some(object) => Ok(table.columns.iter().map(|name| object.get(name).and_then(text_of)).collect()),
            None => Err("is no JSON object".to_owned()),
        };
        // It is a piece of the text, so its place is the difference.
        let at = (item.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        table.entries.push(Entry { line: lines.of(text, at), raw: item, values });
    }
    Ok(table)
}

fn items(text: &str) -> Result<Vec<&str>, String> {
    let place = |error: serde_json::Error| format!("no JSON at line {}, column {}", error.line(), error.column());
    let list = |text| serde_json::from_str::<Vec<&RawValue>>(text);
    let trimmed = text.trim();
    if trimmed.starts_with('[') {
        return Ok(list(text).map_err(place)?.into_iter().map(RawValue::get).collect());
    }
    // An object that has the list in it.
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(trimmed)
        && let Some(inner) = members.values().map(|value| value.get()).find(|value| value.starts_with('['))
    {
        return Ok(list(inner).map_err(place)?.into_iter().map(RawValue::get).collect());
    }
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).collect())
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
