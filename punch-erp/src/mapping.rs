use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use punch_webhook::ReceivedPunch;

use crate::ParkReason;

/// Whose badge is whose, where terminal and ERP number people differently: a table of two columns, `badge,employee`.
///
/// What an employee is called depends on the ERP and its settings: the value of the `badge_field`, an assignment, an
/// `employeeInternalId`. A badge that is not in the table is nobody's. `Debug` shows the count only.
///
/// ```
/// use punch_erp::Mapping;
///
/// let mapping = Mapping::parse("badge,employee\n0042,HR-EMP-00001\n0043,HR-EMP-00002\n")?;
/// assert_eq!(mapping.employee("0042"), Some("HR-EMP-00001"));
/// let error = Mapping::parse("42,HR-EMP-00001\n43,HR-EMP-00002\n42,HR-EMP-00003\n").unwrap_err();
/// assert!(error.to_string().contains("lines 1 and 3"));
/// # Ok::<(), punch_erp::MappingError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mapping(BTreeMap<String, String>);

impl Mapping {
    /// The longest badge and the longest name of an employee, in bytes.
    pub const MAX_TEXT: usize = 140;

    /// Reads a table: a line a badge, the two columns parted by a comma, a semicolon or a tab, in quotes or not. A first line
    /// `badge,employee`, empty lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    ///
    /// [`MappingError`] names the line, or both lines that contradict each other.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mut table = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let (badge, employee) = columns(line).ok_or(MappingError::NotTwoColumns { line: number })?;
            if table.is_empty() && badge.eq_ignore_ascii_case("badge") {
                continue;
            }
            table.push(MappingLine { line: number, badge, employee });
        }
        Self::of(table)
    }

    /// A table of lines that were read from some other form.
    ///
    /// # Errors
    ///
    /// [`MappingError`] names the line, or both lines that contradict each other.
    pub fn of(lines: impl IntoIterator<Item = MappingLine>) -> Result<Self, MappingError> {
        let (mut badges, mut employees) = (BTreeMap::new(), BTreeMap::new());
        for MappingLine { line: number, badge, employee } in lines {
            let is_fit = |text: &str| (1..=Self::MAX_TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
            if !is_fit(&badge) || !is_fit(&employee) {
                return Err(MappingError::Unfit { line: number });
            }
            if let Some((first, _)) = badges.insert(badge, (number, employee.clone())) {
                return Err(MappingError::Ambiguous { first, second: number });
            }
            if let Some(first) = employees.insert(employee, number) {
                return Err(MappingError::Repeated { first, second: number });
            }
        }
        Ok(Self(badges.into_iter().map(|(badge, (_, employee))| (badge, employee)).collect()))
    }

    /// Whose badge it is.
    pub fn employee(&self, badge: &str) -> Option<&str> {
        self.0.get(badge).map(String::as_str)
    }

    /// How many badges it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the employee in the place of the badge.
    ///
    /// # Errors
    ///
    /// [`ParkReason::UnknownEmployee`]: the badge is not in the table.
    pub fn apply(&self, punch: &mut ReceivedPunch) -> Result<(), ParkReason> {
        self.employee(&punch.badge).ok_or(ParkReason::UnknownEmployee)?.clone_into(&mut punch.badge);
        Ok(())
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("badges", &self.0.len()).finish_non_exhaustive()
    }
}

/// One line of a table of badges. `Debug` shows its number only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MappingLine {
    /// Where it stands, from 1.
    pub line: usize,
    /// The badge.
    pub badge: String,
    /// Whose it is.
    pub employee: String,
}

impl MappingLine {
    /// Both columns of a line.
    pub fn new(line: usize, badge: impl Into<String>, employee: impl Into<String>) -> Self {
        Self { line, badge: badge.into(), employee: employee.into() }
    }
}

impl fmt::Debug for MappingLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappingLine").field("line", &self.line).finish_non_exhaustive()
    }
}

/// The two columns of a line, by the first separator outside quotes.
fn columns(line: &str) -> Option<(String, String)> {
    let mut cells: Vec<String> = Vec::new();
    let (mut rest, mut separator) = (line, None);
    loop {
        let (cell, after) = cell(rest, separator)?;
        cells.push(cell);
        let Some(found) = after.chars().next() else { break };
        separator = Some(found);
        rest = after.get(found.len_utf8()..)?;
    }
    let [badge, employee] = <[String; 2]>::try_from(cells).ok()?;
    Some((badge, employee))
}

/// The first cell, and what is behind it, beginning with the separator.
fn cell(text: &str, separator: Option<char>) -> Option<(String, &str)> {
    let parts = |c: char| separator.map_or(matches!(c, ',' | ';' | '\t'), |separator| c == separator);
    let Some(mut quoted) = text.trim_start_matches(' ').strip_prefix('"') else {
        let end = text.find(parts).unwrap_or(text.len());
        let (cell, after) = text.split_at_checked(end)?;
        return Some((cell.trim().into(), after));
    };
    let mut cell = String::new();
    loop {
        let (inside, after) = quoted.split_once('"')?;
        cell.push_str(inside);
        // Two quotes are one.
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                quoted = more;
            }
            None => {
                let after = after.trim_start_matches(' ');
                return after.chars().next().is_none_or(parts).then_some((cell, after));
            }
        }
    }
}

/// What is wrong with a table of badges. The texts name lines, never a badge or an employee.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// Not two columns.
    #[error("PE-MAP-001: line {line} is not `badge,employee`; write two columns, in quotes if they hold the separator")]
    NotTwoColumns {
        /// The line, from 1.
        line: usize,
    },
    /// A column is empty, too long or holds a control character.
    #[error(
        "PE-MAP-002: line {line} has a column that is empty, over 140 bytes or not printable; fill it in, or drop the line"
    )]
    Unfit {
        /// The line, from 1.
        line: usize,
    },
    /// A badge stands on two lines.
    #[error("PE-MAP-003: lines {first} and {second} have the same badge; leave it with one employee")]
    Ambiguous {
        /// The earlier line, from 1.
        first: usize,
        /// The later line.
        second: usize,
    },
    /// An employee stands on two lines: the punches would not come in order.
    #[error(
        "PE-MAP-004: lines {first} and {second} have the same employee; leave one badge each, or register both numbers as one person in the gateway"
    )]
    Repeated {
        /// The earlier line, from 1.
        first: usize,
        /// The later line.
        second: usize,
    },
}

impl MappingError {
    /// Every code, in order.
    pub const CODES: [&'static str; 4] = ["PE-MAP-001", "PE-MAP-002", "PE-MAP-003", "PE-MAP-004"];

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotTwoColumns { .. } => "PE-MAP-001",
            Self::Unfit { .. } => "PE-MAP-002",
            Self::Ambiguous { .. } => "PE-MAP-003",
            Self::Repeated { .. } => "PE-MAP-004",
        }
    }
}
