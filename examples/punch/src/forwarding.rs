//! Rows that wait in a file, on their way to a gateway.

use core::time::Duration;
use std::path::Path;

use agent::{Forwarder, Outcome, Pace, Refusal, Spool, Stored};
use anyhow::bail;
use punch_protocol::SerialNumber;

/// How often a gateway is asked before the rest is left for another time.
const ATTEMPTS: u32 = 5;

/// Forwards what waits of a terminal. `file` is where the rest is found again; `None` if the source has it.
pub(crate) async fn forward(
    spool: &Spool,
    serial: &SerialNumber,
    forwarder: &Forwarder,
    file: Option<&Path>,
) -> anyhow::Result<Stored> {
    let (mut total, mut failures) = (Stored::default(), 0);
    loop {
        let batch = spool.batch(serial, Forwarder::ROWS_MAX).await?;
        if batch.rows.is_empty() {
            return Ok(total);
        }
        match forwarder.post(serial, &batch.rows).await {
            Outcome::Stored(stored) => {
                spool.settle(&batch).await?;
                total = sum(total, stored);
                failures = 0;
            }
            Outcome::Retry { trouble, after } => {
                failures += 1;
                if failures >= ATTEMPTS {
                    bail!("the gateway does not take them: {trouble}; {}", rest(file));
                }
                let pause = after.unwrap_or_else(|| Pace::default().after(failures));
                tokio::time::sleep(pause.min(Duration::from_secs(30))).await;
            }
            Outcome::Refused(Refusal { status, code, text }) => {
                let code = code.unwrap_or_default();
                bail!("the gateway refuses them: {status} {code} {text}; {}", rest(file));
            }
        }
    }
}

fn rest(file: Option<&Path>) -> String {
    match file {
        Some(file) => format!("what is left waits in {}, run the same again", file.display()),
        None => "nothing is lost, the rows are where they were; run the same again".to_owned(),
    }
}

/// Both counts together.
pub(crate) fn sum(one: Stored, other: Stored) -> Stored {
    Stored {
        received: one.received + other.received,
        delivered: one.delivered + other.delivered,
        suppressed: one.suppressed + other.suppressed,
        held: one.held + other.held,
        replayed: one.replayed + other.replayed,
    }
}
