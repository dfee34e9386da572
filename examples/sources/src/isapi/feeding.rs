//! Searching at intervals, and telling the terminal where to post.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use punch_erp::hikcentral::{PollMark, PollWindow};
use punch_erp::isapi::{AcsEventQuery, SearchEvents, SetHttpHost};
use punch_erp::{Endpoint as _, drive_async};
use sinks::clock::now;

use super::{IsapiSource, random_text};
use crate::taking::{Fate, take};
use crate::{Keep, reading};

/// The longest time without a look at what is due.
const NAP: Duration = Duration::from_secs(60);

impl IsapiSource {
    /// Searches, tells the terminal where to post, and reads its stream if that is wanted, for ever.
    ///
    /// # Errors
    ///
    /// The mark of how far everything is stored cannot be read.
    pub async fn feed<K: Keep>(&self, keep: &K) -> anyhow::Result<()> {
        tokio::select! {
            ended = self.search_always(keep) => ended,
            () = self.stream_always(keep), if self.settings.streams => Ok(()),
        }
    }

    async fn search_always<K: Keep>(&self, keep: &K) -> anyhow::Result<()> {
        let mut mark = reading::mark(keep, self.settings.begin).await?;
        // Whoever starts was away.
        let (mut at_once, mut is_told) = (true, false);
        loop {
            let worked = match self.search_due(keep, &mut mark, at_once).await {
                // A terminal that lost its settings, or was away, is told again.
                Ok(()) if is_told => Ok(()),
                Ok(()) => self.tell_host().await,
                Err(error) => {
                    is_told = false;
                    Err(error)
                }
            };
            let wait = match worked {
                Ok(()) => {
                    (at_once, is_told) = (false, true);
                    self.seen.worked(now());
                    let due = mark.next_at(&self.poll(now())) - now();
                    due.to_std().unwrap_or_default().clamp(Duration::from_millis(50), NAP)
                }
                Err(error) => self.not_worked(&error),
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.missed.notified() => at_once = true,
            }
        }
    }

    fn not_worked(&self, error: &anyhow::Error) -> Duration {
        let device = &self.settings.rules.device;
        tracing::error!(%device, error = format!("{error:#}"), "not searched; the mark stays where it is");
        reading::failed(&self.seen, &self.settings.pause, error)
    }

    /// Searches everything that is due, or all there is up to now. The mark moves by what is on disk.
    async fn search_due<K: Keep>(&self, keep: &K, mark: &mut PollMark, at_once: bool) -> anyhow::Result<()> {
        let begun = now();
        let mut poll = self.poll(begun);
        loop {
            if at_once {
                let is_early = mark.read_to() < begun;
                poll.interval = if is_early { TimeDelta::zero() } else { self.poll(begun).interval };
            }
            let Some(window) = mark.window(&poll, begun) else { return Ok(()) };
            self.search(keep, &window).await?;
            mark.stored(&window);
            keep.set_mark(serde_json::to_string(&mark)?, mark.read_to()).await?;
            self.seen.lock().read_to = Some(mark.read_to());
        }
    }

    async fn search<K: Keep>(&self, keep: &K, window: &PollWindow) -> anyhow::Result<()> {
        let (from, to) = (self.local(window.from), self.local(window.to));
        let (terminal, rules) = (&self.settings.terminal, self.settings.rules.clone());
        let query = AcsEventQuery::new(from, to, random_text());
        let mut flow = SearchEvents::new(terminal, query, rules, random_text());
        if let Some(session) = self.session.session().clone() {
            flow = flow.with_session(session);
        }
        if self.without_offset.load(Ordering::Relaxed) {
            flow = flow.without_offset();
        }
        let found = drive_async(&mut flow, |request| self.settings.transport.send(request)).await;
        if let Some(session) = flow.session() {
            *self.session.session() = Some(session.clone());
        }
        self.without_offset.store(flow.needs_no_offset(), Ordering::Relaxed);
        let found = found?;
        let (device, events, pages) = (&self.settings.rules.device, found.readings.len(), found.pages);
        tracing::info!(%device, %from, %to, events, pages, "searched");
        take(keep, &self.seen, found.readings.into_iter().map(Fate::from).collect()).await
    }

    /// Tells the terminal where to post, if that is to be told.
    async fn tell_host(&self) -> anyhow::Result<()> {
        let Some((host, slot)) = &self.settings.host else { return Ok(()) };
        let call = SetHttpHost::new(&self.settings.terminal, host.clone(), *slot);
        let response = self.call(&call.request()).await.context("telling the terminal where to post")?;
        call.response(&response).context("telling the terminal where to post")?;
        self.seen.lock().subscribed = true;
        tracing::info!(device = %self.settings.rules.device, slot, "the terminal knows where to post");
        Ok(())
    }
}
