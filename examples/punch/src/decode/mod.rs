//! `punch decode`: captures in, one JSON object a row out.

mod access;
mod access_answer;
mod answer;
mod capture;
mod commands;
mod request;
mod rows;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use punch_protocol::push::{Parts, Target};
use serde_json::Value;

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
    /// Example: punch decode push capture.http
    Push(Push),
}

#[derive(Debug, Args)]
struct Push {
    /// A raw HTTP request or response, or a bare body with --table. `-` reads standard input.
    #[arg(required_unless_present = "ndjson")]
    file: Option<PathBuf>,
    /// The file is a bare body of this table.
    #[arg(long, value_name = "TABLE", conflicts_with = "ndjson")]
    table: Option<String>,
    /// Read samples as NDJSON from standard input, write one object a sample.
    #[arg(long)]
    ndjson: bool,
}

/// Runs the command.
pub(crate) fn run(decode: Decode) -> anyhow::Result<Exit> {
    let Protocol::Push(push) = decode.protocol;
    if push.ndjson { samples() } else { file(push) }
}

fn samples() -> anyhow::Result<Exit> {
    let mut output = std::io::stdout().lock();
    for (number, line) in std::io::stdin().lines().enumerate() {
        let line = line.context("read standard input")?;
        if line.trim().is_empty() {
            continue;
        }
        let sample: Value = serde_json::from_str(&line).with_context(|| format!("line {}: not JSON", number + 1))?;
        writeln!(output, "{}", sample_to_json(&sample)?)?;
    }
    Ok(Exit::Done)
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

fn file(push: Push) -> anyhow::Result<Exit> {
    let mut bytes = Vec::new();
    match push.file.as_deref() {
        Some(path) if path.as_os_str() != "-" => {
            bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        }
        _ => {
            std::io::stdin().read_to_end(&mut bytes).context("read standard input")?;
        }
    }
    let lines = match push.table {
        Some(table) => rows::file_rows(&table, &bytes),
        None => capture::to_rows(&bytes)?,
    };
    let mut output = std::io::stdout().lock();
    for line in &lines {
        writeln!(output, "{line}")?;
    }
    let wrong = lines.iter().filter(|line| line.get("error").is_some()).count();
    if wrong > 0 {
        writeln!(std::io::stderr(), "{wrong} of {} rows are in error; see `error` in place", lines.len())?;
        return Ok(Exit::Wrong);
    }
    Ok(Exit::Done)
}
