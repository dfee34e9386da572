use alloc::string::String;
use core::fmt;
use core::fmt::Write as _;

use punch_normalize::EventId;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

/// RFC 9562: the namespace of names that are addresses.
const URL: [u8; 16] = [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

const OURS: &str = "urn:punch-erp:successfactors";

/// The `id` of a time event: a UUID made of the event's id, so that any attempt on any machine sends the same one.
///
/// The service takes letters and digits or a UUID; `evt_…` has a `_`.
///
/// ```
/// use punch_erp::successfactors::TimeEventId;
/// use punch_normalize::EventId;
///
/// let id = TimeEventId::of(&EventId::parse("evt_a8f3k2x9m1").unwrap());
/// assert_eq!(id.as_str(), "d42ae430-89cb-5e99-95b6-c63e90423145");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeEventId(String);

impl TimeEventId {
    /// UUID, version 5, of the event's id in a namespace of ours.
    pub fn of(event_id: &EventId) -> Self {
        let namespace = named(URL, OURS.as_bytes());
        let id = named(namespace, event_id.as_str().as_bytes());
        let mut text = String::with_capacity(36);
        for (index, byte) in id.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The id as it is sent, 36 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TimeEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 9562, section 5.5.
fn named(namespace: [u8; 16], name: &[u8]) -> [u8; 16] {
    let digest: [u8; 20] = Sha1::new().chain_update(namespace).chain_update(name).finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(digest.split_at(16).0);
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut id;
    *version = (*version & 0x0f) | 0x50;
    *variant = (*variant & 0x3f) | 0x80;
    id
}
