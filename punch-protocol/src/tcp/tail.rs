use core::fmt;

/// Bytes of unknown meaning. `Debug` shows how many.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Tail<'a>(pub(super) &'a [u8]);

impl<'a> Tail<'a> {
    /// The bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}
