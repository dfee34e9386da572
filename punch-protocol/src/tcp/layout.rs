use alloc::vec::Vec;

use chrono::{Datelike as _, NaiveDateTime};

use super::attendance::{AttendanceLayout, AttendanceRecord};
use super::attendance_records::SHORT_FORM;
use super::error::DataError;
use super::limits::Limits;
use super::person::Person;
use super::user::{User, UserLayout};
use crate::civil;

/// What is known about records beside their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct Surroundings {
    /// How many records the terminal said it has. It may be off by the punches made since, and some units say 0.
    pub count: Option<u32>,
    /// Bytes of all records, if only the first ones are at hand.
    pub total: Option<usize>,
}

/// How well records fit one layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutFit<L> {
    /// The layout.
    pub layout: L,
    /// Records that were looked at, at most [`Limits::samples`].
    pub looked_at: usize,
    /// Records that make sense: a real date that is not in the future, a PIN, a state that terminals have.
    pub plausible: usize,
    /// Records whose time is not before that of the one in front of them.
    pub in_order: usize,
    /// Bytes of the dataset behind the last whole record.
    pub trailing: usize,
    /// Whether there are as many as the terminal said.
    pub matches_count: bool,
}

impl<L> LayoutFit<L> {
    /// Whether nine of ten records make sense. A few that do not are damage, not another layout.
    pub fn is_plausible(&self) -> bool {
        self.looked_at > 0 && self.plausible.saturating_mul(10) >= self.looked_at.saturating_mul(9)
    }

    fn is_in_order(&self) -> bool {
        self.in_order.saturating_mul(10) >= self.looked_at.saturating_mul(9)
    }
}

/// A layout, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutChoice<L> {
    /// The layout.
    pub layout: L,
    /// Bytes in front of the records that some firmware puts there. They are no records.
    pub noise: usize,
    /// Bytes behind the last whole record. They are no record.
    pub trailing: usize,
    /// How well every layout fits, the chosen one among them.
    pub fits: Vec<LayoutFit<L>>,
}

impl AttendanceLayout {
    /// Finds the layout of a dataset, without its length in front, by what its records say.
    ///
    /// A layout fits if nine of ten records make sense in it. Of several, those that fill the dataset go first, then
    /// those with as many records as the terminal said, then those whose times are in order. The years that make sense
    /// end two after `now`, the terminal's wall clock or one near it.
    ///
    /// # Errors
    ///
    /// [`DataError::NoLayout`] if it holds something else: some units answer so to a command that they do not know.
    /// [`DataError::AmbiguousLayout`] if two layouts fit equally well. [`DataError::ShortForm`] if it has records of
    /// four bytes.
    ///
    /// ```
    /// use punch_protocol::civil;
    /// use punch_protocol::tcp::{AttendanceLayout, Limits, Surroundings};
    ///
    /// let records = [7, 0, 0x28, 0, 0xa8, 0xeb, 0xa7, 0x1e, 0x7b, 0, 0x28, 0, 0x4b, 0xec, 0xa7, 0x1e];
    /// let now = civil::parse(b"2016-01-02 08:00:00")?;
    /// let choice = AttendanceLayout::choose(&records, Surroundings::default(), &Limits::default(), now)?;
    /// assert_eq!((choice.layout, choice.trailing), (AttendanceLayout::Flags8, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn choose(
        records: &[u8],
        surroundings: Surroundings,
        limits: &Limits,
        now: NaiveDateTime,
    ) -> Result<LayoutChoice<Self>, DataError> {
        let last_year = now.year().saturating_add(2);
        let fit = |records: &[u8], total: usize, layout: Self| {
            let judged = layout.records(records).take(limits.samples);
            let judged = judged.map(|record| (is_plausible(layout, &record, last_year), record.time.0));
            fit(layout, layout.size(), judged, total, surroundings.count)
        };
        let total = surroundings.total.unwrap_or(records.len());
        let noise = noise_len(records);
        if noise > 0 {
            // A first record may look like noise too; then nothing makes sense behind it.
            let (rest, total) = (records.get(noise..).unwrap_or_default(), total.saturating_sub(noise));
            if let Ok(choice) = choose(Self::ALL.map(|layout| fit(rest, total, layout)).into(), rest.len()) {
                return Ok(LayoutChoice { noise, ..choice });
            }
        }
        match choose(Self::ALL.map(|layout| fit(records, total, layout)).into(), records.len()) {
            Err(DataError::NoLayout { .. }) if is_short_form(records) => Err(DataError::ShortForm),
            // Whole records in front of a short one are no reason to drop what follows.
            Ok(choice) if choice.layout == Self::Flags8 && choice.trailing > 0 && is_short_form(records) => {
                Err(DataError::ShortForm)
            }
            chosen => chosen,
        }
    }
}

