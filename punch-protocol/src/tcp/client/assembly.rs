use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::carrier::Carrier;
use super::super::packet::Packet;

/// The packets of one transfer, put together by count of bytes. Frames may have any length.
pub(super) struct Assembly {
    carrier: Carrier,
    /// The session, which some terminals put where others put the index of a piece.
    session: u16,
    want: usize,
    got: usize,
    indexing: Indexing,
    /// Datagrams that overtook another one.
    ahead: BTreeMap<u16, Vec<u8>>,
    /// Bytes behind the last one that was announced.
    pub(super) surplus: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Indexing {
    /// No packet has come.
    Unknown,
    /// Packets count from somewhere; this is the next one's.
    Next(u16),
    /// Packets carry the session.
    None,
}

/// Where a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Bytes are missing.
    More,
    /// All have come.
    Whole,
    /// A packet is missing in the middle of a stream.
    Gap,
}

impl Assembly {
    /// A transfer of `want` bytes.
    pub(super) fn new(carrier: Carrier, session: u16, want: usize) -> Self {
        Self { carrier, session, want, got: 0, indexing: Indexing::Unknown, ahead: BTreeMap::new(), surplus: 0 }
    }

    /// The terminal says how many bytes it is going to send. More than was asked for are not taken.
    pub(super) fn announce(&mut self, size: usize) {
        self.want = self.want.min(size).max(self.got);
    }

    pub(super) fn want(&self) -> usize {
        self.want
    }

    pub(super) fn got(&self) -> usize {
        self.got
    }

    /// Takes a packet of data; what is in order goes to `collected`.
    pub(super) fn take(&mut self, packet: &Packet<'_>, collected: &mut Vec<u8>) -> Progress {
        let index = packet.session.0;
        if self.indexing == Indexing::Unknown {
            self.indexing = self.indexing_of(index, packet.data.len());
        }
        if self.is_uncounted(index, packet.data, collected) {
            self.indexing = Indexing::None;
        }
        match self.indexing {
            Indexing::Next(next) if index < next => {} // twice
            Indexing::Next(next) if index > next => {
                if self.carrier == Carrier::Tcp {
                    return Progress::Gap;
                }
                let waiting: usize = self.ahead.values().map(Vec::len).sum();
                if waiting.saturating_add(packet.data.len()) <= self.want {
                    self.ahead.entry(index).or_insert_with(|| packet.data.to_vec());
                }
            }
            Indexing::Next(next) => {
                self.append(packet.data, collected);
                self.catch_up(next, collected);
            }
            Indexing::Unknown | Indexing::None => self.append(packet.data, collected),
        }
        if self.got >= self.want { Progress::Whole } else { Progress::More }
    }

    /// Whether the packets of this transfer carry an index or the session. A stream may begin to count anywhere; of
    /// datagrams the first one may be the one that is lost.
    fn indexing_of(&self, index: u16, len: usize) -> Indexing {
        let is_session = index == self.session && index != 0;
        let too_high = usize::from(index) > self.want / 256;
        match self.carrier {
            _ if is_session && (len >= self.want || too_high) => Indexing::None,
            Carrier::Tcp => Indexing::Next(index),
            Carrier::Udp => Indexing::Next(0),
        }
    }

    /// Whether the last index comes again with other bytes: this terminal does not count.
    fn is_uncounted(&self, index: u16, data: &[u8], collected: &[u8]) -> bool {
        let is_last = matches!(self.indexing, Indexing::Next(next) if next.checked_sub(1) == Some(index));
        is_last && !collected.ends_with(data)
    }

    fn append(&mut self, data: &[u8], collected: &mut Vec<u8>) {
        let room = self.want.saturating_sub(self.got);
        let (taken, surplus) = data.split_at_checked(room).unwrap_or((data, &[]));
        if collected.capacity().saturating_sub(collected.len()) < taken.len() {
            collected.reserve_exact(room);
        }
        collected.extend_from_slice(taken);
        self.got = self.got.saturating_add(taken.len());
        self.surplus = self.surplus.saturating_add(surplus.len());
    }

    /// Appends what overtook packet `index`, now that it is there.
    fn catch_up(&mut self, index: u16, collected: &mut Vec<u8>) {
        let mut next = index.saturating_add(1);
        while let Some(data) = self.ahead.remove(&next) {
            self.append(&data, collected);
            next = next.saturating_add(1);
        }
        self.indexing = Indexing::Next(next);
    }
}
