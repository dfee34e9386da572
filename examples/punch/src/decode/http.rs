use std::borrow::Cow;

use punch_protocol::push::RequestLine;

/// What a dump of a connection consists of.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// A request or an answer.
    Message(Message<'a>),
    /// Bytes that belong to no message.
    Stray(Place<'a>),
}

/// Where something stands in the dump.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// Line of the dump, from 1.
    pub(super) line: usize,
    /// First byte.
    pub(super) start: usize,
    pub(super) bytes: &'a [u8],
}

#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The first line, where it stands.
    pub(super) first_line: Place<'a>,
    headers: Vec<(String, String)>,
    pub(super) body: Cow<'a, [u8]>,
    /// Length the head announces, unless the body is known to be whole.
    pub(super) missing_of: Option<u64>,
}

impl Message<'_> {
    /// The first header of that name.
    pub(super) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
    }
}

/// Splits a dump into messages. A body ends after `Content-Length` bytes, after its last chunk, or where the next
/// message begins.
pub(super) fn split(dump: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    loop {
        at += behind(dump, at).iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        if at >= dump.len() {
            return pieces;
        }
        line += before(behind(dump, counted), at - counted).iter().filter(|byte| **byte == b'\n').count();
        counted = at;
        if begins_message(first_line(behind(dump, at)), false) {
            let (message, length) = read_message(dump, at, line);
            pieces.push(Piece::Message(message));
            at += length;
        } else {
            let length = next_message(behind(dump, at)).unwrap_or(dump.len() - at);
            pieces.push(Piece::Stray(Place { line, start: at, bytes: before(behind(dump, at), length) }));
            at += length;
        }
    }
}

fn read_message(dump: &[u8], start: usize, line: usize) -> (Message<'_>, usize) {
    let first = first_line(behind(dump, start));
    let (mut at, mut headers, mut lines_end_in_lf) = (start + first.len(), Vec::new(), true);
    loop {
        let (skipped, bare) = line_end(behind(dump, at));
        lines_end_in_lf &= bare;
        at += skipped;
        let line = first_line(behind(dump, at));
        if line.is_empty() || begins_message(line, true) {
            if line.is_empty() {
                at += line_end(behind(dump, at)).0;
            }
            break;
        }
        let text = String::from_utf8_lossy(line);
        if let Some((name, value)) = text.split_once(':') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        at += line.len();
    }
    let mut message = Message {
        first_line: Place { line, start, bytes: first },
        headers,
        body: Cow::Borrowed(&[]),
        missing_of: None,
    };
    let (body, length, missing_of) = read_body(&message, behind(dump, at), lines_end_in_lf);
    (message.body, message.missing_of) = (body, missing_of);
    (message, at + length - start)
}

/// The body, how many bytes it takes, and what was announced if that is more.
fn read_body<'a>(message: &Message<'a>, rest: &'a [u8], edited: bool) -> (Cow<'a, [u8]>, usize, Option<u64>) {
    if message.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return read_chunks(rest);
    }
    let next = next_message(rest).unwrap_or(rest.len());
    let Some(declared) = message.header("content-length").and_then(|length| length.parse::<u64>().ok()) else {
        return (Cow::Borrowed(without_last_blank(before(rest, next))), next, None);
    };
    let length = usize::try_from(declared).unwrap_or(usize::MAX);
    match rest.get(length..) {
        Some(behind) if next >= length || ends_here(behind) => (Cow::Borrowed(before(rest, length)), length, None),
        _ => {
            let body = before(rest, next);
            // An editor that wrote CR LF as LF took one byte from each line.
            let whole = edited && body.len() + body.iter().filter(|byte| **byte == b'\n').count() == length;
            (Cow::Borrowed(body), next, (!whole).then_some(declared))
        }
    }
}

fn read_chunks(rest: &[u8]) -> (Cow<'_, [u8]>, usize, Option<u64>) {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = first_line(behind(rest, at));
        let text = String::from_utf8_lossy(line);
        let size = usize::from_str_radix(text.split(';').next().unwrap_or_default().trim(), 16).ok();
        let begin = at + line.len() + line_end(behind(rest, at + line.len())).0;
        match size.map(|size| (size, rest.get(begin..).and_then(|rest| rest.get(..size)))) {
            Some((0, _)) => return (Cow::Owned(body), begin + line_end(behind(rest, begin)).0, None),
            Some((size, Some(chunk))) => {
                body.extend_from_slice(chunk);
                at = begin + size + line_end(behind(rest, begin + size)).0;
            }
            Some((size, None)) => {
                body.extend_from_slice(behind(rest, begin));
                let announced = body.len() + size - (rest.len() - begin);
                return (Cow::Owned(body), rest.len(), u64::try_from(announced).ok());
            }
            None => {
                let announced = u64::try_from(body.len() + 1).ok();
                return (
                    Cow::Owned(body),
                    next_message(behind(rest, at)).map_or(rest.len(), |next| at + next),
                    announced,
                );
            }
        }
    }
}

/// Without a length, the line end behind a lone `OK` is the editor's; so is a body of line ends alone.
fn without_last_blank(body: &[u8]) -> &[u8] {
    match body.trim_ascii() {
        lone @ (b"" | b"OK") => lone,
        _ => body,
    }
}

fn ends_here(rest: &[u8]) -> bool {
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    blank == rest.len() || begins_message(first_line(behind(rest, blank)), true)
}

/// Where the next line begins that is the first of a message.
fn next_message(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < rest.len() {
        let line = first_line(behind(rest, at));
        if begins_message(line, true) {
            return Some(at);
        }
        at += line.len() + line_end(behind(rest, at + line.len())).0.max(1);
    }
    None
}

/// Whether a line begins a message; inside a dump only with its version, because bodies may hold anything.
fn begins_message(line: &[u8], inside: bool) -> bool {
    if line.starts_with(b"HTTP/1.") {
        return true;
    }
    // A target is text; a line of a picture is not.
    let Some(line) = core::str::from_utf8(line).ok().and_then(RequestLine::parse) else { return false };
    let known = ["GET", "POST", "HEAD", "PUT"].contains(&line.method);
    known && line.target.path.starts_with('/') && !(inside && line.version.is_empty())
}

fn first_line(rest: &[u8]) -> &[u8] {
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let line = before(rest, end);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Length of the line end at the start of `rest`, and whether it is a bare LF.
fn line_end(rest: &[u8]) -> (usize, bool) {
    match rest {
        [b'\r', b'\n', ..] => (2, false),
        [b'\n', ..] => (1, true),
        _ => (0, true),
    }
}

fn behind(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

fn before(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(..at).unwrap_or(bytes)
}
