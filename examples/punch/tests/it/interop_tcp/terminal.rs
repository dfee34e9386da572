//! `punch terminal serve`, what is in its memory, and how `punch pull` reads it.

use punch_protocol::tcp::AttendanceLayout;
use serde_json::Value;
use simulator::backlog::{self, Backlog, Punched};

use super::{Peer, cutter};
use crate::command::{Done, Running, punch, run};

/// A terminal of ours in a process of its own.
pub(super) struct Terminal {
    running: Running,
    folder: tempfile::TempDir,
    pub(super) port: u16,
    pub(super) is_udp: bool,
    /// The key that clients are told.
    pub(super) key: u32,
    layout: AttendanceLayout,
    backlog: Backlog,
}

impl Terminal {
    /// People of every terminal.
    pub(super) const USERS: u16 = 10;

    /// Has so many records of this layout, which `--layout` knows by `name`.
    pub(super) fn start(name: &str, records: u32, more: &[&str]) -> Self {
        let backlog = Backlog { users: Self::USERS, records, seed: 7 };
        let (count, users, seed) = (records.to_string(), backlog.users.to_string(), backlog.seed.to_string());
        let mut command = punch();
        command.args(["terminal", "serve", "--addr", "127.0.0.1:0", "--json", "--layout", name]);
        command.args(["--records", &count, "--users", &users, "--seed", &seed]).args(more);
        let mut running = Running::start(&mut command);
        let ready: Value = serde_json::from_str(&running.line()).unwrap();
        let addr = ready["udp"].as_str().unwrap();
        let port = addr.rsplit_once(':').unwrap().1.parse().unwrap();
        let is_udp = more.contains(&"--udp");
        let folder = tempfile::tempdir().unwrap();
        Self { running, folder, port, is_udp, key: 0, layout: layout(name), backlog }
    }

    /// Tells clients this key.
    pub(super) fn with_key(mut self, key: u32) -> Self {
        self.key = key;
        self
    }

    /// Behind a line that cuts the header of every answer.
    pub(super) fn with_cut_headers(mut self) -> Self {
        self.port = cutter::to(self.port);
        self
    }

    /// Where clients may leave files.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Waits until this happens, and returns all that is told of it.
    pub(super) fn until(&mut self, event: &str) -> String {
        loop {
            let line = self.running.line();
            let said: Value = serde_json::from_str(&line).unwrap();
            if said["event"] == event {
                return line;
            }
        }
    }

    /// What it was filled with: a line a record.
    pub(super) fn truth(&self) -> Vec<String> {
        self.backlog.punches(self.layout).map(line).collect()
    }

    /// The same without what a client's own records have no place for.
    pub(super) fn truth_for(&self, peer: Peer) -> Vec<String> {
        let bare = |line: String| line.split('\t').take(2).chain(["-", "-"]).collect::<Vec<_>>().join("\t");
        match peer {
            Peer::NodeZklib => self.truth().into_iter().map(bare).collect(),
            _ => self.truth(),
        }
    }

    /// `punch pull`, as it ended.
    pub(super) fn pulled(&self) -> Done {
        let (port, key) = (self.port.to_string(), self.key.to_string());
        let mut arguments = vec!["pull", "--host", "127.0.0.1", "--port", &port, "--comm-key", &key];
        if self.is_udp {
            arguments.push("--udp");
        }
        run(&arguments, b"")
    }

    /// The records as `punch pull` reads them.
    pub(super) fn pull(&self) -> Vec<String> {
        let done = self.pulled();
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout.lines().map(|line| pulled_line(&serde_json::from_str(line).unwrap())).collect()
    }

    /// Asserts that `punch pull` reads every record, without printing thousands if it does not.
    pub(super) fn is_read_by_us(&self) {
        let (read, truth) = (self.pull(), self.truth());
        assert_eq!(read.len(), truth.len());
        assert_eq!(read.iter().zip(&truth).find(|(read, truth)| read != truth), None);
    }
}

fn line(punch: Punched) -> String {
    let (pin, time) = (backlog::pin(punch.slot), punch.time.format("%Y-%m-%dT%H:%M:%S"));
    format!("{pin}\t{time}\t{}\t{}", punch.state.0, punch.verify.0)
}

fn pulled_line(said: &Value) -> String {
    let text = |key: &str| said[key].as_str().unwrap_or("-").to_owned();
    format!("{}\t{}\t{}\t{}", text("pin"), text("time"), said["state"], said["verify"])
}

fn layout(name: &str) -> AttendanceLayout {
    match name {
        "8a" => AttendanceLayout::Packed8,
        "8b" => AttendanceLayout::Flags8,
        "16" => AttendanceLayout::Number16,
        "36" => AttendanceLayout::Text36,
        "49" => AttendanceLayout::Text49,
        _ => AttendanceLayout::Text40,
    }
}
