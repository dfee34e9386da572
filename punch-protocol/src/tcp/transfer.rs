use super::codes::{Command, DatasetKind};
use super::error::DataError;
use super::fields::{array_at, u16_at, u32_at};
use super::limits::Limits;
use crate::encoded_time::EncodedTime;

fn wrong(what: &'static str, data: &[u8], expected: &'static str) -> DataError {
    DataError::Length { what, len: data.len(), expected }
}

/// What `PREPARE_BUFFER` asks for: 11 bytes, the first of them 1.
///
/// ```
/// use punch_protocol::tcp::{BufferRequest, Command, DatasetKind};
///
/// let request = BufferRequest::new(Command::TEMPLATE_READ, DatasetKind::USERS);
/// assert_eq!(request.to_bytes(), [1, 9, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
/// assert_eq!(BufferRequest::parse(&request.to_bytes()), Ok(request));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufferRequest {
    /// The command whose answer is wanted.
    pub command: Command,
    /// The dataset; of [`Command::ATTENDANCE_BY_TIME`] the earliest time, packed.
    pub kind: DatasetKind,
    /// Zero; of [`Command::ATTENDANCE_BY_TIME`] the latest time, packed.
    pub extra: u32,
}

impl BufferRequest {
    /// A request for a whole dataset. Attendance records go without a kind (0).
    pub fn new(command: Command, kind: DatasetKind) -> Self {
        Self { command, kind, extra: 0 }
    }

    /// A request for the attendance records between two times, both included. One source; most firmware refuses it.
    pub fn attendance_between(from: EncodedTime, to: EncodedTime) -> Self {
        Self { command: Command::ATTENDANCE_BY_TIME, kind: DatasetKind(from.0), extra: to.0 }
    }

    /// Reads the data of a `PREPARE_BUFFER`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 11 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let (command, kind, extra) = (u16_at(data, 1)?, u32_at(data, 3)?, u32_at(data, 7)?);
            (data.len() == 11).then_some(Self { command: Command(command), kind: DatasetKind(kind), extra })
        };
        read().ok_or_else(|| wrong("buffer request", data, "11"))
    }

    /// The data of a `PREPARE_BUFFER`.
    pub fn to_bytes(self) -> [u8; 11] {
        let ([c0, c1], [k0, k1, k2, k3]) = (self.command.0.to_le_bytes(), self.kind.0.to_le_bytes());
        let [e0, e1, e2, e3] = self.extra.to_le_bytes();
        [1, c0, c1, k0, k1, k2, k3, e0, e1, e2, e3]
    }
}

/// The answer to a `PREPARE_BUFFER` whose dataset is too long for one packet: 13 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufferReady {
    /// A byte that has always been 0.
    pub flag: u8,
    /// Bytes in the buffer.
    pub size: u32,
    /// The same again.
    pub size_again: u32,
    /// A word of unknown meaning; no checksum anybody has tried.
    pub unknown: u32,
}

impl BufferReady {
    /// Reads the data of the answer. An answer without data means that the dataset is empty.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 13 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let [flag] = array_at(data, 0)?;
            let (size, size_again, unknown) = (u32_at(data, 1)?, u32_at(data, 5)?, u32_at(data, 9)?);
            (data.len() == 13).then_some(Self { flag, size, size_again, unknown })
        };
        read().ok_or_else(|| wrong("answer to a buffer request", data, "13"))
    }

    /// The data of the answer.
    pub fn to_bytes(self) -> [u8; 13] {
        let ([a, b, c, d], [e, f, g, h]) = (self.size.to_le_bytes(), self.size_again.to_le_bytes());
        let [i, j, k, l] = self.unknown.to_le_bytes();
        [self.flag, a, b, c, d, e, f, g, h, i, j, k, l]
    }
}

/// A piece of the buffer that `READ_BUFFER` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufferPiece {
    /// Where it begins, in bytes from 0.
    pub offset: u32,
    /// Bytes of it.
    pub len: u32,
}

impl BufferPiece {
    /// The longest piece that clients ask for over TCP.
    pub const TCP_MAX: u32 = 0xffc0;
    /// The longest piece that clients ask for over UDP.
    pub const UDP_MAX: u32 = 16 << 10;

