//! `punch doctor`: says what is wrong, and what to do.

mod device;

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
}

/// Runs the command.
pub(crate) async fn run(command: DoctorCommand) -> anyhow::Result<Exit> {
    let Subject::Device(device) = command.subject;
    device::run(device).await
}
