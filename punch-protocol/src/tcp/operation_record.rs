use alloc::vec::Vec;

use super::error::WriteError;
use super::fields::{array_at, u16_at, u32_at};
use crate::encoded_time::EncodedTime;
use crate::operation::Operation;

/// One line of a terminal's operation log: 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationRecord {
    /// The administrator's place in the table of users; 0 if there was none.
    pub administrator: u16,
    /// What was done.
    pub operation: Operation,
    /// A byte of unknown meaning.
    pub unknown: u8,
    /// The terminal's wall clock, packed.
    pub time: EncodedTime,
    /// What the operation was about; the meaning depends on it.
    pub values: [u16; 4],
}

impl OperationRecord {
    /// Bytes of a record.
    pub const LEN: usize = 16;

    /// A line without an administrator and without values.
    pub fn new(operation: Operation, time: EncodedTime) -> Self {
        Self { administrator: 0, operation, unknown: 0, time, values: [0; 4] }
    }

    /// Reads the record at the beginning of `bytes`; `None` if there are fewer than 16.
    ///
    /// ```
    /// use punch_protocol::tcp::{Operation, OperationRecord};
    ///
    /// let bytes = [1, 0, 6, 0, 0x58, 0x0d, 0x04, 0x23, 14, 0, 0, 0, 4, 0, 0, 0];
    /// let record = OperationRecord::parse(&bytes).expect("16 bytes");
    /// assert_eq!((record.administrator, record.operation), (1, Operation::FINGER_ENROLLED));
    /// assert_eq!(record.values, [14, 0, 4, 0]);
    /// ```
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [operation, unknown] = array_at(bytes, 2)?;
        Some(Self {
            administrator: u16_at(bytes, 0)?,
            operation: Operation(operation.into()),
            unknown,
            time: EncodedTime(u32_at(bytes, 4)?),
            values: [u16_at(bytes, 8)?, u16_at(bytes, 10)?, u16_at(bytes, 12)?, u16_at(bytes, 14)?],
        })
    }

    /// Appends the record.
    ///
    /// ```
    /// use punch_protocol::tcp::{EncodedTime, Operation, OperationRecord};
    ///
    /// let record = OperationRecord::new(Operation::TIME_SET, EncodedTime(0x2304_0d58));
    /// let mut out = Vec::new();
    /// record.write(&mut out)?;
    /// assert_eq!(OperationRecord::parse(&out), Some(record));
    /// # Ok::<(), punch_protocol::tcp::WriteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if the operation's number is above 255; nothing is appended then.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let operation = u8::try_from(self.operation.0);
        let operation = operation.map_err(|_| WriteError::Field { field: "the operation", expected: "at most 255" })?;
        out.extend_from_slice(&self.administrator.to_le_bytes());
        out.extend_from_slice(&[operation, self.unknown]);
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.extend(self.values.into_iter().flat_map(u16::to_le_bytes));
        Ok(())
    }
}
