use super::super::errors::ParseError;

/// Holds back the first bytes of a body while they may be the header of a packed one: `LZO1` and a length.
#[derive(Clone, Copy, Default)]
pub(super) struct Opening {
    bytes: [u8; Self::LEN],
    held: usize,
    decided: bool,
}

impl Opening {
    const LEN: usize = 8;
    const MARK: &'static [u8] = b"LZO1";

    /// Takes what it must hold back of `piece`, and gives the rest.
    pub(super) fn take<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let mut rest = piece;
        while let ([byte, tail @ ..], false) = (rest, self.decided) {
            if Self::MARK.get(self.held).is_some_and(|mark| mark != byte) {
                self.decided = true;
                break;
            }
            if let Some(place) = self.bytes.get_mut(self.held) {
                *place = *byte;
            }
            self.held = self.held.saturating_add(1);
            rest = tail;
            if let (Self::LEN, Some(header)) = (self.held, self.bytes.last_chunk::<4>()) {
                return Err(ParseError::PackedBody { plain_len: u32::from_le_bytes(*header) });
            }
        }
        Ok(rest)
    }

    /// What was held back, once it is known to be an ordinary body.
    pub(super) fn release(&mut self) -> Option<Self> {
        let ready = self.decided && self.held > 0;
        ready.then(|| core::mem::replace(self, Self { decided: true, ..Self::default() }))
    }

    /// The bytes held back.
    pub(super) fn held(&self) -> &[u8] {
        self.bytes.get(..self.held).unwrap_or_default()
    }
}
