use alloc::string::String;
use core::fmt;
use core::fmt::Write as _;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

/// What makes each signed request another one: a number nobody else has, and the time. The gateway refuses a repeated one.
///
/// `seed` is 16 random bytes of the caller's; the requests of a flow count on from it.
#[derive(Clone, PartialEq, Eq)]
pub struct Stamp {
    seed: [u8; 16],
    count: u32,
    at: DateTime<Utc>,
}

impl Stamp {
    /// A stamp for one call, or for one flow.
    pub fn new(seed: [u8; 16], now: DateTime<Utc>) -> Self {
        Self { seed, count: 0, at: now }
    }

    /// The stamp of the next request.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { count: self.count.saturating_add(1), ..self.clone() }
    }

    /// The number, in the form of a UUID.
    pub(super) fn nonce(&self) -> String {
        let digest: [u8; 32] =
            Sha256::new_with_prefix(self.seed).chain_update(self.count.to_be_bytes()).finalize().into();
        let mut text = String::new();
        for (index, byte) in digest.iter().take(16).enumerate() {
            let byte = match index {
                6 => (byte & 0x0f) | 0x40,
                8 => (byte & 0x3f) | 0x80,
                _ => *byte,
            };
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Milliseconds since 1970.
    pub(super) fn timestamp(&self) -> i64 {
        self.at.timestamp_millis()
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamp").field("at", &self.at).finish_non_exhaustive()
    }
}
