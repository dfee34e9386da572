use alloc::vec::Vec;
use core::fmt;

use super::attendance_records::PIN_FIELD;
use super::codes::EventCode;
use super::error::WriteError;
use super::event_time::EventTime;
use super::fields::{array_at, text_at, u16_at, u32_at};
use super::person::Person;
use super::tail::Tail;
use super::user::put_text;
use crate::operation::AlarmReason;
use crate::{Pin, Status, Verify};

/// What a terminal tells as it happens. Reading never fails: what is not known is [`Event::Unknown`] with its bytes.
///
/// Each event wants an acknowledgement: `ACK_OK` with the session and reply number 0.
///
/// ```
/// use punch_protocol::tcp::{Event, EventCode, Person};
///
/// let body = [0xef, 3, 0, 0, 1, 0, 26, 11, 22, 8, 30, 15];
/// let Event::Punch(punch) = Event::parse(EventCode::PUNCH, &body) else { panic!() };
/// assert_eq!(punch.person, Person::Number(1007));
/// assert_eq!(punch.time.civil().map(|time| time.to_string()).as_deref(), Some("2026-11-22 08:30:15"));
/// assert!(matches!(Event::parse(EventCode::PUNCH, &body[..11]), Event::Unknown { .. }));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Somebody punched.
    Punch(LivePunch<'a>),
    /// A finger is on the sensor.
    Finger,
    /// A finger was enrolled, or was not.
    FingerEnrolled(FingerEnrolled<'a>),
    /// Somebody verified, before the punch is known; `None` was not recognised.
    Verified {
        /// The place in the table of users.
        slot: Option<u32>,
    },
    /// How good a finger being enrolled was: 100 good, 0 bad.
    FingerScore(u8),
    /// An alarm.
    Alarm(Alarm<'a>),
    /// Any other event, or one of a length that nobody has described.
    Unknown {
        /// What happened.
        code: EventCode,
        /// The body as it came.
        body: &'a [u8],
    },
}

impl<'a> Event<'a> {
    /// Reads the body of an event. The code stands in the packet's [`SessionField`](super::SessionField).
    pub fn parse(code: EventCode, body: &'a [u8]) -> Self {
        let known = match code {
            EventCode::PUNCH => LivePunch::parse(body).map(Self::Punch),
            EventCode::FINGER => body.is_empty().then_some(Self::Finger),
            EventCode::FINGER_ENROLLED => FingerEnrolled::parse(body).map(Self::FingerEnrolled),
            EventCode::VERIFIED => {
                u32_at(body, 0).map(|slot| Self::Verified { slot: Some(slot).filter(|slot| *slot != u32::MAX) })
            }
            EventCode::FINGER_SCORE => body.first().copied().map(Self::FingerScore),
            EventCode::ALARM => Alarm::parse(body).map(Self::Alarm),
            _ => None,
        };
        known.unwrap_or(Self::Unknown { code, body })
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Punch(punch) => punch.fmt(f),
            Self::Finger => f.write_str("Finger"),
            Self::FingerEnrolled(enrolled) => enrolled.fmt(f),
            Self::Verified { .. } => f.write_str("Verified(..)"),
            Self::FingerScore(score) => write!(f, "FingerScore({score})"),
            Self::Alarm(alarm) => alarm.fmt(f),
            Self::Unknown { code, body } => write!(f, "Unknown({code}, {} bytes)", body.len()),
        }
    }
}

/// A punch as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LivePunch<'a> {
    /// Who punched. Of 10 and 14 bytes it is the slot.
    pub person: Person<'a>,
    /// How the person was verified.
    pub verify: Verify,
    /// The attendance state; of 10 and 14 bytes the low four bits of [`LivePunch::valid_and_state`].
    pub state: Status,
    /// The byte of 10 and 14 bytes that holds both; by the manual the high four bits say whether the punch is valid.
    pub valid_and_state: Option<u8>,
    /// The terminal's wall clock.
    pub time: EventTime,
    /// What stands behind the known fields.
    pub tail: Tail<'a>,
}

impl<'a> LivePunch<'a> {
    /// A punch without anything behind its known fields.
    pub fn new(person: Person<'a>, time: EventTime, state: Status, verify: Verify) -> Self {
        Self { person, verify, state, valid_and_state: None, time, tail: Tail::default() }
    }

