//! Runs an example program and talks to it.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use punch_normalize::EventId;
use punch_webhook::{Secret, Signer};
use reqwest::Client;
use serde_json::Value;

/// What has not happened after this long will not happen. No test is decided by anything shorter.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// An example program at work. It is killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    port: u16,
    http: Client,
    stdout: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts `erpnext` against the site at `url`, with its inbox in `folder`.
    pub(crate) async fn start(url: &str, folder: &Path, more: &[(&str, &str)]) -> Self {
        Self::run(erpnext(url, folder), more).await
    }

    /// Starts a program.
    pub(crate) async fn run(mut command: Command, more: &[(&str, &str)]) -> Self {
        command.envs(more.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = Arc::new(Mutex::new(String::new()));
        gather(child.stdout.take().unwrap(), Arc::clone(&stdout));
        let log = Arc::new(Mutex::new(String::new()));
        gather(child.stderr.take().unwrap(), Arc::clone(&log));
        let port = eventually("the program says where it listens", async || {
            let log = log.lock().unwrap();
            let line = log.lines().find(|line| line.contains("receiving on /webhook"))?;
            let addr = line.split("addr=").nth(1)?.split(' ').next()?;
            addr.rsplit(':').next()?.parse().ok()
        })
        .await;
        Self { child, port, http: Client::new(), stdout, log }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Posts a body with these headers; the status and the answer.
    pub(crate) async fn post(&self, path: &str, headers: &[(String, String)], body: &[u8]) -> (u16, String) {
        self.try_post(path, headers, body).await.unwrap()
    }

    pub(crate) async fn try_post(
        &self,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> reqwest::Result<(u16, String)> {
        let mut request = self.http.post(self.url(path)).header("Content-Type", "application/json").body(body.to_vec());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Posts a signed punch.
    pub(crate) async fn deliver(&self, id: &str, badge: &str) -> (u16, String) {
        let body = punch(id, badge);
        self.post("/webhook", &signed(id, &body), &body).await
    }

    /// What `/health` says.
    pub(crate) async fn health(&self) -> Option<Value> {
        let response = self.http.get(self.url("/health")).send().await.ok()?;
        serde_json::from_str(&response.text().await.ok()?).ok()
    }

    /// Waits until the inbox stands so: waiting, done, parked.
    pub(crate) async fn stands_at(&self, waiting: u64, done: u64, parked: u64) {
        eventually(&format!("waiting {waiting}, done {done}, parked {parked}"), async || {
            let health = self.health().await?;
            (health["waiting"] == waiting && health["done"] == done && health["parked"] == parked).then_some(())
        })
        .await;
    }

    /// Everything on standard output so far.
    pub(crate) fn said(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    /// Everything on standard error so far.
    pub(crate) fn logged(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Everything on standard error once `word` is in it: a line may be read after what it tells of.
    pub(crate) async fn logs(&self, word: &str) -> String {
        eventually(word, async || Some(self.logged()).filter(|log| log.contains(word))).await
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be dead already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program with everything it needs from the environment, and nothing else.
pub(crate) fn erpnext(url: &str, folder: &Path) -> Command {
    let mut command = bare(env!("CARGO_BIN_EXE_erpnext"), folder);
    command.envs([
        ("ERPNEXT_URL", url),
        ("API_KEY", "key-of-the-api"),
        ("API_SECRET", "canary-of-the-api"),
        ("SITE_ZONE", "America/Mexico_City"),
    ]);
    command
}

/// The same for `odoo`.
pub(crate) fn odoo(url: &str, folder: &Path) -> Command {
    let mut command = bare(env!("CARGO_BIN_EXE_odoo"), folder);
    command.envs([
        ("ODOO_URL", url),
        ("ODOO_DB", "main"),
        ("ODOO_USER", "punch-bot"),
        ("ODOO_PASS", "canary-of-the-api"),
    ]);
    command
}

/// The same for `humand`.
pub(crate) fn humand(url: &str, folder: &Path) -> Command {
    let mut command = bare(env!("CARGO_BIN_EXE_humand"), folder);
    command.envs([("HUMAND_BASE_URL", url), ("HUMAND_TOKEN", "canary-of-the-api")]);
    command
}

/// The same for `hikcentral_humand`, with doors 7 and 8 and what happened since `begin`.
pub(crate) fn hikcentral_humand(hik: &str, humand: &str, begin: &str, folder: &Path) -> Command {
    let mut command = bare(env!("CARGO_BIN_EXE_hikcentral_humand"), folder);
    command.env_remove("WEBHOOK_SECRET").envs([
        ("HIKVISION_HOST", hik),
        ("HIK_APP_KEY", "24680135"),
        ("HIK_SECRET", "canary-of-the-api"),
        ("HIK_DOORS", "7=in,8=out"),
        ("HIK_BEGIN", begin),
        ("HIK_EVENT_TYPES", "196893"),
        ("HUMAND_BASE_URL", humand),
        ("HUMAND_AUTH", "Basic canary-of-the-api"),
    ]);
    command
}

/// The same for `successfactors`, with Identity Authentication at the same address and calls one second apart.
pub(crate) fn successfactors(url: &str, folder: &Path) -> Command {
    let mut command = bare(env!("CARGO_BIN_EXE_successfactors"), folder);
    command.envs([
        ("SF_API_SERVER", url),
        ("SF_IAS_URL", url),
        ("SF_IAS_CLIENT_ID", "client"),
        ("SF_IAS_SECRET", "canary-of-the-api"),
        ("SF_IAS_DEPENDENCY", "SF-EC-TA"),
        ("SF_CODE_IN", "P10"),
        ("SF_CODE_OUT", "P20"),
        ("SF_TIME_ZONE", "America/Mexico_City"),
        ("SF_FLUSH_INTERVAL_S", "1"),
        ("SF_MIN_CALL_GAP_S", "1"),
    ]);
    command
}

/// The same for `hrms`.
pub(crate) fn hrms(url: &str, folder: &Path) -> Command {
    let mut command = bare(env!("CARGO_BIN_EXE_hrms"), folder);
    command.env("DATABASE_URL", url);
    command
}

fn bare(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).stdin(Stdio::null()).envs([("WEBHOOK_SECRET", SECRET), ("PORT", "0")]);
    command
}

fn gather(stream: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
}

/// A punch in the flat shape of the published samples, with both names of the direction.
pub(crate) fn punch(id: &str, badge: &str) -> Vec<u8> {
    format!(
        "{{\"event\":\"attendance.punch\",\"event_id\":\"{id}\",\"device_serial\":\"T1\",\"employee_id\":\"{badge}\",\
         \"timestamp\":\"2026-03-28T14:47:12Z\",\"direction\":\"in\",\"punch_type\":\"in\",\"method\":\"face\"}}"
    )
    .into_bytes()
}

pub(crate) fn signed(id: &str, body: &[u8]) -> Vec<(String, String)> {
    let signer = Signer::new(&Secret::new(SECRET).unwrap());
    let headers = signer.headers(&EventId::parse(id).unwrap(), body, gateway::clock::now());
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Looks again and again until `look` sees something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let watching = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, watching).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}

/// A program that cannot start says why, by name, and repeats no secret.
pub(crate) fn refuses(command: &mut Command, named: &str) {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{text}");
    assert!(!text.contains("panicked") && !text.contains("canary-of-the-api"), "{text}");
    assert!(text.contains(named), "{named}: {text}");
}
