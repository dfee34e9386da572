//! `punch backfill`: has a terminal send the punches of a time once more.

use core::time::Duration;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{NaiveDateTime, TimeDelta};
use clap::Args;
use gateway::config::parse_span;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::{ApiArgs, number, text};
use crate::exit::{Exit, UsageError};
use crate::pull::moment;

/// Have a terminal send the punches of a time once more, piece by piece.
///
/// A terminal that pushes is told to by its gateway; one that an agent reads on port 4370 is read by the agent. What the
/// gateway has already changes nothing. A terminal that neither reaches is read with `punch pull --to`.
///
/// Example: punch backfill --device CZKE2241600045 --from 2026-03-01 --to 2026-03-28 --resume march.backfill
#[derive(Debug, Args)]
pub(crate) struct Backfill {
    /// The terminal.
    #[arg(long, value_name = "SERIAL")]
    device: String,
    /// From this moment of the terminal's clock on: `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ss`.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// To this one; a day means all of it.
    #[arg(long, value_name = "TIME")]
    to: String,
    /// How much is asked for at once.
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    piece: String,
    /// Pieces a minute, at most, so that the terminal has time for people.
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=6000))]
    rate: u32,
    /// Remember in this file how far it has come, and go on there next time.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    api: ApiArgs,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

/// How often it is asked how far a piece has come.
const LOOK: Duration = Duration::from_millis(500);

/// The time that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: NaiveDateTime,
    to: NaiveDateTime,
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    pieces: u64,
    skipped: u64,
    rows: Option<u64>,
}

