//! Looks now and then up to when everything of each site is known, and what follows from it.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::timeline::Watermark;
use punch_normalize::{EventId, Hint};
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use tokio::sync::watch;

use super::handler::Devices;
use super::registry::Registry;
use crate::clock::now;
use crate::core::{Directory, Intake};
use crate::store::{Held, SiteRow, StoreError, StoreLedger, Transaction, keep_complete, oldest_held, overdue};

/// How often sites are looked at.
const TICK: Duration = Duration::from_secs(30);

/// What is known of a site is written down, and told, when it has come on by so much. In between nothing is written.
const STEP: TimeDelta = TimeDelta::minutes(5);

/// How far back it is looked the first time. Rows that come late are looked at when they come.
const LOOK_BACK: TimeDelta = TimeDelta::days(45);

/// A terminal of a site, and up to when it has told everything.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) serial: SerialNumber,
    pub(super) directory: Directory,
    pub(super) complete_to: Option<DateTime<Utc>>,
}

impl Registry {
    /// The terminals that are let in, by site.
    fn standings(&self) -> BTreeMap<String, Vec<Standing>> {
        let mut sites = BTreeMap::<String, Vec<Standing>>::new();
        for (serial, device) in self.lock().iter().filter(|(_, device)| device.admission == Admission::Approved) {
            let directory = device.directory.clone();
            let site = directory.device.site.clone().unwrap_or_default();
            let complete_to = device.timekeeping.presence.complete_to();
            sites.entry(site).or_default().push(Standing { serial: serial.clone(), directory, complete_to });
        }
        sites
    }
}

impl Devices {
    /// Looks at the sites until `stop` says so.
    pub(crate) async fn watch_sites(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.wait_for(|&stop| stop) => return,
            }
            if let Err(error) = self.look_at_sites(now()).await {
                tracing::error!(%error, "up to when everything is known could not be written down");
            }
        }
    }

    /// Writes down up to when everything of each site is known, and who has forgotten to say that they left.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn look_at_sites(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (held, known) =
            self.0.store.read(|connection| Ok((oldest_held(connection)?, SiteRow::all(connection)?))).await?;
        for (site, standings) in self.0.registry.standings() {
            let before = known.get(&site).map(|known| known.complete_to);
            let Some(row) = come_on(&standings, &held, before) else { continue };
            let (intake, name) = (Arc::clone(&self.0.intake), site.clone());
            let event_id = intake.watermark_id(&site, row.complete_to);
            let work = move |tx: &mut Transaction<'_>| {
                keep_complete(tx, &name, &row)?;
                let mut late = Vec::new();
                for standing in standings {
                    let max_shift = standing.directory.rules.timeline.max_shift;
                    let first = before.unwrap_or_else(|| earlier(row.complete_to, LOOK_BACK));
                    let span = (earlier(first, max_shift), earlier(row.complete_to, max_shift));
                    late.push((overdue(tx, &standing.serial, span, max_shift)?, standing.directory));
                }
                let mut ledger = StoreLedger::new(tx);
                for (arrivals, directory) in late {
                    for arrival in arrivals {
                        intake.pass(&arrival.person, arrival.at, row.complete_to, &directory, now, &mut ledger)?;
                    }
                }
                if let Some(event_id) = event_id {
                    ledger.tell_complete(&event_id, &name, &row, now)?;
                }
                Ok(())
            };
            self.0.store.write(work).await?;
        }
        Ok(())
    }
}

/// Up to when everything of a site is known, if that has come on by a step.
fn come_on(standings: &[Standing], held: &[(SerialNumber, Held)], before: Option<DateTime<Utc>>) -> Option<SiteRow> {
    let mut mark = before.map_or_else(Watermark::default, Watermark::known_to);
    let mut last: Option<(DateTime<Utc>, &SerialNumber)> = None;
    for (number, Standing { serial, directory, complete_to }) in (0..).zip(standings) {
        mark.add(number);
        let of_device = held.iter().filter(|(of, _)| of == serial).map(|(_, held)| match held {
            Held::Came(at) => *at,
            Held::Made(local) => directory.rules.zone.resolve(*local, Hint::default()).instant,
        });
        let oldest = of_device.min();
        mark.held(number, oldest);
        let known = complete_to.map(|heard| oldest.map_or(heard, |oldest| oldest.min(heard)));
        let reaches = known.unwrap_or(DateTime::<Utc>::MIN_UTC);
        if last.is_none_or(|(least, _)| reaches < least) {
            last = Some((reaches, serial));
        }
    }
    for (number, Standing { complete_to, .. }) in (0..).zip(standings) {
        if let Some(heard) = complete_to {
            mark.heard(number, *heard);
        }
    }
    let complete_to = mark.value()?;
    let waiting_for = last.filter(|_| standings.len() > 1).map(|(_, serial)| serial.clone());
    let has_come_on = before.is_none_or(|before| complete_to.signed_duration_since(before) >= STEP);
    has_come_on.then_some(SiteRow { complete_to, waiting_for })
}

fn earlier(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_sub_signed(by).unwrap_or_default()
}

impl Intake {
    fn watermark_id(&self, site: &str, complete_to: DateTime<Utc>) -> Option<EventId> {
        self.own_id("watermark", &format!("{site}\0{}", complete_to.timestamp_millis()))
    }
}
