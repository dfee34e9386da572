use alloc::vec;
use alloc::vec::Vec;
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

    /// The events of a body that may hold several, in order: those of a JSON array, or the body itself. Each has the bytes
    /// it would have alone, to be stored and read by itself: one that cannot be read costs no other.
    ///
    /// Answer 2xx only when all of them are stored. What is stored twice, because an answer was lost or a part of them was
    /// refused, has its `event_id` again.
    ///
    /// ```
    /// use punch_webhook::Verified;
    ///
    /// let body = br#"[{"event_id":"evt_1","event_type":"webhook.test"}, {"event_id":7}]"#;
    /// let each = Verified::assume_verified(body).each()?;
    /// assert_eq!(each[0].event()?.event_id().as_str(), "evt_1");
    /// assert_eq!(each[1].body(), br#"{"event_id":7}"#);
    /// # Ok::<(), punch_webhook::ReceiveError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReceiveError`] if the array is no JSON, is empty, or is larger than [`Verified::MAX_BODY`] or has more events than
    /// [`BatchBody::MAX_EVENTS`](crate::BatchBody::MAX_EVENTS).
    pub fn each(&self) -> Result<Vec<Self>, ReceiveError> {
        if self.body.trim_ascii_start().first() != Some(&b'[') {
            return Ok(vec![*self]);
        }
        let parts = received::parts(self.body)?;
        Ok(parts.into_iter().map(|body| Self { body, ..*self }).collect())
    }

    /// The longest body of several events that is read, in bytes. One event has at most
    /// [`ReceivedEvent::MAX_BODY`](crate::ReceivedEvent::MAX_BODY).
    pub const MAX_BODY: usize = crate::BatchBody::MAX_BYTES;
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
