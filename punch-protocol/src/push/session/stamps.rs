use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;

use super::super::upload::UploadHead;

/// The resume marks of one terminal: how far it says it has come, table by table.
///
/// A mark is the terminal's own text. It is stored and given back, never compared: firmware writes packed times,
/// constants, counters and dates there.
///
/// ```
/// use punch_protocol::push::Stamps;
///
/// let mut stamps = Stamps::default();
/// assert!(stamps.set("attlog", "9999"));
/// assert!(!stamps.set("rtlog", "1"), "access terminals have no marks");
/// assert_eq!(stamps.get("ATTLOG"), Some("9999"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamps(BTreeMap<&'static str, String>);

impl Stamps {
    /// The tables whose marks are kept. Those of photos and templates are not: nobody asks for them.
    pub const TABLES: [&'static str; 4] = ["ATTLOG", "OPERLOG", "IDCARD", "ERRORLOG"];

    /// Whether `table` is one whose mark is kept, whatever its letter case.
    pub fn has(table: &str) -> bool {
        Self::table(table).is_some()
    }

    /// The mark of `table`.
    pub fn get(&self, table: &str) -> Option<&str> {
        self.0.get(Self::table(table)?).map(String::as_str)
    }

    /// Sets the mark of `table`; whether it is a table with a mark.
    pub fn set(&mut self, table: &str, stamp: &str) -> bool {
        let Some(table) = Self::table(table) else { return false };
        self.0.insert(table, stamp.to_owned());
        true
    }

    /// Sets the mark that an upload carries, if its table has one.
    pub fn advance(&mut self, head: &UploadHead) {
        if let Some(stamp) = head.stamp() {
            self.set(head.table().as_str(), stamp);
        }
    }

    /// The marks there are, in the order of the tables' names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(table, stamp)| (*table, stamp.as_str()))
    }

    fn table(name: &str) -> Option<&'static str> {
        Self::TABLES.into_iter().find(|table| table.eq_ignore_ascii_case(name))
    }
}
