use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The answer to a request, kept to be given again. `Debug` does not show the body: it may name a person.
///
/// Of the headers only those are kept that belong to the body. The others are of their moment: date, request id, rate.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedAnswer {
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Location`.
    pub location: Option<String>,
    /// The body, at most [`SavedAnswer::MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

impl SavedAnswer {
    /// The longest body kept, in bytes.
    pub const MAX_BODY: usize = 65_536;

    /// An answer with a body and no header.
    ///
    /// # Errors
    ///
    /// [`AnswerTooLarge`] if the body is longer than [`SavedAnswer::MAX_BODY`].
    pub fn new(status: u16, body: Vec<u8>) -> Result<Self, AnswerTooLarge> {
        if body.len() > Self::MAX_BODY {
            return Err(AnswerTooLarge { len: body.len() });
        }
        Ok(Self { status, content_type: None, location: None, body })
    }

    /// Whether a repeated request is given this answer. What a server could not do, or not now, is tried again.
    pub fn is_kept(&self) -> bool {
        (200..500).contains(&self.status) && !matches!(self.status, 408 | 425 | 429)
    }
}

impl fmt::Debug for SavedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SavedAnswer({}, {} bytes)", self.status, self.body.len())
    }
}

/// An answer is too long to be kept, so its request could not be repeated. Undo what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "PW-IDM-005: answer to be kept has {len} bytes, expected at most 65536; answer a mutation with an id and let the \
     client read the rest"
)]
#[non_exhaustive]
pub struct AnswerTooLarge {
    /// Bytes found.
    pub len: usize,
}

impl AnswerTooLarge {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        "PW-IDM-005"
    }
}
