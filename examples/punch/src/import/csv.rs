//! CSV: a line of names, then rows. Comma, semicolon or TAB, whichever the first line has most of.

use super::table::{Entry, Table};

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Table<'_>, String> {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut table, mut record) = (Table::of(Vec::new()), ::csv::StringRecord::new());
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let line = usize::try_from(reader.position().line()).unwrap_or(usize::MAX);
        let more = reader.read_record(&mut record).map_err(|error| error.to_string())?;
        if !more {
            return Ok(table);
        }
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let raw = text.get(start..end).unwrap_or_default();
        let texts = record.iter().map(|value| value.trim().to_owned());
        if table.head.is_none() {
            table.columns = texts.collect();
            table.head = Some(raw);
            continue;
        }
        let values: Vec<Option<String>> = texts.map(Some).collect();
        let expected = table.columns.len();
        let values = if values.len() > expected {
            Err(format!("has {} values, expected {expected}", values.len()))
        } else {
            Ok(values)
        };
        table.entries.push(Entry { line, raw, values });
    }
}
