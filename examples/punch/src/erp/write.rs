//! `punch erp write`: events from standard input into an ERP, an outcome a line.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use clap::Args;
use punch_erp::{Outcome, ParkReason};
use serde_json::json;
use sinks::Sink;
use sinks::clock::now;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::backlog::{Backlog, Told};
use super::reading::{Entry, standard_input};
use super::target::Target;
use crate::exit::Exit;

/// Write events into an ERP, each once, in order for each person.
///
/// Events come on standard input, one JSON object a line, in any published shape and any order; what is there already is
/// found, so the same input can be written again. Each gets a line: event_id, outcome (applied, already, retry, parked),
/// reason, remote_id. The exit code is 1 if something was parked, 3 if something is left to be tried again.
///
/// Example: punch erp write --to odoo < events.ndjson
///
///   punch erp write --to erpnext --dry-run < events.ndjson
///
///   punch webhook listen --secret-file hook.secret --ndjson | punch erp write --to odoo
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Write {
    #[command(flatten)]
    target: Target,
    /// For how long what answers `retry` is tried again before it is said, in seconds: after 1, 2, 4, 8, 16 and then every 30,
    /// or as the ERP asks. 0 is once.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=604_800))]
    patience: u32,
    /// Print the exact requests instead, secrets masked, and send nothing. What is asked of the ERP first is made up.
    #[arg(long)]
    dry_run: bool,
}

/// Events that are taken along before the first of them is written.
const TOGETHER: usize = 20_000;

/// After so long without another event, what has come is written.
const QUIET: Duration = Duration::from_millis(100);

/// However steadily events come, what has come is written after this.
const COLLECTING: Duration = Duration::from_secs(2);

/// Runs the command.
pub(super) async fn run(command: Write) -> anyhow::Result<Exit> {
    crate::log_to_stderr("warn");
    let settings = command.target.settings()?;
    let (takes, reach) = (settings.erp.takes(), settings.erp.reach());
    let sink = if command.dry_run {
        Sink::dry(settings, |request| crate::say(format_args!("{}", request.trim_end())))?
    } else {
        Sink::open_at_once(settings)?
    };
    let patience = if command.dry_run { 0 } else { command.patience };
    let patience = TimeDelta::seconds(patience.into());
    let mut counter = Counter { is_dry: command.dry_run, counts: BTreeMap::new(), reasons: BTreeMap::new() };
    let backlog = Backlog::new(takes, reach, patience);
    drive(Arc::new(sink), backlog, standard_input(), &mut counter).await;
    Ok(counter.sum_up(command.target.name()))
}

async fn drive(sink: Arc<Sink>, mut backlog: Backlog, mut inbox: mpsc::Receiver<Entry>, counter: &mut Counter) {
    let mut is_open = true;
    loop {
        if is_open {
            let until = backlog.next_at().into_iter().chain(backlog.ripe_at()).min();
            let until = until.map(|at| (at - now()).to_std().unwrap_or_default());
            is_open = collect(&mut inbox, &mut backlog, until, counter).await;
        }
        let batches = backlog.due(now());
        if batches.is_empty() {
            match backlog.next_at() {
                _ if is_open => {
                    backlog.ripe(now()).iter().for_each(|told| counter.tell(told));
                    continue;
                }
                Some(at) => {
                    tokio::time::sleep((at - now()).to_std().unwrap_or_default().max(Duration::from_millis(1))).await;
                    continue;
                }
                None => break,
            }
        }
        let people = batches.iter().map(|batch| batch.events.clone()).collect();
        let outcomes = Arc::clone(&sink).write_all(people).await;
        for (batch, outcomes) in batches.iter().zip(&outcomes) {
            for told in backlog.settle(batch, outcomes, now()) {
                counter.tell(&told);
            }
        }
    }
    for told in backlog.finish() {
        counter.tell(&told);
    }
}

/// Takes what has come, and waits for the first of it for at most so long. Whether more can come.
async fn collect(
    inbox: &mut mpsc::Receiver<Entry>,
    backlog: &mut Backlog,
    until: Option<Duration>,
    counter: &mut Counter,
) -> bool {
    let begun = Instant::now();
    let mut patience = until;
    for _ in 0..TOGETHER {
        let next = match patience {
            Some(patience) => match tokio::time::timeout(patience, inbox.recv()).await {
                Ok(next) => next,
                Err(_) => return true,
            },
            None => inbox.recv().await,
        };
        let Some(Entry { line, event_id, event }) = next else { return false };
        match event {
            Ok(event) => backlog.take(event).iter().for_each(|told| counter.tell(told)),
            Err(problem) => counter.refuse(line, event_id.as_deref(), &problem),
        }
        if begun.elapsed() > COLLECTING {
            return true;
        }
        patience = Some(QUIET);
    }
    true
}

/// Prints outcomes, and counts them.
struct Counter {
    is_dry: bool,
    counts: BTreeMap<&'static str, u64>,
    /// What to do about what is not done, by its code.
    reasons: BTreeMap<&'static str, (u64, String)>,
}

impl Counter {
    fn tell(&mut self, Told { event_id, outcome }: &Told) {
        let (word, reason) = (outcome.word(), outcome.reason());
        // A dry run has no outcome but what is refused without asking.
        if self.is_dry && word == "retry" {
            return;
        }
        if !self.is_dry {
            let line = json!({
                "event_id": event_id, "outcome": word, "reason": reason, "remote_id": outcome.remote_id(),
            });
            crate::say(format_args!("{line}"));
        }
        *self.counts.entry(word).or_default() += 1;
        if let Some(code) = reason {
            let text = || match outcome {
                Outcome::Park(reason) => without_record(reason),
                Outcome::Retry { reason, .. } => reason.to_string(),
                Outcome::Applied { .. } | Outcome::AlreadyThere { .. } => String::new(),
            };
            self.reasons.entry(code).or_insert_with(|| (0, text())).0 += 1;
        }
    }

    fn refuse(&mut self, line: u64, event_id: Option<&str>, problem: &str) {
        if !self.is_dry {
            let outcome = json!({
                "event_id": event_id, "outcome": "parked", "reason": "unreadable", "remote_id": null, "line": line,
            });
            crate::say(format_args!("{outcome}"));
        }
        *self.counts.entry("parked").or_default() += 1;
        let first = format!("line {line}: {problem}");
        self.reasons.entry("unreadable").or_insert((0, first)).0 += 1;
    }

    fn sum_up(&self, name: &str) -> Exit {
        let count = |word: &str| self.counts.get(word).copied().unwrap_or_default();
        let (retried, parked) = (count("retry"), count("parked"));
        for (code, (count, text)) in &self.reasons {
            eprintln!("{count} x {code}: {text}");
        }
        if self.is_dry {
            eprintln!("{name}: nothing was sent; {parked} would be parked");
        } else {
            let (applied, already) = (count("applied"), count("already"));
            eprintln!(
                "{name}: {applied} applied, {already} already there, {parked} parked, {retried} to be tried again"
            );
        }
        if retried > 0 {
            eprintln!("next: punch erp check --to {name}");
            return Exit::Failed;
        }
        if parked > 0 { Exit::Wrong } else { Exit::Done }
    }
}

/// The text without the code, which stands before it, and of one record nothing: it stands for many.
fn without_record(reason: &ParkReason) -> String {
    let text = reason.to_string();
    let text = text.strip_prefix(reason.code()).unwrap_or(&text).trim_start_matches(": ");
    reason.remote_id().map_or_else(|| text.to_owned(), |id| text.replace(&format!("`{id}`"), "(remote_id)"))
}
