//! `punch report`: a day, for whoever inspects working time.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::api::{ApiArgs, query};
use crate::exit::Exit;
use crate::export::save;

/// The report of a day: each person's punches, shifts and exceptions with their reasons, what was changed since, what came
/// late, when terminals were not heard, and up to when everything is known.
///
/// A key with the scope inspector is enough.
///
/// Example: punch report 2026-03-28 --site Plant --format html --output 2026-03-28.html --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The day, such as 2026-03-28.
    date: String,
    #[command(flatten)]
    api: ApiArgs,
    /// Of this site only.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Its form.
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
    /// The file. Without one it goes to the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// A row a punch.
    Csv,
    /// All of it, for machines.
    Json,
    /// A page to be printed.
    Html,
}

impl Form {
    fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

/// Runs the command.
pub(crate) async fn run(command: Report) -> anyhow::Result<Exit> {
    let Report { date, api, site, format, output } = command;
    let asked = query(&[("date", Some(date)), ("site", site), ("format", Some(format.word().to_owned()))]);
    save(api.open(&format!("/v1/reports/daily{asked}")).await?, output.as_deref()).await
}
