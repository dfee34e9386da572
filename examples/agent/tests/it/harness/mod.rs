//! What the tests share: punches, a gateway on loopback, a line that breaks by plan, and patience.

mod proxy;
mod site;

use std::time::Duration;

use chrono::NaiveDateTime;
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify, civil};

pub(crate) use proxy::{Fault, Proxy, answer};
pub(crate) use site::{KEY, Site, brisk};

/// What has not happened after this long will not happen. No test is decided by anything shorter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn serial(text: &str) -> SerialNumber {
    SerialNumber::parse(text).unwrap()
}

pub(crate) fn at(text: &str) -> NaiveDateTime {
    civil::parse(text.as_bytes()).unwrap()
}

pub(crate) fn punch(terminal: &str, pin: &[u8], time: NaiveDateTime, state: Option<u16>) -> RawPunch {
    let mut punch = RawPunch::new(serial(terminal), Pin::new(pin).into_owned(), time);
    (punch.status, punch.verify) = (state.map(Status), Some(Verify(1)));
    punch
}

/// As many punches of as many people, a second apart.
pub(crate) fn day(terminal: &str, count: usize) -> Vec<RawPunch> {
    let begin = at("2026-03-28 06:00:00");
    (0..count)
        .map(|number| {
            let time = begin + chrono::TimeDelta::seconds(i64::try_from(number).unwrap());
            punch(terminal, format!("{:04}", number + 1).as_bytes(), time, Some(0))
        })
        .collect()
}

/// Looks again and again until `look` sees something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let watching = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, watching).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}
