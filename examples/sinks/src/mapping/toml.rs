//! `"0042" = "HR-EMP-00001"`, a line a badge.

use punch_erp::{Mapping, MappingError, MappingLine};
use toml::de::{DeTable, DeValue};

use super::{Unread, entry, line_of};

const EXPECTED: &str = "write \"badge\" = \"employee\", a line a badge, with numbers in quotes";

pub(super) fn read(text: &str) -> anyhow::Result<Mapping> {
    Ok(Mapping::of(lines(text)?).map_err(Unread::from)?)
}

fn lines(text: &str) -> Result<Vec<MappingLine>, Unread> {
    let table = DeTable::parse(text).map_err(|error| unread(text, &error))?;
    let mut lines = Vec::new();
    for (badge, employee) in table.get_ref() {
        let line = line_of(text, badge.span().start);
        let DeValue::String(employee) = employee.get_ref() else { return Err(Unread::Form(line, EXPECTED)) };
        lines.push(entry(line, badge.get_ref().clone(), employee.clone()));
    }
    lines.sort_by_key(|line| line.line);
    Ok(lines)
}

/// The parser knows the second of two lines with one badge; the first is looked for.
fn unread(text: &str, error: &toml::de::Error) -> Unread {
    let at = error.span().map_or(0, |span| span.start);
    let second = line_of(text, at);
    let first = || {
        let key = text.get(error.span()?)?;
        let key = DeTable::parse(&format!("{key} = 0")).ok()?.get_ref().keys().next()?.get_ref().to_string();
        let before: String = text.split_inclusive('\n').take(second - 1).collect();
        let known = DeTable::parse(&before).ok()?;
        let (found, _) = known.get_ref().iter().find(|(badge, _)| badge.get_ref().as_ref() == key)?;
        Some(line_of(text, found.span().start))
    };
    match first().filter(|_| error.message().contains("duplicate")) {
        Some(first) => Unread::Lines(MappingError::Ambiguous { first, second }),
        None => Unread::Form(second, EXPECTED),
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
    fn it_reads_and_contradictions_name_both_lines() {
        let mapping = read("# made by hand\n0042 = \"HR-EMP-1\"\n\"43\" = 'Acme, \"1\"'\n").unwrap();
        assert_eq!((mapping.employee("0042"), mapping.employee("43")), (Some("HR-EMP-1"), Some("Acme, \"1\"")));
        assert_eq!((mapping.len(), mapping.employee("42")), (2, None));
        assert!(refused("1 = \"a\"\n2 = \"b\"\n\"1\" = \"c\"\n").starts_with("PE-MAP-003: lines 1 and 3"));
        assert!(refused("1 = \"a\"\n\n2 = \"a\"\n").starts_with("PE-MAP-004: lines 1 and 3"));
        assert!(refused("\n1 = \"\"\n").starts_with("PE-MAP-002: line 2"));
    }

    #[test]
    fn what_does_not_read_names_its_line_and_quotes_nothing() {
        for (text, line) in [
            ("1 = \"a\"\n2 = 4711\n", 2),
            ("1 = \"a\"\nCanary\n", 2),
            ("a.b = \"Canary\"\n", 1),
            ("\n[Canary]\n1 = \"a\"\n", 2),
        ] {
            let error = refused(text);
            assert!(error.starts_with(&format!("line {line} does not read; write ")), "{text}: {error}");
            assert!(!error.contains("Canary") && !error.contains("4711"), "{error}");
        }
    }
}
