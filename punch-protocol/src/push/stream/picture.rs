use alloc::vec::Vec;

use super::super::photo::PhotoHeader;
use super::{Finished, Streamed};

/// The body of a picture: the text before it is kept, the picture is counted.
pub(super) struct Picture {
    head: Vec<u8>,
    limit: usize,
    /// Bytes behind the text, once its end was found.
    picture: Option<usize>,
    bytes: usize,
}

impl Picture {
    pub(super) fn new(limit: usize) -> Self {
        Self { head: Vec::new(), limit, picture: None, bytes: 0 }
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(piece.len());
        if let Some(picture) = &mut self.picture {
            *picture = picture.saturating_add(piece.len());
            return;
        }
        let room = self.limit.saturating_sub(self.head.len());
        let (kept, rest) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        let from = self.head.len().saturating_sub(2);
        self.head.extend_from_slice(kept);
        // The end of the text may lie across two pieces, so the last two bytes are looked at again.
        let found = self.head.get(from..).and_then(PhotoHeader::split);
        if let Some((text, picture)) = found.map(|(text, picture)| (text.len(), picture.len())) {
            self.head.truncate(from.saturating_add(text));
            self.picture = Some(picture.saturating_add(rest.len()));
        }
    }

    pub(super) fn finish(self, sink: &mut impl FnMut(Streamed<'_>)) -> Finished {
        // A text that goes on beyond the limit is none.
        let complete = self.picture.is_some() || self.bytes <= self.limit;
        let dropped = self.picture.unwrap_or(if complete { 0 } else { self.bytes });
        let header = PhotoHeader::read(&self.head, dropped).filter(|_| complete);
        if self.bytes > 0 {
            sink(Streamed::Picture { header, dropped });
        }
        Finished { dropped, ..Finished::default() }
    }
}