    /// The piece at `offset` of a buffer of `size` bytes, at most `max` long; `None` at its end.
    ///
    /// ```
    /// use punch_protocol::tcp::BufferPiece;
    ///
    /// let piece = BufferPiece::of(65_472, 66_496, BufferPiece::TCP_MAX).expect("not at the end");
    /// assert_eq!((piece.offset, piece.len), (65_472, 1024));
    /// assert_eq!(BufferPiece::of(66_496, 66_496, BufferPiece::TCP_MAX), None);
    /// ```
    pub fn of(offset: u32, size: u32, max: u32) -> Option<Self> {
        let len = size.checked_sub(offset)?.min(max);
        (len > 0).then_some(Self { offset, len })
    }

    /// Reads the data of a `READ_BUFFER`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 8 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let (offset, len) = (u32_at(data, 0)?, u32_at(data, 4)?);
            (data.len() == 8).then_some(Self { offset, len })
        };
        read().ok_or_else(|| wrong("buffer piece", data, "8"))
    }

    /// The data of a `READ_BUFFER`.
    pub fn to_bytes(self) -> [u8; 8] {
        let ([a, b, c, d], [e, f, g, h]) = (self.offset.to_le_bytes(), self.len.to_le_bytes());
        [a, b, c, d, e, f, g, h]
    }
}

/// What `PREPARE_DATA` announces, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announcement {
    /// Bytes that follow, in packets of data.
    pub size: u32,
    /// Bytes of data in a packet at most, if the terminal says so.
    pub packet_max: Option<u32>,
}

impl Announcement {
    /// Reads the data of a `PREPARE_DATA`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] unless there are 4 or 8 bytes, [`DataError::DatasetTooLong`] if more is announced than
    /// [`Limits::dataset`].
    pub fn parse(data: &[u8], limits: &Limits) -> Result<Self, DataError> {
        let size = u32_at(data, 0).filter(|_| matches!(data.len(), 4 | 8));
        let size = size.ok_or_else(|| wrong("announcement of data", data, "4 or 8"))?;
        let len = usize::try_from(size).unwrap_or(usize::MAX);
        if len > limits.dataset {
            return Err(DataError::DatasetTooLong { len, limit: limits.dataset });
        }
        Ok(Self { size, packet_max: u32_at(data, 4) })
    }
}

/// A dataset as it came: its length, and the records.
///
/// ```
/// use punch_protocol::tcp::{Dataset, Limits};
///
/// let dataset = Dataset::parse(&[16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], &Limits::default())?;
/// assert_eq!((dataset.records.len(), dataset.missing(), dataset.surplus), (8, 8, 0));
/// # Ok::<(), punch_protocol::tcp::DataError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dataset<'a> {
    /// Bytes of records, as the terminal says.
    pub announced: u32,
    /// The records that are there: no more than announced.
    pub records: &'a [u8],
    /// Bytes behind the last one that was announced. They are no records.
    pub surplus: usize,
}

impl<'a> Dataset<'a> {
    /// Takes the length off a dataset.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] if there are fewer than 4 bytes, [`DataError::DatasetTooLong`] if there are more than
    /// [`Limits::dataset`].
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, DataError> {
        if bytes.len() > limits.dataset {
            return Err(DataError::DatasetTooLong { len: bytes.len(), limit: limits.dataset });
        }
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
            return Err(wrong("dataset", bytes, "4 at least"));
        };
        let announced = u32::from_le_bytes(*length);
        let len = usize::try_from(announced).unwrap_or(usize::MAX).min(rest.len());
        let (records, surplus) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        Ok(Self { announced, records, surplus: surplus.len() })
    }

    /// Bytes that were announced and are not there.
    pub fn missing(&self) -> usize {
        usize::try_from(self.announced).unwrap_or(usize::MAX).saturating_sub(self.records.len())
    }
}

impl core::fmt::Debug for Dataset<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Dataset")
            .field("announced", &self.announced)
            .field("records_len", &self.records.len())
            .field("surplus", &self.surplus)
            .finish()
    }
}
