//! `punch terminal`: simulated terminals.

mod push;
mod serve;

use clap::{Args, Subcommand};

use crate::exit::Exit;

/// Play a terminal.
#[derive(Debug, Args)]
pub(crate) struct TerminalCommand {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// A ZKTeco terminal that pushes over HTTP.
    ///
    /// Example: punch terminal push --server http://127.0.0.1:8081 --serial SIM1 --users 20 --rate 5 --count 100
    Push(Box<push::Push>),
    /// A ZKTeco terminal that is asked on port 4370.
    ///
    /// It serves TCP and UDP on one port, one client at a time.
    ///
    /// Example: punch terminal serve --addr 127.0.0.1:4370 --records 5000 --layout 40
    Serve(Box<serve::Serve>),
}

/// Runs the command.
pub(crate) async fn run(command: TerminalCommand) -> anyhow::Result<Exit> {
    match command.role {
        Role::Push(push) => push::run(*push).await,
        Role::Serve(serve) => serve::run(*serve).await,
    }
}
