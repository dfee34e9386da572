use core::hint::black_box;

use punch_protocol::tcp::{
    AttendanceLayout, AttendanceRecord, AttendanceStream, BufferPiece, Command, EncodedTime, Frame, Framed, Limits,
    Packet, Person, ReplyNumber, SessionField,
};
use punch_protocol::{Pin, Status, Verify};

use super::bodies::time_of;

/// A dataset of `rows` attendance records, without its length in front. PINs have one to nine digits, in no order.
///
/// ```
/// use punch_protocol::tcp::AttendanceLayout;
///
/// let dataset = punch_benches::attendance_dataset(AttendanceLayout::Text40, 3);
/// assert_eq!((dataset.len(), &dataset[42..47]), (3 * 40, &b"5769\0"[..]));
/// ```
pub fn attendance_dataset(layout: AttendanceLayout, rows: u32) -> Vec<u8> {
    let mut dataset = Vec::with_capacity(usize::try_from(rows).unwrap_or(0).saturating_mul(layout.size()));
    for row in 0..rows {
        let scattered = row.wrapping_mul(2_654_435_769);
        let digits = (scattered >> 16).checked_rem(9).unwrap_or(0).saturating_add(1);
        let number = scattered.checked_rem(10_u32.saturating_pow(digits)).unwrap_or(0);
        let text = number.to_string();
        let slot = u16::try_from(number & 0xffff).unwrap_or(0);
        let person = match layout.size() {
            8 => Person::Slot(slot),
            16 => Person::Number(number),
            _ => Person::Pin(Pin::new(text.as_bytes())),
        };
        let time = EncodedTime::of(time_of(row)).unwrap_or(EncodedTime(0));
        let state = Status(u16::from(row & 1 == 1));
        // Every layout holds these rows.
        let _ = AttendanceRecord::new(person, time, state, Verify::FINGERPRINT).write(layout, &mut dataset);
    }
    dataset
}

/// The frames with data that answer `READ_BUFFER`, piece by piece: a dataset, and its length in front.
pub fn attendance_frames(dataset: &[u8]) -> Vec<u8> {
    let length = u32::try_from(dataset.len()).unwrap_or(u32::MAX).to_le_bytes();
    let whole = [&length, dataset].concat();
    let mut frames = Vec::new();
    for piece in whole.chunks(usize::try_from(BufferPiece::TCP_MAX).unwrap_or(1)) {
        let packet = Packet::new(Command::DATA, SessionField(0), ReplyNumber(7), piece);
        // A piece is shorter than a packet may be.
        let _ = Frame::new(packet).write(&mut frames, &Limits::default());
    }
    frames
}

/// What reading every field of every row came to: equal for readers that read the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attendance {
    /// Rows with a real date.
    pub rows: u64,
    /// Their fields added up.
    pub sum: u64,
}

impl Attendance {
    #[inline]
    pub(super) fn add(&mut self, person: u64, time: u32, state: u64, verify: u64) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(person ^ u64::from(time) << 24 ^ state << 8 ^ verify);
    }

    #[inline]
    fn add_record(&mut self, record: &AttendanceRecord<'_>) {
        if !record.time.is_date() {
            return;
        }
        let person = match &record.person {
            Person::Pin(pin) => pin_value(pin.as_bytes()),
            Person::Number(number) => u64::from(*number),
            Person::Slot(slot) => u64::from(*slot),
            _ => 0,
        };
        self.add(person, record.time.0, record.state.0.into(), record.verify.0.into());
    }
}

/// The length of a PIN, and its ends.
#[inline]
pub(super) fn pin_value(pin: &[u8]) -> u64 {
    let end = |byte: Option<&u8>| byte.map_or(0, |byte| u64::from(*byte));
    u64::try_from(pin.len()).unwrap_or(0) << 16 ^ end(pin.first()) << 8 ^ end(pin.last())
}

/// Reads a dataset that is all there.
pub fn read_attendance(layout: AttendanceLayout, dataset: &[u8]) -> Attendance {
    let mut read = Attendance::default();
    layout.records(dataset).for_each(|record| read.add_record(&record));
    black_box(read)
}

/// Reads it from the frames that bring it, checksums included.
pub fn read_attendance_streamed(layout: AttendanceLayout, frames: &[u8]) -> Attendance {
    let mut read = Attendance::default();
    let mut stream = AttendanceStream::new(layout).skipping(4);
    for_each_piece(frames, |piece| stream.records(piece).for_each(|record| read.add_record(&record)));
    black_box(read)
}

/// Verifies the frames and reads no record; says how many bytes of data they have.
pub fn read_frames(frames: &[u8]) -> u64 {
    let mut len = 0_u64;
    for_each_piece(frames, |piece| len = len.saturating_add(u64::try_from(piece.len()).unwrap_or(0)));
    black_box(len)
}

#[inline]
fn for_each_piece(mut frames: &[u8], mut read: impl FnMut(&[u8])) {
    while let Ok(Framed::Complete { frame, used }) = Frame::parse(frames, &Limits::default()) {
        read(frame.packet.data);
        frames = frames.get(used..).unwrap_or_default();
    }
}
