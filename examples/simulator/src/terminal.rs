//! A simulated terminal on a real network: drives the protocol's own terminal role over HTTP.

use core::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use gateway::clock::now;
use punch_protocol::RawPunch;
use punch_protocol::push::Terminal;
use tokio::sync::mpsc;

/// What a terminal has to say, from whoever plays its people.
#[derive(Debug)]
pub enum Happening {
    /// Somebody punches.
    Punch(Box<RawPunch>),
    /// A row lies in memory already, byte for byte.
    Row(Vec<u8>),
}

/// What a terminal achieved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Achieved {
    /// Rows that went into its memory.
    pub sent: u64,
    /// Rows the server said `OK` to.
    pub acknowledged: u64,
    /// Requests the server refused or did not answer.
    pub refused: u64,
}

/// How a simulated terminal behaves.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Base address of the server, such as `http://127.0.0.1:8081`.
    pub server: String,
    /// Waits after a failure; a real terminal waits what the handshake says.
    pub error_delay: TimeDelta,
    /// Gives up when nothing was acknowledged for this long and rows are pending.
    pub patience: Duration,
}

impl Behaviour {
    /// Patient for 30 s, and quick to try again.
    pub fn new(server: impl Into<String>) -> Self {
        Self { server: server.into(), error_delay: TimeDelta::milliseconds(250), patience: Duration::from_secs(30) }
    }
}

/// The rows of a recorded body, without their line ends.
pub fn rows_of(body: &[u8]) -> Vec<Vec<u8>> {
    let lines = body.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Runs a terminal until `happenings` has ended and every row is acknowledged, or patience has.
///
/// # Errors
///
/// The HTTP client cannot be made.
pub async fn run(
    mut terminal: Terminal,
    behaviour: Behaviour,
    mut happenings: mpsc::Receiver<Happening>,
) -> anyhow::Result<Achieved> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().context("HTTP client")?;
    let (mut open, mut sent) = (true, 0u64);
    let mut progress = (0, now());
    while open || terminal.pending() > 0 {
        let (acknowledged, _) = terminal.counts();
        if acknowledged > progress.0 || terminal.pending() == 0 {
            progress = (acknowledged, now());
        }
        if (now() - progress.1).to_std().is_ok_and(|stalled| stalled > behaviour.patience) {
            break;
        }
        // What happened while an answer was awaited goes out together, as a real terminal's memory does.
        while let Ok(happening) = happenings.try_recv() {
            take(&mut terminal, happening);
            sent += 1;
        }
        if let Some(request) = terminal.poll_request(now()) {
            let url = format!("{}{}", behaviour.server.trim_end_matches('/'), request.target);
            let call = if request.method == "POST" { client.post(url).body(request.body) } else { client.get(url) };
            match answer(call).await {
                Ok((status, body)) => terminal.handle_answer(status, &body, now()),
                Err(_) => terminal.handle_failure(now()),
            }
            terminal.set_error_delay(behaviour.error_delay);
            continue;
        }
        let wait = terminal.poll_timeout().map_or(TimeDelta::milliseconds(100), |at| at - now());
        let wait = wait.max(TimeDelta::milliseconds(1)).to_std().unwrap_or_default().min(Duration::from_secs(1));
        tokio::select! {
            happening = happenings.recv(), if open => match happening {
                Some(happening) => {
                    take(&mut terminal, happening);
                    sent += 1;
                }
                None => open = false,
            },
            () = tokio::time::sleep(wait) => {}
        }
    }
    let (acknowledged, refused) = terminal.counts();
    Ok(Achieved { sent, acknowledged, refused })
}

fn take(terminal: &mut Terminal, happening: Happening) {
    match happening {
        Happening::Punch(punch) => terminal.punch(&punch),
        Happening::Row(row) => terminal.remember(row),
    }
}

async fn answer(call: reqwest::RequestBuilder) -> reqwest::Result<(u16, Vec<u8>)> {
    let response = call.send().await?;
    Ok((response.status().as_u16(), response.bytes().await?.to_vec()))
}
