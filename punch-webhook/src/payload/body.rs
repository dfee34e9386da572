use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;

const BEFORE_NUMBER: &[u8] = b"\"delivery_attempt\":";
const AFTER_NUMBER: &[u8] = b"}}";

/// The body of an event: stored once, the same for every attempt but for one number.
///
/// A nested body ends with `"delivery_attempt":N}}`; a flat one has no such number. What is stored is the body of
/// the first attempt, so the store holds nothing but bytes and anybody can read them. `Debug` shows the length only.
///
/// ```
/// use punch_webhook::StoredBody;
///
/// let stored = StoredBody::new(br#"{"event_id":"evt_1","metadata":{"delivery_attempt":1}}"#.to_vec());
/// assert_eq!(stored.render(1), stored.as_bytes());
/// assert_eq!(stored.render(12), br#"{"event_id":"evt_1","metadata":{"delivery_attempt":12}}"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoredBody(Vec<u8>);

impl StoredBody {
    /// Takes the bytes back from a store.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store, which are those of the first attempt.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to store.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The bytes to sign and send in attempt number `attempt`, counted from 1. Costs one copy.
    pub fn render(&self, attempt: u32) -> Vec<u8> {
        let Some(before) = self.before_number() else { return self.0.clone() };
        let number = attempt.to_string();
        [before, number.as_bytes(), AFTER_NUMBER].concat()
    }

    /// Everything up to the number. No text of an event can imitate the end: a quote within a text is escaped,
    /// and a text ends with a quote.
    fn before_number(&self) -> Option<&[u8]> {
        let rest = self.0.strip_suffix(AFTER_NUMBER)?;
        let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let before = rest.get(..rest.len().checked_sub(digits)?)?;
        (digits > 0 && before.ends_with(BEFORE_NUMBER)).then_some(before)
    }
}

impl fmt::Debug for StoredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredBody({} bytes)", self.0.len())
    }
}
