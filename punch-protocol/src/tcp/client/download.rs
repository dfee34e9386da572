use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDateTime;

use super::super::attendance::{AttendanceLayout, AttendanceRecord};
use super::super::error::DataError;
use super::super::free_sizes::FreeSizes;
use super::super::layout::{LayoutChoice, Surroundings};
use super::super::limits::Limits;
use super::super::operation_record::OperationRecord;
use super::super::transfer::Dataset;
use super::super::user::{User, UserLayout};

/// A dataset as it was read. `Debug` shows how long it is.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Download {
    /// The dataset with its length in front; empty if the terminal has none.
    pub bytes: Vec<u8>,
    /// How it was read.
    pub path: ReadPath,
    /// Whether the terminal picked the records between the times that were asked for. If not, all are there.
    pub is_ranged: bool,
    /// How often a piece was asked for again.
    pub repeats: u32,
    /// Bytes that came behind the last one announced. They are no records.
    pub surplus: usize,
    pub(super) before: Option<Vec<u8>>,
    pub(super) after: Option<Vec<u8>>,
}

/// How a dataset was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReadPath {
    /// There was nothing to read.
    #[default]
    Empty,
    /// At once, in one packet.
    Direct,
    /// From the terminal's buffer, piece by piece.
    Buffer,
    /// At once, in packets.
    Announced,
    /// By the plain request of old units, because the terminal has no buffer for it. Some units answer it with something
    /// else, so the records must make sense.
    Plain,
}

impl Download {
    /// The terminal's counts before reading, if it told.
    pub fn counts_before(&self) -> Option<FreeSizes<'_>> {
        self.before.as_deref().map(FreeSizes::new)
    }

    /// The terminal's counts after reading attendance records, if it told.
    pub fn counts_after(&self) -> Option<FreeSizes<'_>> {
        self.after.as_deref().map(FreeSizes::new)
    }

    fn dataset(&self, limits: &Limits) -> Result<Option<Dataset<'_>>, DataError> {
        if self.bytes.is_empty() { Ok(None) } else { Dataset::parse(&self.bytes, limits).map(Some) }
    }

    /// The attendance records. `now` is the terminal's clock or one near it: records cannot be from years after it.
    ///
    /// # Errors
    ///
    /// [`DataError`] if they have no layout that is known, or several fit.
    pub fn attendance(&self, limits: &Limits, now: NaiveDateTime) -> Result<AttendanceLog<'_>, DataError> {
        let counter = self.counter(|counts| counts.records());
        let Some(dataset) = self.dataset(limits)? else { return Ok(AttendanceLog::empty(counter)) };
        let records = dataset.records;
        if records.is_empty() {
            return Ok(AttendanceLog { cut: dataset.missing(), ..AttendanceLog::empty(counter) });
        }
        let surroundings = Surroundings { count: counter.filter(|_| !self.is_ranged), total: None };
        let choice = AttendanceLayout::choose(records, surroundings, limits, now)?;
        let whole = records.get(choice.noise..).unwrap_or_default();
        Ok(AttendanceLog { cut: dataset.missing(), records: whole, choice: Some(choice), counter })
    }

    /// The users.
    ///
    /// # Errors
    ///
    /// [`DataError`] if they have no layout that is known, or both fit.
    pub fn users(&self, limits: &Limits) -> Result<UserList<'_>, DataError> {
        let counter = self.counter(|counts| counts.users());
        let records = self.dataset(limits)?.map_or(&[][..], |dataset| dataset.records);
        let layout = match records {
            [] => None,
            records => {
                let surroundings = Surroundings { count: counter, total: None };
                Some(UserLayout::choose(records, surroundings, limits)?.layout)
            }
        };
        Ok(UserList { records, layout, counter })
    }

    /// The lines of the operation log.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] if the dataset has no length in front.
    pub fn operations(&self, limits: &Limits) -> Result<impl Iterator<Item = OperationRecord>, DataError> {
        let records = self.dataset(limits)?.map_or(&[][..], |dataset| dataset.records);
        Ok(records.chunks_exact(OperationRecord::LEN).filter_map(OperationRecord::parse))
    }

    /// The lower of both counts: a row that was punched meanwhile may or may not be there.
    fn counter(&self, count: fn(FreeSizes<'_>) -> Option<u32>) -> Option<u32> {
        let [before, after] = [self.counts_before(), self.counts_after()].map(|counts| counts.and_then(count));
        match (before, after) {
            (Some(before), Some(after)) => Some(before.min(after)),
            (before, after) => before.or(after),
        }
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("len", &self.bytes.len())
            .field("path", &self.path)
            .field("is_ranged", &self.is_ranged)
            .field("repeats", &self.repeats)
            .field("surplus", &self.surplus)
            .finish_non_exhaustive()
    }
}

