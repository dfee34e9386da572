//! `punch terminal`: simulated terminals.

mod fleet;
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
    /// Thousands of terminals that push, to measure a server.
    ///
    /// The exit code is 1 if one of them was refused anything, or if anything was not acknowledged.
    ///
    /// Example: punch terminal fleet --spawn --devices 1000 --backlog-devices 20 --report fleet.html
    Fleet(Box<fleet::Fleet>),
}

/// Runs the command.
pub(crate) async fn run(command: TerminalCommand) -> anyhow::Result<Exit> {
    match command.role {
        Role::Push(push) => push::run(*push).await,
        Role::Serve(serve) => serve::run(*serve).await,
        Role::Fleet(fleet) => fleet::run(*fleet).await,
    }
}
