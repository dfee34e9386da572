//! Reads the body of an upload while it arrives.

mod carry;
mod lines;
mod opening;
mod picture;

use core::fmt;
use core::ops::Range;

use self::lines::StreamedLines;
use self::opening::Opening;
use self::picture::Picture;
use super::errors::{ParseError, RowError};
use super::limits::Limits;
use super::photo::PhotoHeader;
use super::request::{Parts, Request};
use super::rows::Row;
use super::upload::UploadHead;
use crate::SerialNumber;

impl Request<'_> {
    /// Reads what stands before the body; for uploads whose body a [`RowStream`] reads. [`Parts::body`] is not
    /// looked at.
    ///
    /// `None` if the request is no upload of rows or of a picture. Such bodies are small: receive them whole and
    /// go on with [`Request::parse`].
    ///
    /// # Errors
    ///
    /// As [`Request::parse`], with [`Limits::stream`] for the announced length.
    pub fn streamed(parts: Parts<'_>, limits: &Limits) -> Result<Option<(SerialNumber, UploadHead)>, ParseError> {
        // Without a table an empty body is a call without rows, any other an upload.
        let announced = parts.declared_length.map_or(parts.method == "POST", |length| length > 0);
        let body: &[u8] = if announced { b"\n" } else { b"" };
        let (serial, request) = Request::parse(Parts { body, declared_length: None, ..parts }, limits)?;
        let Request::Upload(upload) = request else { return Ok(None) };
        let len = parts.declared_length.map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if len > limits.stream {
            return Err(ParseError::BodyTooLarge { len, limit: limits.stream });
        }
        let mut head = upload.into_head();
        head.declared_length = parts.declared_length;
        let streamed = head.has_rows() || head.table().is_picture();
        Ok(streamed.then_some((serial, head)))
    }
}

/// What a [`RowStream`] finds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Streamed<'a> {
    /// A row.
    #[non_exhaustive]
    Row {
        /// The row. Values of templates and pictures are empty.
        row: Row<'a>,
        /// Line of the body, from 1.
        line: u32,
        /// Byte range of the row in the body.
        span: Range<usize>,
        /// Bytes of templates and pictures that were counted and not kept.
        dropped: usize,
    },
    /// A row that could not be read.
    Error(RowError<'a>),
    /// The picture that is the whole body ([`Table::is_picture`](super::Table::is_picture)), when it has passed.
    #[non_exhaustive]
    Picture {
        /// The text before the picture, if there is one.
        header: Option<PhotoHeader<'a>>,
        /// Bytes behind that text, which were counted and not kept.
        dropped: usize,
    },
}

/// What a whole body came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished {
    /// Bytes of the body.
    pub bytes: usize,
    /// Lines that are not empty, read or not; what [`UploadHead::ack`] wants.
    pub lines: u32,
    /// Lines that could not be read.
    pub errors: u32,
    /// Bytes of templates and pictures that were counted and not kept.
    pub dropped: usize,
}

/// Reads the body of an upload piece by piece, in memory that does not grow with it.
///
/// Rows that lie in one piece are read in place. Only a row that a piece cuts is carried to the next one, up to
/// [`Limits::line`]. Values of templates and pictures ([`Pair::is_biometric`](super::Pair::is_biometric)) are
/// counted as they pass, never kept, and do not count towards that limit.
///
/// Rows, lines, columns and spans are those of [`Upload::rows`](super::Upload::rows), wherever the pieces are cut.
///
/// ```
/// use punch_protocol::push::{Limits, Parts, Request, RowStream, Streamed};
///
/// let mut parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=OPERLOG&OpStamp=9999", b"");
/// parts.declared_length = Some(54);
/// let (serial, head) = Request::streamed(parts, &Limits::default())?.expect("an upload");
///
/// let mut stream = RowStream::new(&head);
/// let mut sink = |seen: Streamed<'_>| match seen {
///     Streamed::Row { row, dropped, .. } => println!("{row:?} without {dropped} bytes"),
///     Streamed::Error(error) => println!("{error}"),
///     other => println!("{other:?}"),
/// };
/// stream.feed(b"FP PIN=7\tFID=1\tSize=8\tValid=1\tTMP=T0", &mut sink)?;
/// stream.feed(b"ZGSw==\nUSER PIN=7\n", &mut sink)?;
/// let finished = stream.finish(&mut sink)?;
/// assert_eq!((finished.lines, finished.dropped), (2, 8));
/// assert_eq!(head.ack(finished.lines).to_string(), "OK: 2");
/// # Ok::<(), punch_protocol::push::ParseError>(())
/// ```
#[must_use = "only `finish` says whether the body is complete"]
pub struct RowStream<'h> {
    head: &'h UploadHead,
    opening: Opening,
    body: Body<'h>,
    bytes: usize,
    refused: Option<ParseError>,
}

enum Body<'h> {
    Lines(StreamedLines<'h>),
    Picture(Picture),
}

impl<'h> RowStream<'h> {
    /// A stream for the body behind `head`.
    pub fn new(head: &'h UploadHead) -> Self {
        let body = if head.has_rows() {
            Body::Lines(StreamedLines::new(head.reader()))
        } else {
            Body::Picture(Picture::new(head.limits().picture_head))
        };
        Self { head, opening: Opening::default(), body, bytes: 0, refused: None }
    }

    /// Takes the next piece of the body, of any length, and gives what it completes to `sink`.
    ///
    /// # Errors
    ///
    /// The body is longer than [`Limits::stream`], or packed. What follows is refused with the same error.
    pub fn feed(&mut self, piece: &[u8], sink: &mut impl FnMut(Streamed<'_>)) -> Result<(), ParseError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        self.take(piece, sink).inspect_err(|error| self.refused = Some(error.clone()))
    }

    /// Ends the body, and gives a last row without a line end to `sink`.
    ///
    /// # Errors
    ///
    /// Fewer bytes came than were announced: the row that was cut is not given, and the upload must not be
    /// acknowledged. Or an earlier piece was refused.
    pub fn finish(mut self, sink: &mut impl FnMut(Streamed<'_>)) -> Result<Finished, ParseError> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        let got = self.bytes;
        let announced = self.head.declared_length;
        if let Some(declared) = announced.filter(|&length| u64::try_from(got).is_ok_and(|got| got < length)) {
            return Err(ParseError::TruncatedBody { declared, got });
        }
        let held = core::mem::take(&mut self.opening);
        self.body.take(held.held(), sink);
        Ok(Finished { bytes: got, ..self.body.finish(sink) })
    }

    fn take(&mut self, piece: &[u8], sink: &mut impl FnMut(Streamed<'_>)) -> Result<(), ParseError> {
        let (len, limit) = (self.bytes.saturating_add(piece.len()), self.head.limits().stream);
        if len > limit {
            return Err(ParseError::BodyTooLarge { len, limit });
        }
        self.bytes = len;
        let rest = self.opening.take(piece)?;
        if let Some(held) = self.opening.release() {
            self.body.take(held.held(), sink);
        }
        self.body.take(rest, sink);
        Ok(())
    }
}

impl fmt::Debug for RowStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream")
            .field("table", self.head.table())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Body<'_> {
    fn take(&mut self, piece: &[u8], sink: &mut impl FnMut(Streamed<'_>)) {
        match self {
            Self::Lines(lines) => lines.take(piece, sink),
            Self::Picture(picture) => picture.take(piece),
        }
    }

    fn finish(self, sink: &mut impl FnMut(Streamed<'_>)) -> Finished {
        match self {
            Self::Lines(lines) => lines.finish(sink),
            Self::Picture(picture) => picture.finish(sink),
        }
    }
}
