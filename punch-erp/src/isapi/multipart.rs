use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use memchr::memmem::find;

use crate::passage::SourceError;

/// Reads parts of a `multipart` body as they come, however they are cut. Pictures are skipped and never held; of the other
/// parts one is held at a time.
///
/// The bytes of a picture may look like a boundary, so a part's `Content-Length` counts where it has one.
pub struct MultipartReader {
    /// `--` and the boundary.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    state: State,
}

enum State {
    /// Before a delimiter, or between two.
    Between,
    /// In the lines above a part.
    Head,
    /// In a part of known length, of which so much is still to come.
    Counted { kind: Kind, left: usize },
    /// In a part that ends with the next delimiter, which does not begin before `from`.
    Searched { kind: Kind, from: usize },
    /// Behind the last part.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Picture,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// What an event says, as JSON or XML.
    Event(Bytes),
    /// A picture, of which nothing was kept.
    Picture,
}

impl MultipartReader {
    /// The longest part that is held, in bytes: 4 MiB.
    pub const PART_MAX: usize = 4 << 20;

    /// The longest head of a part, in bytes.
    pub const HEAD_MAX: usize = 8 << 10;

    /// A reader for this boundary, which [`boundary_of`] finds.
    pub fn new(boundary: &str) -> Self {
        let delimiter = [b"--", boundary.as_bytes()].concat();
        Self { delimiter, buffer: Vec::new(), state: State::Between }
    }

    /// Takes the next bytes; the parts that are whole now.
    ///
    /// # Errors
    ///
    /// [`SourceError::TooLong`] if a part or its head is longer than the limits. Nothing more can be read then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Part>, SourceError> {
        let mut parts = Vec::new();
        // Piece by piece, so that of a long picture only a piece is held.
        for piece in bytes.chunks(Self::HEAD_MAX) {
            self.buffer.extend_from_slice(piece);
            while self.step(&mut parts)? {}
        }
        Ok(parts)
    }

    /// How many bytes are held.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Whether the last part is over.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Goes on as far as one state reaches. False if more bytes are needed.
    fn step(&mut self, parts: &mut Vec<Part>) -> Result<bool, SourceError> {
        match self.state {
            State::Between => Ok(self.find_delimiter()),
            State::Head => self.read_head(),
            State::Counted { kind, left } => self.count(kind, left, parts),
            State::Searched { kind, from } => self.search(kind, from, parts),
            State::Over => {
                self.buffer.clear();
                Ok(false)
            }
        }
    }

    fn find_delimiter(&mut self) -> bool {
        let Some(at) = find(&self.buffer, &self.delimiter) else {
            self.forget_but(self.delimiter.len());
            return false;
        };
        let behind = at.saturating_add(self.delimiter.len());
        match self.buffer.get(behind..).unwrap_or_default() {
            [b'-', b'-', ..] => self.state = State::Over,
            // What follows is not there yet.
            [] | [b'-'] => return false,
            _ => self.state = State::Head,
        }
        self.forget(behind);
        true
    }

    fn read_head(&mut self) -> Result<bool, SourceError> {
        // Some firmware ends lines with LF alone.
        let ends = [(find(&self.buffer, b"\r\n\r\n"), 4), (find(&self.buffer, b"\n\n"), 2)];
        let end = ends.iter().filter_map(|&(at, len)| Some((at?, len))).min();
        let Some((at, len)) = end else {
            let is_long = self.buffer.len() > Self::HEAD_MAX;
            return if is_long { Err(SourceError::TooLong { limit: Self::HEAD_MAX }) } else { Ok(false) };
        };
        let head = String::from_utf8_lossy(self.buffer.get(..at).unwrap_or_default()).to_ascii_lowercase();
        let kind = kind_of(&head);
        let length = header(&head, "content-length").and_then(|length| length.parse::<usize>().ok());
        self.forget(at.saturating_add(len));
        self.state = match length {
            Some(length) if kind == Kind::Text && length > Self::PART_MAX => {
                return Err(SourceError::TooLong { limit: Self::PART_MAX });
            }
            Some(left) => State::Counted { kind, left },
            None => State::Searched { kind, from: 0 },
        };
        Ok(true)
    }

    fn count(&mut self, kind: Kind, left: usize, parts: &mut Vec<Part>) -> Result<bool, SourceError> {
        let here = self.buffer.len();
        if here < left {
            if kind == Kind::Picture {
                self.forget(here);
                self.state = State::Counted { kind, left: left.saturating_sub(here) };
            }
            return Ok(false);
        }
        parts.push(match kind {
            Kind::Picture => Part::Picture,
            Kind::Text => Part::Event(Bytes::copy_from_slice(self.buffer.get(..left).unwrap_or_default())),
        });
        self.forget(left);
        self.state = State::Between;
        Ok(true)
    }

    fn search(&mut self, kind: Kind, from: usize, parts: &mut Vec<Part>) -> Result<bool, SourceError> {
        let delimiter = [b"\n", self.delimiter.as_slice()].concat();
        let found = find(self.buffer.get(from..).unwrap_or_default(), &delimiter);
        let Some(at) = found.map(|at| at.saturating_add(from)) else {
            if kind == Kind::Picture {
                self.forget_but(delimiter.len());
            } else if self.buffer.len() > Self::PART_MAX {
                return Err(SourceError::TooLong { limit: Self::PART_MAX });
            }
            // What was looked at is not looked at again, or many small pieces would take long.
            let from = if kind == Kind::Text { self.buffer.len().saturating_sub(delimiter.len()) } else { 0 };
            self.state = State::Searched { kind, from };
            return Ok(false);
        };
        parts.push(match kind {
            Kind::Picture => Part::Picture,
            Kind::Text => {
                let text = self.buffer.get(..at).unwrap_or_default();
                Part::Event(Bytes::copy_from_slice(text.strip_suffix(b"\r").unwrap_or(text)))
            }
        });
        self.forget(at);
        self.state = State::Between;
        Ok(true)
    }

    fn forget(&mut self, count: usize) {
        self.buffer.drain(..count.min(self.buffer.len()));
    }

    /// Forgets what cannot be the beginning of something `len` bytes long.
    fn forget_but(&mut self, len: usize) {
        self.forget(self.buffer.len().saturating_sub(len));
    }
}

impl fmt::Debug for MultipartReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultipartReader").field("held", &self.buffer.len()).finish_non_exhaustive()
    }
}

/// The boundary that a `Content-Type` names; `None` of what is not multipart.
///
/// ```
/// use punch_erp::isapi::boundary_of;
///
/// assert_eq!(boundary_of("multipart/form-data; boundary=\"MIME_boundary\"").as_deref(), Some("MIME_boundary"));
/// assert_eq!(boundary_of("application/json"), None);
/// ```
pub fn boundary_of(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let pairs = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let boundary = pairs.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?.1;
    let boundary = boundary.trim().trim_matches('"');
    // RFC 2046 has 70 characters; nothing sensible has more.
    (!boundary.is_empty() && boundary.len() <= 200).then(|| boundary.to_owned())
}

/// What a part is, by its type, or by its name where it has none.
fn kind_of(head: &str) -> Kind {
    match header(head, "content-type") {
        Some(kind) if kind.starts_with("image/") || kind.starts_with("application/octet-stream") => Kind::Picture,
        Some(_) => Kind::Text,
        None if header(head, "content-disposition").is_some_and(|name| name.contains("picture")) => Kind::Picture,
        None => Kind::Text,
    }
}

/// The value of a header line. `head` is in small letters.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}
