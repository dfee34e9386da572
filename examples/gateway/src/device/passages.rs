//! What sources tell: doors that are not there yet, passages, and what could not be used.

use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;

use super::handler::Devices;
use super::registry::Registry;
use crate::clock::now;
use crate::config::SourceConfig;
use crate::core::{Deed, Outcome, Received, ReceivedRow};
use crate::store::{DeviceRow, StoreError, Transaction, append_audit, settled};

/// Rows that are made durable together by themselves, so that what terminals send does not wait for them.
const MANY: usize = 100;

impl Devices {
    /// Lets in a door that a source tells of. It stays out if somebody has blocked it.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) async fn admit_behind(
        &self,
        source: &SourceConfig,
        serial: &SerialNumber,
        label: Option<&str>,
    ) -> Result<Admission, StoreError> {
        let named = self.0.named.get(serial);
        let name = named.map(|named| named.name.as_str()).or(label);
        if let Some(admission) = self.0.registry.is_behind(&source.name, serial, name) {
            return Ok(admission);
        }
        let (text, of, label) = (serial.to_string(), source.name.clone(), label.map(ToOwned::to_owned));
        let work = move |tx: &mut Transaction<'_>| {
            let before = DeviceRow::admission(tx, &text)?;
            DeviceRow::put_behind(tx, &text, &of, label.as_deref(), now())?;
            let row = DeviceRow::of(tx, &text)?;
            if before.is_none_or(|before| row.as_ref().is_some_and(|row| row.admission != before)) {
                let (via, action) = ("source".to_owned(), "let in".to_owned());
                let detail = [("source".to_owned(), of)].into();
                let deed = Deed { via, action, target: Some(text), detail, ..Deed::default() };
                append_audit(tx, deed, Outcome::Done, None, now())?;
            }
            Ok(row)
        };
        let row = self.0.store.write(work).await?;
        let admission = row.as_ref().map_or(Admission::Pending, |row| row.admission);
        let label = row.as_ref().and_then(|row| row.label.as_deref());
        let config = named.cloned().unwrap_or_else(|| source.device(serial.clone(), label));
        self.0.registry.admit(serial.clone(), admission, Some(&config), row.as_ref());
        Ok(admission)
    }

    /// Makes passages durable, all of them or none, in their order. For each whether it is new.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) async fn keep_passages(&self, passages: Vec<Received>) -> Result<Vec<bool>, StoreError> {
        let rows: usize = passages.iter().map(|received| received.rows.len()).sum();
        // It is never closed; without a place nothing would be lost but the order.
        let _place = if rows > Received::LIVE_ROWS { self.0.backlogs.acquire().await.ok() } else { None };
        let began = tokio::time::Instant::now();
        let devices = self.clone();
        let enter = move |tx: &mut Transaction<'_>| {
            let (mut news, mut entered) = (Vec::with_capacity(rows), Vec::new());
            for received in &passages {
                let Some(directory) = devices.0.registry.directory(&received.serial) else { continue };
                for row in &received.rows {
                    news.push(match row {
                        ReceivedRow::Punch { punch, .. } => settled(tx, &devices.0.key.event_id(punch))?.is_none(),
                        ReceivedRow::Broken { .. } | ReceivedRow::Record { .. } => true,
                    });
                }
                entered.push(devices.enter(tx, received, directory)?);
            }
            Ok((news, entered))
        };
        let written =
            if rows >= MANY { self.0.store.write_alone(enter).await } else { self.0.store.write(enter).await };
        let (news, entered) = written.inspect_err(|_| self.0.store.metrics().refused())?;
        for entered in entered {
            self.0.store.metrics().stored(entered.tally, began.elapsed());
        }
        Ok(news)
    }

    /// A source has answered, or told something: what is behind it is there. Everything from before `complete_to` has come.
    pub(crate) fn heard_source(&self, source: &str, complete_to: Option<DateTime<Utc>>) {
        self.0.registry.heard_source(source, complete_to, now());
    }
}

impl Registry {
    /// How a door stands that is known to be behind this source, by this name if one is told.
    fn is_behind(&self, source: &str, serial: &SerialNumber, name: Option<&str>) -> Option<Admission> {
        let devices = self.lock();
        let device = devices.get(serial)?;
        let is_of = device.source.as_ref().is_some_and(|behind| behind.source == source);
        (is_of && (name.is_none() || device.directory.device.name.as_deref() == name)).then_some(device.admission)
    }

    fn heard_source(&self, source: &str, complete_to: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        for device in self.lock().values_mut() {
            if device.source.as_ref().is_some_and(|behind| behind.source == source) {
                device.forwarded_at = Some(now);
                if let Some(complete_to) = complete_to {
                    device.timekeeping.presence.completed(complete_to.min(now));
                }
            }
        }
    }
}
