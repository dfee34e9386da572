use core::fmt;

use super::query::Query;

/// A part of a file that a controller posts to `file`.
///
/// The parts of one file are numbered; what is in them is not looked at here.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilePart<'a> {
    /// Number of the part (`fileseq`), as counted by the terminal.
    pub sequence: Option<u32>,
    /// Whether the file is a packed archive (`contenttype=tgz`).
    pub packed: bool,
    /// The bytes.
    pub body: &'a [u8],
}

impl<'a> FilePart<'a> {
    pub(super) fn new(query: &Query<'_>, body: &'a [u8]) -> Self {
        let packed = query.get("contenttype").is_some_and(|kind| kind.eq_ignore_ascii_case("tgz"));
        Self { sequence: query.number("fileseq"), packed, body }
    }
}

impl fmt::Debug for FilePart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilePart({:?}, {} bytes)", self.sequence, self.body.len())
    }
}
