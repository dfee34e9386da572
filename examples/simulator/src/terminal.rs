//! A simulated terminal on a real network: drives the protocol's own terminal role over HTTP.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use gateway::clock::now;
use punch_protocol::RawPunch;
use punch_protocol::push::{Exchange, Hostile, Mischief, Terminal, TerminalEvent, TerminalRequest};
use tokio::sync::mpsc;

use crate::wire::Wire;

/// What a terminal has to say, from whoever plays its people.
#[derive(Debug)]
pub enum Happening {
    /// Somebody punches.
    Punch(Box<RawPunch>),
    /// A row lies in memory already, byte for byte.
    Row(Vec<u8>),
}

/// What a terminal achieved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Achieved {
    /// Rows that went into its memory.
    pub sent: u64,
    /// Rows the server said `OK` to.
    pub acknowledged: u64,
    /// Requests the server refused or did not answer.
    pub refused: u64,
    /// Commands carried out or refused.
    pub commands: u64,
    /// Times the server set the clock.
    pub clock_sets: u64,
    /// Doors opened from afar.
    pub doors_opened: u64,
    /// Requests that were bent on purpose.
    pub bent: u64,
    /// Answers to them that no correct server gives, by what was wrong with the request.
    pub unfair: BTreeMap<Mischief, u64>,
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
    /// Whom it believes behind `https://`: the root in PEM, or the certificate of the server itself.
    pub ca_file: Option<PathBuf>,
}

impl Behaviour {
    /// Patient for 30 s, and quick to try again.
    pub fn new(server: impl Into<String>) -> Self {
        let (error_delay, patience) = (TimeDelta::milliseconds(250), Duration::from_secs(30));
        Self { server: server.into(), error_delay, patience, ca_file: None }
    }
}

/// How a performance differs from an honest one that ends with its last row.
#[derive(Debug, Clone, Default)]
pub struct Play {
    /// Bends the requests.
    pub hostile: Option<Hostile>,
    /// Stays for commands when everything is acknowledged.
    pub stay: Duration,
    /// Gives up at the first refusal.
    pub once: bool,
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
/// The server's address is none.
pub async fn run(
    terminal: Terminal,
    behaviour: Behaviour,
    happenings: mpsc::Receiver<Happening>,
) -> anyhow::Result<Achieved> {
    play(terminal, behaviour, Play::default(), happenings).await
}

/// Runs a terminal that may misbehave.
///
/// # Errors
///
/// The server's address is none.
pub async fn play(
    mut terminal: Terminal,
    behaviour: Behaviour,
    play: Play,
    mut happenings: mpsc::Receiver<Happening>,
) -> anyhow::Result<Achieved> {
    let wire = Wire::to(&behaviour.server, behaviour.ca_file.as_deref())?;
    let mut stage = Stage { wire, hostile: play.hostile, achieved: Achieved::default() };
    terminal.set_error_delay(behaviour.error_delay);
    let mut open = true;
    let mut progress = (0, now());
    while open || terminal.pending() > 0 || stays(progress.1, play.stay) {
        let (acknowledged, refused) = terminal.counts();
        if acknowledged > progress.0 || (open && terminal.pending() == 0) {
            progress = (acknowledged, now());
        }
        let stalled = terminal.pending() > 0 && !stays(progress.1, behaviour.patience);
        if stalled || (play.once && refused > 0) {
            break;
        }
        // What happened while an answer was awaited goes out together, as a real terminal's memory does.
        while let Ok(happening) = happenings.try_recv() {
            stage.take(&mut terminal, happening);
        }
        if let Some(request) = terminal.poll_request(now()) {
            stage.send(&mut terminal, request).await;
            continue;
        }
        let wait = terminal.poll_timeout().map_or(TimeDelta::milliseconds(100), |at| at - now());
        let wait = wait.max(TimeDelta::milliseconds(1)).to_std().unwrap_or_default().min(Duration::from_secs(1));
        tokio::select! {
            happening = happenings.recv(), if open => match happening {
                Some(happening) => stage.take(&mut terminal, happening),
                None => open = false,
            },
            () = tokio::time::sleep(wait) => {}
        }
    }
    (stage.achieved.acknowledged, stage.achieved.refused) = terminal.counts();
    Ok(stage.achieved)
}

/// Whether less than `time` has passed since `since`.
fn stays(since: DateTime<Utc>, time: Duration) -> bool {
    (now() - since).to_std().is_ok_and(|passed| passed < time)
}

struct Stage {
    wire: Wire,
    hostile: Option<Hostile>,
    achieved: Achieved,
}

impl Stage {
    fn take(&mut self, terminal: &mut Terminal, happening: Happening) {
        let kept = match happening {
            Happening::Punch(punch) => terminal.punch(&punch),
            Happening::Row(row) => terminal.remember(row),
        };
        self.achieved.sent += u64::from(kept);
    }

    /// Sends what a request became, and gives the terminal the last answer.
    async fn send(&mut self, terminal: &mut Terminal, mut request: TerminalRequest) {
        request.target.insert_str(0, self.wire.prefix());
        let classic = request.closes();
        let host = self.wire.host().to_owned();
        let answer = match self.hostile.as_mut().map(|hostile| hostile.bend(request.clone(), &host)) {
            None => self.wire.exchange(&request.to_bytes(&host), classic).await.ok(),
            Some(exchanges) => {
                let mut last = None;
                for exchange in &exchanges {
                    last = self.exchange(exchange, classic).await;
                }
                last
            }
        };
        match answer {
            Some(reply) => terminal.handle_response(reply.as_answer(), now()),
            None => terminal.handle_failure(now()),
        }
        while let Some(event) = terminal.poll_event() {
            self.note(&event);
        }
    }

    async fn exchange(&mut self, exchange: &Exchange, classic: bool) -> Option<crate::wire::Reply> {
        if exchange.mischief.is_empty() {
            return self.wire.exchange(&exchange.bytes, classic).await.ok();
        }
        self.achieved.bent += 1;
        let answer = self.wire.exchange_apart(&exchange.bytes, exchange.pace, exchange.hangs_up).await.ok();
        let (status, body) = answer.as_ref().map_or((0, &[][..]), |reply| (reply.status, &reply.body));
        if !exchange.is_fair(status, body) {
            for mischief in &exchange.mischief {
                *self.achieved.unfair.entry(*mischief).or_default() += 1;
            }
        }
        answer
    }

    fn note(&mut self, event: &TerminalEvent) {
        match event {
            TerminalEvent::CommandExecuted { .. } => self.achieved.commands += 1,
            TerminalEvent::ClockSet { .. } => self.achieved.clock_sets += 1,
            TerminalEvent::DoorOpened { .. } => self.achieved.doors_opened += 1,
            _ => {}
        }
    }
}
