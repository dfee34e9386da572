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
    /// Bytes of a request body. Default 8 MiB; the handshake advertises 1 MiB (`MaxPostSize`).
    pub body: usize,
    /// Bytes of the query string. Default 8 KiB.
    pub query: usize,
    /// Bytes of one row. Default 1 MiB, room for a base64 template; longer rows are skipped with an error.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 8 << 20, query: 8 << 10, line: 1 << 20 }
    }
}
