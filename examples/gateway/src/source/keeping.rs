//! Passages become rows like those of terminals: each door is a terminal, and so are identity, second punches and directions.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use punch_erp::passage::Passage;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use sources::{Keep, Unusable};

use super::Feed;
use crate::clock::now;
use crate::core::{Passed, Received};
use crate::store::Transaction;

impl Keep for Feed {
    async fn store(&self, passages: Vec<Passage>) -> anyhow::Result<Vec<bool>> {
        let mut places = Vec::with_capacity(passages.len());
        for passage in &passages {
            places.push(self.door(passage).await?);
        }
        let mut order: Vec<usize> = (0..passages.len()).collect();
        // In the order in which they happened, whichever doors they came by.
        order.sort_by_key(|&index| passages.get(index).map(|passage| passage.at.timestamp()));
        let mut taken = Vec::new();
        for index in order {
            if let (Some(Some(serial)), Some(passage)) = (places.get(index), passages.get(index)) {
                taken.push((index, serial.clone(), passage));
            }
        }
        let received = runs(&taken);
        let news = self.devices.keep_passages(received).await?;
        self.devices.heard_source(&self.config.name, None);
        // What is blocked is not new, and is not kept.
        let mut answers = vec![false; places.len()];
        for ((index, ..), is_new) in taken.iter().zip(news) {
            if let Some(answer) = answers.get_mut(*index) {
                *answer = is_new;
            }
        }
        Ok(answers)
    }

    async fn put_away(&self, Unusable { reason, raw, .. }: Unusable) -> anyhow::Result<()> {
        let received = Received::unusable(self.serial.clone(), reason, &raw, now());
        self.devices.keep_passages(vec![received]).await?;
        Ok(())
    }

    async fn mark(&self) -> anyhow::Result<Option<String>> {
        let key = self.key();
        let sql = "SELECT value FROM meta WHERE key = ?1";
        let mark: Option<Vec<u8>> =
            self.store.read(move |connection| connection.first(sql, &[&key], |row| row.get(0))).await?;
        mark.map(|mark| String::from_utf8(mark).context("the mark of a source is no text")).transpose()
    }

    async fn set_mark(&self, mark: String, complete_to: DateTime<Utc>) -> anyhow::Result<()> {
        let key = self.key();
        let work = move |tx: &mut Transaction<'_>| {
            let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
            tx.execute(sql, &[&key, &mark.as_bytes()])?;
            Ok(())
        };
        self.store.write(work).await?;
        self.devices.heard_source(&self.config.name, Some(complete_to));
        Ok(())
    }
}

impl Feed {
    fn key(&self) -> String {
        format!("source:{}", self.config.name)
    }

    /// The terminal that a door is, let in if it is new. `None` if somebody has blocked it.
    async fn door(&self, passage: &Passage) -> anyhow::Result<Option<SerialNumber>> {
        let Some(serial) = self.config.serial_of(&passage.device.id) else {
            anyhow::bail!("the code of a door is too long; give the source a shorter name");
        };
        let admission = self.devices.admit_behind(&self.config, &serial, passage.device.name.as_deref()).await?;
        if admission != Admission::Approved {
            tracing::warn!(%serial, "a passage by a door that is blocked is not kept");
        }
        Ok((admission == Admission::Approved).then_some(serial))
    }
}

/// Passages in their order, those together that came by one door in the same way.
fn runs(passages: &[(usize, SerialNumber, &Passage)]) -> Vec<Received> {
    let same = |(_, serial, passage): &(usize, SerialNumber, &Passage)| (serial.clone(), Passed::of(passage));
    let mut runs = Vec::new();
    for run in passages.chunk_by(|one, other| same(one) == same(other)) {
        if let Some((serial, passed)) = run.first().map(same) {
            runs.push(Received::passages(serial, passed, run.iter().map(|(_, _, passage)| *passage), now()));
        }
    }
    runs
}