    /// Appends the body of `len` bytes. Bytes of unknown meaning are written as zeros; a punch of 10 and 14 bytes is
    /// valid (1) unless [`LivePunch::valid_and_state`] says otherwise.
    ///
    /// ```
    /// use punch_protocol::tcp::{EventTime, LivePunch, Person};
    /// use punch_protocol::{Status, Verify};
    ///
    /// let time = EventTime([26, 11, 22, 8, 30, 15]);
    /// let punch = LivePunch::new(Person::Number(1007), time, Status::CHECK_IN, Verify::FINGERPRINT);
    /// let mut out = Vec::new();
    /// punch.write(12, &mut out)?;
    /// assert_eq!(out, [0xef, 3, 0, 0, 1, 0, 26, 11, 22, 8, 30, 15]);
    /// # Ok::<(), punch_protocol::tcp::WriteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if no punch has `len` bytes, or one of that length cannot say who punched, or how.
    pub fn write(&self, len: usize, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let field = |field, expected| WriteError::Field { field, expected };
        let byte = |number: u16| u8::try_from(number).map_err(|_| field("the state or verify mode", "at most 255"));
        let (state, verify) = (byte(self.state.0)?, byte(self.verify.0)?);
        let mut body = Vec::with_capacity(len);
        match (len, &self.person) {
            (10 | 14, Person::Slot(slot)) => {
                body.extend_from_slice(&slot.to_le_bytes());
                let both = self.valid_and_state.or((state < 16).then_some(state | 0x10));
                body.extend_from_slice(&[verify, both.ok_or(field("the state", "at most 15"))?]);
            }
            (12, Person::Number(number)) => {
                body.extend_from_slice(&number.to_le_bytes());
                body.extend_from_slice(&[verify, state]);
            }
            (32.., Person::Pin(pin)) => {
                put_text(&mut body, "the PIN", pin.as_bytes(), PIN_FIELD)?;
                body.extend_from_slice(&[verify, state]);
            }
            _ => return Err(field("the person", "slot, number or PIN by the length of the event")),
        }
        body.extend_from_slice(&self.time.0);
        body.resize(len, 0);
        out.append(&mut body);
        Ok(())
    }

    fn parse(body: &'a [u8]) -> Option<Self> {
        match body.len() {
            10 | 14 => {
                let ([verify, both], time) = (array_at(body, 2)?, array_at(body, 4)?);
                let person = Person::Slot(u16_at(body, 0)?);
                let punch = Self::of_bytes(person, verify, both & 0x0f, time, body.get(10..)?);
                Some(Self { valid_and_state: Some(both), ..punch })
            }
            12 => {
                let ([verify, state], time) = (array_at(body, 4)?, array_at(body, 6)?);
                Some(Self::of_bytes(Person::Number(u32_at(body, 0)?), verify, state, time, &[]))
            }
            32.. => {
                let ([verify, state], time) = (array_at(body, 24)?, array_at(body, 26)?);
                let person = Person::Pin(Pin::new(text_at(body, 0, 24)?));
                Some(Self::of_bytes(person, verify, state, time, body.get(32..)?))
            }
            _ => None,
        }
    }

    fn of_bytes(person: Person<'a>, verify: u8, state: u8, time: [u8; 6], tail: &'a [u8]) -> Self {
        let (verify, state) = (Verify(verify.into()), Status(state.into()));
        Self { tail: Tail(tail), ..Self::new(person, EventTime(time), state, verify) }
    }
}

/// The end of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FingerEnrolled<'a> {
    /// 0 enrolled; 4, 5, 6 and 100 are failures on record.
    pub result: u16,
    /// Bytes of the template, if it is told.
    pub template_len: Option<u16>,
    /// The person, if it is told.
    pub person: Option<Person<'a>>,
    /// The finger, 0 to 9, if it is told.
    pub finger: Option<u8>,
}

impl<'a> FingerEnrolled<'a> {
    fn parse(body: &'a [u8]) -> Option<Self> {
        // The PIN takes what is left between the size and the finger: 9 bytes where it is described.
        let pin = body.get(4..).and_then(|rest| rest.split_last());
        Some(Self {
            result: u16_at(body, 0)?,
            template_len: u16_at(body, 2),
            person: pin.map(|(_, pin)| Person::Pin(Pin::new(super::fields::until_nul(pin)))),
            finger: pin.map(|(finger, _)| *finger),
        })
    }
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alarm<'a> {
    /// Why. Of an alarm about a person, 32 is duress and 34 a passage back.
    pub reason: AlarmReason,
    /// The person's place in the table of users, in alarms of 12 bytes.
    pub slot: Option<u16>,
    /// A number of the match, in alarms of 12 bytes.
    pub matched: Option<u32>,
    /// What stands behind the reason in the other alarms.
    pub tail: Tail<'a>,
}

impl<'a> Alarm<'a> {
    fn parse(body: &'a [u8]) -> Option<Self> {
        match body.len() {
            12 => Some(Self {
                reason: AlarmReason(u16_at(body, 4)?),
                slot: u16_at(body, 6),
                matched: u32_at(body, 8),
                tail: Tail(&[]),
            }),
            4 | 8 => Some(Self {
                reason: AlarmReason(u16_at(body, 0)?),
                slot: None,
                matched: None,
                tail: Tail(body.get(2..)?),
            }),
            _ => None,
        }
    }
}
