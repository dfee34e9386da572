//! `punch import`: punches from before, out of the files that other programs leave behind.

mod columns;
mod csv;
mod dat;
mod json;
mod sql;
mod table;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use agent::{Put, Row, Spool, SpoolLimits, Stored};
use anyhow::Context as _;
use chrono::NaiveDateTime;
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use punch_normalize::DeviceZone;
use punch_protocol::{Pin, RawPunch, SerialNumber};
use serde_json::json;

use crate::api::ApiArgs;
use crate::exit::{Exit, UsageError};
use crate::forwarding::{forward, sum};
use columns::Columns;
use table::Table;
use values::Values;

/// Bring the punches of another program into a gateway, under the ids that push and pull give them.
///
/// Reads what pyzk scripts dump as JSON, CSV of any program, the attlog.dat of a USB export, and the table `attendances` of
/// the Laravel servers, as an SQL dump. What the gateway has already changes nothing, so the same file may be imported
/// again, and the terminal may send its log later. Start with --dry-run.
///
/// Example: punch import old_server.sql --dry-run
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file.
    file: PathBuf,
    /// What it is. By default its content tells.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The terminal, if the file does not say which. Rows of others are left out.
    #[arg(long, value_name = "SERIAL")]
    device: Option<String>,
    /// Which column is what: pin, time, date, state, verify, work_code, serial; as in pin=EmpCode,time=Clocked.
    #[arg(long, value_name = "PAIRS", value_delimiter = ',')]
    map: Vec<String>,
    /// How times are written, if not as 2026-03-28 08:47:12: as in `%d/%m/%Y %H:%M`.
    #[arg(long, value_name = "FORM")]
    time_format: Option<String>,
    /// The terminal's zone, for times that are instants: numbers, or with an offset.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The table of an SQL dump.
    #[arg(long, default_value = "attendances")]
    table: String,
    /// Say what would happen, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Remember in this file what was sent, and send only the rest next time.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Where rows go that cannot be read, in the form they had. By default beside the file, with `.rejected` behind its name.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    api: ApiArgs,
    /// Print what became of it as JSON.
    #[arg(long)]
    json: bool,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Objects, in a list or one a line.
    Json,
    /// A line of names, then rows.
    Csv,
    /// The USB export of a terminal.
    Attlog,
    /// INSERT or COPY statements.
    Sql,
}

/// Rows that are put on disk at once.
const CHUNK: usize = 10_000;

/// Complaints that are printed; the reject file has all.
const COMPLAINTS_MAX: usize = 20;

/// Runs the command.
pub(crate) async fn run(import: Import) -> anyhow::Result<Exit> {
    crate::log_to_stderr("warn");
    let name = import.file.display();
    let bytes = std::fs::read(&import.file).map_err(|error| UsageError(format!("{name}: {error}")))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let table = import.table(text)?;
    let columns = Columns::find(&table.columns, &import.map).map_err(UsageError)?;
    let (found, rejects) = import.read(&table, &columns)?;
    if found.rows.is_empty() && rejects.is_empty() {
        return Err(UsageError(format!("{name}: no rows were found; say what it is with --format")).into());
    }
    for (line, problem) in rejects.iter().take(COMPLAINTS_MAX).map(|reject| (reject.line, &reject.problem)) {
        eprintln!("punch: {name}, line {line}: {problem}");
    }
    let more = rejects.len().saturating_sub(COMPLAINTS_MAX);
    if more > 0 {
        eprintln!("punch: and {more} rows more that cannot be read");
    }
    if import.dry_run {
        found.describe(&table, &columns, rejects.len(), import.json);
    } else {
        import.keep_rejects(&table, &rejects)?;
        import.send(found, rejects.len()).await?;
    }
    Ok(if rejects.is_empty() { Exit::Done } else { Exit::Wrong })
}

/// What the rows of a file are.
struct Found {
    rows: Vec<RawPunch>,
    /// Rows of other terminals than the one asked for.
    left_out: u64,
}

/// A row that cannot be read.
struct Reject<'t> {
    line: usize,
    raw: &'t str,
    problem: String,
}

