//! The gateway that is measured: one of its own, or one that is there and is told whom to let in.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use serde_json::json;
use simulator::fleet::Plan;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::receiver::Arrivals;
use crate::api::ApiArgs;

/// A gateway in a process of its own, which ends with this value.
pub(super) struct Spawned {
    /// Where terminals connect.
    pub(super) server: String,
    /// Its process.
    pub(super) pid: u32,
    child: Child,
    _folder: TempDir,
}

impl Spawned {
    /// Starts this very program as a gateway that knows the terminals of the plan.
    pub(super) fn start(plan: &Plan, arrivals: Option<&Arrivals>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let file = folder.path().join("punch.toml");
        std::fs::write(&file, configuration(plan, arrivals)?).context("write the gateway's configuration")?;
        let store = format!("sqlite:{}", folder.path().join("punch.sqlite").display());
        let program = std::env::current_exe().context("find this program")?;
        let mut child = Command::new(program)
            .arg("gateway")
            .arg("--config")
            .arg(&file)
            .args(["--device-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--store", &store])
            // One line an upload would be what is measured.
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("start a gateway")?;
        let lines = BufReader::new(child.stdout.take().context("what the gateway says")?).lines();
        let mut lines = lines.map_while(Result::ok);
        let found = lines.find_map(|line| line.strip_prefix("device listener on ").map(ToOwned::to_owned));
        // It says two lines more, and would stop at a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        let pid = child.id();
        let spawned = Self { server: found.unwrap_or_default(), pid, child, _folder: folder };
        if spawned.server.is_empty() {
            bail!("the gateway did not start; what it said stands above");
        }
        Ok(spawned)
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // Its store is thrown away: nothing has to be ended well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn configuration(plan: &Plan, arrivals: Option<&Arrivals>) -> anyhow::Result<String> {
    let mut text = String::from("[defaults]\nzone = \"UTC\"\n");
    if let Some(Arrivals { url, secret, .. }) = arrivals {
        let secret = secret.expose();
        write!(text, "[delivery]\nallow_private_targets = true\nallow_http = true\n")?;
        write!(text, "[[endpoint]]\nurl = \"{url}\"\nsecret = \"{secret}\"\n")?;
    }
    for number in 0..plan.devices {
        write!(text, "[[device]]\nserial = \"{}\"\n", plan.serial(number)?)?;
    }
    Ok(text)
}

/// Calls of the API at once.
const CALLS: usize = 8;

/// Lets every terminal of the plan in.
pub(super) async fn approve(api: &ApiArgs, plan: &Plan) -> anyhow::Result<()> {
    let bar = ProgressBar::new(plan.devices.into()).with_message("let in");
    let mut calls = JoinSet::new();
    for number in 0..plan.devices {
        if calls.len() >= CALLS {
            calls.join_next().await.transpose()?.transpose()?;
            bar.inc(1);
        }
        let (api, serial) = (api.clone(), plan.serial(number)?);
        calls.spawn(async move {
            let made = api.post("/v1/devices", &json!({ "serial_number": serial.as_str() })).await?;
            made.map(drop).context("the gateway has no such route; is --gateway its API?")
        });
    }
    while let Some(called) = calls.join_next().await {
        called??;
    }
    bar.finish_and_clear();
    Ok(())
}
