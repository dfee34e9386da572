use alloc::vec::Vec;

/// How many rows are asked for at once. More were refused by some calls.
pub(super) const LIMIT: usize = 50;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many rows all pages have, if it says so. A number of pages is said too, and wrong.
    pub count: Option<usize>,
}

impl<T> Page<T> {
    /// Whether no page comes after this one, with which there are `total` rows. A full page may be the last one only
    /// if the count says so.
    pub fn is_last(&self, total: usize) -> bool {
        self.items.len() < LIMIT || self.count.is_some_and(|count| total >= count)
    }
}
