use alloc::borrow::ToOwned;
use alloc::string::String;

use chrono::{DateTime, Utc};

use super::handshake::{Dialect, Handshake};
use super::info::Info;
use super::options::OptionBlock;
use super::request::Request;
use super::response::{Receipt, Response};
use super::time_zone::TimeZoneMinutes;
use super::upload::{Ack, Table, Upload};
use crate::SerialNumber;

/// Whether a terminal may speak to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a closed decision: every answer depends on it")]
pub enum Admission {
    /// An operator has approved the serial.
    Approved,
    /// Nobody has decided. It gets no `OK` and keeps its rows.
    Pending,
    /// An operator has refused the serial. It gets no `OK`.
    Blocked,
}

/// What a server tells one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The offset of the terminal's zone right now; it sets the clock with it.
    pub time_zone: TimeZoneMinutes,
    /// Seconds between idle polls; spread by up to a tenth per serial.
    pub delay: u32,
    /// Seconds to wait after a failure; spread by up to a half per serial, so a restart is no storm.
    pub error_delay: u32,
    /// Resume mark of the punch table from an earlier life; `0` asks for everything.
    pub attlog_stamp: String,
    /// Resume mark of the operation log from an earlier life.
    pub operlog_stamp: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: TimeZoneMinutes::default(),
            delay: 30,
            error_delay: 30,
            attlog_stamp: "0".to_owned(),
            operlog_stamp: "0".to_owned(),
        }
    }
}

/// What to do with a request.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a terminal is waiting for the answer"]
pub enum Turn {
    /// Final: write it back.
    Reply(Response),
    /// Make the rows of the request durable, then answer with the receipt.
    Store(Receipt),
}

/// The server's side of the conversation with one terminal.
///
/// It holds what was learnt from the terminal and decides; it stores nothing and knows no socket. A terminal
/// that stays powered does not shake hands again when the server restarts, so a session works from the
/// serial alone.
#[derive(Debug, Clone)]
pub struct Session {
    serial: SerialNumber,
    admission: Admission,
    settings: Settings,
    dialect: Option<Dialect>,
    info: Option<Info>,
    last_seen: Option<DateTime<Utc>>,
}

impl Session {
    /// A session with an approved terminal.
    pub fn approved(serial: SerialNumber, settings: Settings) -> Self {
        Self { serial, admission: Admission::Approved, settings, dialect: None, info: None, last_seen: None }
    }

    /// A session with a terminal nobody has approved.
    pub fn unapproved(serial: SerialNumber, admission: Admission) -> Self {
        Self { admission, ..Self::approved(serial, Settings::default()) }
    }

    /// Decides what to do with a request of this terminal.
    ///
    /// Nothing an unapproved terminal sends is answered with status 200, and no upload is acknowledged here:
    /// that takes [`Receipt::stored`].
    pub fn handle(&mut self, request: &Request<'_>, now: DateTime<Utc>) -> Turn {
        self.last_seen = Some(now);
        if self.admission != Admission::Approved {
            return Turn::Reply(Response::retry_later());
        }
        match request {
            Request::Handshake(handshake) => Turn::Reply(self.shake_hands(handshake)),
            Request::Alive | Request::Ping(_) => Turn::Reply(Response::idle()),
            Request::Poll(poll) => {
                self.info = poll.info.clone().or_else(|| self.info.take());
                Turn::Reply(Response::idle())
            }
            Request::Upload(upload) => Turn::Store(Receipt::new(upload.ack())),
            Request::Results(_) => Turn::Store(Receipt::new(Ack::Plain)),
            Request::QueryPage(page) => {
                Turn::Store(Receipt::new(Ack::Table { name: page.table.clone(), count: page.count }))
            }
            // Nothing of it is kept, so there is nothing to wait for.
            Request::FingerImage(_) | Request::CheckOutcome(_) => Turn::Reply(Response::idle()),
            // Refused, it stays on the terminal until somebody can open it.
            Request::Package(_) => Turn::Reply(Response::retry_later()),
            Request::Registry(_)
            | Request::Configuration(_)
            | Request::BackgroundCheck(_)
            | Request::FileDownload(_)
            | Request::FilePart(_)
            | Request::Time
            | Request::UserLookup { .. }
            | Request::Exchange(_)
            | Request::Unserved(_) => Turn::Reply(Response::unserved()),
        }
    }

    /// Changes what the terminal is told from now on, such as the offset after a change of daylight saving.
    pub fn set_time_zone(&mut self, time_zone: TimeZoneMinutes) {
        self.settings.time_zone = time_zone;
    }

    /// Moves the resume mark behind an upload whose rows are durable: the next handshake gives it back.
    ///
    /// The mark of an upload names its own last row, so this is for rows that are stored, never for rows that
    /// have only arrived. Without it a terminal that goes by marks sends more than it must, and loses nothing.
    pub fn advance(&mut self, upload: &Upload<'_>) {
        let Some(stamp) = upload.stamp() else { return };
        if upload.table().is(Table::ATTLOG) {
            stamp.clone_into(&mut self.settings.attlog_stamp);
        } else if upload.table().is(Table::OPERLOG) {
            stamp.clone_into(&mut self.settings.operlog_stamp);
        }
    }

    /// When the terminal was last heard.
    pub fn last_seen(&self) -> Option<DateTime<Utc>> {
        self.last_seen
    }

    /// What the terminal last told about itself.
    pub fn info(&self) -> Option<&Info> {
        self.info.as_ref()
    }

    /// The dialect of this connection, as far as it is known.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    fn shake_hands(&mut self, handshake: &Handshake) -> Response {
        self.dialect = Some(handshake.dialect());
        let version = handshake.push_version.as_deref().unwrap_or("2.2.14");
        let mut block = OptionBlock::new(self.serial.clone(), version);
        block.time_zone = self.settings.time_zone;
        block.delay = spread(&self.serial, self.settings.delay, 10);
        block.error_delay = spread(&self.serial, self.settings.error_delay, 2);
        block.attlog_stamp.clone_from(&self.settings.attlog_stamp);
        block.operlog_stamp.clone_from(&self.settings.operlog_stamp);
        Response::options(&block)
    }
}

/// Adds up to one part in `parts` to `seconds`, always the same for one serial.
fn spread(serial: &SerialNumber, seconds: u32, parts: u32) -> u32 {
    // FNV-1a: any even spread will do, and this one is the same on every machine.
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = serial.as_str().bytes().fold(0x811c_9dc5, mix);
    let room = seconds.checked_div(parts).unwrap_or(0).saturating_add(1);
    seconds.saturating_add(hash.checked_rem(room).unwrap_or(0))
}
