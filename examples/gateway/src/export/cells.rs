use serde_json::Value;

/// Writes rows as CSV that a spreadsheet shows and never carries out.
#[derive(Debug)]
pub(crate) struct Cells {
    names: Option<Vec<&'static str>>,
}

impl Cells {
    /// The names come before the first rows.
    pub(crate) fn new(names: impl Into<Vec<&'static str>>) -> Self {
        Self { names: Some(names.into()) }
    }

    /// The next rows, and the names if they are the first.
    pub(crate) fn rows<R>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>, csv::Error>
    where
        R: IntoIterator<Item = String>,
    {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if let Some(names) = self.names.take() {
            writer.write_record(names)?;
        }
        for row in rows {
            writer.write_record(row.into_iter().map(harmless))?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}

/// What a spreadsheet would take for a formula gets an apostrophe in front, by which it is a text.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

/// What stands somewhere in an object, as the text of a cell.
pub(super) fn text(value: &Value, place: &str) -> String {
    match value.pointer(place) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Cells;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_its_row() {
        let row = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a,b", "say \"a\"", "two\nlines", "plain", ""];
        let bytes = Cells::new(["x"; 11]).rows([row.map(str::to_owned)]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (names, rest) = text.split_once("\r\n").unwrap();
        assert_eq!(names, ["x"; 11].join(","));
        assert_eq!(rest, "'=1+1,'+1,'-1,'@SUM(A1),'\t=1,\"'\r=1\",\"a,b\",\"say \"\"a\"\"\",\"two\nlines\",plain,\r\n");
        assert!(!Cells::new(["x"]).rows(Vec::<Vec<String>>::new()).unwrap().is_empty(), "the names are always there");
    }
}
