use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// One kind of record, oldest first, as flash memory keeps it: what was acknowledged stays until it is overwritten.
///
/// When it is full the oldest record makes room, if the server has it. If not, the new one is refused, as a
/// terminal with a full log refuses to punch.
#[derive(Clone, Default)]
pub(super) struct Log {
    rows: VecDeque<Entry>,
    limit: usize,
    /// Number of the front row; numbers are never used twice.
    first: u64,
    /// Rows before this index are not due.
    settled: usize,
    /// Rows never acknowledged.
    pending: usize,
    acknowledged: u64,
    /// Rows from here on go first.
    live_from: Option<u64>,
}

#[derive(Clone)]
struct Entry {
    bytes: Box<[u8]>,
    /// What the server must want for this row to be sent.
    word: &'static str,
    due: bool,
    acknowledged: bool,
}

/// Rows for one upload.
pub(super) struct Batch {
    pub(super) numbers: Vec<u64>,
    pub(super) body: Vec<u8>,
    /// The last row, without its line end.
    pub(super) last: Vec<u8>,
}

impl Log {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Keeps a row; whether there was room.
    pub(super) fn push(&mut self, bytes: Vec<u8>, word: &'static str) -> bool {
        if self.rows.len() >= self.limit {
            if self.rows.front().is_none_or(|front| !front.acknowledged) {
                return false;
            }
            self.rows.pop_front();
            self.first = self.first.saturating_add(1);
            self.settled = self.settled.saturating_sub(1);
        }
        self.rows.push_back(Entry { bytes: bytes.into_boxed_slice(), word, due: true, acknowledged: false });
        self.pending = self.pending.saturating_add(1);
        true
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Rows acknowledged so far, each counted once.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.iter().map(|entry| &*entry.bytes)
    }

    /// The next rows to send: at most `rows`, and at most `bytes` unless one row alone is longer.
    pub(super) fn batch(&self, wanted: impl Fn(&str) -> bool, rows: usize, bytes: usize) -> Option<Batch> {
        let live = self.live_from.and_then(|number| self.index(number)).filter(|&index| index > self.settled);
        let batch = live.and_then(|index| self.batch_from(index, &wanted, rows, bytes));
        batch.or_else(|| self.batch_from(self.settled, &wanted, rows, bytes))
    }

    fn batch_from(&self, start: usize, wanted: &impl Fn(&str) -> bool, rows: usize, bytes: usize) -> Option<Batch> {
        let mut batch = Batch { numbers: Vec::new(), body: Vec::new(), last: Vec::new() };
        for (index, entry) in self.rows.iter().enumerate().skip(start) {
            if !entry.due || !wanted(entry.word) {
                continue;
            }
            let len = batch.body.len().saturating_add(entry.bytes.len()).saturating_add(1);
            if batch.numbers.len() >= rows || (len > bytes && !batch.numbers.is_empty()) {
                break;
            }
            batch.numbers.push(self.first.saturating_add(u64::try_from(index).unwrap_or(u64::MAX)));
            batch.body.extend_from_slice(&entry.bytes);
            batch.body.push(b'\n');
            batch.last = entry.bytes.to_vec();
        }
        (!batch.numbers.is_empty()).then_some(batch)
    }

    /// The server has these rows. Those overwritten or deleted meanwhile are passed over.
    pub(super) fn acknowledge(&mut self, numbers: &[u64]) {
        for &number in numbers {
            let Some(entry) = self.index(number).and_then(|index| self.rows.get_mut(index)) else { continue };
            entry.due = false;
            if !entry.acknowledged {
                entry.acknowledged = true;
                self.pending = self.pending.saturating_sub(1);
                self.acknowledged = self.acknowledged.saturating_add(1);
            }
        }
        self.settle();
    }

    /// Sends the rows that `again` names once more.
    pub(super) fn send_again(&mut self, again: impl Fn(&[u8]) -> bool) {
        for entry in &mut self.rows {
            entry.due = entry.due || again(&entry.bytes);
        }
        self.settled = 0;
        self.settle();
    }

    /// From now on what is new goes before what has been waiting.
    pub(super) fn put_new_rows_first(&mut self) {
        let count = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        self.live_from = Some(self.first.saturating_add(count));
    }

    /// Deletes everything; how many rows there were and how many of them nobody has.
    pub(super) fn clear(&mut self) -> (usize, usize) {
        let counts = (self.rows.len(), self.pending);
        self.first = self.first.saturating_add(u64::try_from(self.rows.len()).unwrap_or(u64::MAX));
        self.rows.clear();
        (self.settled, self.pending) = (0, 0);
        counts
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    fn settle(&mut self) {
        while self.rows.get(self.settled).is_some_and(|entry| !entry.due) {
            self.settled = self.settled.saturating_add(1);
        }
    }
}
