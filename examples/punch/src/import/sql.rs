//! A table of an SQL dump: INSERT statements of MySQL, SQLite and PostgreSQL, or the COPY of the last.

use super::table::{Entry, Lines, Table};

/// Reads the rows of one table.
pub(super) fn read<'t>(text: &'t str, wanted: &str) -> Result<Table<'t>, String> {
    let mut dump = Dump { text, at: 0, lines: Lines::default(), table: Table::of(Vec::new()) };
    while dump.skip_blank() {
        dump.statement(wanted);
    }
    if dump.table.columns.is_empty() {
        return Err(format!("has no rows of a table `{wanted}` with named columns; say its name with --table"));
    }
    let columns = dump.table.columns.join(", ");
    dump.table.insert = Some(format!("INSERT INTO {wanted} ({columns}) VALUES"));
    Ok(dump.table)
}

struct Dump<'t> {
    text: &'t str,
    at: usize,
    lines: Lines,
    table: Table<'t>,
}

/// What stands in a value list.
enum Token<'t> {
    Word(&'t str),
    Text(String),
    Mark(char),
}

impl<'t> Dump<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks and comments; `false` at the end.
    fn skip_blank(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            let rest = rest.trim_start();
            let comment = if rest.starts_with("--") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                0
            };
            self.at += blank + comment;
            if comment == 0 {
                return !rest.is_empty();
            }
        }
    }

    fn token(&mut self) -> Option<Token<'t>> {
        if !self.skip_blank() {
            return None;
        }
        let rest = self.rest();
        let first = rest.chars().next()?;
        match first {
            '\'' | '"' | '`' | '[' => Some(Token::Text(self.quoted(if first == '[' { ']' } else { first }))),
            '(' | ')' | ',' | ';' | '=' => {
                self.at += 1;
                Some(Token::Mark(first))
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || "(),;='\"`[".contains(c);
                // Whatever it is, it is passed over.
                let len = rest.find(is_end).unwrap_or(rest.len()).max(first.len_utf8());
                self.at += len;
                Some(Token::Word(rest.get(..len).unwrap_or_default()))
            }
        }
    }

    /// A text up to its quote; doubled or behind a backslash it is one of the text.
    fn quoted(&mut self, end: char) -> String {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if end == '\'' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                c if c == end && chars.peek().is_some_and(|(_, next)| *next == end) => {
                    chars.next();
                    text.push(end);
                }
                c if c == end => {
                    self.at += at + end.len_utf8();
                    return text;
                }
                c => text.push(c),
            }
        }
        self.at = self.text.len();
        text
    }

    fn statement(&mut self, wanted: &str) {
        let first = self.token();
        let verb = if let Some(Token::Word(word)) = &first { word.to_ascii_uppercase() } else { String::new() };
        match verb.as_str() {
            "INSERT" | "REPLACE" if self.is_about(wanted, &["INTO"]) => self.insert(),
            "CREATE" if self.is_about(wanted, &["TABLE"]) => self.create(),
            "COPY" if self.is_about(wanted, &[]) => self.copy(),
            _ if matches!(first, Some(Token::Mark(';'))) => {}
            _ => self.skip_statement(),
        }
    }

    fn skip_statement(&mut self) {
        while self.token().is_some_and(|token| !matches!(token, Token::Mark(';'))) {}
    }

    /// Whether the statement goes on with these words, and then names the table. What stands in between, such as IGNORE or
    /// IF NOT EXISTS, does not matter.
    fn is_about(&mut self, wanted: &str, words: &[&str]) -> bool {
        const BETWEEN: [&str; 7] = ["IF", "NOT", "EXISTS", "OR", "IGNORE", "LOW_PRIORITY", "DELAYED"];
        let mut words = words.iter();
        let mut next = words.next();
        loop {
            let start = self.at;
            let name = match self.token() {
                Some(Token::Word(word)) if next.is_some_and(|next| word.eq_ignore_ascii_case(next)) => {
                    next = words.next();
                    continue;
                }
                Some(Token::Word(word))
                    if next.is_some() || BETWEEN.iter().any(|known| word.eq_ignore_ascii_case(known)) =>
                {
                    continue;
                }
                Some(Token::Word(word)) if next.is_none() => word.to_owned(),
                Some(Token::Text(text)) if next.is_none() => text,
                _ => {
                    self.at = start;
                    return false;
                }
            };
            return self.is_name(name, wanted);
        }
    }

    /// A name may have a schema in front, in quotes of its own.
    fn is_name(&mut self, mut name: String, wanted: &str) -> bool {
        while let Some(rest) = self.rest().strip_prefix('.') {
            self.at = self.text.len() - rest.len();
            match self.token() {
                Some(Token::Word(word)) => word.clone_into(&mut name),
                Some(Token::Text(text)) => name = text,
                _ => return false,
            }
        }
        let last = name.rsplit('.').next().unwrap_or(&name);
        last.eq_ignore_ascii_case(wanted)
    }

    /// The columns of a table, for inserts that do not name them.
    fn create(&mut self) {
        const NO_COLUMNS: [&str; 9] =
            ["PRIMARY", "KEY", "UNIQUE", "CONSTRAINT", "INDEX", "FOREIGN", "CHECK", "FULLTEXT", "SPATIAL"];
        let (mut columns, mut depth, mut is_first) = (Vec::new(), 0_u32, false);
        while let Some(token) = self.token() {
            match token {
                Token::Mark('(') => {
                    depth += 1;
                    is_first = depth == 1;
                }
                Token::Mark(')') => depth = depth.saturating_sub(1),
                Token::Mark(',') if depth == 1 => is_first = true,
                Token::Mark(';') => break,
                Token::Word(word) if is_first && NO_COLUMNS.iter().any(|known| word.eq_ignore_ascii_case(known)) => {
                    is_first = false;
                }
                Token::Word(word) if core::mem::take(&mut is_first) => columns.push(word.to_owned()),
                Token::Text(text) if core::mem::take(&mut is_first) => columns.push(text),
                _ => is_first = false,
            }
        }
        if self.table.columns.is_empty() {
            self.table.columns = columns;
        }
    }

    fn insert(&mut self) {
        let mut named = None;
        loop {
            self.skip_blank();
            let start = self.at;
            match self.token() {
                Some(Token::Mark('(')) => {
                    let values = self.list();
                    if named.is_none() {
                        named = Some(values.into_iter().map(Option::unwrap_or_default).collect());
                    }
                }
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("VALUES") => break,
                Some(Token::Mark(';')) | None => return,
                _ => self.at = self.at.max(start + 1),
            }
        }
        let order = self.order(named);
        while self.skip_blank() {
            let start = self.at;
            match self.token() {
                Some(Token::Mark('(')) => {
                    let values = self.list();
                    self.keep(start, values, order.as_ref());
                }
                Some(Token::Mark(',')) => {}
                Some(Token::Mark(';')) | None => return,
                Some(_) => return self.skip_statement(),
            }
        }
    }

    /// The values up to the bracket that closes the list.
    fn list(&mut self) -> Vec<Option<String>> {
        let (mut values, mut value, mut depth) = (Vec::new(), None, 0_u32);
        while let Some(token) = self.token() {
            match token {
                Token::Mark(')') if depth == 0 => break,
                Token::Mark(')') => depth -= 1,
                Token::Mark('(') => depth += 1,
                Token::Mark(',') if depth == 0 => values.push(value.take()),
                Token::Mark(_) => {}
                Token::Word(word) if word.eq_ignore_ascii_case("NULL") || word.starts_with('_') => {}
                Token::Word(word) if word.eq_ignore_ascii_case("true") => value = Some("1".to_owned()),
                Token::Word(word) if word.eq_ignore_ascii_case("false") => value = Some("0".to_owned()),
                // `b'1'`: what counts stands in the quotes.
                Token::Word(word) => value = value.or(Some(word.to_owned())),
                Token::Text(text) => value = Some(text),
            }
        }
        values.push(value);
        values
    }

    /// Where the columns of the table stand in a list with these names; `None` if in their own order.
    fn order(&mut self, named: Option<Vec<String>>) -> Option<Vec<Option<usize>>> {
        let named: Vec<String> = named?;
        if self.table.columns.is_empty() || self.table.entries.is_empty() {
            self.table.columns = named;
            return None;
        }
        let place = |column: &String| named.iter().position(|name| name.eq_ignore_ascii_case(column));
        Some(self.table.columns.iter().map(place).collect())
    }

    fn keep(&mut self, start: usize, values: Vec<Option<String>>, order: Option<&Vec<Option<usize>>>) {
        let raw = self.text.get(start..self.at).unwrap_or_default();
        let expected = order.map_or(self.table.columns.len(), |_| values.len());
        let values = match order {
            _ if values.len() != expected => Err(format!("has {} values, expected {expected}", values.len())),
            None => Ok(values),
            Some(order) => Ok(order.iter().map(|place| values.get((*place)?).cloned().flatten()).collect()),
        };
        let line = self.lines.of(self.text, start);
        self.table.entries.push(Entry { line, raw, values });
    }

    /// `COPY table (columns) FROM stdin;`, then lines with TABs up to `\.`.
    fn copy(&mut self) {
        let mut named = None;
        while let Some(token) = self.token() {
            match token {
                Token::Mark('(') => named = Some(self.list().into_iter().map(Option::unwrap_or_default).collect()),
                Token::Mark(';') => break,
                _ => {}
            }
        }
        let order = self.order(named);
        let rest = self.rest();
        let mut start = self.at + rest.find('\n').map_or(rest.len(), |end| end + 1);
        while let Some(line) = self.text.get(start..).and_then(|rest| rest.lines().next()) {
            self.at = (start + line.len()).min(self.text.len());
            if line != "\\." && !line.is_empty() {
                let value = |value: &str| Some(value.to_owned()).filter(|value| value != "\\N");
                self.keep(start, line.split('\t').map(value).collect(), order.as_ref());
            }
            start = self.at + 1;
            if line == "\\." {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    /// A row, and the line on which it begins.
    type Placed = (usize, Vec<Option<String>>);

    fn rows(text: &str) -> (Vec<String>, Vec<Placed>) {
        let table = read(text, "attendances").unwrap();
        let rows = table.entries.into_iter().map(|entry| (entry.line, entry.values.unwrap()));
        (table.columns, rows.collect())
    }

    fn texts(values: &[Option<&str>]) -> Vec<Option<String>> {
        values.iter().map(|value| value.map(ToOwned::to_owned)).collect()
    }

    #[test]
    fn a_dump_of_mysql_gives_the_rows_of_its_table_with_their_lines() {
        let dump = "-- MySQL dump\n/*!40101 SET NAMES utf8 */;\nCREATE TABLE `devices` (`id` int, `nama` varchar(9));\n\
                    INSERT INTO `devices` VALUES (1,'a;b''(');\n\
                    CREATE TABLE `attendances` (\n  `id` bigint(20) unsigned NOT NULL,\n  `sn` varchar(255),\n\
                    `timestamp` datetime DEFAULT '2000-01-01',\n  `status1` tinyint(1),\n  PRIMARY KEY (`id`)\n);\n\
                    INSERT INTO `attendances` VALUES (1,'A\\'1','2026-03-28 08:00:00',NULL),\n(2,'B','2026-03-28 09:00:00',b'1');\n";
        let (columns, rows) = rows(dump);
        assert_eq!(columns, ["id", "sn", "timestamp", "status1"]);
        assert_eq!(rows[0], (12, texts(&[Some("1"), Some("A'1"), Some("2026-03-28 08:00:00"), None])));
        assert_eq!(rows[1], (13, texts(&[Some("2"), Some("B"), Some("2026-03-28 09:00:00"), Some("1")])));
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn a_dump_of_postgresql_is_read_by_insert_and_by_copy_and_columns_may_change_places() {
        let copied = "SET x = 0;\nCOPY public.attendances (id, sn, employee_id) FROM stdin;\n1\tA\t7\n2\t\\N\t8\n\\.\n\nSELECT 1;\n";
        let (columns, read) = rows(copied);
        assert_eq!(columns, ["id", "sn", "employee_id"]);
        assert_eq!(read, [(3, texts(&[Some("1"), Some("A"), Some("7")])), (4, texts(&[Some("2"), None, Some("8")]))]);

        let inserted = "INSERT INTO \"public\".\"attendances\" (id, sn) VALUES (1, 'A');\n\
                        insert or ignore into attendances (sn, id) values ('B', 2);";
        assert_eq!(rows(inserted).1, [(1, texts(&[Some("1"), Some("A")])), (2, texts(&[Some("2"), Some("B")]))]);
    }

    #[test]
    fn a_dump_without_the_table_says_how_to_name_another() {
        let error = read("INSERT INTO punches (a) VALUES (1);", "attendances").err().unwrap();
        assert!(error.contains("--table"), "{error}");
        let torn = read("INSERT INTO attendances (a, b) VALUES (1, 'x", "attendances").unwrap();
        assert_eq!(torn.entries.len(), 1, "what is torn is a row with what it has");
    }
}
