//! Port 4370 with published clients of others: they read, watch and change a terminal of ours. What each of them gets
//! wrong is asserted too, so that a new version is noticed, and `punch pull` reads the same terminal right.
//! `docs/interop.md` has the table.
//!
//! The packages are run by the scripts of `tests/interop`, or by the examples that come with them. What is not there is
//! skipped, unless `PUNCH_INTEROP=required`.

mod cutter;
mod keys;
mod live;
mod people;
mod reading;
mod segments;
mod terminal;
mod writing;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::command::Running;
use crate::interop::{imports, node_modules, python, required};
use terminal::Terminal;

/// A client of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// PyPI `pyzk`.
    Pyzk,
    /// npm `node-zklib`.
    NodeZklib,
    /// npm `zkteco-js`.
    ZktecoJs,
    /// The crate `zkteco`, by the examples that it comes with: TCP alone, and no key.
    ZktecoRs,
}

/// What a client said of one step.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It did it; lines, if it read some.
    Done(Vec<String>),
    /// It read lines, and says that they are not all.
    Partly(Vec<String>, String),
    /// It did not: the name of the error and what it says.
    Failed(String),
}

impl Peer {
    const ALL: [Self; 4] = [Self::Pyzk, Self::NodeZklib, Self::ZktecoJs, Self::ZktecoRs];

    fn is_there(self) -> bool {
        match self {
            Self::Pyzk => imports("PyPI pyzk", Command::new(python()).args(["-c", "import zk"])),
            Self::NodeZklib => imports("npm node-zklib", node().args(["-e", "require('node-zklib')"])),
            Self::ZktecoJs => imports("npm zkteco-js", node().args(["-e", "require('zkteco-js')"])),
            Self::ZktecoRs => {
                let is_there = zkteco("get_attendance").is_some_and(|program| program.exists());
                assert!(is_there || !required(), "the crate zkteco is required and its examples are not there");
                is_there
            }
        }
    }

    /// Lets it read the records of a terminal.
    fn attendance(self, terminal: &Terminal) -> Said {
        match self {
            Self::ZktecoRs => example("get_attendance", terminal, row_of_example),
            _ => self.read(terminal, "attendance"),
        }
    }

    /// Lets it read the users of a terminal.
    fn users(self, terminal: &Terminal) -> Said {
        match self {
            Self::ZktecoRs => example("get_users", terminal, user_of_example),
            _ => self.read(terminal, "users"),
        }
    }

    fn read(self, terminal: &Terminal, step: &str) -> Said {
        let said = self.ask(terminal, &json!([["connect"], [step], ["disconnect"]]));
        // Whatever fails first is why.
        let failed = |said: &Said| matches!(said, Said::Failed(_));
        let at = said.iter().take(2).position(failed).unwrap_or(1);
        said.into_iter().nth(at).unwrap_or_else(|| panic!("{self:?} ended without a word about {step}"))
    }

    /// Lets it do these steps, each a name and its arguments, and returns what it said of each. The list is short if it
    /// died on the way.
    fn ask(self, terminal: &Terminal, steps: &Value) -> Vec<Said> {
        let done = self.start(terminal, steps).finish();
        done.stdout.lines().map(Said::of).collect()
    }

    /// The same, while something else happens.
    fn start(self, terminal: &Terminal, steps: &Value) -> Running {
        let job = json!({
            "port": terminal.port,
            "udp": terminal.is_udp,
            "key": terminal.key,
            "timeout": TIMEOUT,
            "steps": steps,
        });
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        let mut command = match self {
            Self::Pyzk => {
                let mut command = Command::new(python());
                command.arg(scripts.join("pyzk_client.py"));
                command
            }
            Self::NodeZklib | Self::ZktecoJs => {
                let mut command = node();
                command.arg(scripts.join("node_client.js"));
                command.arg(if self == Self::NodeZklib { "node-zklib" } else { "zkteco-js" });
                command
            }
            Self::ZktecoRs => panic!("the examples of the crate zkteco take no steps"),
        };
        // They write logs where they are, and take the zone of the machine for the terminal's.
        Running::start(command.arg(job.to_string()).current_dir(terminal.folder()).env("TZ", "UTC"))
    }
}

