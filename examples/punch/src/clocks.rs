//! `punch clocks`: how right the clocks of a gateway's terminals are, and what to do where they are not.

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

use crate::api::ApiArgs;
use crate::exit::Exit;

/// Say how right the clocks of the terminals are, and what to do where they are not.
///
/// The exit code is 1 if an alarm is open.
///
/// Example: punch clocks --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct Clocks {
    #[command(flatten)]
    api: ApiArgs,
    /// Print what the gateway says of each terminal, as JSON, one a line.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Device {
    serial_number: String,
    admission: String,
    zone: String,
    clock: Clock,
}

#[derive(Deserialize)]
struct Clock {
    health: String,
    offset_s: Option<i64>,
    advice: String,
    alarm_since: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(command: Clocks) -> anyhow::Result<Exit> {
    let mut alarm = false;
    if !command.json {
        crate::say(format_args!("{:<20} {:<20} {:<22} {:>8}  advice", "terminal", "zone", "health", "offset"));
    }
    for value in command.api.all("/v1/devices", NOT_DEVICES).await? {
        let device = Device::deserialize(&value).context(NOT_DEVICES)?;
        // Nothing of a terminal that is not let in is measured.
        if device.admission == "approved" {
            alarm |= device.clock.alarm_since.is_some();
            if command.json { crate::say(format_args!("{value}")) } else { device.say() }
        }
    }
    Ok(if alarm { Exit::Wrong } else { Exit::Done })
}

const NOT_DEVICES: &str = "the answer is not a list of terminals with clocks; is the gateway older than this program?";

impl Device {
    fn say(&self) {
        let Self { serial_number, zone, clock: Clock { health, offset_s, advice, .. }, .. } = self;
        let offset = offset_s.map_or_else(|| "-".to_owned(), |offset| format!("{offset:+}"));
        crate::say(format_args!("{serial_number:<20} {zone:<20} {health:<22} {offset:>8}  {advice}"));
    }
}
