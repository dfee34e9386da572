//! Tables of badges in files: CSV, JSON or TOML, by the end of the name.

mod json;
mod toml;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use punch_erp::{Mapping, MappingError, MappingLine};

/// Reads a table of badges from a file: JSON if its name ends with `.json`, TOML with `.toml`, else two columns.
///
/// # Errors
///
/// The file cannot be read, or a line of it is wrong: the text names the file and the lines.
pub fn read_mapping(path: &Path) -> anyhow::Result<Arc<Mapping>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the table of badges {shown}"))?;
    let ends_with = |end: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end));
    let mapping = if ends_with("json") {
        json::read(&text)
    } else if ends_with("toml") {
        toml::read(&text)
    } else {
        Mapping::parse(&text).map_err(Into::into)
    };
    Ok(Arc::new(mapping.with_context(|| format!("the table of badges {shown}"))?))
}

/// What is wrong with a file of badges, beside what its lines say. No text quotes the file.
#[derive(Debug, PartialEq, Eq)]
enum Unread {
    Lines(MappingError),
    /// It does not read, from that line on.
    Form(usize, &'static str),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lines(error) => error.fmt(f),
            Self::Form(line, expected) => write!(f, "line {line} does not read; {expected}"),
        }
    }
}

impl std::error::Error for Unread {}

impl From<MappingError> for Unread {
    fn from(error: MappingError) -> Self {
        Self::Lines(error)
    }
}

/// The line, from 1, that a byte of a text is on.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn entry(line: usize, badge: impl Into<String>, employee: impl Into<String>) -> MappingLine {
    MappingLine::new(line, badge, employee)
}
