//! `punch decode`: captures in, one JSON object a row out.

mod access;
mod access_answer;
mod answer;
mod capture;
mod commands;
mod http;
mod redact;
mod request;
mod rows;
mod tcp;

use std::io::{BufRead, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use punch_protocol::push::{Parts, Target};
use serde_json::{Value, json};

use crate::exit::Exit;

/// Turn captured traffic into JSON.
#[derive(Debug, Args)]
pub(crate) struct Decode {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Debug, Subcommand)]
enum Protocol {
    /// ZKTeco HTTP push.
    ///
    /// One JSON object a row; rows in error stand in their place, and the exit code is then 1. Templates and pictures
    /// are shown by their length.
    ///
    /// Example: punch decode push capture.http
    Push(Push),
    /// ZKTeco's binary protocol on port 4370.
    ///
    /// Reads samples as NDJSON: `id`, `transport` (`tcp`, `udp`, `stream`, `record`, `value`), `hex`, and `kind` for a
    /// record or a value. Writes one object a sample. Passwords and keys are shown as they are in the bytes.
    ///
    /// Example: punch decode tcp --ndjson < samples.jsonl
    Tcp(Tcp),
}

#[derive(Debug, Args)]
struct Tcp {
    /// Samples as NDJSON. Without it, or as `-`, standard input.
    file: Option<PathBuf>,
    /// Read samples as NDJSON; the only form so far.
    #[arg(long, required = true)]
    ndjson: bool,
}

#[derive(Debug, Args)]
struct Push {
    /// A dump of HTTP messages, a bare body with --table, or samples as NDJSON. `-` reads standard input.
    #[arg(required_unless_present = "ndjson")]
    file: Option<PathBuf>,
    /// The file is a bare body of this table.
    #[arg(long, value_name = "TABLE", conflicts_with = "ndjson")]
    table: Option<String>,
    /// Read samples as NDJSON, from standard input if no file is named; write one object a sample.
    #[arg(long)]
    ndjson: bool,
}

/// Runs the command.
pub(crate) fn run(decode: Decode) -> anyhow::Result<Exit> {
    match decode.protocol {
        Protocol::Push(push) => run_push(&push),
        Protocol::Tcp(tcp) => run_tcp(&tcp),
    }
}

fn run_tcp(tcp: &Tcp) -> anyhow::Result<Exit> {
    match tcp.file.as_deref().filter(|file| file.as_os_str() != "-") {
        None => samples(std::io::stdin().lock(), tcp::sample_to_json),
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
            samples(bytes.as_slice(), tcp::sample_to_json)
        }
    }
}

fn run_push(push: &Push) -> anyhow::Result<Exit> {
    match push.file.as_deref().filter(|file| file.as_os_str() != "-") {
        // Samples are answered as they come, for whoever holds the other end of a pipe.
        None if push.ndjson => samples(std::io::stdin().lock(), sample_to_json),
        None => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("read standard input")?;
            decode_bytes(push, &bytes)
        }
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
            decode_bytes(push, &bytes)
        }
    }
}

fn decode_bytes(push: &Push, bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut lines = match &push.table {
        Some(table) => rows::file_rows(table, bytes),
        // No HTTP message begins with a brace, and every sample does.
        None if push.ndjson || bytes.trim_ascii_start().starts_with(b"{") => return samples(bytes, sample_to_json),
        None => capture::to_rows(bytes)?,
    };
    let mut output = std::io::stdout().lock();
    for line in &mut lines {
        redact::without_biometrics(line);
        writeln!(output, "{line}")?;
    }
    let wrong = lines.iter().filter(|line| line.get("error").is_some()).count();
    if wrong > 0 {
        writeln!(std::io::stderr(), "{wrong} of {} rows are in error; see `error` in place", lines.len())?;
        return Ok(Exit::Wrong);
    }
    Ok(Exit::Done)
}

/// One object a line in, one object a line out; a line that is none is an error in its place.
fn samples(input: impl BufRead, decode: fn(&Value) -> anyhow::Result<Value>) -> anyhow::Result<Exit> {
    let mut output = std::io::stdout().lock();
    let mut exit = Exit::Done;
    for (number, line) in input.split(b'\n').enumerate() {
        let line = line.context("read samples")?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let decoded = serde_json::from_slice(&line).map_err(anyhow::Error::from);
        let answer = decoded.and_then(|sample| decode(&sample)).unwrap_or_else(|error| {
            exit = Exit::Wrong;
            let message =
                format!("PP-CAPTURE-002 line {}: {error:#}; expected a sample as one JSON object", number + 1);
            json!({ "error": { "code": "PP-CAPTURE-002", "line": number + 1, "column": 1, "message": message } })
        });
        writeln!(output, "{answer}")?;
    }
    Ok(exit)
}

/// Decodes one sample: the object of a vector file in, the object the contract promises out.
pub(crate) fn sample_to_json(sample: &Value) -> anyhow::Result<Value> {
    let text = |key: &str| sample.get(key).and_then(Value::as_str).unwrap_or_default();
    let body = match text("body_encoding") {
        "base64" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text("body")).context("body: not base64")?
        }
        _ => text("body").as_bytes().to_vec(),
    };
    let target = Target::parse(text("path_and_query"));
    let mut decoded = if text("direction") == "server->device" {
        let status = sample.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        answer::to_json(target, status.unwrap_or(200), &body)
    } else {
        let mut parts = Parts::of_target(text("method"), target, &body);
        parts.cookie = header(sample, "cookie");
        request::to_json(parts)
    };
    if let Some(id) = sample.get("id") {
        put(&mut decoded, "id", id.clone());
    }
    Ok(decoded)
}

fn header<'s>(sample: &'s Value, wanted: &str) -> Option<&'s str> {
    let headers = sample.get("headers")?.as_array()?;
    let pairs = headers.iter().filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)));
    pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// Sets a member of an object; anything else stays as it is.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
