//! This program once more, as a server, and what the system says of it.

use core::time::Duration;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use gateway::config::Config;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::terminal::serial;

/// Has this program be a gateway, in the folder that follows.
pub(crate) const SERVE: &str = "--serve";

const API_KEY: &str = "pk_bench_0123456789abcdef0123456789abcdef";

/// Ticks in a second, in which Linux counts the time of a process.
const TICKS: u64 = 100;

#[expect(clippy::disallowed_methods, reason = "a bench is a shell")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Runs a gateway until whoever started it has gone.
pub(crate) async fn serve(folder: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(folder.join("punch.toml"))?;
    let gateway = gateway::start(Config::parse(&text)?).await?;
    announce(&[gateway.device_addr, gateway.api_addr]);
    wait_for_end().await;
    gateway.shut_down().await;
    Ok(())
}

/// Says where it listens.
pub(crate) fn announce(addresses: &[SocketAddr]) {
    let line: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    println!("{}", line.join(" "));
}

/// Waits until whoever started it has gone.
pub(crate) async fn wait_for_end() {
    let mut nothing = Vec::new();
    // However it ends, it has ended.
    drop(tokio::io::stdin().read_to_end(&mut nothing).await);
}

/// A process of this program; it ends with this value.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it. Says where it listens.
    pub(crate) async fn start(arguments: &[&str]) -> anyhow::Result<(Self, Vec<SocketAddr>)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let output = child.stdout.take().context("the output of the process")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let addresses = line.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?;
        ensure!(!addresses.is_empty(), "the process did not start");
        Ok((Self(child), addresses))
    }

    /// A file that Linux has of it; empty where there is none.
    fn file(&self, name: &str) -> String {
        let process = self.0.id().unwrap_or_default();
        std::fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default()
    }

    /// A number of such a file, by its name.
    fn number(&self, file: &str, name: &str) -> u64 {
        let text = self.file(file);
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

/// What a gateway is told before it starts.
#[derive(Clone)]
pub(crate) struct Setting {
    text: String,
}

impl Setting {
    /// With so many terminals that may send.
    pub(crate) fn of(terminals: u32) -> Self {
        let mut text = format!(
            "api_key = \"{API_KEY}\"\n[listen]\ndevice = \"127.0.0.1:0\"\napi = \"127.0.0.1:0\"\n\
             [delivery]\nallow_http = true\nallow_private_targets = true\n\
             [rate_limit]\nper_minute = 1000000\nper_device_and_day = 1000000\n\
             [defaults]\nzone = \"America/Mexico_City\"\n"
        );
        for number in 0..terminals {
            text.push_str(&format!("[[device]]\nserial = \"{}\"\n", serial(number)));
        }
        Self { text }
    }

    /// And an endpoint.
    pub(crate) fn with(mut self, url: &str, options: &str) -> Self {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        self.text.push_str(&format!("[[endpoint]]\nurl = \"{url}\"\nsecret = \"{secret}\"\n{options}\n"));
        self
    }

    /// And people.
    pub(crate) fn people(mut self, people: u32) -> Self {
        for index in 0..people {
            let badge = crate::terminal::badge(index);
            self.text.push_str(&format!("[[employee]]\nbadge = \"{badge}\"\nname = \"Bench Person {badge}\"\n"));
        }
        self
    }
}

/// A gateway with a store of its own.
pub(crate) struct Gateway {
    pub(crate) device: SocketAddr,
    api: SocketAddr,
    process: Process,
    client: reqwest::Client,
    folder: TempDir,
}

impl Gateway {
    pub(crate) async fn start(setting: &Setting) -> anyhow::Result<Self> {
        Self::start_in(tempfile::tempdir()?, setting).await
    }

    /// Ends it and starts another one over the same store.
    pub(crate) async fn restart(mut self, setting: &Setting) -> anyhow::Result<Self> {
        drop(self.process.0.stdin.take());
        self.process.0.wait().await?;
        Self::start_in(self.folder, setting).await
    }

    async fn start_in(folder: TempDir, setting: &Setting) -> anyhow::Result<Self> {
        let store = folder.path().join("punch.sqlite");
        let text = format!("store = \"sqlite:{}\"\n{}", store.display(), setting.text);
        std::fs::write(folder.path().join("punch.toml"), text)?;
        let path = folder.path().to_str().context("the name of a temporary folder")?;
        let (process, addresses) = Process::start(&[SERVE, path]).await?;
        let [device, api] = addresses.as_slice() else { anyhow::bail!("a gateway without its two addresses") };
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { device: *device, api: *api, process, client, folder })
    }

    /// The time it has had of the processors.
    pub(crate) fn cpu(&self) -> Duration {
        let text = self.process.file("stat");
        // The second field is a name in brackets, which may have blanks.
        let fields = text.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 1000 / TICKS)
    }

    /// Waits until it has written nothing for half a second.
    pub(crate) async fn rests(&self) {
        let mut written = self.written();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.written();
            if core::mem::replace(&mut written, now) == now {
                return;
            }
        }
    }

    /// Bytes it has had written to the disk.
    pub(crate) fn written(&self) -> u64 {
        self.process.number("io", "write_bytes")
    }

    /// The memory it takes, and took at most, in bytes.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let bytes = |name| crate::float(self.process.number("status", name) * 1024);
        (bytes("VmRSS"), bytes("VmHWM"))
    }

    /// A count of `/status`.
    pub(crate) async fn count(&self, fate: &str) -> anyhow::Result<u64> {
        let rows = self.get("/status").await?.pointer(&format!("/data/counts/{fate}")).and_then(Value::as_u64);
        rows.context("the number of rows in /status")
    }

    /// Pauses an endpoint, or has it go on.
    pub(crate) async fn set_endpoint(&self, id: u64, state: &str) -> anyhow::Result<()> {
        let request = self.client.patch(format!("http://{}/v1/webhooks/{id}", self.api)).bearer_auth(API_KEY);
        let request = request.header("Content-Type", "application/json").body(format!("{{\"state\":\"{state}\"}}"));
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Waits until nothing is waiting to be delivered.
    pub(crate) async fn wait_settled(&self) -> anyhow::Result<()> {
        let began = now();
        loop {
            let waiting = self.get("/v1/deliveries?state=waiting&per_page=1").await?;
            if waiting.pointer("/data").and_then(Value::as_array).is_some_and(Vec::is_empty) {
                return Ok(());
            }
            ensure!(began.elapsed() < Duration::from_secs(60), "deliveries are not settled");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.client.get(format!("http://{}{path}", self.api)).bearer_auth(API_KEY);
        let text = request.send().await?.error_for_status()?.text().await?;
        Ok(serde_json::from_str(&text)?)
    }
}