impl Import {
    fn table<'t>(&self, text: &'t str) -> anyhow::Result<Table<'t>> {
        let read = match self.format.unwrap_or_else(|| Format::of(text)) {
            Format::Json => json::read(text),
            Format::Csv => csv::read(text),
            Format::Attlog => dat::read(text),
            Format::Sql => sql::read(text, &self.table),
        };
        Ok(read.map_err(|problem| UsageError(format!("{}: {problem}", self.file.display())))?)
    }

    fn read<'t>(&self, table: &Table<'t>, columns: &Columns) -> anyhow::Result<(Found, Vec<Reject<'t>>)> {
        let named = self.device.as_deref().map(SerialNumber::parse).transpose();
        let named = named.map_err(|error| UsageError(format!("--device: {error}")))?;
        if named.is_none() && table.serial.is_none() && !columns.has_serial() {
            let text = "--device: the file does not say which terminal its rows are of; name it";
            return Err(UsageError(text.to_owned()).into());
        }
        let zone = self.zone.as_deref().map(DeviceZone::parse).transpose();
        let zone = zone.map_err(|error| UsageError(format!("--zone: {error}")))?;
        let values = Values { time_format: self.time_format.as_deref(), zone };
        let default = named.clone().or_else(|| table.serial.clone());
        let (mut found, mut rejects) = (Found { rows: Vec::new(), left_out: 0 }, Vec::new());
        for entry in &table.entries {
            let read = entry.values.as_ref().map_err(Clone::clone);
            match read.and_then(|row| columns.punch(row, default.as_ref(), &values)) {
                Ok(punch) if named.as_ref().is_some_and(|named| *named != punch.serial) => found.left_out += 1,
                Ok(punch) => found.rows.push(punch),
                Err(problem) => rejects.push(Reject { line: entry.line, raw: entry.raw, problem }),
            }
        }
        Ok((found, rejects))
    }

    fn keep_rejects(&self, table: &Table<'_>, rejects: &[Reject<'_>]) -> anyhow::Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let beside = || {
            let mut name = self.file.as_os_str().to_owned();
            name.push(".rejected");
            PathBuf::from(name)
        };
        let file = self.rejects.clone().unwrap_or_else(beside);
        let mut text = String::new();
        for piece in table.head.iter().copied().chain(rejects.iter().map(|reject| reject.raw)) {
            writeln!(text, "{}", table.statement(piece))?;
        }
        std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        eprintln!("punch: {} rows that cannot be read are in {}", rejects.len(), file.display());
        Ok(())
    }

    async fn send(&self, found: Found, rejected: usize) -> anyhow::Result<()> {
        let forwarder = self.api.forwarder()?;
        let (spool, _folder) = open(self.resume.as_deref())?;
        let (put, serials) = put(&spool, found.rows).await?;
        let mut total = Stored::default();
        for serial in &serials {
            total = sum(total, forward(&spool, serial, &forwarder, self.resume.as_deref()).await?);
        }
        let Stored { received, delivered, suppressed, held, replayed } = total;
        let (left_out, known) = (found.left_out, put.known);
        if self.json {
            let summary = json!({
                "rejected": rejected, "left_out": left_out, "known": known, "terminals": serials.len(),
                "received": received, "delivered": delivered, "suppressed": suppressed, "held": held,
                "replayed": replayed,
            });
            crate::say(format_args!("{summary}"));
        } else {
            crate::say(format_args!(
                "the gateway took {received} rows of {} terminals: {delivered} delivered, {suppressed} suppressed, \
                 {held} held, {replayed} it had; {known} were in the file twice or sent before, {left_out} of other \
                 terminals, {rejected} cannot be read",
                serials.len()
            ));
        }
        Ok(())
    }
}

/// The rows on disk, as long as they are not with the gateway.
fn open(file: Option<&Path>) -> anyhow::Result<(Spool, Option<tempfile::TempDir>)> {
    // The file has them too: nothing is lost by taking as many as there are.
    let limits = SpoolLimits { waiting: u64::from(u32::MAX), remembered: u64::from(u32::MAX) };
    match file {
        Some(file) => Ok((Spool::open(file, limits)?, None)),
        None => {
            let folder = tempfile::tempdir()?;
            Ok((Spool::open(&folder.path().join("import.sqlite"), limits)?, Some(folder)))
        }
    }
}

