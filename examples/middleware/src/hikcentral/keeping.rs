//! Passages become letters, known by their id and by door, person and second.

use chrono::{DateTime, Utc};
use gateway::clock::now;
use punch_erp::passage::Passage;
use punch_webhook::{DeviceInfo, EmployeeInfo, Event, Lane, PayloadFormat, ReceivedEvent, Verified};
use sources::{Keep, Unusable};

use crate::inbox::Mailbox;
use crate::table::Letter;

const MARK: &str = "hikcentral";

impl Keep for Mailbox {
    async fn store(&self, passages: Vec<Passage>) -> anyhow::Result<Vec<bool>> {
        let letters: anyhow::Result<_> = passages.iter().map(letter).collect();
        Ok(self.take(letters?).await?)
    }

    /// Shown in `/health` as parked.
    async fn put_away(&self, Unusable { reason, event_id, raw }: Unusable) -> anyhow::Result<()> {
        // Once it can be read it is taken under its own id.
        let name = event_id.unwrap_or_else(|| format!("{:016x}", Lane::of(raw.as_bytes()).0));
        Ok(self.table.put_away(format!("quarantine:{name}"), reason, raw, now()).await?)
    }

    async fn mark(&self) -> anyhow::Result<Option<String>> {
        Ok(self.table.mark(MARK).await?)
    }

    async fn set_mark(&self, mark: String, _: DateTime<Utc>) -> anyhow::Result<()> {
        Ok(self.table.set_mark(MARK, mark).await?)
    }
}

/// The event as the worker reads it.
fn letter(passage: &Passage) -> anyhow::Result<Letter> {
    let punch = passage.punch(now());
    let mut device = DeviceInfo::default();
    device.name.clone_from(&passage.device.name);
    let employee = EmployeeInfo::new(passage.employee.value.clone());
    let body = Event::punch(&punch, &device, &employee).body(PayloadFormat::Nested).render(1);
    let ReceivedEvent::Punch(received) = Verified::assume_verified(&body).event()? else {
        anyhow::bail!("a punch is read as something else")
    };
    let mut letter = Letter::new(passage.event_id.to_string(), &received, body);
    letter.source_key = Some(passage.natural_key());
    Ok(letter)
}
