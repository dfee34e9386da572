//! What was seen of each terminal, and what was made of it.

use core::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;
use punch_protocol::push::{Admission, Dialect, Info, Request, Response};
use punch_webhook::DeviceStatus;

use super::handler::Devices;
use crate::clock::now;
use crate::core::{Encounter, Means};
use crate::store::{DeviceRow, StoreError, Transaction, tell_decision};

/// How a terminal stands, as far as its conversation says.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The id that payloads have of it.
    pub(crate) id: Option<String>,
    /// Its name for people.
    pub(crate) name: Option<String>,
    /// Its site.
    pub(crate) site: Option<String>,
    /// What it is known to speak.
    pub(crate) dialect: Option<Dialect>,
    /// What it last told about itself.
    pub(crate) info: Option<Info>,
    /// `pending`, `blocked`, `online`, `offline`; `unheard` if it has not called since the start.
    pub(crate) status: &'static str,
    /// When it was heard last, itself or through somebody who had read it.
    pub(crate) last_seen: Option<DateTime<Utc>>,
    /// By what it gets its commands.
    pub(crate) means: Means,
    /// Whether earlier rows may be waiting on it.
    pub(crate) is_behind: bool,
    /// Up to when it has told everything, if anybody knows.
    pub(crate) complete_to: Option<DateTime<Utc>>,
}

/// Longest name of a table that is repeated.
const NAME_MAX: usize = 24;

impl Devices {
    /// How a terminal stands.
    pub(crate) fn standing(&self, serial: &SerialNumber, now: DateTime<Utc>) -> Option<Standing> {
        let devices = self.0.registry.lock();
        let device = devices.get(serial)?;
        let (session, about) = (&device.session, &device.directory.device);
        let patience = device.patience();
        let heard = device.last_seen();
        let status = match (device.admission, heard) {
            (Admission::Pending, _) => "pending",
            (Admission::Blocked, _) => "blocked",
            (Admission::Approved, None) => "unheard",
            (Admission::Approved, Some(at)) if now.signed_duration_since(at) <= patience => "online",
            (Admission::Approved, Some(_)) => "offline",
        };
        Some(Standing {
            id: about.id.clone(),
            name: about.name.clone(),
            site: about.site.clone(),
            dialect: session.dialect(),
            info: session.info().cloned(),
            status,
            last_seen: heard,
            means: device.means(),
            is_behind: device.timekeeping.presence.is_behind(now),
            complete_to: device.timekeeping.presence.complete_to(),
        })
    }

    /// What was seen of a terminal since the start, the latest first.
    pub(crate) fn encounters(&self, serial: &SerialNumber) -> Vec<Encounter> {
        let devices = self.0.registry.lock();
        devices.get(serial).map(|device| device.encounters.latest_first()).unwrap_or_default()
    }

    /// Notes what a terminal has said and what it was answered.
    pub(super) fn note_seen(&self, serial: &SerialNumber, what: &str, response: &Response, from: IpAddr) {
        let mut devices = self.0.registry.lock();
        let Some(device) = devices.get_mut(serial) else { return };
        let outcome = match (device.admission, response.status()) {
            (Admission::Pending, _) => "not_approved",
            (Admission::Blocked, _) => "blocked",
            (Admission::Approved, 200) if response.body() == b"UNKNOWN DEVICE" => "asked_to_shake_hands",
            (Admission::Approved, 200) => "served",
            (Admission::Approved, 404) => "not_served_here",
            (Admission::Approved, 503) if what == "handshake" => "wrong_comm_key",
            (Admission::Approved, 503) => "not_taken",
            (Admission::Approved, _) => "not_read",
        };
        device.encounters.note(what, outcome, from, now());
    }

