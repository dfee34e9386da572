/// How much a terminal may send. Every field has a default that real traffic stays far below.
///
/// ```
/// use punch_protocol::push::Limits;
///
/// let limits = Limits { body: 64 << 20, ..Limits::default() };
/// assert_eq!(limits.line, 1 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct Limits {
    /// Bytes of a request body that is read whole. Default 8 MiB; the handshake advertises 1 MiB (`MaxPostSize`).
    pub body: usize,
    /// Bytes of an upload that is read in pieces ([`RowStream`](super::RowStream)), which costs no memory.
    /// Default 64 MiB.
    pub stream: usize,
    /// Bytes of the query string. Default 8 KiB.
    pub query: usize,
    /// Bytes of one row. Default 1 MiB, room for a base64 template; longer rows are skipped with an error.
    pub line: usize,
    /// TAB-separated fields of a punch or an operation. Default 64; twelve are known. A row with more is an
    /// error with its bytes.
    pub fields: usize,
    /// `key=value` pairs of a row. Default 256; an identity card, the widest row known, has 17. A row with more
    /// is an error with its bytes.
    pub pairs: usize,
    /// Bytes of the text before a picture that is read in pieces. Default 16 KiB; a real one has about 100.
    pub picture_head: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            stream: 64 << 20,
            query: 8 << 10,
            line: 1 << 20,
            fields: 64,
            pairs: 256,
            picture_head: 16 << 10,
        }
    }
}
