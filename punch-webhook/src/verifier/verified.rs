use core::fmt;

use crate::received::{self, ReceiveError, ReceivedEvent};

/// A body whose origin is proven. There is no other way from bytes to a [`ReceivedEvent`].
///
/// `Debug` does not show the body: it names a person.
#[derive(Clone, Copy)]
pub struct Verified<'b> {
    body: &'b [u8],
    scheme: Scheme,
    secret_index: Option<usize>,
}

impl<'b> Verified<'b> {
    /// Vouches for `body` without a signature: for a file or a pipe of your own, never for bytes from a network.
    pub fn assume_verified(body: &'b [u8]) -> Self {
        Self { body, scheme: Scheme::Assumed, secret_index: None }
    }

    pub(super) fn new(body: &'b [u8], scheme: Scheme, secret_index: usize) -> Self {
        Self { body, scheme, secret_index: Some(secret_index) }
    }

    /// The bytes that were verified.
    pub fn body(&self) -> &'b [u8] {
        self.body
    }

    /// What proved them.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Which secret proved them, in the order the verifier was given them, from 0; key pairs count after them. During a roll this tells when
    /// the old one has gone quiet. `None` if no secret did.
    pub fn secret_index(&self) -> Option<usize> {
        self.secret_index
    }

    /// Reads the event, in whichever of the published shapes it is.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`] names the JSON field. Answer 400: the same bytes will not get better.
    pub fn event(&self) -> Result<ReceivedEvent, ReceiveError> {
        received::parse(self.body)
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// What proves the origin of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `webhook-signature` over id, time and body.
    Standard,
    /// `X-PunchConnect-Signature` over the body.
    PunchConnect,
    /// Nothing but the caller's word, see [`Verified::assume_verified`].
    Assumed,
}
