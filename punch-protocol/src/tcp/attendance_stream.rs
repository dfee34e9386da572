use core::fmt;

use super::attendance::{AttendanceLayout, AttendanceRecord};
use super::attendance_records::Records;

/// Bytes of the longest record.
const LONGEST: usize = 49;

/// Reads the attendance records of a dataset piece by piece, in memory that does not grow with it.
///
/// Records that lie in one piece are read in place. The one that a piece cuts is carried to the next one, in an array
/// of its own: nothing is allocated. The records are those of [`AttendanceLayout::records`] over the whole dataset,
/// wherever the pieces are cut.
///
/// The layout has to be known: [`AttendanceLayout::choose`] finds it in the first piece. Who keeps all records keeps the
/// bytes of the dataset and reads them with [`AttendanceLayout::records`]; nothing needs less memory.
///
/// ```
/// use punch_protocol::tcp::{AttendanceLayout, AttendanceStream, Person};
///
/// // The length of the dataset stands in front of the first record.
/// let mut stream = AttendanceStream::new(AttendanceLayout::Flags8).skipping(4);
/// assert_eq!(stream.records(&[16, 0, 0, 0, 7, 0, 0x28]).count(), 0);
/// assert_eq!(stream.trailing(), 3);
///
/// let mut records = stream.records(&[0, 0xa8, 0xeb, 0xa7, 0x1e, 9, 0, 0x28, 0, 0x4b, 0xec, 0xa7, 0x1e]);
/// assert_eq!(records.next().map(|record| record.person), Some(Person::Slot(7)));
/// assert_eq!(records.next().map(|record| record.person), Some(Person::Slot(9)));
/// ```
///
/// [`AttendanceLayout::choose`]: super::AttendanceLayout::choose
#[derive(Clone)]
pub struct AttendanceStream {
    layout: AttendanceLayout,
    /// Bytes that are still to be left out.
    skip: usize,
    /// The beginning of the record that the last piece cut, and how many bytes of it there are.
    cut: [u8; LONGEST],
    held: usize,
    /// The record that was cut, for as long as it is looked at.
    joined: [u8; LONGEST],
}

impl AttendanceStream {
    /// A stream of records in this layout, from the first byte on.
    pub fn new(layout: AttendanceLayout) -> Self {
        Self { layout, skip: 0, cut: [0; LONGEST], held: 0, joined: [0; LONGEST] }
    }

    /// Leaves out bytes that stand in front of the first record: the length of the dataset is 4, and some firmware puts
    /// more there ([`LayoutChoice::noise`](super::LayoutChoice::noise)).
    #[must_use]
    pub fn skipping(self, bytes: usize) -> Self {
        Self { skip: bytes, ..self }
    }

    /// The records that end in the next piece of the dataset, in order. The piece counts as read whether they are
    /// looked at or not.
    ///
    /// Bytes behind the announced end of a dataset are no records; leave them out of the last piece.
    #[inline]
    pub fn records<'a>(&'a mut self, piece: &'a [u8]) -> impl ExactSizeIterator<Item = AttendanceRecord<'a>> {
        let size = self.layout.size();
        let rest = self.skip(piece);
        let (joined, rest) = self.join(rest);
        let whole = rest.chunks_exact(size);
        self.hold(whole.remainder());
        let joined = self.joined.get(..joined).unwrap_or_default();
        Records::new(self.layout, [joined.chunks_exact(size), whole])
    }

    /// Bytes of a record whose end has not come. When the dataset is over they are no record.
    pub fn trailing(&self) -> usize {
        self.held
    }

    /// What is to be read of a piece.
    fn skip<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let len = self.skip.min(piece.len());
        self.skip = self.skip.saturating_sub(len);
        piece.get(len..).unwrap_or_default()
    }

    /// Takes the rest of the record that was cut off a piece, and says how long it is now that it is whole.
    fn join<'a>(&mut self, piece: &'a [u8]) -> (usize, &'a [u8]) {
        if self.held == 0 {
            return (0, piece);
        }
        let size = self.layout.size();
        let (end, rest) = piece.split_at_checked(size.saturating_sub(self.held)).unwrap_or((piece, &[]));
        self.hold(end);
        if self.held < size {
            return (0, rest);
        }
        self.joined = self.cut;
        self.held = 0;
        (size, rest)
    }

    /// Keeps bytes of a record for the next piece.
    fn hold(&mut self, bytes: &[u8]) {
        let free = self.cut.get_mut(self.held..).unwrap_or_default();
        for (place, byte) in free.iter_mut().zip(bytes) {
            *place = *byte;
        }
        self.held = self.held.saturating_add(bytes.len());
    }
}

impl fmt::Debug for AttendanceStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttendanceStream")
            .field("layout", &self.layout)
            .field("skip", &self.skip)
            .field("trailing", &self.held)
            .finish()
    }
}
