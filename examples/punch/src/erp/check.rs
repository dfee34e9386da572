//! `punch erp check`: who we are there, what we may do, whose clock it is, and which badges have nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use punch_erp::{Blame, RetryReason};
use serde_json::json;
use sinks::{Finding, Sink, Standing, telling};

use super::reading::each;
use super::target::Target;
use crate::api::{ApiArgs, text};
use crate::exit::{Exit, UsageError};

/// Look at an ERP before punches go there: login, rights, zone, and the badges that have no employee, or several.
///
/// Nothing is written. The exit code is 1 if something is wrong, 3 if there was no answer.
///
/// Example: punch erp check --to odoo --badges badges.csv
///
///   punch erp check --to erpnext --events events.ndjson --json
///
///   punch erp check --to plant --config punch.toml --registered --api-key-file punch.key
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Check {
    #[command(flatten)]
    target: Target,
    /// Look up these badges: one a line, or the first column of a table. `-` is standard input.
    #[arg(long, value_name = "FILE")]
    badges: Option<PathBuf>,
    /// Look up the badges of these events, one a line. `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "badges")]
    events: Option<PathBuf>,
    /// Look up the badges that a gateway has registered.
    #[arg(long)]
    registered: bool,
    #[command(flatten)]
    api: ApiArgs,
    /// Print an object for each finding and each badge, as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) async fn run(command: Check) -> anyhow::Result<Exit> {
    crate::log_to_stderr("warn");
    let badges = badges(&command).await?;
    let sink = Sink::open(command.target.settings()?)?;
    let findings = sink.check().await;
    let mut worst = findings.iter().map(|finding| finding.standing).max().unwrap_or(Standing::Good);
    findings.iter().for_each(|finding| show(finding, command.json));
    if !badges.is_empty() && worst < Standing::Wrong {
        match sink.standings(&badges).await {
            Ok(standings) => worst = worst.max(show_badges(&standings, command.json)),
            Err(reason) => {
                worst = worst.max(if is_setup(&reason) { Standing::Wrong } else { Standing::Unreached });
                eprintln!("badges: {reason}");
            }
        }
    }
    let (name, exit) = (command.target.name(), exit_of(worst));
    match exit {
        Exit::Done => eprintln!("next: punch erp write --to {name} < events.ndjson"),
        _ => eprintln!("next: mend what is said above, then punch erp check --to {name}"),
    }
    Ok(exit)
}

fn exit_of(worst: Standing) -> Exit {
    match worst {
        Standing::Good | Standing::Untold => Exit::Done,
        Standing::Unreached => Exit::Failed,
        Standing::Unknown | Standing::Ambiguous | Standing::Inactive | Standing::Wrong => Exit::Wrong,
    }
}

fn is_setup(reason: &RetryReason) -> bool {
    matches!(reason, RetryReason::Call(error) if error.blame() != Blame::Server)
}

fn show(finding: &Finding, as_json: bool) {
    let (part, standing, text) = (finding.part, finding.standing.word(), &finding.text);
    if as_json {
        let line = json!({ "part": part, "standing": standing, "text": text });
        crate::say(format_args!("{line}"));
    } else {
        crate::say(format_args!("{part:<10} {standing:<10} {text}"));
    }
}

/// A line for each badge, or for people for each that is not as it should be. How the worst stands.
fn show_badges(standings: &BTreeMap<String, Standing>, as_json: bool) -> Standing {
    let count = |wanted: Standing| standings.values().filter(|standing| **standing == wanted).count();
    for (badge, standing) in standings {
        if as_json {
            let line = json!({ "badge": badge, "standing": standing.word() });
            crate::say(format_args!("{line}"));
        } else if standing.is_bad() {
            crate::say(format_args!("{:<10} {:<10} {badge}", "badge", standing.word()));
        }
    }
    if !as_json {
        let kinds = [Standing::Good, Standing::Unknown, Standing::Ambiguous, Standing::Inactive, Standing::Untold];
        let counts = kinds.into_iter().map(|kind| (count(kind), kind.word())).filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        crate::say(format_args!("{:<10} {:<10} of {}: {}", "badges", "", standings.len(), counts.join(", ")));
    }
    standings.values().copied().max().unwrap_or(Standing::Good)
}

async fn badges(command: &Check) -> anyhow::Result<BTreeSet<String>> {
    let mut badges = BTreeSet::new();
    if let Some(path) = &command.badges {
        for line in open(path)?.lines() {
            let line = line.with_context(|| format!("cannot read {}", path.display()))?;
            let first = line.trim_start_matches('\u{feff}').split([',', ';', '\t']).next().unwrap_or_default();
            let first = first.trim().trim_matches('"');
            let is_header = badges.is_empty() && first.to_ascii_lowercase().starts_with("badge");
            if !first.is_empty() && !first.starts_with('#') && !is_header {
                badges.insert(first.to_owned());
            }
        }
    }
    if let Some(path) = &command.events {
        each(&mut open(path)?, |entry| {
            let punch = entry.event.ok().and_then(|event| telling(&event).map(|(punch, _)| punch.badge.clone()));
            badges.extend(punch);
            true
        });
    }
    if command.registered {
        let rows = command.api.all("/v1/employees", "the gateway sent no list of employees").await?;
        // Who has an id goes by it, as in the events.
        let name = |row: &serde_json::Value| {
            let id = text(row, "id");
            if id.is_empty() { text(row, "badge_number").to_owned() } else { id.to_owned() }
        };
        badges.extend(rows.iter().map(name));
    }
    Ok(badges)
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, UsageError> {
    if path.as_os_str() == "-" {
        let mut all = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut all);
        read.map_err(|error| UsageError(format!("cannot read standard input: {error}")))?;
        return Ok(Box::new(std::io::Cursor::new(all)));
    }
    let file = File::open(path).map_err(|error| UsageError(format!("cannot read {}: {error}", path.display())))?;
    Ok(Box::new(BufReader::new(file)))
}
