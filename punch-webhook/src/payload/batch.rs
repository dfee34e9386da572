use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use punch_normalize::EventId;
use sha2::{Digest as _, Sha256};

/// The body of a request with several events: a JSON array of their bodies, each byte for byte as it would be sent alone.
///
/// Its own id is that of nothing but the list: the same events in the same order have the same one, whatever the attempt.
/// Receivers that drop what they have go by the `event_id` of each event. `Debug` shows numbers only.
///
/// ```
/// use punch_normalize::EventId;
/// use punch_webhook::BatchBody;
///
/// let mut batch = BatchBody::new(BatchBody::MAX_BYTES);
/// assert!(batch.push(&EventId::parse("evt_1")?, br#"{"event_id":"evt_1"}"#));
/// assert!(batch.push(&EventId::parse("evt_2")?, br#"{"event_id":"evt_2"}"#));
/// let (id, body) = batch.finish().expect("it has events");
/// assert_eq!(body, br#"[{"event_id":"evt_1"},{"event_id":"evt_2"}]"#);
/// assert_eq!(id.as_str(), "batch_a3245b02a47e9903e02715a74e8243e4");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BatchBody {
    max_bytes: usize,
    bytes: Vec<u8>,
    events: usize,
    digest: Sha256,
}

impl BatchBody {
    /// The most events in one body.
    pub const MAX_EVENTS: usize = 500;
    /// The longest body, in bytes: 256 KiB.
    pub const MAX_BYTES: usize = 262_144;

    /// A body of at most `max_bytes`, and never more than [`BatchBody::MAX_BYTES`].
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes: max_bytes.min(Self::MAX_BYTES), bytes: Vec::new(), events: 0, digest: Sha256::new() }
    }

    /// Adds an event, in the order in which the receiver has to take them. `false`, and nothing happens, if it does not
    /// fit; the first always does, or it could never be sent.
    pub fn push(&mut self, id: &EventId, body: &[u8]) -> bool {
        let grown = self.bytes.len().saturating_add(body.len()).saturating_add(b",]".len());
        if self.events > 0 && (grown > self.max_bytes || self.events >= Self::MAX_EVENTS) {
            return false;
        }
        self.bytes.push(if self.events == 0 { b'[' } else { b',' });
        self.bytes.extend_from_slice(body);
        self.events = self.events.saturating_add(1);
        self.digest.update(id.as_str().as_bytes());
        self.digest.update(b"\n");
        true
    }

    /// How many events it has.
    pub fn events(&self) -> usize {
        self.events
    }

    /// The id for `webhook-id`, `batch_` and 32 hex digits of the SHA-256 over the ids with a line feed behind each, and
    /// the body to sign and send. `None` if it has no event.
    pub fn finish(mut self) -> Option<(EventId, Vec<u8>)> {
        if self.events == 0 {
            return None;
        }
        self.bytes.push(b']');
        let digest: [u8; 32] = self.digest.finalize().into();
        let (first, _) = digest.split_first_chunk::<16>()?;
        let id = EventId::parse(&format!("batch_{:032x}", u128::from_be_bytes(*first))).ok()?;
        Some((id, self.bytes))
    }
}

impl fmt::Debug for BatchBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchBody({} events, {} bytes)", self.events, self.bytes.len())
    }
}
