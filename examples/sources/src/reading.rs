//! How far everything is stored, and what follows when something could not be read.

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use punch_erp::hikcentral::PollMark;
use punch_erp::{CallError, RetryReason};
use sinks::clock::now;

use crate::seen::Seen;
use crate::{Keep, Pause};

/// The mark of a source: at the first start where it is told to begin, or now.
///
/// # Errors
///
/// It cannot be read, or not be kept.
pub(crate) async fn mark<K: Keep>(keep: &K, begin: Option<DateTime<Utc>>) -> anyhow::Result<PollMark> {
    let Some(text) = keep.mark().await? else {
        // Written down at once: an outage of the first reading must not move the begin.
        let mark = PollMark::new(begin.unwrap_or_else(now));
        keep.set_mark(serde_json::to_string(&mark)?, mark.read_to()).await?;
        return Ok(mark);
    };
    serde_json::from_str(&text).context("the mark of how far everything is stored does not read")
}

/// Takes note of a failure. How long to wait after it.
pub(crate) fn failed(seen: &Seen, pause: &Pause, error: &anyhow::Error) -> Duration {
    let asked = match error.downcast_ref::<RetryReason>() {
        Some(RetryReason::Call(CallError::Busy { after, .. })) => *after,
        _ => None,
    };
    pause.after(seen.failed(format!("{error:#}")), asked)
}
