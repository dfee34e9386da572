//! The punch binary: parses arguments and calls the rest.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::wildcard_enum_match_arm,
    reason = "a shell: std is there, results go to stdout, and nothing here is a published API"
)]

mod agent_command;
mod api;
mod audit;
mod backfill;
mod clocks;
mod command;
mod config;
mod decode;
mod demo;
mod devices;
mod doctor;
mod erase;
mod erp;
mod exit;
mod explain;
mod export;
mod forwarding;
mod gateway_command;
mod import;
mod normalize;
mod pull;
mod quarantine;
mod reload;
mod replay;
mod report;
mod terminal;
mod webhook;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;

/// From a punch at a biometric terminal to an ERP: nothing lost, nothing doubled, nothing misdated.
#[derive(Debug, Parser)]
#[command(name = "punch", version, propagate_version = true, after_help = "Start here: punch demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Gateway(gateway_command::GatewayCommand),
    Terminal(terminal::TerminalCommand),
    Pull(Box<pull::Pull>),
    Agent(agent_command::AgentCommand),
    Doctor(doctor::DoctorCommand),
    Normalize(Box<normalize::Normalize>),
    Explain(explain::Explain),
    Clocks(clocks::Clocks),
    Devices(devices::DevicesCommand),
    #[command(name = "command")]
    Order(Box<command::OrderCommand>),
    Quarantine(quarantine::QuarantineCommand),
    Audit(audit::AuditCommand),
    Erase(erase::Erase),
    Replay(replay::Replay),
    Import(Box<import::Import>),
    Backfill(Box<backfill::Backfill>),
    Export(export::Export),
    Report(report::Report),
    Decode(decode::Decode),
    Webhook(webhook::WebhookCommand),
    Erp(erp::ErpCommand),
    Config(config::ConfigCommand),
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            // Help and version come this way too, with exit code 0.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("punch: {error:#}");
            exit::of(&error).into()
        }
    }
}

fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(demo) => asynchronous(demo::run(demo)),
        Command::Gateway(gateway) => asynchronous(gateway_command::run(gateway)),
        Command::Terminal(terminal) => asynchronous(terminal::run(terminal)),
        Command::Pull(pull) => asynchronous(pull::run(*pull)),
        Command::Agent(agent) => asynchronous(agent_command::run(agent)),
        Command::Normalize(command) => normalize::run(&command),
        Command::Explain(explain) => asynchronous(explain::run(explain)),
        Command::Clocks(clocks) => asynchronous(clocks::run(clocks)),
        Command::Devices(command) => asynchronous(devices::run(command)),
        Command::Order(command) => asynchronous(command::run(*command)),
        Command::Quarantine(command) => asynchronous(quarantine::run(command)),
        Command::Audit(command) => asynchronous(audit::run(command)),
        Command::Erase(command) => asynchronous(erase::run(command)),
        Command::Replay(replay) => asynchronous(replay::run(replay)),
        Command::Backfill(backfill) => asynchronous(backfill::run(*backfill)),
        Command::Import(import) => asynchronous(import::run(*import)),
        Command::Export(export) => asynchronous(export::run(export)),
        Command::Report(report) => asynchronous(report::run(report)),
        Command::Doctor(doctor) => asynchronous(doctor::run(doctor)),
        Command::Decode(decode) => decode::run(decode),
        Command::Webhook(webhook) => webhook::run(webhook),
        Command::Erp(erp) => asynchronous(erp::run(erp)),
        Command::Config(config) => Ok(config::run(&config)),
    }
}

/// Runs `work` on a runtime of its own.
pub(crate) fn asynchronous<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Prints a line of the result. A reader that has gone away, as `head` does, ends the program without a fuss.
pub(crate) fn say(line: core::fmt::Arguments<'_>) {
    use std::io::Write as _;

    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Logs to standard error, at the level of `RUST_LOG` or `default`.
pub(crate) fn log_to_stderr(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal());
    logging.with_writer(std::io::stderr).init();
}
