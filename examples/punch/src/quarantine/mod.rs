//! `punch quarantine`: the rows that a gateway holds aside, and what can be done about them.

mod table;

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};

use crate::api::ApiArgs;
use crate::exit::{Exit, UsageError};

/// Look at the rows that a gateway holds aside, put them right, take them once more, or put them away.
///
/// Example: punch quarantine list --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct QuarantineCommand {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    api: ApiArgs,
    /// Print what the gateway says, as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them, newest first. The exit code is 1 if any is held.
    ///
    /// Example: punch quarantine list --reason unregistered_badge
    List(Which),
    /// Show one, with what to do.
    ///
    /// Example: punch quarantine show evt_5mb01bqav1hb53xactb0hn2e01
    Show {
        /// The identity of the row.
        id: String,
    },
    /// Take them once more, if their cause is gone: one, or all that fit.
    ///
    /// Example: punch quarantine retry --reason clock_wrong --device CZKE2241600045
    Retry {
        /// One row, one that was put away too.
        #[arg(conflicts_with_all = ["reason", "device", "since", "until", "discarded"])]
        id: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Say what the terminal did not, and take the row once more. What the terminal said stays as it is.
    ///
    /// Example: punch quarantine fix evt_5mb01bqav1hb53xactb0hn2e01 --pin 1042
    Fix {
        /// The identity of the row.
        id: String,
        /// What the clock was off by, in seconds: true time minus the terminal's.
        #[arg(long, allow_hyphen_values = true, value_name = "SECONDS")]
        shift_seconds: Option<i64>,
        /// The PIN of whoever it was, of a row that names nobody.
        #[arg(long)]
        pin: Option<String>,
        /// The right row, of one that could not be read: PIN, time, state and verification, with TABs between.
        #[arg(long, conflicts_with_all = ["shift_seconds", "pin"])]
        text: Option<String>,
    },
    /// Put one away: it is kept and counted, and nobody waits for it any more.
    ///
    /// Example: punch quarantine discard row_5mb01bqav1hb53xactb0hn2e01 --reason "a test of the installer"
    Discard {
        /// The identity of the row.
        id: String,
        /// Why; it is kept with the row.
        #[arg(long)]
        reason: String,
    },
    /// Date all rows that a terminal made while its clock was unset, once it is known by how much.
    ///
    /// Example: punch quarantine reanchor CZKE2241600045 --shift-seconds 825753600
    Reanchor {
        /// The terminal.
        serial: String,
        /// What its clock was off by, in seconds: true time minus the terminal's.
        #[arg(long, allow_hyphen_values = true, value_name = "SECONDS")]
        shift_seconds: i64,
        /// Only rows that were received from then on: a moment such as 2026-03-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only rows that were received before.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
}

/// Which rows.
#[derive(Debug, Args)]
struct Which {
    /// Held for this reason: anonymous, clock_reset, clock_wrong, future, malformed or unregistered_badge.
    #[arg(long)]
    reason: Option<String>,
    /// Of this terminal.
    #[arg(long, value_name = "SERIAL")]
    device: Option<String>,
    /// Received from then on: a moment such as 2026-03-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Received before.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Those that were put away instead.
    #[arg(long)]
    discarded: bool,
}

impl Which {
    fn members(&self) -> Map<String, Value> {
        let texts =
            [("reason", &self.reason), ("device", &self.device), ("since", &self.since), ("until", &self.until)];
        let given = texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into())));
        given.chain([("discarded".to_owned(), self.discarded.into())]).collect()
    }

    /// What an empty list says.
    fn nothing(&self) -> &'static str {
        let Self { reason, device, since, until, discarded } = self;
        if [reason, device, since, until].into_iter().any(Option::is_some) {
            "no row fits; `punch quarantine list` shows all that are held"
        } else if *discarded {
            "nothing was put away"
        } else {
            "nothing is held; rows that name nobody, lie in the future, come from an unset clock or cannot be read would be here"
        }
    }

    fn query(&self) -> String {
        let pair = |(name, value): (String, Value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            format!("{name}={}", text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "%20"))
        };
        self.members().into_iter().map(pair).collect::<Vec<_>>().join("&")
    }
}

