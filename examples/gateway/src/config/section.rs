use core::str::FromStr;
use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{ConfigError, ConfigErrors};

/// A table of the file that hands out its keys one by one and remembers what was wrong with them.
///
/// What nobody asked for by the time it is absorbed is an unknown key, hence an error.
#[derive(Debug)]
pub struct Section {
    path: String,
    table: Table,
    errors: Vec<ConfigError>,
    known: Vec<String>,
}

impl Section {
    /// Reads a whole file: `take` asks for every key there is.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with it.
    pub fn read<T>(text: &str, take: impl FnOnce(&mut Self) -> T) -> Result<T, ConfigErrors> {
        let table = text.parse::<Table>().map_err(|error| {
            // The line itself is not shown: a secret may stand on it.
            let place = error.span().and_then(|span| text.get(..span.start)).map(place_after);
            let problem = format!("{}: {}", place.unwrap_or_default(), error.message());
            ConfigErrors(vec![ConfigError { key: "file".to_owned(), problem }])
        })?;
        let mut root = Self::new("", table);
        let taken = take(&mut root);
        let errors = root.finish();
        if errors.is_empty() { Ok(taken) } else { Err(ConfigErrors(errors)) }
    }

    /// A table of a file, and where it stands there: nothing, or a name like `device[1]`.
    pub fn new(path: &str, table: Table) -> Self {
        Self { path: path.to_owned(), table, errors: Vec::new(), known: Vec::new() }
    }

    /// Where it stands in the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Remembers what is wrong with a key.
    pub fn complain(&mut self, key: &str, problem: String) {
        self.errors.push(ConfigError { key: self.path_of(key), problem });
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.table.remove(key)
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => {
                self.complain(key, format!("is {}, expected text in quotes", kind(&other)));
                None
            }
        }
    }

    /// A text, or a list of them.
    pub fn text_or_texts(&mut self, key: &str) -> Option<Vec<String>> {
        match self.table.get(key) {
            Some(Value::String(_)) => self.text(key).map(|text| vec![text]),
            _ => self.texts(key),
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let value = self.take(key)?;
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect::<Option<Vec<String>>>()
        });
        if texts.is_none() {
            self.complain(key, format!("is {}, expected a list of texts", kind(&value)));
        }
        texts
    }

    /// A table of texts, empty if there is none.
    pub fn table_of_texts(&mut self, key: &str) -> BTreeMap<String, String> {
        let table = self.section(key).table;
        let mut texts = BTreeMap::new();
        for (name, value) in table {
            match value {
                Value::String(text) => drop(texts.insert(name, text)),
                other => self.complain(key, format!("has `{name}`, {}, expected text in quotes", kind(&other))),
            }
        }
        texts
    }

    /// A text that has to be there.
    pub fn required(&mut self, key: &str, expected: &str) -> Option<String> {
        if !self.table.contains_key(key) {
            self.known.push(key.to_owned());
            self.complain(key, format!("missing, expected {expected}"));
        }
        self.text(key)
    }

    /// A text that reads as something else.
    pub fn parsed<T: FromStr>(&mut self, key: &str, expected: &str) -> Option<T> {
        let text = self.text(key)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.complain(key, format!("`{text}` does not read, expected {expected}"));
        }
        value
    }

    /// A day or a moment, in quotes or not.
    pub fn dated<T: FromStr>(&mut self, key: &str, expected: &str) -> Option<T> {
        let text = match self.take(key)? {
            Value::String(text) => text,
            Value::Datetime(time) => time.to_string(),
            other => {
                self.complain(key, format!("is {}, expected {expected}", kind(&other)));
                return None;
            }
        };
        let value = text.parse().ok();
        if value.is_none() {
            self.complain(key, format!("`{text}` does not read, expected {expected}"));
        }
        value
    }

    /// Whether there is such a key, asked for or not.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether there is such a key and it is this text, asked for or not.
    pub fn is_text(&self, key: &str, text: &str) -> bool {
        self.table.get(key).and_then(Value::as_str) == Some(text)
    }

    /// Whether there is such a key and it is true or false, asked for or not.
    pub fn is_switch(&self, key: &str) -> bool {
        matches!(self.table.get(key), Some(Value::Boolean(_)))
    }

    /// True or false.
    pub fn switch(&mut self, key: &str) -> Option<bool> {
        match self.take(key)? {
            Value::Boolean(on) => Some(on),
            other => {
                self.complain(key, format!("is {}, expected true or false", kind(&other)));
                None
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub fn whole_number(&mut self, key: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.take(key)?;
        let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.complain(key, format!("is {}, expected a whole number from {least} to {most}", shown(&value)));
        }
        number
    }

    /// One of some words.
    pub fn one_of<T: Clone>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let choice = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
        if choice.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.complain(key, format!("is `{text}`, expected one of: {}", words.join(", ")));
        }
        choice
    }

    /// Every key that nobody has asked for yet.
    pub fn rest(&mut self) -> Table {
        std::mem::take(&mut self.table)
    }

    /// The table under `key`, empty if there is none.
    pub fn section(&mut self, key: &str) -> Self {
        let path = self.path_of(key);
        match self.take(key) {
            Some(Value::Table(table)) => Self::new(&path, table),
            Some(other) => {
                self.complain(key, format!("is {}, expected a section `[{key}]`", kind(&other)));
                Self::new(&path, Table::new())
            }
            None => Self::new(&path, Table::new()),
        }
    }

    /// The entries of `[[key]]`.
    pub fn sections(&mut self, key: &str) -> Vec<Self> {
        let entries = match self.take(key) {
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                self.complain(key, format!("expected entries written as `[[{key}]]`"));
                Vec::new()
            }
            None => Vec::new(),
        };
        let mut sections = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let path = format!("{key}[{}]", index.saturating_add(1));
            match entry {
                Value::Table(table) => sections.push(Self::new(&path, table)),
                _ => self.complain(&path, format!("expected an entry written as `[[{key}]]`")),
            }
        }
        sections
    }

    /// Takes over the errors of a finished inner section.
    pub fn absorb(&mut self, inner: Self) {
        self.errors.extend(inner.finish());
    }

    /// Everything that was wrong, unknown keys last.
    pub fn finish(mut self) -> Vec<ConfigError> {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for key in unknown {
            let mut known = self.known.clone();
            known.sort();
            let cure = match known.iter().find(|candidate| is_close(candidate, &key)) {
                Some(candidate) => format!("unknown key; did you mean `{candidate}`?"),
                None => format!("unknown key; known here: {}", known.join(", ")),
            };
            self.complain(&key, cure);
        }
        self.errors
    }
}

/// Where the character behind `before` stands.
fn place_after(before: &str) -> String {
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    format!("line {line}, column {column}")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "a switch",
        Value::Datetime(_) => "a time",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

fn shown(value: &Value) -> String {
    value.as_integer().map_or_else(|| kind(value).to_owned(), |number| number.to_string())
}

/// Whether two keys differ by at most two single-letter edits.
fn is_close(one: &str, other: &str) -> bool {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
        for (j, b) in other.chars().enumerate() {
            let above = row.get(j.saturating_add(1)).copied().unwrap_or(usize::MAX);
            let left = row.get(j).copied().unwrap_or(usize::MAX);
            let replaced = diagonal.saturating_add(usize::from(a != b));
            let best = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            if let Some(slot) = row.get_mut(j.saturating_add(1)) {
                *slot = best;
            }
            diagonal = above;
        }
    }
    row.last().is_some_and(|&distance| distance <= 2)
}
