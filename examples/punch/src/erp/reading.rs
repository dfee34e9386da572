//! Events from standard input, a file or a pipe: one a line, or a list of them.

use std::io::{BufRead, Read as _};

use punch_webhook::{ReceivedEvent, Verified};
use serde_json::Value;
use tokio::sync::mpsc;

/// Events that are read ahead of those that are written.
const AHEAD: usize = 10_000;

/// One event of the input.
#[derive(Debug)]
pub(super) struct Entry {
    /// Where it stands, from 1.
    pub(super) line: u64,
    /// Its id, as far as it can be told.
    pub(super) event_id: Option<String>,
    /// The event, or why it does not read.
    pub(super) event: Result<ReceivedEvent, String>,
}

/// Reads standard input on a thread of its own. The channel closes at the end.
pub(super) fn standard_input() -> mpsc::Receiver<Entry> {
    let (entries, inbox) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        // Whoever wrote has gone; nobody wants the rest.
        each(&mut std::io::stdin().lock(), |entry| entries.blocking_send(entry).is_ok());
    });
    inbox
}

/// Hands over every event, until `take` has enough or there are no more.
pub(super) fn each(input: &mut impl BufRead, mut take: impl FnMut(Entry) -> bool) {
    for line in 1_u64.. {
        let mut bytes = Vec::new();
        let limit = u64::try_from(Verified::MAX_BODY).unwrap_or(u64::MAX);
        match input.by_ref().take(limit).read_until(b'\n', &mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                take(Entry { line, event_id: None, event: Err(format!("cannot be read: {error}")) });
                return;
            }
        }
        if bytes.len() >= Verified::MAX_BODY && !bytes.ends_with(b"\n") {
            skip_line(input);
        }
        let text = bytes.trim_ascii();
        if !text.is_empty() && !entries(line, text).into_iter().all(&mut take) {
            return;
        }
    }
}

fn skip_line(input: &mut impl BufRead) {
    while let Ok(buffer) = input.fill_buf() {
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end.saturating_add(1));
        if length == 0 {
            return;
        }
        input.consume(length);
        if end.is_some() {
            return;
        }
    }
}

fn entries(line: u64, text: &[u8]) -> Vec<Entry> {
    let one = |body: &[u8], event: Result<ReceivedEvent, String>| {
        let named = || {
            let body: Value = serde_json::from_slice(body).ok()?;
            Some(body.get("event_id")?.as_str()?.to_owned())
        };
        let event_id = event.as_ref().ok().map(|event| event.event_id().to_string()).or_else(named);
        Entry { line, event_id, event }
    };
    match Verified::assume_verified(text).each() {
        Ok(parts) => {
            let read = |part: Verified<'_>| one(part.body(), part.event().map_err(|error| error.to_string()));
            parts.into_iter().map(read).collect()
        }
        Err(error) => vec![one(text, Err(error.to_string()))],
    }
}
