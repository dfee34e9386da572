use core::slice::ChunksExact;

use super::attendance::{AttendanceLayout, AttendanceRecord};
use super::fields::until_nul;
use super::person::Person;
use super::tail::Tail;
use crate::encoded_time::EncodedTime;
use crate::{Pin, Status, Verify};

/// Reads a record from every chunk of one slice, and then of another.
pub(super) struct Records<'a> {
    layout: AttendanceLayout,
    chunks: [ChunksExact<'a, u8>; 2],
}

impl<'a> Records<'a> {
    /// The chunks have the size of the layout's records.
    #[inline]
    pub(super) fn new(layout: AttendanceLayout, chunks: [ChunksExact<'a, u8>; 2]) -> Self {
        Self { layout, chunks }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = AttendanceRecord<'a>;

    // A record that goes through memory takes twice the time.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let [first, second] = &mut self.chunks;
        read(self.layout, first.next().or_else(|| second.next())?)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let [first, second] = &self.chunks;
        let left = first.len().saturating_add(second.len());
        (left, Some(left))
    }

    // One loop in another, so that there is one place where a record is read and looked at.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut f: F) -> B {
        let mut folded = init;
        for chunks in self.chunks {
            for chunk in chunks {
                if let Some(record) = read(self.layout, chunk) {
                    folded = f(folded, record);
                }
            }
        }
        folded
    }
}

impl ExactSizeIterator for Records<'_> {}

/// Reads a record from as many bytes as the layout has.
#[inline(always)]
pub(super) fn read(layout: AttendanceLayout, bytes: &[u8]) -> Option<AttendanceRecord<'_>> {
    match layout {
        AttendanceLayout::Packed8 => bytes.first_chunk().map(packed),
        AttendanceLayout::Flags8 => bytes.first_chunk().map(flags),
        AttendanceLayout::Number16 => bytes.first_chunk().map(number),
        AttendanceLayout::Text36 | AttendanceLayout::Text40 | AttendanceLayout::Text49 => text(bytes),
    }
}

/// A record of numbers as they lie in the bytes.
#[inline]
fn of_bytes(person: Person<'_>, time: [u8; 4], state: u8, verify: u8) -> AttendanceRecord<'_> {
    AttendanceRecord::new(person, EncodedTime(u32::from_le_bytes(time)), Status(state.into()), Verify(verify.into()))
}

#[inline]
fn packed(&[s0, s1, verify, t0, t1, t2, t3, state]: &[u8; 8]) -> AttendanceRecord<'_> {
    let slot = Person::Slot(u16::from_le_bytes([s0, s1]));
    of_bytes(slot, [t0, t1, t2, t3], state, verify)
}

/// Bit 2 of the flags: a record of four bytes whose time counts from the one before. Never seen in a capture.
pub(super) const SHORT_FORM: u8 = 0b100;

#[inline]
fn flags(&[s0, s1, flags, spare, t0, t1, t2, t3]: &[u8; 8]) -> AttendanceRecord<'_> {
    let slot = Person::Slot(u16::from_le_bytes([s0, s1]));
    let record = of_bytes(slot, [t0, t1, t2, t3], flags >> 5, (flags >> 3) & 0b11);
    AttendanceRecord { flags: Some([flags, spare]), ..record }
}

#[inline]
fn number(bytes: &[u8; 16]) -> AttendanceRecord<'_> {
    // Programs that call state and verify by each other's name are in use; the state is the one that changes at noon.
    let [n0, n1, n2, n3, t0, t1, t2, t3, state, verify, tail @ .., w0, w1, w2, w3] = bytes;
    let number = Person::Number(u32::from_le_bytes([*n0, *n1, *n2, *n3]));
    let record = of_bytes(number, [*t0, *t1, *t2, *t3], *state, *verify);
    AttendanceRecord { work_code: Some(u32::from_le_bytes([*w0, *w1, *w2, *w3])), tail: Tail(tail), ..record }
}

/// Bytes of a PIN in a record of 36, 40 or 49 bytes.
pub(super) const PIN_FIELD: usize = 24;

/// A record of 36 bytes, and what stands behind them.
#[inline]
fn text(bytes: &[u8]) -> Option<AttendanceRecord<'_>> {
    let (head, tail) = bytes.split_first_chunk::<36>()?;
    let [s0, s1, pin @ .., verify, t0, t1, t2, t3, state, w0, w1, w2, w3] = head;
    let pin: &[u8; PIN_FIELD] = pin;
    Some(AttendanceRecord {
        slot: Some(u16::from_le_bytes([*s0, *s1])),
        work_code: Some(u32::from_le_bytes([*w0, *w1, *w2, *w3])),
        tail: Tail(tail),
        ..of_bytes(Person::Pin(Pin::new(until_nul(pin))), [*t0, *t1, *t2, *t3], *state, *verify)
    })
}