    /// Keeps a terminal out from now on.
    ///
    /// # Errors
    ///
    /// The store cannot be written; the terminal stays as it was.
    pub(crate) async fn block(&self, serial: &SerialNumber) -> Result<(), StoreError> {
        let (of, about, intake) = (serial.clone(), self.0.registry.about(serial), Arc::clone(&self.0.intake));
        let work = move |tx: &mut Transaction<'_>| {
            let found = DeviceRow::admission(tx, of.as_str())?;
            DeviceRow::block(tx, of.as_str())?;
            if matches!(found, None | Some(Admission::Blocked)) {
                return Ok(());
            }
            tell_decision(tx, &intake, (&of, &about), DeviceStatus::Blocked, now())
        };
        self.0.store.write(work).await?;
        self.0.registry.block(serial);
        self.forget_told();
        Ok(())
    }
}

impl Devices {
    /// Keeps what a terminal says of itself that nobody has let in, so that somebody can decide: once, and again if it
    /// says more.
    pub(super) async fn keep_said(&self, serial: &SerialNumber, request: &Request<'_>, agent: Option<&str>) {
        if self.0.registry.admission(serial) != Some(Admission::Pending) {
            return;
        }
        let Some(said) = said(request, agent) else { return };
        let is_news = self.0.registry.lock().get_mut(serial).is_some_and(|device| {
            let is_news = device.said.as_ref() != Some(&said);
            device.said = Some(said.clone());
            is_news
        });
        let text = serial.to_string();
        let keep = || self.0.store.write(move |tx| DeviceRow::keep_said(tx, &text, &said));
        if is_news && let Err(error) = keep().await {
            tracing::error!(%serial, %error, "what a pending terminal said is not remembered");
        }
    }
}

/// Most that is kept of what a terminal says of itself, in bytes.
const SAID_MAX: usize = 2048;

/// What a handshake or a registration says of a terminal, as JSON; secrets and what may name people are left out.
fn said(request: &Request<'_>, agent: Option<&str>) -> Option<String> {
    let mut members = serde_json::Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        let value = value.filter(|value| !value.is_empty());
        members.extend(value.map(|value| (name.to_owned(), value.into())));
    };
    match request {
        Request::Handshake(handshake) => {
            put("push_version", handshake.push_version.as_deref());
            put("device_type", handshake.device_type.as_deref());
            let language = handshake.language.map(|language| language.to_string());
            put("language", language.as_deref());
        }
        Request::Registry(options) => {
            for name in ["~DeviceName", "FirmVer", "MAC", "IPAddress", "DeviceType", "LockCount", "~MaxAttLogCount"] {
                put(name.trim_start_matches('~'), options.value(name).as_deref());
            }
        }
        _ => return None,
    }
    put("user_agent", agent);
    let text = serde_json::Value::Object(members).to_string();
    (text.len() <= SAID_MAX).then_some(text)
}

/// The word for what a request asks or sends.
pub(super) fn kind_of(request: &Request<'_>) -> String {
    let word = match request {
        Request::Handshake(_) => "handshake",
        Request::Alive | Request::Ping(_) => "ping",
        Request::Upload(upload) | Request::Package(upload) => return upload_of(upload.table().as_str()),
        Request::Poll(_) => "poll",
        Request::Results(_) => "results of commands",
        Request::QueryPage(page) => return format!("answer {}", plain(&page.table)),
        Request::Registry(_) => "registration",
        Request::Configuration(_) => "configuration",
        Request::Exchange(_) => "key exchange",
        Request::Time => "time",
        Request::BackgroundCheck(_) => "background check",
        Request::UserLookup { .. } => "look-up of a user",
        Request::FilePart(_) | Request::FileDownload(_) => "file",
        _ => "something else",
    };
    word.to_owned()
}

/// The word for an upload to a table.
pub(super) fn upload_of(table: &str) -> String {
    format!("upload {}", plain(table))
}

/// A name that a terminal gave, if it is one; it could be anything.
fn plain(name: &str) -> &str {
    let is_plain = name.len() <= NAME_MAX && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if is_plain { name } else { "of an odd name" }
}
