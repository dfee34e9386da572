//! The receivers of `docs/receivers.md`, each run as a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use super::{SECRET, eventually};

/// How a receiver of the document is run.
pub(crate) struct Language {
    /// The word behind the fence of its block.
    pub(crate) fence: &'static str,
    /// The interpreter, and the name of the file for it. Without one the program is built with the tests.
    interpreter: Option<(&'static str, &'static str)>,
    install: &'static str,
    store: Store,
}

#[derive(Clone, Copy)]
enum Store {
    /// A folder with a file for each event.
    Folder,
    /// A table `events`.
    Sqlite,
}

pub(crate) const NODE: Language = Language {
    fence: "js",
    interpreter: Some(("node", "receiver.mjs")),
    install: "install Node.js 18 or later",
    store: Store::Folder,
};
pub(crate) const PYTHON: Language = Language {
    fence: "python",
    interpreter: Some(("python3", "receiver.py")),
    install: "install Python 3.9 or later",
    store: Store::Sqlite,
};
pub(crate) const RUST: Language = Language { fence: "rust", interpreter: None, install: "", store: Store::Sqlite };

impl Language {
    /// Whether its interpreter is installed.
    pub(crate) fn is_there(&self) -> bool {
        self.interpreter.is_none_or(|(program, _)| is_there(program, "--version", self.install))
    }

    fn command(&self, folder: &Path) -> Command {
        let Some((program, file)) = self.interpreter else { return Command::new(env!("CARGO_BIN_EXE_receiver")) };
        let [block] = blocks(self.fence).try_into().expect("one block");
        fs::write(folder.join(file), block).unwrap();
        let mut command = Command::new(program);
        command.arg(file);
        command
    }
}

/// Whether a program is installed. What is not there is skipped, unless `PUNCH_INTEROP=required`.
#[expect(clippy::print_stderr, reason = "whoever reads the test's output is told what was left out")]
pub(crate) fn is_there(program: &str, version: &str, install: &str) -> bool {
    let is_there = Command::new(program).arg(version).output().is_ok_and(|output| output.status.success());
    let is_required = std::env::var("PUNCH_INTEROP").is_ok_and(|word| word == "required");
    assert!(is_there || !is_required, "{program} is required: {install}");
    if !is_there {
        eprintln!("skipped: {program} does not run; {install}");
    }
    is_there
}

/// The code in the document of the receivers behind fences of this language.
pub(crate) fn blocks(fence: &str) -> Vec<String> {
    blocks_of("receivers.md", fence)
}

/// The code in a document behind fences of this language.
pub(crate) fn blocks_of(document: &str, fence: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(document)).unwrap();
    let opening = format!("\n```{fence}\n");
    let behind = text.split(&opening).skip(1);
    behind.map(|rest| format!("{}\n", rest.split_once("\n```").expect("an end").0)).collect()
}

/// A receiver at work. It is killed when it is dropped.
pub(crate) struct Sample {
    pub(crate) url: String,
    child: Child,
    store: Store,
    path: PathBuf,
    http: reqwest::Client,
}

impl Sample {
    /// Starts over what is stored in `folder`, on a port that is free.
    pub(crate) async fn start(language: &Language, folder: &Path) -> Self {
        let (said, log) = (folder.join("said"), folder.join("log"));
        let path = folder.join("store");
        let mut command = language.command(folder);
        command.current_dir(folder).envs([("WEBHOOK_SECRET", SECRET), ("PORT", "0")]).env("STORE", &path);
        command.stdin(Stdio::null()).stdout(File::create(&said).unwrap()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let url = eventually("the receiver says where it listens", async || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", fs::read_to_string(&log).unwrap());
            let said = fs::read_to_string(&said).unwrap();
            Some(said.strip_prefix("receiving on ")?.strip_suffix('\n')?.to_owned())
        })
        .await;
        Self { url, child, store: language.store, path, http: reqwest::Client::new() }
    }

    /// Posts a body with these headers.
    pub(crate) async fn post(&self, headers: &[(&'static str, Vec<u8>)], body: &[u8]) -> (u16, Value) {
        let mut request = self.http.post(&self.url).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, value.as_slice());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    /// The ids of the events on disk, read past the receiver.
    pub(crate) fn stored(&self) -> Vec<String> {
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        match self.store {
            Store::Folder => {
                let files = fs::read_dir(&self.path).unwrap().map(|file| file.unwrap().path());
                let events = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
                bodies.extend(events.map(|path| fs::read(path).unwrap()));
            }
            Store::Sqlite => {
                let table = Connection::open(&self.path).unwrap();
                let mut select = table.prepare("SELECT body FROM events").unwrap();
                bodies.extend(select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap().map(Result::unwrap));
            }
        }
        let id = |body: Vec<u8>| {
            let event: Value = serde_json::from_slice(&body).unwrap();
            event["event_id"].as_str().unwrap().to_owned()
        };
        let mut ids: Vec<String> = bodies.into_iter().map(id).collect();
        ids.sort();
        ids
    }

    /// Takes away what the receiver writes to, or gives it back.
    pub(crate) fn hide_store(&self, hidden: bool) {
        let away = self.path.with_extension("away");
        match (self.store, hidden) {
            (Store::Folder, true) => fs::rename(&self.path, away).unwrap(),
            (Store::Folder, false) => fs::rename(away, &self.path).unwrap(),
            (Store::Sqlite, _) => {
                let (from, to) = if hidden { ("events", "away") } else { ("away", "events") };
                let table = Connection::open(&self.path).unwrap();
                table.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).unwrap();
            }
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        // It may be dead already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