/// Runs the command.
pub(crate) async fn run(command: QuarantineCommand) -> anyhow::Result<Exit> {
    let QuarantineCommand { verb, api, json } = command;
    match verb {
        Verb::List(which) => list(&api, &which, json).await,
        Verb::Show { id } => show(&api, &id, json).await,
        Verb::Retry { id: Some(id), .. } => {
            let answer = api.post(&format!("/v1/quarantine/{id}/retry"), &json!({})).await?;
            done(answer, &id, json)
        }
        Verb::Retry { id: None, which } => {
            let bar = spinner("taken once more");
            let answer = api.patient().post("/v1/quarantine/retry", &which.members().into()).await;
            bar.finish_and_clear();
            done(answer?, "", json)
        }
        Verb::Fix { id, shift_seconds, pin, text } => {
            let mut said = Map::new();
            said.extend(shift_seconds.map(|seconds| ("shift_seconds".to_owned(), seconds.into())));
            said.extend(pin.map(|pin| ("pin".to_owned(), pin.into())));
            said.extend(text.map(|text| ("text".to_owned(), text.replace("\\t", "\t").into())));
            if said.is_empty() {
                let what = "say what is right: --shift-seconds, --pin or --text; `punch quarantine show ID` says which";
                return Err(UsageError(what.to_owned()).into());
            }
            let answer = api.post(&format!("/v1/quarantine/{id}/fix"), &said.into()).await?;
            done(answer, &id, json)
        }
        Verb::Discard { id, reason } => {
            let answer = api.post(&format!("/v1/quarantine/{id}/discard"), &json!({ "reason": reason })).await?;
            let row = answer.ok_or_else(|| unknown(&id))?;
            crate::say(format_args!("{}", if json { row.to_string() } else { format!("{id} is put away") }));
            Ok(Exit::Done)
        }
        Verb::Reanchor { serial, shift_seconds, since, until } => {
            let bar = spinner("dated and taken once more");
            let body = json!({ "shift_seconds": shift_seconds, "since": since, "until": until });
            let answer = api.patient().post(&format!("/v1/devices/{serial}/reanchor"), &body).await;
            bar.finish_and_clear();
            done(answer?, &serial, json)
        }
    }
}

async fn list(api: &ApiArgs, which: &Which, json: bool) -> anyhow::Result<Exit> {
    let path = format!("/v1/quarantine?{}", which.query());
    let rows = api.all(&path, "the gateway sent no list of rows").await?;
    if json {
        rows.iter().for_each(|row| crate::say(format_args!("{row}")));
    } else if rows.is_empty() {
        crate::say(format_args!("{}", which.nothing()));
    } else {
        table::print(&rows);
    }
    // Nobody waits for what was put away.
    Ok(if rows.is_empty() || which.discarded { Exit::Done } else { Exit::Wrong })
}

async fn show(api: &ApiArgs, id: &str, json: bool) -> anyhow::Result<Exit> {
    let row = api.get(&format!("/v1/quarantine/{id}")).await?.ok_or_else(|| unknown(id))?;
    if json {
        crate::say(format_args!("{row}"));
    } else {
        table::describe(&row);
    }
    Ok(Exit::Done)
}

/// Says what became of rows. The exit code is 1 if some are still held.
fn done(answer: Option<Value>, what: &str, json: bool) -> anyhow::Result<Exit> {
    let answer = answer.ok_or_else(|| unknown(what))?;
    let counts: BTreeMap<String, u64> =
        serde_json::from_value(answer.clone()).context("the gateway does not say what became of them")?;
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    if json {
        crate::say(format_args!("{answer}"));
    } else {
        let (tried, delivered, suppressed, held) =
            (count("tried"), count("delivered"), count("suppressed"), count("held"));
        let known = match count("replayed") {
            0 => String::new(),
            replayed => format!("{replayed} known already, "),
        };
        crate::say(format_args!(
            "{tried} taken once more: {delivered} are punches, {suppressed} second punches, {known}{held} still held"
        ));
    }
    Ok(if count("held") > 0 { Exit::Wrong } else { Exit::Done })
}

fn unknown(what: &str) -> UsageError {
    UsageError(format!("the gateway holds no {what}; see `punch quarantine list`"))
}

fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(core::time::Duration::from_millis(120));
    bar
}
