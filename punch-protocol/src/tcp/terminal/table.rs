use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::error::WriteError;
use super::super::layout::NOISE;

/// Records of one size, kept as the dataset they are sent in: its length, noise, the records.
///
/// A transfer that is under way keeps the dataset it began with, without a copy as long as nothing changes.
#[derive(Clone)]
pub(super) struct Table {
    dataset: Arc<Vec<u8>>,
    /// Bytes in front of the first record.
    head: usize,
    row: usize,
}

impl Table {
    /// An empty table of records of `row` bytes.
    pub(super) fn new(row: usize, noise_blocks: usize) -> Self {
        let mut dataset = alloc::vec![0; 4];
        for _ in 0..noise_blocks {
            dataset.extend_from_slice(NOISE);
        }
        let head = dataset.len();
        let mut table = Self { dataset: Arc::new(dataset), head, row };
        table.count();
        table
    }

    /// The dataset as it is sent.
    pub(super) fn dataset(&self) -> Arc<Vec<u8>> {
        Arc::clone(&self.dataset)
    }

    /// The records, one after the other.
    pub(super) fn records(&self) -> &[u8] {
        self.dataset.get(self.head..).unwrap_or_default()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.records().chunks_exact(self.row)
    }

    pub(super) fn len(&self) -> u32 {
        let rows = self.records().len().checked_div(self.row).unwrap_or_default();
        u32::try_from(rows).unwrap_or(u32::MAX)
    }

    /// Appends a record, unless the dataset's length could not be said any more.
    pub(super) fn push(&mut self, record: &[u8]) -> Result<(), WriteError> {
        if u32::try_from(self.dataset.len().saturating_add(record.len())).is_err() {
            return Err(WriteError::Field { field: "the record", expected: "a dataset below 4 GiB" });
        }
        Arc::make_mut(&mut self.dataset).extend_from_slice(record);
        self.count();
        Ok(())
    }

    /// Writes over the record at `place`.
    pub(super) fn replace(&mut self, place: usize, record: &[u8]) {
        let start = self.start(place);
        let end = start.saturating_add(self.row);
        if let Some(old) = Arc::make_mut(&mut self.dataset).get_mut(start..end)
            && old.len() == record.len()
        {
            old.copy_from_slice(record);
        }
    }

    pub(super) fn remove(&mut self, place: usize) {
        let start = self.start(place);
        let end = start.saturating_add(self.row).min(self.dataset.len());
        if start < end {
            Arc::make_mut(&mut self.dataset).drain(start..end);
            self.count();
        }
    }

    pub(super) fn clear(&mut self) {
        let head = self.head;
        Arc::make_mut(&mut self.dataset).truncate(head);
        self.count();
    }

    fn start(&self, place: usize) -> usize {
        place.saturating_mul(self.row).saturating_add(self.head)
    }

    /// Writes the length in front.
    fn count(&mut self) {
        let dataset = Arc::make_mut(&mut self.dataset);
        let len = u32::try_from(dataset.len().saturating_sub(4)).unwrap_or(u32::MAX);
        if let Some(place) = dataset.get_mut(..4) {
            place.copy_from_slice(&len.to_le_bytes());
        }
    }
}