/// The attendance records of a download.
#[derive(Clone)]
pub struct AttendanceLog<'a> {
    records: &'a [u8],
    choice: Option<LayoutChoice<AttendanceLayout>>,
    counter: Option<u32>,
    cut: usize,
}

impl<'a> AttendanceLog<'a> {
    fn empty(counter: Option<u32>) -> Self {
        Self { records: &[], choice: None, counter, cut: 0 }
    }

    /// The layout; `None` if there is no record.
    pub fn layout(&self) -> Option<AttendanceLayout> {
        self.choice.as_ref().map(|choice| choice.layout)
    }

    /// The records, in the terminal's order. They borrow from the download: nothing is copied.
    pub fn rows(&self) -> impl Iterator<Item = AttendanceRecord<'a>> + use<'a> {
        let records = self.records;
        self.layout().into_iter().flat_map(move |layout| layout.records(records))
    }

    /// How many records there are.
    pub fn count(&self) -> usize {
        self.layout().and_then(|layout| self.records.len().checked_div(layout.size())).unwrap_or_default()
    }

    /// How many records the terminal says it has. Some units say nothing, or 0 when there are some.
    pub fn counter(&self) -> Option<u32> {
        self.counter
    }

    /// Bytes behind the last whole record. They are no record.
    pub fn trailing(&self) -> usize {
        self.choice.as_ref().map_or(0, |choice| choice.trailing)
    }

    /// Compares what was read with what the terminal says it has. `whole` is false for records between two times.
    ///
    /// # Errors
    ///
    /// [`Shortfall`] if records are missing: fewer than counted, a record that is cut, or a dataset shorter than it
    /// says. More than counted are fine: people punch.
    pub fn reconcile(&self, whole: bool) -> Result<(), Shortfall> {
        let received = u32::try_from(self.count()).unwrap_or(u32::MAX);
        let counted = self.counter.filter(|_| whole).unwrap_or(0);
        let cut = self.trailing().saturating_add(self.cut);
        if received < counted || self.cut > 0 || self.trailing() > 0 {
            return Err(Shortfall { received, counted, cut });
        }
        Ok(())
    }
}

impl fmt::Debug for AttendanceLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttendanceLog").field("layout", &self.layout()).field("count", &self.count()).finish()
    }
}

/// Records are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "PP-TCP-036 attendance: {received} records came, the terminal counts {counted}, {cut} bytes are no whole record; read again"
)]
#[expect(clippy::exhaustive_structs, reason = "an error of three numbers")]
pub struct Shortfall {
    /// Records that came.
    pub received: u32,
    /// Records that the terminal counts; 0 if it does not tell.
    pub counted: u32,
    /// Bytes of records that did not come whole.
    pub cut: usize,
}

impl Shortfall {
    /// The stable code.
    pub fn code(self) -> &'static str {
        "PP-TCP-036"
    }
}

/// The users of a download. `Debug` shows how many there are.
#[derive(Clone, Copy)]
pub struct UserList<'a> {
    records: &'a [u8],
    layout: Option<UserLayout>,
    counter: Option<u32>,
}

impl<'a> UserList<'a> {
    /// The layout; `None` if there is no user.
    pub fn layout(&self) -> Option<UserLayout> {
        self.layout
    }

    /// The users, in the terminal's order.
    pub fn rows(&self) -> impl Iterator<Item = User<'a>> + use<'a> {
        let records = self.records;
        self.layout.into_iter().flat_map(move |layout| layout.records(records))
    }

    /// How many users there are.
    pub fn count(&self) -> usize {
        self.layout.and_then(|layout| self.records.len().checked_div(layout.size())).unwrap_or_default()
    }

    /// How many users the terminal says it has.
    pub fn counter(&self) -> Option<u32> {
        self.counter
    }
}

impl fmt::Debug for UserList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserList").field("layout", &self.layout).field("count", &self.count()).finish()
    }
}
