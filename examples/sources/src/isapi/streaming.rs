//! The stream of a terminal that cannot post.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use punch_erp::OpenAnswer;
use punch_erp::isapi::{AlertStream, OpenAlertStream, boundary_of};

use super::IsapiSource;
use crate::Keep;

/// Three heartbeats: a silence that long is an end.
const SILENCE: Duration = Duration::from_secs(90);

/// A stream is opened anew after that, so that none lives on when nobody is there any more.
const LONGEST: Duration = Duration::from_secs(86_400);

impl IsapiSource {
    /// Reads the stream again and again. What happens in between is searched for.
    pub(super) async fn stream_always<K: Keep>(&self, keep: &K) {
        let (device, mut failures) = (&self.settings.rules.device, 0_u32);
        loop {
            let (was_open, why) = match self.open_stream().await {
                Ok((answer, parts)) => {
                    tracing::info!(%device, "the stream is open");
                    self.seen.lock().subscribed = true;
                    let why = self.follow(keep, answer, parts).await;
                    self.seen.lock().subscribed = false;
                    (true, why)
                }
                Err(why) => (false, why),
            };
            failures = if was_open { 1 } else { failures.saturating_add(1) };
            tracing::warn!(%device, why, "no stream; the terminal is searched meanwhile");
            if was_open {
                self.missed.notify_one();
            }
            tokio::time::sleep(self.settings.pause.after(failures, None)).await;
        }
    }

    async fn open_stream(&self) -> Result<(OpenAnswer, AlertStream), String> {
        let request = OpenAlertStream::new(&self.settings.terminal).request();
        let mut tried = 0;
        loop {
            let signed = self.stream_session.sign(&self.settings.terminal, &request);
            let opened = self.settings.transport.open(signed, LONGEST).await;
            let answer = opened.map_err(|failure| failure.to_string())?;
            if self.stream_session.meets(answer.head(), tried) {
                tried += 1;
                continue;
            }
            let status = answer.head().status();
            if !status.is_success() {
                return Err(format!("the terminal answers {}; somebody else may have its one stream", status.as_u16()));
            }
            let kind = answer.head().headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let boundary = kind.and_then(boundary_of).ok_or("its answer has no parts")?;
            return Ok((answer, AlertStream::new(&boundary, self.settings.rules.clone())));
        }
    }

    /// Reads to the end of a stream, and says why it ended.
    async fn follow<K: Keep>(&self, keep: &K, mut answer: OpenAnswer, mut parts: AlertStream) -> String {
        let mut unreadable = 0;
        loop {
            let piece = match tokio::time::timeout(SILENCE, answer.piece()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => return "the terminal ended it".to_owned(),
                Ok(Err(failure)) => return failure.to_string(),
                Err(_) => return format!("nothing came for {} s", SILENCE.as_secs()),
            };
            let readings = match parts.feed(&piece) {
                Ok(readings) => readings,
                Err(error) => return error.to_string(),
            };
            if parts.unreadable() > unreadable {
                unreadable = parts.unreadable();
                self.missed.notify_one();
            }
            if readings.is_empty() {
                continue;
            }
            if let Err(error) = self.heard(keep, readings).await {
                // Nothing is acknowledged on a stream, so it has to be searched for.
                self.missed.notify_one();
                return format!("not stored: {error:#}");
            }
        }
    }
}
