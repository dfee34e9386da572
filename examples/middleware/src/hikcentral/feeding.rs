//! Reading at intervals, and a subscription that is looked after.

use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use gateway::clock::now;
use punch_erp::hikcentral::{
    DoorEventQuery, HikCentralRules, KeepSubscribed, PollMark, PollWindow, ReadDoorEvents, Subscribe, Subscribed,
};
use punch_erp::{CallError, Endpoint as _, RetryReason, drive_async, render_masked};

use super::taking::explain;
use super::{Source, lock, stamp};
use crate::inbox::Mailbox;

const MARK: &str = "hikcentral";

/// How often a subscription is looked at.
const LOOK: TimeDelta = TimeDelta::minutes(10);

/// From a failure to the next try, if the server does not ask for more.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// How long a single run waits for what it read to be written.
const PATIENCE: Duration = Duration::from_secs(60);

impl Source {
    pub(super) async fn feed_always(&self, mailbox: &Mailbox) -> anyhow::Result<()> {
        let mut mark = self.mark(mailbox).await?;
        let (mut look_at, mut is_renewed, mut is_begun) = (now(), false, false);
        loop {
            if self.subscription.is_some() && now() >= look_at {
                let is_kept = self.keep_subscribed(!is_renewed).await;
                is_renewed |= is_kept;
                look_at = now() + if is_kept { LOOK } else { PAUSE };
            }
            // Whoever starts was away, and nobody keeps pushes for them.
            let next = match self.read(mailbox, &mut mark, !is_begun).await {
                Ok(()) => {
                    is_begun = true;
                    mark.next_at(&self.poll)
                }
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "events were not read; the mark stays where it is");
                    lock(&self.seen).error = Some(format!("{error:#}"));
                    now() + PAUSE
                }
            };
            let next = if self.subscription.is_some() { next.min(look_at) } else { next };
            let wait = (next - now()).max(TimeDelta::milliseconds(100));
            tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
        }
    }

    /// S3-017: reads what is new, waits until it is written, and says how it stands.
    pub(super) async fn feed_once(&self, mailbox: &Mailbox) -> anyhow::Result<()> {
        let mut mark = self.mark(mailbox).await?;
        self.read(mailbox, &mut mark, true).await?;
        let written = async {
            while mailbox.table.progress().await?.waiting > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        let patience = if self.dry_run { Duration::from_secs(1) } else { PATIENCE };
        let in_time = tokio::time::timeout(patience, written).await;
        let progress = mailbox.table.progress().await?;
        tracing::info!(waiting = progress.waiting, done = progress.done, parked = progress.parked, "read once");
        in_time.unwrap_or(Ok(()))
    }

    async fn mark(&self, mailbox: &Mailbox) -> anyhow::Result<PollMark> {
        let Some(text) = mailbox.table.mark(MARK).await? else {
            // Written down at once: an outage of the first reading must not move the begin.
            let mark = PollMark::new(self.begin);
            mailbox.table.set_mark(MARK, serde_json::to_string(&mark)?).await?;
            return Ok(mark);
        };
        serde_json::from_str(&text).context("the mark in the inbox does not read")
    }

    /// Reads everything that is due, or all there is up to now. The mark moves by what is on disk.
    async fn read(&self, mailbox: &Mailbox, mark: &mut PollMark, at_once: bool) -> anyhow::Result<()> {
        let begun = now();
        let mut without_interval = self.poll;
        without_interval.interval = TimeDelta::zero();
        loop {
            let is_early = at_once && mark.read_to() < begun;
            let rules = if is_early { &without_interval } else { &self.poll };
            let Some(window) = mark.window(rules, begun) else { break };
            self.read_window(mailbox, &window).await?;
            mark.stored(&window);
            mailbox.table.set_mark(MARK, serde_json::to_string(&mark)?).await?;
            lock(&self.seen).read_to = Some(mark.read_to());
        }
        lock(&self.seen).error = None;
        Ok(())
    }

    async fn read_window(&self, mailbox: &Mailbox, window: &PollWindow) -> anyhow::Result<()> {
        let rules: &HikCentralRules = &self.rules;
        let mut query = DoorEventQuery::new(window.from, window.to, rules.event_types.codes());
        query.doors = rules.passage.attendance_doors.iter().flatten().cloned().collect();
        let mut flow = ReadDoorEvents::new(&self.site, &query, rules.clone(), stamp());
        let read = drive_async(&mut flow, |request| self.send(request)).await.inspect_err(explain_reason)?;
        let (events, requests) = (read.readings.len(), read.requests);
        tracing::info!(from = %window.from, to = %window.to, events, requests, late = window.is_sweep, "read");
        self.take(mailbox, read.readings).await
    }

    /// Whether events are pushed to us.
    async fn keep_subscribed(&self, renew: bool) -> bool {
        let Some(wanted) = self.subscription.clone() else { return false };
        let token = self.receiver.as_ref().and_then(|receiver| receiver.token().cloned());
        if self.dry_run {
            let call = Subscribe::new(&self.site, wanted, token, stamp());
            tracing::info!(request = render_masked(&call.request()), "a dry run does not subscribe");
            return true;
        }
        let mut flow = KeepSubscribed::new(&self.site, wanted, token, stamp());
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
        lock(&self.seen).is_subscribed = is_kept;
        is_kept
    }
}

fn explain_reason(reason: &RetryReason) {
    if let RetryReason::Call(error) = reason {
        let error: &CallError = error;
        explain(error);
    }
}
