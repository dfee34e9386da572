//! The mark up to which ERPNext counts on the checkins of a shift type, moved to where everything is written.

use std::pin::Pin;

use chrono::{DateTime, TimeDelta, Utc};
use gateway::clock::now;
use punch_erp::erpnext::{ErpNext, LastSync, MoveLastSync};
use punch_erp::{ReqwestTransport, drive_async};

use crate::env_any;
use crate::table::Table;

/// Tells an ERP up to when everything is written. Whether it has taken note.
pub type Advance = Box<dyn Fn(DateTime<Utc>) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// How often it is looked whether more is written.
const LOOK: TimeDelta = TimeDelta::seconds(5);

/// Moves `last_sync_of_checkin` of the shift types in `ERPNEXT_SHIFTS`, names with commas between. None, if there are none.
pub fn from_env(site: &ErpNext, transport: &ReqwestTransport) -> Option<Advance> {
    let names = env_any(&["ERPNEXT_SHIFTS"])?;
    let shifts: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    let (site, transport) = (site.clone(), transport.clone());
    Some(Box::new(move |written_to| {
        let (site, transport, shifts) = (site.clone(), transport.clone(), shifts.clone());
        Box::pin(async move {
            let mut is_done = true;
            for shift in shifts {
                is_done &= advance(&site, &transport, &shift, written_to).await;
            }
            is_done
        })
    }))
}

async fn advance(site: &ErpNext, transport: &ReqwestTransport, shift: &str, written_to: DateTime<Utc>) -> bool {
    let mut flow = MoveLastSync::new(site, shift, written_to, now());
    let moved = drive_async(&mut flow, |request| transport.send(request)).await;
    if flow.moves_by_itself() {
        tracing::warn!(
            shift,
            "ERPNext moves its mark by the clock; switch Auto Update Last Sync off, or people are absent"
        );
    }
    match moved {
        Ok(LastSync::Moved(to)) => tracing::info!(shift, %to, "every checkin before is there"),
        Ok(LastSync::Standing(_)) => {}
        Ok(outcome) => tracing::error!(shift, ?outcome, "the mark is not moved; check the name and the user's rights"),
        Err(error) => {
            tracing::warn!(shift, %error, "the mark is not moved yet");
            return false;
        }
    }
    true
}

/// Tells it again and again, as far as more is written.
pub(crate) async fn keep_telling(table: Table, advance: Advance) -> anyhow::Result<()> {
    let mut told = None;
    loop {
        let written_to = table.written_to().await?;
        if let Some(to) = written_to.filter(|_| written_to > told)
            && advance(to).await
        {
            told = written_to;
        }
        tokio::time::sleep(LOOK.to_std().unwrap_or_default()).await;
    }
}
