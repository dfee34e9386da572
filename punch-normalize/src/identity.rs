use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use punch_protocol::{RawPunch, SerialNumber, Status};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The key that turns a punch into its identity. One per tenant, made once, part of the backup.
///
/// A keyed hash keeps outsiders from testing "was PIN 1042 here at 08:00?". The key is wiped when dropped
/// and its `Debug` shows nothing.
#[derive(Clone)]
pub struct TenantKey(Hmac<Sha256>);

impl TenantKey {
    /// Takes 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        let key = Zeroizing::new(bytes);
        let mut block = Zeroizing::new([0; 64]);
        for (slot, byte) in block.iter_mut().zip(key.iter()) {
            *slot = *byte;
        }
        // HMAC pads a key to its block with zeros, so the padded block is the same key and cannot be refused.
        Self(Hmac::new(&(*block).into()))
    }

    /// The identity of `punch`: the same on every transport, after every replay and every zone fix.
    ///
    /// It is a function of terminal, PIN bytes, the terminal's own civil time and the attendance state;
    /// verify mode and work code are not in it, because transports differ in them.
    ///
    /// ```
    /// use punch_normalize::TenantKey;
    /// use punch_protocol::{civil, Pin, RawPunch, SerialNumber, Status};
    ///
    /// let key = TenantKey::new(core::array::from_fn(|i| i as u8));
    /// let serial = SerialNumber::parse("CZKE2241600045")?;
    /// let time = civil::parse(b"2026-03-28 08:47:12")?;
    /// let mut punch = RawPunch::new(serial, Pin::new(b"1042").into_owned(), time);
    /// punch.status = Some(Status::CHECK_IN);
    /// assert_eq!(key.event_id(&punch).as_str(), "evt_5xe9rzfeytktk4ns5q1xhc1e6k");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn event_id(&self, punch: &RawPunch) -> EventId {
        self.identity(&punch.serial, punch.pin.as_bytes(), punch.time, punch.status)
    }

    /// A stable id for something else of this tenant: `prefix`, `_` and 26 digits, a keyed hash of `kind` and `name`.
    ///
    /// For terminals (`dev_…`), people (`emp_…`) and rows that could not be read, so that none of them has to be
    /// counted or remembered to have a name. `kind` keeps the same name in two kinds apart.
    ///
    /// ```
    /// use punch_normalize::TenantKey;
    ///
    /// let key = TenantKey::new([7; 32]);
    /// assert_eq!(key.opaque_id("dev", "device", b"SN1"), key.opaque_id("dev", "device", b"SN1"));
    /// assert_ne!(key.opaque_id("x", "device", b"1"), key.opaque_id("x", "employee", b"1"));
    /// ```
    pub fn opaque_id(&self, prefix: &str, kind: &str, name: &[u8]) -> String {
        let mut text = String::from(prefix);
        text.push('_');
        push_digits(&mut text, self.number(&[b"id/1", kind.as_bytes(), b"\0", name]));
        text
    }

    fn identity(&self, serial: &SerialNumber, pin: &[u8], time: NaiveDateTime, status: Option<Status>) -> EventId {
        let time = digits_of(time);
        let state = status.and_then(Status::declared).map(|Status(code)| code.to_string()).unwrap_or_default();
        let (serial, zero) = (serial.as_str().as_bytes(), &b"\0"[..]);
        EventId::from_number(self.number(&[
            b"punch/1",
            serial,
            zero,
            pin,
            zero,
            time.as_bytes(),
            zero,
            state.as_bytes(),
        ]))
    }

    /// The first 16 bytes of the keyed hash of `parts`, as one big-endian number.
    fn number(&self, parts: &[&[u8]]) -> u128 {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let (number, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        u128::from_be_bytes(*number)
    }
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantKey(..)")
    }
}

/// The identity of an event: `evt_` and 26 digits for ours, any short token for events made elsewhere.
///
/// ```
/// use punch_normalize::EventId;
///
/// assert!(EventId::parse("evt_a8f3k2x9m1").is_ok());
/// assert!(EventId::parse("").is_err());
/// assert!(EventId::parse("two words").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(Box<str>);

impl EventId {
    /// The longest id accepted, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Accepts 1 to 128 visible ASCII characters, none of them a dot (signed material is dot-joined).
    ///
    /// # Errors
    ///
    /// [`EventIdError`] if the text is not of that form.
    pub fn parse(text: &str) -> Result<Self, EventIdError> {
        let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(legal) {
            return Err(EventIdError);
        }
        Ok(Self(text.to_owned().into_boxed_str()))
    }

    /// The number behind the digits of an id of the form that [`TenantKey::event_id`] makes.
    pub(crate) fn number(&self) -> Option<u128> {
        let digits = self.0.strip_prefix("evt_").filter(|digits| digits.len() == 26)?;
        digits.bytes().try_fold(0u128, |number, byte| {
            let digit = value_of(byte)?;
            // The first of 26 digits has three bits.
            number.checked_mul(32)?.checked_add(digit.into())
        })
    }

    pub(crate) fn from_number(number: u128) -> Self {
        let mut text = String::from("evt_");
        push_digits(&mut text, number);
        Self(text.into_boxed_str())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EventId {
    type Error = EventIdError;

    fn try_from(text: String) -> Result<Self, EventIdError> {
        Self::parse(&text)
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.0.into()
    }
}

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What a digit is worth. There is no i, l, o and u among them.
fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'h' => digit.checked_sub(b'a' - 10),
        b'j' | b'k' => digit.checked_sub(b'j' - 18),
        b'm' | b'n' => digit.checked_sub(b'm' - 20),
        b'p'..=b't' => digit.checked_sub(b'p' - 22),
        b'v'..=b'z' => digit.checked_sub(b'v' - 27),
        _ => None,
    }
}

/// A civil time as `YYYYMMDDhhmmss`.
fn digits_of(time: NaiveDateTime) -> String {
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let is_plain = (0..=9999).contains(&year) && time.nanosecond() < 1_000_000_000;
    if is_plain {
        // Three times as fast, for each row that is looked up.
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    } else {
        time.format("%Y%m%d%H%M%S").to_string()
    }
}

/// Writes 128 bits as 26 lower-case Crockford digits, most significant first, as a ULID does.
fn push_digits(text: &mut String, number: u128) {
    for position in (0u32..26).rev() {
        let digit = number.checked_shr(position.saturating_mul(5)).unwrap_or(0) & 31;
        let index = usize::try_from(digit).unwrap_or(0);
        text.push(char::from(DIGITS.get(index).copied().unwrap_or(b'0')));
    }
}

/// The text is not an [`EventId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event id: expected 1 to 128 visible ASCII characters without a dot")]
#[non_exhaustive]
pub struct EventIdError;
