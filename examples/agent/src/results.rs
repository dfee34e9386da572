//! What became of commands waits in the spool until the gateway knows.

use gateway::store::{StoreError, Transaction};
use punch_protocol::SerialNumber;
use serde_json::Value;

use crate::{Spool, SpoolError};

/// Results of one terminal that wait, the first ones in their order.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) told: Vec<Value>,
    last: i64,
}

/// Results that are told at once.
const AT_ONCE: i64 = 50;

impl Spool {
    /// Results of a terminal that wait at most. A gateway that takes none of so many is none; the oldest go then.
    pub const RESULTS_MAX: u32 = 10_000;

    /// Puts results of a terminal behind those that wait. They are on disk when this returns.
    pub(crate) async fn put_results(&self, serial: &SerialNumber, told: &[Value]) -> Result<(), SpoolError> {
        let serial = serial.clone();
        let told: Vec<String> = told.iter().map(Value::to_string).collect();
        let put = move |tx: &mut Transaction<'_>| {
            for text in &told {
                tx.execute("INSERT INTO result (serial, told) VALUES (?1, ?2)", &[&serial.as_str(), text])?;
            }
            let sql = "DELETE FROM result WHERE serial = ?1 AND id <= (
                           SELECT id FROM result WHERE serial = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
            tx.execute(sql, &[&serial.as_str(), &Self::RESULTS_MAX])
        };
        let lost = self.run(put).await?;
        if lost > 0 {
            tracing::error!(lost, "the oldest results of commands were given up; the gateway takes none");
        }
        Ok(())
    }

    /// The first results of a terminal that wait. They go on waiting until they are [settled](Self::settle_results).
    pub(crate) async fn results(&self, serial: &SerialNumber) -> Result<Results, SpoolError> {
        let serial = serial.clone();
        let read = move |tx: &mut Transaction<'_>| {
            let sql = "SELECT id, told FROM result WHERE serial = ?1 ORDER BY id LIMIT ?2";
            tx.all(sql, &[&serial.as_str(), &AT_ONCE], |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))
        };
        let found = self.run(read).await?;
        let last = found.last().map_or(0, |(id, _)| *id);
        // Written by ourselves, so this only skips what is damaged.
        let told = found.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect();
        Ok(Results { told, last })
    }

    /// The gateway knows these results.
    pub(crate) async fn settle_results(&self, serial: &SerialNumber, results: &Results) -> Result<(), SpoolError> {
        let (serial, last) = (serial.clone(), results.last);
        let settle = move |tx: &mut Transaction<'_>| {
            tx.execute("DELETE FROM result WHERE serial = ?1 AND id <= ?2", &[&serial.as_str(), &last])?;
            Ok::<_, StoreError>(())
        };
        self.run(settle).await
    }

    /// How many results of all terminals wait.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn results_waiting(&self) -> Result<u64, SpoolError> {
        let count = self.run(|tx| tx.value::<i64>("SELECT count(*) FROM result", &[])).await?;
        Ok(count.cast_unsigned())
    }
}

impl Results {
    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.last == 0
    }
}

#[cfg(test)]
mod tests {
    use punch_protocol::SerialNumber;
    use serde_json::json;

    use crate::{Spool, SpoolLimits};

    /// What is told once the gateway is there again, by this life or the next one.
    #[tokio::test]
    async fn results_wait_on_disk_in_their_order_until_they_are_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool.sqlite");
        // As a program before this one has made it.
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(&format!("{} PRAGMA user_version = 1;", include_str!("schema_1.sql"))).unwrap();
        drop(old);
        let serial = |text: &str| SerialNumber::parse(text).unwrap();
        let told = |number: u32| json!({ "id": number.to_string(), "outcome": "done" });
        let spool = Spool::open(&path, SpoolLimits::default()).unwrap();
        spool.put_results(&serial("T1"), &(0..70).map(told).collect::<Vec<_>>()).await.unwrap();
        spool.put_results(&serial("T2"), &[told(99)]).await.unwrap();
        drop(spool);

        let spool = Spool::open(&path, SpoolLimits::default()).unwrap();
        assert_eq!(spool.results_waiting().await.unwrap(), 71);
        let first = spool.results(&serial("T1")).await.unwrap();
        assert_eq!(first.told, (0..50).map(told).collect::<Vec<_>>());
        // What comes meanwhile waits behind them.
        spool.put_results(&serial("T1"), &[told(70)]).await.unwrap();
        spool.settle_results(&serial("T1"), &first).await.unwrap();
        let rest = spool.results(&serial("T1")).await.unwrap();
        assert_eq!(rest.told, (50..71).map(told).collect::<Vec<_>>());
        spool.settle_results(&serial("T1"), &rest).await.unwrap();
        assert!(spool.results(&serial("T1")).await.unwrap().is_empty());
        assert_eq!(spool.results(&serial("T2")).await.unwrap().told, [told(99)]);
    }

    #[tokio::test]
    async fn as_many_results_wait_as_the_limit_says_and_the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("spool.sqlite"), SpoolLimits::default()).unwrap();
        let serial = SerialNumber::parse("T1").unwrap();
        let told: Vec<_> = (0..=Spool::RESULTS_MAX).map(|number| json!({ "id": number })).collect();
        spool.put_results(&serial, &told[1..]).await.unwrap();
        assert_eq!(spool.results(&serial).await.unwrap().told[0], told[1]);
        spool.put_results(&serial, &told[..1]).await.unwrap();
        assert_eq!(spool.results_waiting().await.unwrap(), u64::from(Spool::RESULTS_MAX));
        assert_eq!(spool.results(&serial).await.unwrap().told[0], told[2]);
    }
}