/// Seconds that a client waits for the terminal. The longest wait that none of them cuts short by itself.
const TIMEOUT: u64 = 4;
/// How often a client is asked until it does what is expected of it. All of them but one lose their place if they read
/// frames together that were sent apart, which a busy machine may do to them.
const TRIES: usize = 4;

impl Said {
    fn of(line: &str) -> Self {
        let said: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !said["error"].is_null() {
            return Self::Failed(format!("{}: {}", text(&said["error"]), text(&said["text"])));
        }
        let lines = match &said["ok"] {
            Value::Array(lines) => lines.iter().map(text).collect(),
            Value::Null => Vec::new(),
            other => vec![text(other)],
        };
        if said["err"].is_null() { Self::Done(lines) } else { Self::Partly(lines, text(&said["err"])) }
    }

    fn failed_with(&self, word: &str) -> bool {
        matches!(self, Self::Failed(error) if error.contains(word))
    }

    /// Without thousands of lines.
    fn briefly(&self) -> String {
        match self {
            Self::Done(lines) => format!("{} lines, the first {:?}", lines.len(), lines.first()),
            Self::Partly(lines, error) => format!("{} lines and {error}", lines.len()),
            Self::Failed(error) => error.clone(),
        }
    }
}

fn node() -> Command {
    let mut command = Command::new("node");
    if let Some(modules) = node_modules() {
        command.env("NODE_PATH", modules);
    }
    command
}

/// An example that comes with the crate `zkteco`. `PUNCH_INTEROP_ZKTECO` names the folder of them.
fn zkteco(example: &str) -> Option<PathBuf> {
    std::env::var_os("PUNCH_INTEROP_ZKTECO").map(|folder| Path::new(&folder).join(example))
}

/// Runs an example, whose first line is a heading, and reads the others. What is in no form is left as it is.
fn example(name: &str, terminal: &Terminal, line: fn(&str) -> Option<String>) -> Said {
    let mut command = Command::new(zkteco(name).unwrap());
    let done = Running::start(command.args(["127.0.0.1", &terminal.port.to_string()])).finish();
    if done.code != Some(0) {
        return Said::Failed(done.stderr);
    }
    let read = |said: &str| line(said).unwrap_or_else(|| said.to_owned());
    Said::Done(done.stdout.lines().skip(1).map(read).collect())
}

/// `  2025-10-31 18:00:00 user=1001 status=1 check-in`
fn row_of_example(line: &str) -> Option<String> {
    const STATES: [&str; 6] = ["check-in", "check-out", "break-out", "break-in", "overtime-in", "overtime-out"];
    let (time, rest) = line.trim_start().split_once(" user=")?;
    let (pin, rest) = rest.split_once(" status=")?;
    let (verify, state) = rest.split_once(' ')?;
    let state = STATES
        .iter()
        .position(|known| *known == state)
        .map_or_else(|| state.strip_prefix("punch ").map(str::to_owned), |number| Some(number.to_string()))?;
    Some(format!("{pin}\t{}\t{state}\t{verify}", time.replace(' ', "T")))
}

/// `  uid=1    id=1001       name=Ana                  priv=14 card=0`
fn user_of_example(line: &str) -> Option<String> {
    let (slot, rest) = line.trim_start().strip_prefix("uid=")?.split_once(" id=")?;
    let (pin, rest) = rest.split_once(" name=")?;
    let (name, _) = rest.rsplit_once(" priv=")?;
    Some(format!("{}\t{}\t{}", slot.trim_end(), pin.trim_end(), name.trim_end()))
}