/// Runs the command.
pub(crate) async fn run(backfill: Backfill) -> anyhow::Result<Exit> {
    let span =
        Span { from: moment("--from", &backfill.from, "00:00:00")?, to: moment("--to", &backfill.to, "23:59:59")? };
    if span.from > span.to {
        return Err(UsageError("--to: is before --from".to_owned()).into());
    }
    let piece =
        parse_span(&backfill.piece).map_err(|problem| UsageError(format!("--piece {}: {problem}", backfill.piece)))?;
    if piece < TimeDelta::minutes(1) {
        return Err(UsageError(format!("--piece {}: expected a minute at least", backfill.piece)).into());
    }
    let pieces = span.cut(piece);
    let before = backfill.count(span).await?;
    let mark = backfill.resume.as_deref().map(|file| Mark::read(file, &backfill.device, span)).transpose()?;
    let mut done = Done::default();
    let bar = ProgressBar::new(u64::try_from(pieces.len())?);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} pieces {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for piece in pieces {
        if mark.as_ref().is_some_and(|mark| mark.has(piece)) {
            done.skipped += 1;
        } else {
            let begun = Instant::now();
            if let Some(problem) = backfill.ask(piece, &mut done).await? {
                bar.finish_and_clear();
                eprintln!("punch: {} to {}: {problem}", piece.from, piece.to);
                eprintln!("punch: {}", backfill.next());
                return Ok(Exit::Wrong);
            }
            if let Some(file) = &backfill.resume {
                Mark::write(file, &backfill.device, span, piece)?;
            }
            tokio::time::sleep_until(begun + Duration::from_secs(60) / backfill.rate).await;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let new = backfill.count(span).await?.zip(before).map(|(after, before)| after.saturating_sub(before));
    backfill.say(&done, new);
    Ok(Exit::Done)
}

impl Span {
    /// Pieces that follow each other, the last one as long as is left.
    fn cut(self, piece: TimeDelta) -> Vec<Self> {
        let mut pieces = Vec::new();
        let mut from = self.from;
        while from <= self.to {
            let next = from.checked_add_signed(piece).unwrap_or(NaiveDateTime::MAX);
            pieces.push(Self { from, to: self.to.min(next - TimeDelta::seconds(1)) });
            from = next;
        }
        pieces
    }
}

impl Backfill {
    /// Asks for a piece, and waits for its end. What went wrong, if something did.
    async fn ask(&self, piece: Span, done: &mut Done) -> anyhow::Result<Option<String>> {
        let written = |time: NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S").to_string();
        let payload = json!({ "start_date": written(piece.from), "end_date": written(piece.to) });
        let wish = json!({ "command": "query_attendance", "payload": payload });
        let asked = self.api.post(&format!("/v1/devices/{}/commands", self.device), &wish).await?;
        let mut row = asked.ok_or_else(|| {
            UsageError(format!("the gateway knows no terminal {}; see `punch devices list`", self.device))
        })?;
        let path = format!("/v1/commands/{}", number(&row, "id"));
        while number(&row, "waiting") > 0 {
            tokio::time::sleep(LOOK).await;
            row = self.api.get(&path).await?.context("the gateway knows it no more")?;
        }
        // It is shown whole only by itself.
        let row = self.api.get(&path).await?.context("the gateway knows it no more")?;
        if text(&row, "state") != "done" {
            let why = row.pointer("/error/message").and_then(Value::as_str).unwrap_or("it was not done");
            return Ok(Some(why.to_owned()));
        }
        done.pieces += 1;
        if let Some(rows) = row.pointer("/answer/rows").and_then(Value::as_u64) {
            done.rows = Some(done.rows.unwrap_or(0) + rows);
        }
        Ok(None)
    }

    /// How many punches the gateway has of the time; `None` if they are too many for it to count. Its days are those of the
    /// terminal.
    async fn count(&self, span: Span) -> anyhow::Result<Option<u64>> {
        let (from, to) = (span.from.date(), span.to.date());
        self.api.count(&format!("/v1/attendance?device_id={}&start_date={from}&end_date={to}", self.device)).await
    }

    fn next(&self) -> &'static str {
        if self.resume.is_some() {
            "run the same again: it goes on with this piece"
        } else {
            "run the same again; with --resume FILE it would go on with this piece"
        }
    }

    fn say(&self, done: &Done, new: Option<u64>) {
        let Done { pieces, skipped, rows } = done;
        if self.json {
            let device = &self.device;
            let summary = json!({ "device": device, "pieces": pieces, "skipped": skipped, "rows": rows, "new": new });
            return crate::say(format_args!("{summary}"));
        }
        let count =
            |count: &Option<u64>| count.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
        crate::say(format_args!(
            "{pieces} pieces sent, {skipped} were sent before: {} rows, {} punches the gateway did not have",
            count(rows),
            count(&new)
        ));
    }
}

/// How far it has come: terminal, time, and the end of the last piece, on a line.
struct Mark(NaiveDateTime);

impl Mark {
    fn head(device: &str, span: Span) -> String {
        format!("{device} {} {}", span.from.format("%Y-%m-%dT%H:%M:%S"), span.to.format("%Y-%m-%dT%H:%M:%S"))
    }

    fn read(file: &Path, device: &str, span: Span) -> anyhow::Result<Self> {
        let nothing = Self(NaiveDateTime::MIN);
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(nothing),
            Err(error) => return Err(error).with_context(|| format!("read {}", file.display())),
        };
        let other = || {
            UsageError(format!(
                "--resume {}: is of another terminal or another time; name another file",
                file.display()
            ))
        };
        let end = text.trim().strip_prefix(&Self::head(device, span)).ok_or_else(other)?;
        Ok(Self(moment("--resume", end.trim(), "").map_err(|_| other())?))
    }

    fn write(file: &Path, device: &str, span: Span, piece: Span) -> anyhow::Result<()> {
        let line = format!("{} {}\n", Self::head(device, span), piece.to.format("%Y-%m-%dT%H:%M:%S"));
        std::fs::write(file, line).with_context(|| format!("write {}", file.display()))
    }

    fn has(&self, piece: Span) -> bool {
        piece.to <= self.0
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{Mark, Span};
    use crate::pull::moment;

    fn span(from: &str, to: &str) -> Span {
        Span { from: moment("--from", from, "00:00:00").unwrap(), to: moment("--to", to, "23:59:59").unwrap() }
    }

    #[test]
    fn pieces_follow_each_other_and_miss_no_second() {
        let whole = span("2026-03-27", "2026-03-29T12:00:00");
        let pieces = whole.cut(TimeDelta::days(1));
        assert_eq!(pieces.first().unwrap().from, whole.from);
        assert_eq!((pieces.len(), pieces.last().unwrap().to), (3, whole.to));
        for pair in pieces.windows(2) {
            assert_eq!(pair[0].to + TimeDelta::seconds(1), pair[1].from);
        }
    }

    #[test]
    fn a_mark_is_of_one_terminal_and_one_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mark");
        let whole = span("2026-03-27", "2026-03-29");
        let pieces = whole.cut(TimeDelta::days(1));
        assert!(!Mark::read(&file, "T1", whole).unwrap().has(pieces[0]));
        Mark::write(&file, "T1", whole, pieces[1]).unwrap();
        let mark = Mark::read(&file, "T1", whole).unwrap();
        assert_eq!(pieces.iter().map(|piece| mark.has(*piece)).collect::<Vec<_>>(), [true, true, false]);
        assert!(Mark::read(&file, "T2", whole).is_err());
        assert!(Mark::read(&file, "T1", span("2026-03-27", "2026-03-28")).is_err());
    }
}
