use alloc::vec::Vec;

use super::attendance_records::{PIN_FIELD, Records, read};
use super::error::WriteError;
use super::person::Person;
use super::tail::Tail;
use super::user::put_text;
use crate::encoded_time::EncodedTime;
use crate::{Status, Verify};

/// How attendance records lie in a dataset. A terminal does not say which; [`AttendanceLayout::choose`] finds out.
///
/// [`AttendanceLayout::choose`]: super::AttendanceLayout::choose
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AttendanceLayout {
    /// 8 bytes: slot, verify, time, state (layout A, of the vendor's manual).
    Packed8,
    /// 8 bytes: slot, flags, time (layout B, of ZEM500 and MA300 units).
    Flags8,
    /// 16 bytes with a number for a PIN: black-and-white units, mostly over UDP.
    Number16,
    /// 36 bytes: the first 36 of the 40. One source only.
    Text36,
    /// 40 bytes with a text for a PIN: colour units until about 2022.
    Text40,
    /// 49 bytes: the 40, and nine of unknown meaning. Newer firmware.
    Text49,
}

impl AttendanceLayout {
    /// Every layout, the shortest first.
    pub const ALL: [Self; 6] = [Self::Packed8, Self::Flags8, Self::Number16, Self::Text36, Self::Text40, Self::Text49];

    /// Bytes of a record.
    #[inline]
    pub fn size(self) -> usize {
        match self {
            Self::Packed8 | Self::Flags8 => 8,
            Self::Number16 => 16,
            Self::Text36 => 36,
            Self::Text40 => 40,
            Self::Text49 => 49,
        }
    }

    /// Reads the record at the beginning of `bytes`; `None` if there are fewer than [`AttendanceLayout::size`].
    ///
    /// ```
    /// use punch_protocol::Status;
    /// use punch_protocol::tcp::{AttendanceLayout, Person};
    ///
    /// let bytes = [0x07, 0, 0x28, 0, 0xa8, 0xeb, 0xa7, 0x1e];
    /// let record = AttendanceLayout::Flags8.record(&bytes).expect("eight bytes");
    /// assert_eq!((record.person, record.state), (Person::Slot(7), Status::CHECK_OUT));
    /// assert_eq!(record.time.civil().map(|time| time.to_string()).as_deref(), Some("2016-01-01 19:02:00"));
    /// ```
    #[inline]
    pub fn record(self, bytes: &[u8]) -> Option<AttendanceRecord<'_>> {
        read(self, bytes.get(..self.size())?)
    }

    /// The records of a dataset in order, without its length in front. Bytes at the end that are no whole record are
    /// left out. An [`AttendanceStream`](super::AttendanceStream) reads a dataset that is still coming.
    #[inline]
    pub fn records(self, records: &[u8]) -> impl ExactSizeIterator<Item = AttendanceRecord<'_>> {
        let size = self.size();
        Records::new(self, [records.chunks_exact(size), [].chunks_exact(size)])
    }
}

/// One punch as a terminal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttendanceRecord<'a> {
    /// Who punched. A person may be gone from the terminal's users since.
    pub person: Person<'a>,
    /// The place in the table of users, if the record has it beside a PIN.
    pub slot: Option<u16>,
    /// The terminal's wall clock, packed; it may name a day that does not exist.
    pub time: EncodedTime,
    /// The attendance state.
    pub state: Status,
    /// How the person was verified, by the numbers of the terminal's family.
    pub verify: Verify,
    /// The work code, if the record has room for one. Zero is none.
    pub work_code: Option<u32>,
    /// The flags of [`AttendanceLayout::Flags8`] as they are, and the byte behind them.
    pub flags: Option<[u8; 2]>,
    /// Bytes of unknown meaning: the last 4 of 40, the last 13 of 49, two in the middle of 16.
    pub tail: Tail<'a>,
}

impl<'a> AttendanceRecord<'a> {
    /// A punch without a work code. A slot beside a PIN is 0.
    #[inline]
    pub fn new(person: Person<'a>, time: EncodedTime, state: Status, verify: Verify) -> Self {
        Self { person, slot: None, time, state, verify, work_code: None, flags: None, tail: Tail::default() }
    }

    /// Appends the record. Bytes of unknown meaning are written as zeros.
    ///
    /// ```
    /// use punch_protocol::tcp::{AttendanceLayout, AttendanceRecord, EncodedTime, Person};
    /// use punch_protocol::{Status, Verify};
    ///
    /// let (time, verify) = (EncodedTime(0x3384_0417), Verify::FINGERPRINT);
    /// let record = AttendanceRecord::new(Person::Slot(7), time, Status::CHECK_OUT, verify);
    /// let mut out = Vec::new();
    /// record.write(AttendanceLayout::Packed8, &mut out)?;
    /// assert_eq!(out, [7, 0, 1, 0x17, 0x04, 0x84, 0x33, 1]);
    /// # Ok::<(), punch_protocol::tcp::WriteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if the layout says in another way who punched, or has no room for a PIN, a state or a
    /// verify mode. Nothing is appended then.
    pub fn write(&self, layout: AttendanceLayout, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let mut record = Vec::with_capacity(layout.size());
        let (state, verify) = self.state_and_verify(layout)?;
        let time = self.time.0.to_le_bytes();
        let work_code = self.work_code.unwrap_or(0).to_le_bytes();
        match (layout, &self.person) {
            (AttendanceLayout::Packed8, Person::Slot(slot)) => {
                record.extend_from_slice(&slot.to_le_bytes());
                record.push(verify);
                record.extend_from_slice(&time);
                record.push(state);
            }
            (AttendanceLayout::Flags8, Person::Slot(slot)) => {
                record.extend_from_slice(&slot.to_le_bytes());
                record.extend_from_slice(&[state << 5 | verify << 3, 0]);
                record.extend_from_slice(&time);
            }
            (AttendanceLayout::Number16, Person::Number(number)) => {
                record.extend_from_slice(&number.to_le_bytes());
                record.extend_from_slice(&time);
                record.extend_from_slice(&[state, verify, 0, 0]);
                record.extend_from_slice(&work_code);
            }
            (AttendanceLayout::Text36 | AttendanceLayout::Text40 | AttendanceLayout::Text49, Person::Pin(pin)) => {
                record.extend_from_slice(&self.slot.unwrap_or(0).to_le_bytes());
                put_text(&mut record, "the PIN", pin.as_bytes(), PIN_FIELD)?;
                record.push(verify);
                record.extend_from_slice(&time);
                record.push(state);
                record.extend_from_slice(&work_code);
            }
            _ => return Err(WriteError::Field { field: "the person", expected: "slot, number or PIN by layout" }),
        }
        record.resize(layout.size(), 0);
        out.append(&mut record);
        Ok(())
    }

    /// A byte each, and three and two bits of flags.
    fn state_and_verify(&self, layout: AttendanceLayout) -> Result<(u8, u8), WriteError> {
        let (state_max, verify_max) = if layout == AttendanceLayout::Flags8 { (7, 3) } else { (u8::MAX, u8::MAX) };
        let within = |number: u16, max: u8| u8::try_from(number).ok().filter(|number| *number <= max);
        let error = |field| WriteError::Field { field, expected: "a number that its bits hold" };
        let state = within(self.state.0, state_max).ok_or_else(|| error("the state"))?;
        let verify = within(self.verify.0, verify_max).ok_or_else(|| error("the verify mode"))?;
        Ok((state, verify))
    }
}
