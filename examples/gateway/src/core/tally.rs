/// How many rows of an upload met which fate. The sum is the number of rows received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Punches to be delivered.
    pub delivered: u32,
    /// Second punches within the window.
    pub suppressed: u32,
    /// Rows kept aside.
    pub held: u32,
    /// Rows seen before.
    pub replayed: u32,
    /// Rows that are no punches.
    pub recorded: u32,
    /// Rows counted and not kept.
    pub discarded: u32,
}

impl Tally {
    /// Counts what others counted too.
    pub fn add(&mut self, other: Self) {
        let Self { delivered, suppressed, held, replayed, recorded, discarded } = self;
        for (count, more) in [
            (delivered, other.delivered),
            (suppressed, other.suppressed),
            (held, other.held),
            (replayed, other.replayed),
            (recorded, other.recorded),
            (discarded, other.discarded),
        ] {
            *count = count.saturating_add(more);
        }
    }
}
