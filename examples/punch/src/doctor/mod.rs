//! `punch doctor`: says what is wrong, and what to do.

mod device;
mod gateway;

use clap::{Args, Subcommand};

use crate::exit::Exit;

/// Find out what is wrong.
#[derive(Debug, Args)]
pub(crate) struct DoctorCommand {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Look at a terminal on port 4370: what answers, whether it wants a comm key, its clock, what it can.
    ///
    /// Nothing on the terminal is changed.
    ///
    /// Example: punch doctor device 192.168.1.201 --zone America/Mexico_City
    Device(device::Device),
    /// Ask a gateway whether it could store rows now, as whoever watches containers does.
    ///
    /// Exit code 0 if it could, 1 if not, 3 if it does not answer.
    ///
    /// Example: punch doctor gateway http://127.0.0.1:8080
    Gateway(gateway::Gateway),
}

/// Runs the command.
pub(crate) async fn run(command: DoctorCommand) -> anyhow::Result<Exit> {
    match command.subject {
        Subject::Device(device) => device::run(device).await,
        Subject::Gateway(gateway) => gateway::run(gateway).await,
    }
}
