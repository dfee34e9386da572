//! `punch normalize`: what rules make of a history, before they are switched on.

mod input;
mod people;
mod rules;

use std::io::{BufWriter, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use punch_normalize::TenantKey;
use serde_json::Value;

use crate::exit::{Exit, UsageError};

/// Turn raw rows into punches: time, identity, duplicates, directions, shifts.
///
/// Reads rows as JSON objects, one a line, or as CSV with the same names: serial, pin, time, state, verify, received_at,
/// role, site. Prints one JSON object a row, in the order of time.
///
/// Example: punch pull --host 192.168.1.201 | punch normalize --zone America/Mexico_City --rule alternate
#[derive(Debug, Args)]
pub(crate) struct Normalize {
    /// The rows; standard input if not given.
    file: Option<PathBuf>,
    #[command(flatten)]
    rules: rules::Flags,
    /// The key of the event ids, 64 hexadecimal digits; zeros by default.
    #[arg(long, value_name = "HEX", env = "PUNCH_TENANT_KEY", hide_env_values = true)]
    tenant_key: Option<String>,
    /// Print what changes with every row, in the order of the input, instead of how it ends.
    #[arg(long)]
    stream: bool,
}

/// Runs the command.
pub(crate) fn run(command: &Normalize) -> anyhow::Result<Exit> {
    let rules = command.rules.read()?;
    let key = tenant_key(command.tenant_key.as_deref())?;
    let text = match &command.file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?,
        None => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).context("standard input")?;
            text
        }
    };
    let rows = input::rows(&text)?;
    let is_broken = rows.iter().any(Result::is_err);
    let lines = if command.stream { people::stream(rows, &rules, key) } else { people::settle(rows, &rules, key) };
    print(&lines)?;
    Ok(if is_broken { Exit::Wrong } else { Exit::Done })
}

fn print(lines: &[Value]) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in lines {
        match writeln!(out, "{line}") {
            // A reader that has gone away, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
    out.flush()
}

/// Reads a key of 64 hexadecimal digits; none is 32 zeros.
pub(crate) fn tenant_key(text: Option<&str>) -> Result<TenantKey, UsageError> {
    let Some(text) = text else { return Ok(TenantKey::new([0; 32])) };
    let wrong = || UsageError("--tenant-key: expected 64 hexadecimal digits".to_owned());
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    <[u8; 32]>::try_from(bytes).map(TenantKey::new).map_err(|_| wrong())
}
