//! Runs the binary and gathers what it said.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// What has not happened after this long will not happen. No test is decided by anything shorter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test, deaf to the environment of whoever runs the tests.
pub(crate) fn punch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_punch"));
    for variable in [
        "RUST_LOG",
        "PUNCH_API_ADDR",
        "PUNCH_API_KEY",
        "PUNCH_CA_FILE",
        "PUNCH_COMM_KEY",
        "PUNCH_DEVICE_ADDR",
        "PUNCH_STORE",
        "PUNCH_TENANT_KEY",
    ] {
        command.env_remove(variable);
    }
    command
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str], stdin: &[u8]) -> Done {
    feed(punch().args(arguments), stdin)
}

/// Runs any command to its end. What it does not read of its input is no failure of this.
pub(crate) fn feed(command: &mut Command, stdin: &[u8]) -> Done {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (mut input, bytes) = (child.stdin.take().unwrap(), stdin.to_vec());
    let writing = std::thread::spawn(move || drop(input.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    output.into()
}

/// A command that goes on until it is stopped, or the test is over.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        match self.stdout.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("said nothing more: {:?}", self.complaints()),
            Err(RecvTimeoutError::Disconnected) => panic!("ended: {:?}", self.complaints()),
        }
    }

    /// The first line of standard error with `word` in it.
    pub(crate) fn complaint_with(&mut self, word: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no `{word}`: {error}"));
            if line.contains(word) {
                return line;
            }
        }
    }

    fn complaints(&self) -> Vec<String> {
        self.stderr.try_iter().collect()
    }

    /// Its exit code and whatever it still said, if it comes to an end by itself.
    pub(crate) fn finish(mut self) -> Done {
        let code = self.wait();
        let text = |lines: &Receiver<String>| lines.iter().collect::<Vec<_>>().join("\n");
        Done { code, stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }

    /// `kill -9`: nothing of it runs any more.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// `SIGTERM`, then its exit code and whatever it still said.
    pub(crate) fn terminate(self) -> Done {
        self.end("TERM")
    }

    /// A signal that ends it, then its exit code and whatever it still said.
    pub(crate) fn end(mut self, signal: &str) -> Done {
        self.signal(signal);
        let code = self.wait();
        Done { code, stdout: self.stdout.iter().collect(), stderr: self.stderr.iter().collect::<Vec<_>>().join("\n") }
    }

    fn wait(&mut self) -> Option<i32> {
        for _ in 0..PATIENCE.as_millis() / 10 {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.code().is_some(), "{status}: {:?}", self.complaints());
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("still running")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
