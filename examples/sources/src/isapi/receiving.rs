//! A post of the terminal: JSON, XML, or parts with a picture that is skipped while it comes.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use punch_erp::isapi::{AlertStream, MultipartReader, PUSH_REPLY, boundary_of, read_push};
use punch_erp::passage::{Passage, Reading, SourceError};
use serde_json::json;
use sinks::clock::now;

use super::IsapiSource;
use crate::taking::{Fate, take};
use crate::{Answer, Keep};

/// A body that is still coming.
pub trait Pieces {
    /// The next bytes; `None` behind the last, an error if it broke off.
    fn next_piece(&mut self) -> impl Future<Output = Option<Result<Bytes, ()>>> + Send;
}

impl IsapiSource {
    /// Stores what a post says before it is answered. Whoever posts is known by then.
    pub async fn receive<K: Keep>(&self, keep: &K, content_type: &str, body: &mut impl Pieces) -> Answer {
        let readings = match self.read(content_type, body).await {
            Ok(readings) => readings,
            Err(Unread::BrokenOff) => return refusal(StatusCode::BAD_REQUEST, "the body broke off"),
            Err(Unread::Source(error)) => {
                self.refused();
                tracing::warn!(device = %self.settings.rules.device, %error, "a post that cannot be read");
                return refusal(StatusCode::BAD_REQUEST, error.reason());
            }
        };
        match self.heard(keep, readings).await {
            Ok(()) => Answer::new(StatusCode::OK, PUSH_REPLY),
            Err(error) => {
                // It is found by the next search.
                tracing::error!(device = %self.settings.rules.device, %error, "a post is not stored");
                self.missed.notify_one();
                refusal(StatusCode::SERVICE_UNAVAILABLE, "not stored")
            }
        }
    }

    async fn read(&self, content_type: &str, body: &mut impl Pieces) -> Result<Vec<Reading>, Unread> {
        let Some(boundary) = boundary_of(content_type) else {
            let mut whole = BytesMut::new();
            while let Some(piece) = body.next_piece().await {
                whole.extend_from_slice(&piece.map_err(|()| Unread::BrokenOff)?);
                if whole.len() > MultipartReader::PART_MAX {
                    return Err(SourceError::TooLong { limit: MultipartReader::PART_MAX }.into());
                }
            }
            return Ok(read_push(content_type, &whole, &self.settings.rules)?);
        };
        let mut parts = AlertStream::new(&boundary, self.settings.rules.clone());
        let mut readings = Vec::new();
        while let Some(piece) = body.next_piece().await {
            readings.extend(parts.feed(&piece.map_err(|()| Unread::BrokenOff)?)?);
        }
        if parts.unreadable() > 0 || readings.is_empty() {
            return Err(SourceError::Unreadable { expected: "several parts, one of them an event" }.into());
        }
        Ok(readings)
    }

    /// Stores what came by itself. A gap in the serial numbers has it searched for what is missing.
    pub(super) async fn heard<K: Keep>(&self, keep: &K, readings: Vec<Reading>) -> anyhow::Result<()> {
        {
            let mut seen = self.seen.lock();
            (seen.last_push, seen.last_answer) = (Some(now()), Some(now()));
        }
        let newest = readings.iter().filter_map(Reading::passage).filter(|passage| !passage.is_backlog);
        let newest = newest.filter_map(serial_of).next_back();
        take(keep, &self.seen, readings.into_iter().map(Fate::from).collect()).await?;
        if let Some(newest) = newest {
            let mut last = self.last_serial.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Numbers of doors and alarms lie between two of people, and a search is cheap.
            if last.is_some_and(|last| newest > last.saturating_add(GAP)) {
                self.missed.notify_one();
            }
            *last = Some(newest);
        }
        Ok(())
    }
}

/// Numbers that doors and alarms use up between two people at most. More have been missed.
const GAP: u32 = 20;

/// `914` of `isapi:DS-1:914:2026-03-28T08:01:23Z`.
fn serial_of(passage: &Passage) -> Option<u32> {
    passage.event_id.as_str().split(':').nth(2)?.parse().ok()
}

enum Unread {
    Source(SourceError),
    BrokenOff,
}

impl From<SourceError> for Unread {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    Answer::new(
        status,
        json!({ "statusCode": 6, "statusString": "Invalid Content", "subStatusCode": message }).to_string(),
    )
}
