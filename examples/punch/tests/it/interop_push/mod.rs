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

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::command::{PATIENCE, Running, feed};
use crate::gateway;
use crate::interop::{imports, python};

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

/// One HTTP exchange on a connection of its own: the status and the body of the answer.
fn exchange(addr: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}");
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {answer}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// What a gateway of ours has of one row.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    serial: String,
    fate: String,
    raw: String,
}

/// A gateway of ours over a store in a folder of its own.
struct Site {
    folder: tempfile::TempDir,
    running: Option<Running>,
    device: SocketAddr,
    api: SocketAddr,
}

impl Site {
    const KEY: &str = "pk_interop_interop_interop_interop_interop";

    /// Knows these terminals, each with its zone, and suppresses nothing.
    fn start(terminals: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let devices =
            terminals.iter().map(|(serial, zone)| format!("[[device]]\nserial = \"{serial}\"\nzone = \"{zone}\"\n"));
        let defaults = format!("api_key = \"{}\"\n[defaults]\nwindow_seconds = 0\n", Self::KEY);
        std::fs::write(folder.path().join("punch.toml"), defaults + &devices.collect::<String>()).unwrap();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut site = Self { folder, running: None, device: nowhere, api: nowhere };
        site.begin();
        site
    }

    fn begin(&mut self) {
        let config = self.folder.path().join("punch.toml");
        let (running, device, api) = gateway::start(self.folder.path(), &["--config", config.to_str().unwrap()]);
        (self.running, self.device, self.api) = (Some(running), device, api);
    }

    /// `kill -9`, and a new process over what is on disk.
    fn restart(&mut self) {
        self.running.take().unwrap().kill();
        self.begin();
    }

    fn url(&self) -> String {
        format!("http://{}", self.device)
    }

    fn approve(&self, serial: &str) {
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", Self::KEY);
        let body = format!("{{\"serial_number\":\"{serial}\"}}");
        let (status, said) = exchange(self.api, "POST", "/v1/devices", &headers, &body);
        assert_eq!(status, 201, "{said}");
    }

    /// Everything it has, in the order of arrival.
    fn rows(&self) -> Vec<Kept> {
        let store = Connection::open(self.folder.path().join("punch.sqlite")).unwrap();
        let sql = "SELECT serial, fate, raw FROM row ORDER BY seq";
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            let raw = String::from_utf8(row.get(2)?).unwrap();
            Ok(Kept { serial: row.get(0)?, fate: row.get(1)?, raw })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The rows of one terminal that met this fate, byte for byte.
    fn raw(&self, serial: &str, fate: &str) -> Vec<String> {
        let rows = self.rows().into_iter().filter(|row| row.serial == serial && row.fate == fate);
        rows.map(|row| row.raw).collect()
    }

    /// Whether any file of the store has these bytes in it.
    fn has_bytes(&self, wanted: &str) -> bool {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        files
            .map(|file| std::fs::read(file.path()).unwrap())
            .any(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()))
    }
}
