/// How much the other side may send. Every field has a default that real traffic stays below.
///
/// ```
/// use punch_protocol::tcp::Limits;
///
/// let limits = Limits { dataset: 64 << 20, ..Limits::default() };
/// assert_eq!(limits.packet, (1 << 20) + 8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct Limits {
    /// Bytes of one packet, header and data. Default 1 MiB and 8: a picture comes in one piece, records come in pieces
    /// of 64 KiB at most.
    pub packet: usize,
    /// Bytes of one dataset, its records together. Default 16 MiB; 100,000 attendance records, the most that terminals
    /// on record have room for, are 4.9 MB.
    pub dataset: usize,
    /// Records that are looked at to tell a layout. Default 2,048.
    pub samples: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { packet: (1 << 20) + 8, dataset: 16 << 20, samples: 2048 }
    }
}
