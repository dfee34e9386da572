//! A gateway of ours as a process, over a store in a folder of its own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use rusqlite::Connection;

use crate::command::{PATIENCE, Running};
use crate::gateway;

/// One HTTP exchange on a connection of its own: the status and the body of the answer.
pub(crate) fn exchange(addr: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> (u16, String) {
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
pub(crate) struct Kept {
    pub(crate) serial: String,
    pub(crate) fate: String,
    pub(crate) raw: String,
}

/// A gateway of ours over a store in a folder of its own.
pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    running: Option<Running>,
    pub(crate) device: SocketAddr,
    pub(crate) api: SocketAddr,
}

impl Site {
    pub(crate) const KEY: &str = "pk_interop_interop_interop_interop_interop";

    /// Knows these terminals, each with its zone, and suppresses nothing.
    pub(crate) fn start(terminals: &[(&str, &str)]) -> Self {
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

    /// A process over what is on disk.
    pub(crate) fn begin(&mut self) {
        let config = self.folder.path().join("punch.toml");
        let (running, device, api) = gateway::start(self.folder.path(), &["--config", config.to_str().unwrap()]);
        (self.running, self.device, self.api) = (Some(running), device, api);
    }

    /// Its process.
    pub(crate) fn process(&mut self) -> &mut Running {
        self.running.as_mut().unwrap()
    }

    /// `kill -9`.
    pub(crate) fn stop(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// `kill -9`, and a new process over what is on disk.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.begin();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.device)
    }

    pub(crate) fn approve(&self, serial: &str) {
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", Self::KEY);
        let body = format!("{{\"serial_number\":\"{serial}\"}}");
        let (status, said) = exchange(self.api, "POST", "/v1/devices", &headers, &body);
        assert_eq!(status, 201, "{said}");
    }

    /// Everything it has, in the order of arrival.
    pub(crate) fn rows(&self) -> Vec<Kept> {
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
    pub(crate) fn raw(&self, serial: &str, fate: &str) -> Vec<String> {
        let rows = self.rows().into_iter().filter(|row| row.serial == serial && row.fate == fate);
        rows.map(|row| row.raw).collect()
    }

    /// Whether any file of the store has these bytes in it.
    pub(crate) fn has_bytes(&self, wanted: &str) -> bool {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        files
            .map(|file| std::fs::read(file.path()).unwrap())
            .any(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()))
    }
}
