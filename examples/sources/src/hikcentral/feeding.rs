//! Reading at intervals, and a subscription that is looked after.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punch_erp::hikcentral::{
    DoorEventQuery, KeepSubscribed, PollMark, PollWindow, ReadDoorEvents, Subscribe, Subscribed,
};
use punch_erp::{Endpoint as _, RetryReason, drive_async, render_masked};
use sinks::clock::now;

use super::people::explain;
use super::{HikCentralSource, stamp};
use crate::{Keep, reading};

/// The longest time without a look at what is due.
const NAP: Duration = Duration::from_secs(60);

impl HikCentralSource {
    /// Reads and subscribes for ever.
    ///
    /// # Errors
    ///
    /// The mark of how far everything is stored cannot be read.
    pub async fn feed<K: Keep>(&self, keep: &K) -> anyhow::Result<()> {
        let mut mark = reading::mark(keep, self.settings.begin).await?;
        // Whoever starts was away, and nobody keeps pushes for them.
        let (mut is_begun, mut read_at) = (false, now());
        let (mut look_at, mut is_renewed, mut not_kept) = (now(), false, 0_u32);
        loop {
            if self.settings.subscription.is_some() && now() >= look_at {
                let is_kept = self.keep_subscribed(!is_renewed).await;
                is_renewed |= is_kept;
                not_kept = if is_kept { 0 } else { not_kept.saturating_add(1) };
                look_at = now()
                    + if is_kept { self.settings.look_every } else { delta(self.settings.pause.after(not_kept, None)) };
            }
            if now() >= read_at {
                read_at = match self.read(keep, &mut mark, !is_begun).await {
                    Ok(()) => {
                        is_begun = true;
                        mark.next_at(&self.settings.poll)
                    }
                    Err(error) => now() + delta(self.unread(&error)),
                };
            }
            let next = if self.settings.subscription.is_some() { read_at.min(look_at) } else { read_at };
            let wait = (next - now()).to_std().unwrap_or_default();
            tokio::time::sleep(wait.clamp(Duration::from_millis(50), NAP)).await;
        }
    }

    /// S3-017: reads what is new, once.
    ///
    /// # Errors
    ///
    /// It could not be read, or not be stored.
    pub async fn feed_once<K: Keep>(&self, keep: &K) -> anyhow::Result<()> {
        let mut mark = reading::mark(keep, self.settings.begin).await?;
        self.read(keep, &mut mark, true).await
    }

    /// Says that nothing was read, and how long to wait.
    fn unread(&self, error: &anyhow::Error) -> Duration {
        tracing::error!(error = format!("{error:#}"), "events were not read; the mark stays where it is");
        reading::failed(&self.seen, &self.settings.pause, error)
    }

    /// Reads everything that is due, or all there is up to now. The mark moves by what is on disk.
    async fn read<K: Keep>(&self, keep: &K, mark: &mut PollMark, at_once: bool) -> anyhow::Result<()> {
        let begun = now();
        let poll = &self.settings.poll;
        let mut without_interval = *poll;
        without_interval.interval = TimeDelta::zero();
        loop {
            let is_early = at_once && mark.read_to() < begun;
            let Some(window) = mark.window(if is_early { &without_interval } else { poll }, begun) else { break };
            self.read_window(keep, &window).await?;
            mark.stored(&window);
            keep.set_mark(serde_json::to_string(&mark)?, earlier(mark.read_to(), poll.overlap)).await?;
            self.seen.lock().read_to = Some(mark.read_to());
        }
        self.seen.worked(now());
        Ok(())
    }

    async fn read_window<K: Keep>(&self, keep: &K, window: &PollWindow) -> anyhow::Result<()> {
        let rules = &self.settings.rules;
        let mut query = DoorEventQuery::new(window.from, window.to, rules.event_types.codes());
        query.doors = rules.passage.attendance_doors.iter().flatten().cloned().collect();
        let mut flow = ReadDoorEvents::new(&self.settings.site, &query, rules.clone(), stamp());
        let read = drive_async(&mut flow, |request| self.send(request)).await.inspect_err(explain_reason)?;
        let (events, requests) = (read.readings.len(), read.requests);
        tracing::info!(from = %window.from, to = %window.to, events, requests, late = window.is_sweep, "read");
        self.take(keep, read.readings).await
    }

    /// Whether events are pushed to us.
    async fn keep_subscribed(&self, renew: bool) -> bool {
        let Some(wanted) = self.settings.subscription.clone() else { return false };
        let token = self.settings.receiver.as_ref().and_then(|receiver| receiver.token().cloned());
        if self.settings.is_dry {
            let call = Subscribe::new(&self.settings.site, wanted, token, stamp());
            tracing::info!(request = render_masked(&call.request()), "a dry run does not subscribe");
            return true;
        }
        let mut flow = KeepSubscribed::new(&self.settings.site, wanted, token, stamp());
        if renew {
            flow = flow.renewed();
        }
        let kept = drive_async(&mut flow, |request| self.send(request)).await;
        let is_kept = match &kept {
            Ok(Subscribed::Already) => true,
            Ok(_) => {
                tracing::info!("subscribed");
                true
            }
            Err(reason) => {
                explain_reason(reason);
                tracing::error!(%reason, "not subscribed; events are read at intervals");
                false
            }
        };
        self.seen.lock().subscribed = is_kept;
        is_kept
    }
}

fn explain_reason(reason: &RetryReason) {
    if let RetryReason::Call(error) = reason {
        explain(error);
    }
}

fn delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)
}

fn earlier(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_sub_signed(by).unwrap_or(at)
}
