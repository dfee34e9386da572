//! A server of somebody else, and a terminal of ours that pushes to it.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;
use simulator::world::quiet_addr;

use super::{Peer, exchange};
use crate::command::{Done, Running, feed, punch};

/// A server of somebody else in a process of its own, over a database in a folder of its own.
pub(super) struct Server {
    peer: &'static Peer,
    folder: tempfile::TempDir,
    addr: SocketAddr,
    running: Option<Running>,
}

impl Server {
    /// Knows this terminal, with its zone, if one is named.
    pub(super) fn start(peer: &'static Peer, terminal: &[&str]) -> Self {
        let mut server = Self { peer, folder: tempfile::tempdir().unwrap(), addr: quiet_addr(), running: None };
        server.begin(terminal);
        server
    }

    /// Starts it on its port, over what its database holds.
    pub(super) fn begin(&mut self, terminal: &[&str]) {
        let (database, port) = (self.database(), self.addr.port().to_string());
        let mut running = Running::start(&mut self.peer.command(&[&[&database, "serve", &port], terminal].concat()));
        assert_eq!(running.line(), "listening");
        self.running = Some(running);
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// Waits until its log has this in a line.
    pub(super) fn until_logged(&mut self, word: &str) {
        self.running.as_mut().unwrap().complaint_with(word);
    }

    fn database(&self) -> String {
        self.folder.path().join("peer.sqlite").display().to_string()
    }

    /// Runs its script beside it; see there for what can be asked.
    pub(super) fn tell(&self, arguments: &[&str]) -> Vec<Value> {
        self.peer.ask(&[&[self.database().as_str()], arguments].concat(), "")
    }

    pub(super) fn get(&self, target: &str) -> (u16, String) {
        exchange(self.addr, "GET", target, "", "")
    }

    pub(super) fn post(&self, target: &str, body: &str) -> (u16, String) {
        exchange(self.addr, "POST", target, "", body)
    }

    /// A terminal of ours that has these rows in its memory and pushes here.
    pub(super) fn terminal(&self, serial: &str, rows: &str, more: &[&str]) -> Command {
        let file = self.folder.path().join("rows");
        std::fs::write(&file, rows).unwrap();
        let mut command = punch();
        command.args(["terminal", "push", "--server", &format!("http://{}", self.addr), "--serial", serial]);
        command.arg("--replay").arg(file).args(more);
        command
    }

    /// The same, run to its end.
    pub(super) fn replay(&self, serial: &str, rows: &str, more: &[&str]) -> Done {
        feed(&mut self.terminal(serial, rows, more), b"")
    }
}