impl UserLayout {
    /// Finds the layout of a dataset, without its length in front, by what its records say.
    ///
    /// A layout fits if nine of ten records make sense in it. Of several, those that fill the dataset go first, then
    /// those with as many users as the terminal said.
    ///
    /// # Errors
    ///
    /// [`DataError::NoLayout`] if it holds something else, [`DataError::AmbiguousLayout`] if both layouts fit equally
    /// well.
    pub fn choose(
        records: &[u8],
        surroundings: Surroundings,
        limits: &Limits,
    ) -> Result<LayoutChoice<Self>, DataError> {
        let total = surroundings.total.unwrap_or(records.len());
        let fit = |layout: Self| {
            let judged = layout.records(records).take(limits.samples).map(|user| (is_user(&user), 0));
            fit(layout, layout.size(), judged, total, surroundings.count)
        };
        choose(Self::ALL.map(fit).into(), records.len())
    }
}

/// Counts what was judged, record by record: whether it makes sense, and its time.
fn fit<L>(
    layout: L,
    size: usize,
    judged: impl Iterator<Item = (bool, u32)>,
    total: usize,
    count: Option<u32>,
) -> LayoutFit<L> {
    let announced = count.and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    let matches_count = announced.and_then(|count| count.checked_mul(size)) == Some(total);
    let trailing = total.checked_rem(size).unwrap_or_default();
    let mut fit = LayoutFit { layout, looked_at: 0, plausible: 0, in_order: 0, trailing, matches_count };
    let mut before = 0;
    for (plausible, time) in judged {
        fit.looked_at = fit.looked_at.saturating_add(1);
        fit.plausible = fit.plausible.saturating_add(plausible.into());
        fit.in_order = fit.in_order.saturating_add((time >= before).into());
        before = time;
    }
    fit
}

/// Takes the one layout that fits better than the rest.
fn choose<L: Copy>(fits: Vec<LayoutFit<L>>, len: usize) -> Result<LayoutChoice<L>, DataError> {
    let mut left: Vec<&LayoutFit<L>> = fits.iter().filter(|fit| fit.is_plausible()).collect();
    let rules: [fn(&LayoutFit<L>) -> bool; 3] =
        [|fit| fit.trailing == 0, |fit| fit.matches_count, LayoutFit::is_in_order];
    for better in rules {
        if left.iter().any(|fit| better(fit)) {
            left.retain(|fit| better(fit));
        }
    }
    match left.as_slice() {
        [] => Err(DataError::NoLayout { len }),
        [fit] => {
            let (layout, trailing) = (fit.layout, fit.trailing);
            Ok(LayoutChoice { layout, noise: 0, trailing, fits })
        }
        several => Err(DataError::AmbiguousLayout { len, layouts: several.len() }),
    }
}

/// The greatest work code that eight digits write. Two records of eight bytes have a time in its place.
const WORK_CODE_MAX: u32 = 99_999_999;

/// Whether a record makes sense. Without a PIN as text there is less to go by, so times of an unset clock, which small
/// numbers look like, and strange states do not count there.
fn is_plausible(layout: AttendanceLayout, record: &AttendanceRecord<'_>, last_year: i32) -> bool {
    let time = record.time.civil().filter(|time| time.year() <= last_year);
    let set = time.is_some_and(|time| !civil::is_unset_clock(time));
    let sober = record.verify.0 <= 50 && !(10..100).contains(&record.state.0);
    match (&record.person, record.flags) {
        (Person::Pin(pin), _) => time.is_some() && is_text(pin.as_bytes()),
        (Person::Number(number), _) => {
            let empty = record.tail.as_bytes().iter().all(|byte| *byte == 0);
            set && sober && empty && *number != 0 && record.work_code.is_none_or(|code| code <= WORK_CODE_MAX)
        }
        (Person::Slot(_), Some([flags, spare])) => set && flags & SHORT_FORM == 0 && spare == 0,
        (Person::Slot(_), None) => set && sober && layout == AttendanceLayout::Packed8,
    }
}

fn is_user(user: &User<'_>) -> bool {
    let pin = match &user.person {
        Person::Pin(pin) => is_text(pin.as_bytes()),
        Person::Number(number) => *number != 0,
        Person::Slot(_) => false,
    };
    pin && user.slot != 0 && user.rights.0 < 16 && !user.name.iter().any(u8::is_ascii_control)
}

/// Whether these are the bytes of a PIN. Those of other code pages have the top bit set.
fn is_text(pin: &[u8]) -> bool {
    !pin.is_empty() && !pin.iter().any(u8::is_ascii_control)
}

/// Blocks that some firmware puts in front of records.
pub(super) const NOISE: &[u8] = b"\xff255\0\0\0\0\0";

fn noise_len(records: &[u8]) -> usize {
    let blocks = records.chunks_exact(NOISE.len()).take_while(|block| *block == NOISE).count();
    blocks.saturating_mul(NOISE.len())
}

/// Whether a walk by the bit that announces four bytes ends where the dataset ends.
fn is_short_form(mut records: &[u8]) -> bool {
    let mut short = false;
    while let Some(flags) = records.get(2) {
        let len = if flags & SHORT_FORM == 0 { 8 } else { 4 };
        short |= len == 4;
        let Some(rest) = records.get(len..) else { return false };
        records = rest;
    }
    short && records.is_empty()
}
