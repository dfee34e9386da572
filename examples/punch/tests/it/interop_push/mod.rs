//! Push over HTTP against published programs of others: their servers with our terminal, their clients with our
//! gateway, their parser with ours. What each of them gets wrong is asserted too, so that a new version is noticed.
//! `docs/interop.md` has the table.
//!
//! The packages of `tests/interop/requirements.txt` are run by the scripts beside it, with the Python that
//! `PUNCH_INTEROP_PYTHON` names. What is not there is skipped, unless `PUNCH_INTEROP=required`.

mod clients;
mod parser;
mod server;
mod servers;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::feed;
use crate::interop::{imports, python};
use crate::site::{Site, exchange};

/// A package of somebody else, and our script that drives it.
struct Peer {
    package: &'static str,
    module: &'static str,
    script: &'static str,
}

impl Peer {
    fn is_there(&self) -> bool {
        imports(self.package, Command::new(python()).args(["-c", &format!("import {}", self.module)]))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(self.script);
        let mut command = Command::new(python());
        command.arg(script).args(arguments);
        command
    }

    /// Runs the script to its end; what it prints is one JSON value a line.
    fn ask(&self, arguments: &[&str], stdin: &str) -> Vec<Value> {
        let done = feed(&mut self.command(arguments), stdin.as_bytes());
        assert_eq!(done.code, Some(0), "{} {arguments:?}: {}", self.package, done.stderr);
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