async fn put(spool: &Spool, rows: Vec<RawPunch>) -> anyhow::Result<(Put, BTreeSet<SerialNumber>)> {
    let bar = ProgressBar::new(u64::try_from(rows.len())?);
    let mut total = Put::default();
    let serials = rows.iter().map(|row| row.serial.clone()).collect();
    let mut rows = rows.into_iter().map(Row::Punch).peekable();
    while rows.peek().is_some() {
        let Put { new, known } = spool.put(rows.by_ref().take(CHUNK).collect::<Vec<_>>()).await?;
        (total.new, total.known) = (total.new + new, total.known + known);
        bar.inc(new + known);
    }
    bar.finish_and_clear();
    Ok((total, serials))
}

impl Found {
    /// What would be sent, terminal by terminal.
    fn describe(&self, table: &Table<'_>, columns: &Columns, rejected: usize, as_json: bool) {
        let mut terminals = BTreeMap::<&SerialNumber, Terminal<'_>>::new();
        for row in &self.rows {
            terminals.entry(&row.serial).or_insert_with(|| Terminal::new(row.time)).take(row);
        }
        let told = columns.told(&table.columns);
        if as_json {
            let terminals: Vec<_> = terminals.iter().map(|(serial, terminal)| terminal.to_json(serial)).collect();
            let summary = json!({
                "columns": told.iter().cloned().collect::<BTreeMap<_, _>>(), "terminals": terminals,
                "rejected": rejected, "left_out": self.left_out,
            });
            return crate::say(format_args!("{summary}"));
        }
        for (part, column) in &told {
            crate::say(format_args!("{part:<10} from column {column}"));
        }
        let head = ["terminal", "rows", "twice", "people", "from", "to"];
        let [terminal, rows, twice, people, from, to] = head;
        crate::say(format_args!("{terminal:<20} {rows:>9} {twice:>7} {people:>7}  {from:<19}  {to:<19}  states"));
        for (serial, terminal) in &terminals {
            terminal.say(serial);
        }
        let sent: u64 = terminals.values().map(|terminal| terminal.rows).sum();
        crate::say(format_args!(
            "would send {sent} rows; {} of other terminals are left out, {rejected} cannot be read",
            self.left_out
        ));
    }
}

/// What a file has of one terminal.
struct Terminal<'r> {
    rows: u64,
    known: BTreeSet<(&'r Pin<'static>, NaiveDateTime, Option<u16>)>,
    people: BTreeSet<&'r Pin<'static>>,
    states: BTreeMap<Option<u16>, u64>,
    first: NaiveDateTime,
    last: NaiveDateTime,
}

impl<'r> Terminal<'r> {
    fn new(time: NaiveDateTime) -> Self {
        let (known, people, states) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Self { rows: 0, known, people, states, first: time, last: time }
    }

    fn take(&mut self, row: &'r RawPunch) {
        let state = row.status.map(|state| state.0);
        self.rows += 1;
        // 255 and none are one, as in the identity.
        self.known.insert((&row.pin, row.time, state.filter(|state| *state != 255)));
        self.people.insert(&row.pin);
        *self.states.entry(state).or_default() += 1;
        (self.first, self.last) = (self.first.min(row.time), self.last.max(row.time));
    }

    fn twice(&self) -> u64 {
        self.rows.saturating_sub(u64::try_from(self.known.len()).unwrap_or(u64::MAX))
    }

    fn states(&self) -> BTreeMap<String, u64> {
        let word = |state: &Option<u16>| state.map_or_else(|| "none".to_owned(), |state| state.to_string());
        self.states.iter().map(|(state, count)| (word(state), *count)).collect()
    }

    fn say(&self, serial: &SerialNumber) {
        let states: Vec<String> = self.states().iter().map(|(state, count)| format!("{state}: {count}")).collect();
        let (rows, twice, people, first, last) = (self.rows, self.twice(), self.people.len(), self.first, self.last);
        let (serial, states) = (serial.as_str(), states.join(", "));
        crate::say(format_args!("{serial:<20} {rows:>9} {twice:>7} {people:>7}  {first}  {last}  {states}"));
    }

    fn to_json(&self, serial: &SerialNumber) -> serde_json::Value {
        json!({
            "serial": serial.as_str(), "rows": self.rows, "twice": self.twice(), "people": self.people.len(),
            "from": self.first.to_string(), "to": self.last.to_string(), "states": self.states(),
        })
    }
}
