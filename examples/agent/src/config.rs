//! `agent.toml`: which terminals are read, and where their punches go.

use core::time::Duration;
use std::path::{Path, PathBuf};

use gateway::api::ApiKey;
use gateway::config::{ConfigErrors, Section};
use punch_protocol::SerialNumber;
use punch_protocol::tcp::{Carrier, ClientConfig, CommKey, Timing};

use crate::terminal::{Address, Link};

/// Everything an agent needs to know.
#[derive(Debug)]
pub struct Config {
    /// Where punches go.
    pub gateway: GatewayConfig,
    /// The file they wait in. Default `agent.sqlite` beside the configuration.
    pub spool: PathBuf,
    /// Where they come from.
    pub terminals: Vec<TerminalConfig>,
}

/// The gateway that punches go to.
#[derive(Debug)]
pub struct GatewayConfig {
    /// Its address.
    pub url: String,
    /// Its key.
    pub api_key: ApiKey,
    /// Whether plain http is meant.
    pub plain_http: bool,
    /// The roots that its certificate has to lead to, in PEM; those of the system if there are none.
    pub roots: Option<Vec<u8>>,
}

/// A terminal that is read.
#[derive(Debug, Clone)]
pub struct TerminalConfig {
    /// Where it is.
    pub address: Address,
    /// How to talk to it.
    pub client: ClientConfig,
    /// Its serial number, if it does not tell it.
    pub serial: Option<SerialNumber>,
    /// How often its log is read. Default 5 minutes.
    pub every: Duration,
    /// How often all of its log is read, also by terminals that can pick what is new. Default a day.
    pub whole_every: Duration,
    /// Whether it is listened to, so that a punch is known at once. Default yes.
    pub live: bool,
    /// Whether it takes the time a door stays open in tenths of a second. Default no: in seconds.
    pub unlock_in_tenths: bool,
}

impl TerminalConfig {
    /// How long a terminal that is listened to may be silent before it is asked whether it is there.
    pub const PROBE: Duration = Duration::from_secs(60);
}

impl Config {
    /// Reads the text of an `agent.toml`. Files that it names lie beside it, in `folder`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigErrors> {
        Section::read(text, |root| {
            let mut section = root.section("gateway");
            let gateway = gateway(&mut section, folder);
            root.absorb(section);
            let spool = folder.join(root.text("spool").unwrap_or_else(|| "agent.sqlite".to_owned()));
            let terminals: Vec<TerminalConfig> = root
                .sections("terminal")
                .into_iter()
                .map(|mut section| {
                    let terminal = terminal(&mut section, folder);
                    root.absorb(section);
                    terminal
                })
                .collect();
            if terminals.is_empty() {
                root.complain(
                    "terminal",
                    "missing, expected at least one entry `[[terminal]]` with its `host`".to_owned(),
                );
            }
            Self { gateway, spool, terminals }
        })
    }
}

fn gateway(section: &mut Section, folder: &Path) -> GatewayConfig {
    let url = section.required("url", "the gateway's address, such as `https://punch.example.com`");
    let key = secret(section, folder, "api_key");
    if key.is_none() {
        section.complain("api_key", "missing, expected the gateway's key, or `api_key_file` with it".to_owned());
    }
    let roots = section.text("ca_file").and_then(|file| {
        let read = std::fs::read(folder.join(&file));
        read.map_err(|error| section.complain("ca_file", format!("`{file}`: {error}"))).ok()
    });
    GatewayConfig {
        url: url.unwrap_or_default(),
        api_key: ApiKey::new(key.unwrap_or_default()),
        plain_http: section.switch("plain_http").unwrap_or(false),
        roots,
    }
}

/// A secret: in the file itself, or better in one of its own.
fn secret(section: &mut Section, folder: &Path, key: &str) -> Option<String> {
    let given = section.text(key);
    from_file(section, folder, key).or(given)
}

/// The text of the file that `KEY_file` names.
fn from_file(section: &mut Section, folder: &Path, key: &str) -> Option<String> {
    let key = format!("{key}_file");
    let file = section.text(&key)?;
    let text = std::fs::read_to_string(folder.join(&file));
    let text = text.map_err(|error| section.complain(&key, format!("`{file}`: {error}"))).ok()?;
    Some(text.trim().to_owned())
}

fn terminal(section: &mut Section, folder: &Path) -> TerminalConfig {
    let host = section.required("host", "the terminal's address").unwrap_or_default();
    let port = section.whole_number("port", 1, 65_535).and_then(|port| u16::try_from(port).ok());
    let udp = section.switch("udp").unwrap_or(false);
    let live = section.switch("live").unwrap_or(true);
    let unlock_in_tenths = section.switch("unlock_in_tenths").unwrap_or(false);
    let serial = section.text("serial").and_then(|text| {
        SerialNumber::parse(&text).map_err(|error| section.complain("serial", error.to_string())).ok()
    });
    let seconds = |section: &mut Section, key, most| section.whole_number(key, 5, most).map(Duration::from_secs);
    let every = seconds(section, "every_seconds", 86_400).unwrap_or(Duration::from_secs(300));
    let whole_every = seconds(section, "whole_every_seconds", 30 * 86_400).unwrap_or(Duration::from_secs(86_400));
    let patience = seconds(section, "patience_seconds", 120).unwrap_or(Timing::default().patience);
    let timing = Timing { patience, probe: live.then_some(TerminalConfig::PROBE), ..Timing::default() };
    let carrier = if udp { Carrier::Udp } else { Carrier::Tcp };
    let client = ClientConfig { comm_key: comm_key(section, folder), timing, ..Link::config(carrier) };
    let address = Address { host, port: port.unwrap_or(4370) };
    TerminalConfig { address, client, serial, every, whole_every, live, unlock_in_tenths }
}

fn comm_key(section: &mut Section, folder: &Path) -> CommKey {
    let given = section.whole_number("comm_key", 0, CommKey::MAX.into()).map(|number| number.to_string());
    let Some(text) = from_file(section, folder, "comm_key").or(given) else { return CommKey::NONE };
    let key = text.parse().ok().and_then(|number| CommKey::new(number).ok());
    key.unwrap_or_else(|| {
        section.complain("comm_key_file", "does not hold a number from 0 to 999999".to_owned());
        CommKey::NONE
    })
}
