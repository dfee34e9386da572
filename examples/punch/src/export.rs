//! `punch export`: attendance as a file.

use core::time::Duration;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use reqwest::Response;

use crate::api::{ApiArgs, query};
use crate::exit::Exit;

/// Write attendance to a file, as CSV, as JSON lines or as Parquet.
///
/// The file has its name once it is whole: what breaks off leaves none.
///
/// Example: punch export --from 2026-03-01 --to 2026-03-31 --output march.csv --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    api: ApiArgs,
    /// csv, ndjson, or parquet if the gateway is built with it. By the end of the file's name if it is not said.
    #[arg(long)]
    format: Option<String>,
    /// From then on: a day of the place, or a moment such as 2026-03-28T08:00:00Z.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Up to then; a day is included.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// At this terminal.
    #[arg(long, value_name = "SERIAL")]
    device: Option<String>,
    /// At this site.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Of this person: their id, or the badge of whoever has none.
    #[arg(long, value_name = "ID")]
    employee: Option<String>,
    /// The file. Without one it goes to the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(command: Export) -> anyhow::Result<Exit> {
    let Export { api, format, from, to, device, site, employee, output } = command;
    let ending = output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    let known = ending.filter(|ending| ["csv", "ndjson", "parquet"].contains(ending)).map(str::to_owned);
    let asked = query(&[
        ("format", format.or(known)),
        ("from", from),
        ("to", to),
        ("device_id", device),
        ("site", site),
        ("employee", employee),
    ]);
    save(api.open(&format!("/v1/attendance/export{asked}")).await?, output.as_deref()).await
}

/// Writes an answer down as it comes. A file has its name once it is whole.
pub(crate) async fn save(mut answer: Response, output: Option<&Path>) -> anyhow::Result<Exit> {
    let progress = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if std::io::stderr().is_terminal() {
        progress.enable_steady_tick(Duration::from_millis(200));
    }
    let folder = output.map(|path| path.parent().filter(|folder| !folder.as_os_str().is_empty()));
    let mut file = match folder {
        Some(folder) => {
            let folder = folder.unwrap_or_else(|| Path::new("."));
            Some(
                tempfile::NamedTempFile::new_in(folder)
                    .with_context(|| format!("cannot write to {}", folder.display()))?,
            )
        }
        None => None,
    };
    let mut bytes = 0_u64;
    while let Some(chunk) = answer.chunk().await.context("the export broke off; nothing was kept")? {
        let written = match &mut file {
            Some(file) => file.write_all(&chunk),
            None => std::io::stdout().write_all(&chunk),
        };
        written.context("the export cannot be written")?;
        bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        progress.set_message(format!("{bytes} bytes"));
    }
    progress.finish_and_clear();
    if let (Some(file), Some(path)) = (file, output) {
        file.as_file().sync_all().with_context(|| format!("cannot write {}", path.display()))?;
        file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("{}: {bytes} bytes", path.display());
    }
    Ok(Exit::Done)
}
