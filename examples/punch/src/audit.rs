//! `punch audit`: who changed what at a gateway, and whether the log of it is whole.

use std::io::BufRead as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use gateway::core::{Break, Check, Head, Linked};
use gateway::store::{Place, audit_after, open_to_read};

use crate::api::ApiArgs;
use crate::exit::{Exit, UsageError};

/// Look at the audit log of a gateway: who changed what, when, and what came of it.
///
/// Example: punch audit verify --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct AuditCommand {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the log, an entry a line, as JSON.
    ///
    /// Example: punch audit export > audit.ndjson
    Export {
        /// Only what is behind the entry with this number.
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
    },
    /// Go through the log and say where it breaks. The exit code is 1 if it does.
    ///
    /// What it prints is the end of the log: keep it elsewhere, and give it as --head the next time. Without one, a log that
    /// was cut at its end or written anew as a whole looks as good as any.
    ///
    /// Example: punch audit verify --file audit.ndjson --head 120:9f8e…
    Verify {
        /// A file of `punch audit export`, in the place of the gateway.
        #[arg(long, value_name = "FILE", conflicts_with = "store")]
        file: Option<PathBuf>,
        /// The store itself, in the place of the gateway: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
        #[arg(long, value_name = "STORE")]
        store: Option<String>,
        /// What an earlier run has printed.
        #[arg(long, value_name = "N:HASH")]
        head: Option<Head>,
        /// The log begins behind this place, as an export with --after does.
        #[arg(long, value_name = "N:HASH")]
        after: Option<Head>,
    },
}

/// Runs the command.
pub(crate) async fn run(command: AuditCommand) -> anyhow::Result<Exit> {
    let AuditCommand { verb, api } = command;
    match verb {
        Verb::Export { after } => {
            for line in exported(&api, after).await?.lines() {
                crate::say(format_args!("{line}"));
            }
            Ok(Exit::Done)
        }
        Verb::Verify { file, store, head, after } => {
            let after = after.unwrap_or(Head::START);
            let check = Check::new(after, head);
            let checked = match (file, store) {
                (Some(file), _) => in_file(&file, check)?,
                (None, Some(store)) => in_store(&store, after.seq, check)?,
                (None, None) => {
                    in_lines(exported(&api, after.seq).await?.lines().map(|line| Ok(line.to_owned())), check)?
                }
            };
            Ok(told(checked))
        }
    }
}

fn told(checked: Result<Head, String>) -> Exit {
    match checked {
        Ok(head) => {
            crate::say(format_args!("{head}"));
            Exit::Done
        }
        Err(problem) => {
            eprintln!("punch: {problem}");
            Exit::Wrong
        }
    }
}

async fn exported(api: &ApiArgs, after: u64) -> anyhow::Result<String> {
    let path = format!("/v1/audit/export?after={after}");
    api.open(&path).await?.text().await.context("the answer broke off")
}

fn in_file(file: &std::path::Path, check: Check) -> anyhow::Result<Result<Head, String>> {
    let opened = std::fs::File::open(file);
    let opened = opened.map_err(|error| UsageError(format!("--file {}: {error}", file.display())))?;
    in_lines(std::io::BufReader::new(opened).lines(), check)
}

fn in_lines(
    lines: impl Iterator<Item = std::io::Result<String>>,
    mut check: Check,
) -> anyhow::Result<Result<Head, String>> {
    for (number, line) in (1_u64..).zip(lines) {
        let linked = match Linked::parse(&line?) {
            Ok(linked) => linked,
            Err(error) => return Ok(Err(format!("line {number} {error}"))),
        };
        if let Err(error) = check.take(&linked) {
            return Ok(Err(error.to_string()));
        }
    }
    Ok(check.finish().map_err(|error: Break| error.to_string()))
}

/// Entries that are read from a store at once.
const SLICE: u32 = 1000;

fn in_store(store: &str, after: u64, mut check: Check) -> anyhow::Result<Result<Head, String>> {
    let place = Place::parse(store).map_err(|problem| UsageError(format!("--store: {problem}")))?;
    let mut after = after;
    // Whoever drives a runtime must not wait for a database.
    let work = move || {
        let connection = open_to_read(&place)?;
        loop {
            let slice = audit_after(&connection, after, SLICE)?;
            for linked in &slice {
                if let Err(error) = check.take(linked) {
                    return Ok(Err(error.to_string()));
                }
            }
            match slice.last() {
                Some(last) => after = last.entry.seq,
                None => return Ok(check.finish().map_err(|error| error.to_string())),
            }
        }
    };
    std::thread::spawn(work).join().map_err(|_| anyhow::anyhow!("the store could not be read"))?
}
