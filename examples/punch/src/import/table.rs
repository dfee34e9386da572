use punch_protocol::SerialNumber;

use super::Format;

/// The rows of a file, whatever its kind: texts in named columns.
pub(super) struct Table<'t> {
    /// Names of the columns.
    pub(super) columns: Vec<String>,
    /// The terminal, if the file says it once for all.
    pub(super) serial: Option<SerialNumber>,
    /// What stands before the rows and has to stand before those that are rejected too.
    pub(super) head: Option<&'t str>,
    /// What makes a statement of a row that is rejected; nothing if the row stands for itself.
    pub(super) insert: Option<String>,
    /// The rows.
    pub(super) entries: Vec<Entry<'t>>,
}

/// One row.
pub(super) struct Entry<'t> {
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// As it stands in the file.
    pub(super) raw: &'t str,
    /// A value for each column, or what is wrong with all of it.
    pub(super) values: Result<Vec<Option<String>>, String>,
}

impl<'t> Table<'t> {
    /// Without rows.
    pub(super) fn of(columns: Vec<String>) -> Self {
        Self { columns, serial: None, head: None, insert: None, entries: Vec::new() }
    }

    /// A row as it can be read again.
    pub(super) fn statement(&self, raw: &str) -> String {
        let raw = raw.trim_end_matches(['\r', '\n']);
        match (&self.insert, self.head) {
            (Some(insert), _) => format!("{insert} {raw};"),
            (None, Some(_)) => raw.to_owned(),
            // No text of JSON has a line end in it, so one stands between members and may be a blank.
            (None, None) => raw.replace(['\r', '\n'], " "),
        }
    }
}

impl Format {
    /// What a content looks like.
    pub(super) fn of(text: &str) -> Self {
        let start = text.trim_start();
        if start.starts_with('[') || start.starts_with('{') {
            return Self::Json;
        }
        let is_statement = |line: &str| {
            let line = line.trim_start().to_ascii_uppercase();
            ["INSERT ", "CREATE TABLE ", "COPY "].iter().any(|word| line.starts_with(word))
        };
        // Dumps of whole databases begin with comments, and with tables that are not asked for.
        if text.lines().any(is_statement) {
            return Self::Sql;
        }
        let is_punch = |line: &str| {
            let time = line.split('\t').nth(1).unwrap_or_default();
            punch_protocol::civil::parse(time.trim().as_bytes()).is_ok()
        };
        // The first line may be the serial number.
        if text.lines().take(3).any(is_punch) { Self::Attlog } else { Self::Csv }
    }
}

/// Counts lines while it goes forward.
#[derive(Default)]
pub(super) struct Lines {
    at: usize,
    line: usize,
}

impl Lines {
    /// The line, from 1, of a place that is not before the last one.
    pub(super) fn of(&mut self, text: &str, at: usize) -> usize {
        let between = text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        self.at = self.at.max(at);
        self.line + 1
    }
}
