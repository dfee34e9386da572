use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDateTime;

use super::access::VerifyBits;
use super::codes::AccessEvent;
use super::event_keys::{EventKey, EventKeys};
use super::line::decimal;
use super::tagged::Pair;
use crate::civil::{self, CivilError};
use crate::{Pin, Status, Verify};

/// One access-control event: `key=value` pairs with at least a `time`, in any order.
///
/// Access terminals post them as `rtlog`; some attendance units post them under `ATTLOG`.
///
/// QR readers separate the pairs by commas instead of TABs.
#[derive(Clone, Copy)]
pub struct KeyedRow<'a> {
    line: &'a [u8],
    separator: u8,
    keys: EventKeys,
}

impl<'a> KeyedRow<'a> {
    /// Takes a line that has a `time` pair.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let separator = if line.contains(&b'\t') || !line.contains(&b',') { b'\t' } else { b',' };
        let row = Self { line, separator, keys: EventKeys::find(line, separator)? };
        row.known(EventKey::Time).map(|_| row)
    }

    /// The pairs, in the order of the row.
    pub fn pairs(&self) -> impl Iterator<Item = Pair<'a>> {
        self.line.split(move |byte| *byte == self.separator).map(Pair::parse)
    }

    /// Whether commas separate the pairs.
    pub fn is_comma_separated(&self) -> bool {
        self.separator == b','
    }

    /// The value of `key`, whatever its letter case.
    pub fn value(&self, key: &str) -> Option<&'a [u8]> {
        self.pairs().find(|pair| pair.key.eq_ignore_ascii_case(key.as_bytes())).map(|Pair { value, .. }| value)
    }

    /// The value of a key whose place is known; as [`KeyedRow::value`], without looking for it.
    fn known(&self, key: EventKey) -> Option<&'a [u8]> {
        self.keys.value(key, self.line)
    }

    /// The terminal's wall clock.
    ///
    /// # Errors
    ///
    /// [`CivilError`] if the value is not a time.
    pub fn time(&self) -> Result<NaiveDateTime, CivilError> {
        civil::parse(self.known(EventKey::Time).unwrap_or_default())
    }

    /// Who it was; empty if nobody (`0` or missing).
    pub fn pin(&self) -> Pin<'a> {
        Pin::new(self.known(EventKey::Pin).filter(|&pin| pin != b"0").unwrap_or_default())
    }

    /// What happened; `None` on attendance units that leave it out.
    pub fn event(&self) -> Option<AccessEvent> {
        self.known(EventKey::Event).and_then(decimal).map(AccessEvent)
    }

    /// Reader side as an attendance state: 0 in, 1 out. Other values say nothing.
    pub fn status(&self) -> Option<Status> {
        side(self.known(EventKey::Side))
    }

    /// The verification code, unless the firmware writes a 16-character bit string.
    pub fn verify(&self) -> Option<Verify> {
        self.known(EventKey::Verify).filter(|value| value.len() < 16).and_then(decimal).map(Verify)
    }

    /// The bit string of verification methods, on firmware that writes one.
    pub fn verify_bits(&self) -> Option<VerifyBits> {
        VerifyBits::parse(core::str::from_utf8(self.known(EventKey::Verify)?).ok()?)
    }

    /// The event that triggered this one: events 6 and 231 carry its number in place of the verification.
    pub fn trigger_event(&self) -> Option<AccessEvent> {
        let trigger = self.verify().map(|Verify(number)| AccessEvent(number));
        trigger.filter(|_| matches!(self.event(), Some(AccessEvent::LINKAGE | AccessEvent::IPC_LINKAGE)))
    }

    /// The doors of a state row, door 1 first: two bits of `sensor`, one of `relay`, a byte of `alarm` each.
    ///
    /// One-door rows are on record; the order of several doors is inferred. A row that does not say how many
    /// (`door=`) ends with the last door of which it says anything.
    pub fn doors(&self) -> Vec<DoorState> {
        let bytes = |key: &str| hex_bytes(self.value(key).unwrap_or_default());
        let (sensors, relays, alarms) = (bytes("sensor"), bytes("relay"), bytes("alarm"));
        let said = self.value("door").and_then(decimal::<usize>);
        let bits = |bytes: &[u8], at: usize, width: usize| {
            let (index, shift) = (at.saturating_mul(width) / 8, at.saturating_mul(width) % 8);
            let mask = if width == 2 { 3 } else { 1 };
            bytes.get(index).map_or(0, |byte| byte.checked_shr(u32::try_from(shift).unwrap_or(0)).unwrap_or(0) & mask)
        };
        let door = |at: usize| DoorState {
            sensor: DoorSensor(bits(&sensors, at, 2)),
            relay: bits(&relays, at, 1) == 1,
            alarm: alarms.get(at).copied().unwrap_or(0),
        };
        let silent = |door: &DoorState| door.sensor == DoorSensor::NONE && !door.relay && door.alarm == 0;
        let mut doors: Vec<DoorState> = (0..said.unwrap_or(alarms.len()).min(alarms.len())).map(door).collect();
        while said.is_none() && doors.len() > 1 && doors.last().is_some_and(silent) {
            doors.pop();
        }
        doors
    }

    /// Whether this event is a person passing: a PIN, and an event that is a pass (or none).
    ///
    /// Refusals and alarms are not punches; [`AccessEvent::is_pass`] tells them apart.
    pub fn is_punch(&self) -> bool {
        passes(&self.pin(), self.event())
    }
}

/// The side of a reader as an attendance state; `2` is none.
pub(super) fn side(value: Option<&[u8]>) -> Option<Status> {
    match value {
        Some(b"0") => Some(Status::CHECK_IN),
        Some(b"1") => Some(Status::CHECK_OUT),
        Some(_) | None => None,
    }
}

/// Somebody, and an event of the passing kind (or none).
pub(super) fn passes(pin: &Pin<'_>, event: Option<AccessEvent>) -> bool {
    !pin.is_empty() && event.is_none_or(AccessEvent::is_pass)
}

/// The state of one door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoorState {
    /// What the door's sensor says.
    pub sensor: DoorSensor,
    /// Whether the lock is energised.
    pub relay: bool,
    /// Alarm bits as sent; see [`DoorState::alarms`].
    pub alarm: u8,
}

/// The two sensor bits of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct DoorSensor(pub u8);

impl DoorSensor {
    /// The door has no sensor.
    pub const NONE: Self = Self(0);
    /// The door is closed.
    pub const CLOSED: Self = Self(1);
    /// The door is open.
    pub const OPEN: Self = Self(2);
}

impl fmt::Display for DoorSensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => f.write_str("none"),
            Self::CLOSED => f.write_str("closed"),
            Self::OPEN => f.write_str("open"),
            Self(other) => write!(f, "sensor {other}"),
        }
    }
}

impl DoorState {
    const ALARMS: [&'static str; 8] = [
        "forced open",
        "tamper",
        "duress password",
        "duress finger",
        "left open",
        "mains failure",
        "battery failure",
        "reader removed",
    ];

    /// The alarms that are on, by name.
    pub fn alarms(&self) -> impl Iterator<Item = &'static str> {
        let alarm = self.alarm;
        (0u32..)
            .zip(Self::ALARMS)
            .filter(move |(bit, _)| alarm.checked_shr(*bit).unwrap_or(0) & 1 == 1)
            .map(|(_, name)| name)
    }
}

fn hex_bytes(text: &[u8]) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
    text.chunks(2).map_while(pair).collect()
}

impl fmt::Debug for KeyedRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs()).finish()
    }
}
