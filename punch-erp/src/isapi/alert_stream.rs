use alloc::vec::Vec;
use core::fmt;

use http::header::ACCEPT;
use http::{HeaderValue, Method};

use super::push::read_body;
use super::{IsapiRules, IsapiTerminal, MultipartReader, Part};
use crate::HttpRequest;
use crate::passage::{Reading, SourceError};

/// Reads the endless answer of a terminal, as it comes.
///
/// Some terminals have one stream only. Come back after 30 s at the earliest, and ask with
/// [`SearchEvents`](super::SearchEvents) for what happened in between; a silence of three heartbeats is an end.
pub struct AlertStream {
    parts: MultipartReader,
    rules: IsapiRules,
    unreadable: u64,
}

impl AlertStream {
    /// A reader for an answer with this boundary, which [`boundary_of`](super::boundary_of) finds in its `Content-Type`.
    pub fn new(boundary: &str, rules: IsapiRules) -> Self {
        Self { parts: MultipartReader::new(boundary), rules, unreadable: 0 }
    }

    /// Takes the next bytes; what the events that are whole now say. A part that cannot be read is counted and costs no other.
    ///
    /// # Errors
    ///
    /// [`SourceError::TooLong`] if a part is longer than is held. The stream has to be opened anew.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Reading>, SourceError> {
        let mut readings = Vec::new();
        for part in self.parts.feed(bytes)? {
            let Part::Event(body) = part else { continue };
            match read_body(&body, &self.rules) {
                Ok(reading) => readings.push(reading),
                Err(_) => self.unreadable = self.unreadable.saturating_add(1),
            }
        }
        Ok(readings)
    }

    /// How many parts could not be read. Ask for the events of that time when it grows.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Whether the terminal ended the stream.
    pub fn is_over(&self) -> bool {
        self.parts.is_over()
    }
}

impl fmt::Debug for AlertStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertStream").field("parts", &self.parts).finish_non_exhaustive()
    }
}

/// Opens the stream. Its answer does not end, so it is no [`Endpoint`](crate::Endpoint): hand its pieces to [`AlertStream`].
#[derive(Debug, Clone)]
pub struct OpenAlertStream(IsapiTerminal);

impl OpenAlertStream {
    /// `GET /ISAPI/Event/notification/alertStream`.
    pub fn new(terminal: &IsapiTerminal) -> Self {
        Self(terminal.clone())
    }

    /// The request, without a login.
    pub fn request(&self) -> HttpRequest {
        let path = ["ISAPI", "Event", "notification", "alertStream"];
        let mut request = self.0.request(Method::GET, &path, &[], bytes::Bytes::new());
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
        request
    }
}
