//! `{"0042": "HR-EMP-00001"}`, or `[{"badge": "0042", "employee": "HR-EMP-00001"}]`.

use std::fmt;

use punch_erp::{Mapping, MappingLine};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Unread, entry, line_of};

const EXPECTED: &str =
    "write {\"badge\": \"employee\", …} or [{\"badge\": \"…\", \"employee\": \"…\"}, …], with numbers in quotes";

pub(super) fn read(text: &str) -> anyhow::Result<Mapping> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(Mapping::of(lines(text)?).map_err(Unread::from)?)
}

fn lines(text: &str) -> Result<Vec<MappingLine>, Unread> {
    let unread = |error: serde_json::Error| Unread::Form(error.line().max(1), EXPECTED);
    let place = |raw: &RawValue| line_of(text, (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
    if text.trim_start().starts_with('[') {
        let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(unread)?;
        let row = |raw: &&RawValue| {
            let row: Row = serde_json::from_str(raw.get()).map_err(|_| Unread::Form(place(raw), EXPECTED))?;
            Ok(entry(place(raw), row.badge, row.employee))
        };
        return rows.iter().map(row).collect();
    }
    let Pairs(pairs) = serde_json::from_str(text).map_err(unread)?;
    let pair = |(badge, raw): (String, &RawValue)| {
        let employee: String = serde_json::from_str(raw.get()).map_err(|_| Unread::Form(place(raw), EXPECTED))?;
        Ok(entry(place(raw), badge, employee))
    };
    pairs.into_iter().map(pair).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    badge: String,
    employee: String,
}

/// The members of an object in their order, those of one name twice as well.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of badges")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        format!("{:#}", read(text).unwrap_err())
    }

    /// S0-006.
    #[test]
    fn both_forms_read_and_contradictions_name_both_lines() {
        for text in [
            "{\n \"0042\": \"HR-EMP-1\",\n \"43\": \"Acme, \\\"1\\\"\"\n}",
            "\u{feff}[{\"badge\": \"0042\", \"employee\": \"HR-EMP-1\"},\n{\"employee\": \"Acme, \\\"1\\\"\", \"badge\": \"43\"}]",
        ] {
            let mapping = read(text).unwrap();
            assert_eq!(
                (mapping.employee("0042"), mapping.employee("43")),
                (Some("HR-EMP-1"), Some("Acme, \"1\"")),
                "{text}"
            );
            assert_eq!((mapping.len(), mapping.employee("42")), (2, None));
        }
        assert!(refused("{\n\"1\": \"a\",\n\"2\": \"b\",\n\"1\": \"c\"}").starts_with("PE-MAP-003: lines 2 and 4"));
        assert!(
            refused("[{\"badge\":\"1\",\"employee\":\"a\"},\n{\"badge\":\"2\",\"employee\":\"a\"}]")
                .starts_with("PE-MAP-004: lines 1 and 2")
        );
        assert!(refused("{\"1\":\n \"\"}").starts_with("PE-MAP-002: line 2"));
    }

    #[test]
    fn what_does_not_read_names_its_line_and_quotes_nothing() {
        for (text, line) in [
            ("{\n\"1\": 4711}", 2),
            ("[{\"badge\": 4711, \"employee\": \"a\"}]", 1),
            ("[\n{\"badge\": \"1\",\n \"name\": \"Canary\"}]", 2),
            ("{\"1\": \"a\",\n\"2\" \"Canary\"}", 2),
            ("\"Canary\"", 1),
            ("", 1),
        ] {
            let error = refused(text);
            assert!(error.starts_with(&format!("line {line} does not read; write ")), "{text}: {error}");
            assert!(!error.contains("Canary") && !error.contains("4711"), "{error}");
        }
    }
}
