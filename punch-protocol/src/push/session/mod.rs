mod encryption;
mod greeting;
mod settings;
mod stamps;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use self::encryption::may_be_encrypted;
use self::greeting::{DELAY_PARTS, spread};
pub use self::settings::{CommKey, Settings};
pub use self::stamps::Stamps;

use super::access_answer::ServerTime;
use super::commands::{CommandError, CommandQueue, CommandUpdate, Ticket};
use super::handshake::Dialect;
use super::info::Info;
use super::request::Request;
use super::response::{Dispatch, Receipt, Reception, Response};
use super::results::CommandResults;
use super::time_zone::TimeZoneMinutes;
use super::upload::{Ack, Table, UploadHead};
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

/// What to do with a request.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a terminal is waiting for the answer"]
pub enum Turn {
    /// Final: write it back.
    Reply(Response),
    /// Make the rows of the request durable, then answer with the receipt.
    Store(Receipt),
    /// Write down that these commands are sent, then send them.
    Dispatch(Dispatch),
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
    commands: CommandQueue,
    /// Of this connection epoch, which begins with a handshake.
    dialect: Option<Dialect>,
    version: Option<String>,
    registered: bool,
    verification_styles: Option<String>,
    key_shown: bool,
    wants_handshake: bool,
    info: Option<Info>,
    last_seen: Option<DateTime<Utc>>,
    clock_told_at: Option<DateTime<Utc>>,
}

impl Session {
    /// A session with an approved terminal.
    pub fn approved(serial: SerialNumber, settings: Settings) -> Self {
        Self {
            serial,
            admission: Admission::Approved,
            commands: CommandQueue::new(settings.command_limits),
            dialect: settings.dialect,
            version: None,
            registered: false,
            verification_styles: None,
            key_shown: settings.comm_key.is_none(),
            wants_handshake: false,
            info: None,
            last_seen: None,
            clock_told_at: None,
            settings,
        }
    }

    /// A session with a terminal nobody has approved.
    pub fn unapproved(serial: SerialNumber, admission: Admission) -> Self {
        Self { admission, ..Self::approved(serial, Settings::default()) }
    }

    /// Decides what to do with a request of this terminal.
    ///
    /// Nothing an unapproved terminal sends is answered with status 200, no upload is acknowledged here (that takes
    /// [`Receipt::stored`]), and no command leaves here (that takes [`Dispatch::recorded`]).
    pub fn handle(&mut self, request: &Request<'_>, now: DateTime<Utc>) -> Turn {
        self.last_seen = Some(now);
        if self.admission != Admission::Approved {
            return Turn::Reply(self.refusal(request));
        }
        if let Request::Handshake(handshake) = request {
            return Turn::Reply(self.shake_hands(handshake, now));
        }
        if !self.key_shown {
            return Turn::Reply(self.key_first(request));
        }
        self.learn_dialect(request);
        match request {
            Request::Handshake(_) | Request::Alive | Request::Ping(_) => Turn::Reply(Response::idle()),
            Request::Poll(poll) => {
                self.info = poll.info.clone().or_else(|| self.info.take());
                self.answer_poll(now)
            }
            Request::Upload(upload) => match self.take_upload(upload.head(), upload.body()) {
                Ok(_) => Turn::Store(Receipt::new(upload.ack())),
                Err(refusal) => Turn::Reply(refusal),
            },
            Request::Results(_) => Turn::Store(Receipt::new(Ack::Plain)),
            Request::QueryPage(page) => {
                Turn::Store(Receipt::new(Ack::Table { name: page.table.clone(), count: page.count }))
            }
            Request::Registry(options) => Turn::Reply(self.register(options)),
            Request::Configuration(_) => Turn::Reply(self.configure()),
            Request::Exchange(_) => {
                self.settings.declines_encryption = true;
                Turn::Reply(Response::unserved())
            }
            // Nothing of it is kept, so there is nothing to wait for.
            Request::FingerImage(_) | Request::CheckOutcome(_) => Turn::Reply(Response::idle()),
            // The shell opens it (`Package::open`), or refuses it, and it stays on the terminal.
            Request::Package(_) => Turn::Store(Receipt::new(Ack::Plain)),
            // Refused, it stays on the terminal: nobody here wants files.
            Request::FilePart(_) => Turn::Reply(Response::retry_later()),
            Request::Time => Turn::Reply(self.tell_time(now)),
            Request::UserLookup { .. } => Turn::Reply(Response::nobody()),
            Request::BackgroundCheck(check) => Turn::Reply(Response::undecided(check)),
            Request::FileDownload(_) | Request::Unserved(_) => Turn::Reply(Response::unserved()),
        }
    }

    /// Decides about an upload before its body is there; `opening` is as much of the body as has come.
    ///
    /// A shell that reads bodies piece by piece ([`RowStream`](super::RowStream)) asks this, stores rows as they come,
    /// and answers with the receipt that [`Reception::complete`] makes.
    ///
    /// # Errors
    ///
    /// The refusal to write back; the body need not be read.
    pub fn receive(&mut self, head: &UploadHead, opening: &[u8], now: DateTime<Utc>) -> Result<Reception, Response> {
        self.last_seen = Some(now);
        if self.admission != Admission::Approved || !self.key_shown {
            return Err(Response::retry_later());
        }
        self.take_upload(head, opening)
    }

    /// Takes a command for the terminal, new or from an earlier life. It goes out with the answer to a poll.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the queue is full or the id is taken.
    pub fn submit(&mut self, ticket: Ticket) -> Result<(), CommandError> {
        self.commands.submit(ticket)
    }

    /// The commands of the terminal.
    pub fn commands(&self) -> &CommandQueue {
        &self.commands
    }

    /// Takes back a command that has never been sent.
    pub fn cancel(&mut self, id: &super::CommandId) -> Option<Ticket> {
        self.commands.cancel(id)
    }

    /// What posted results say of the commands. Store it with them, then call [`Session::settled`].
    pub fn outcomes(&self, results: &CommandResults<'_>) -> Vec<CommandUpdate> {
        self.commands.outcomes(results, self.command_dialect())
    }

    /// The commands whose time is over or that cannot be written. Store it, then call [`Session::settled`].
    pub fn overdue(&self, now: DateTime<Utc>) -> Vec<CommandUpdate> {
        self.commands.overdue(now)
    }

    /// What became of commands is durable: they are forgotten here.
    pub fn settled(&mut self, updates: &[CommandUpdate]) {
        self.commands.settled(updates);
    }

    /// The commands of a [`Turn::Dispatch`] could not be written down: they go out another time.
    pub fn withhold(&mut self, dispatch: Dispatch) -> Response {
        self.commands.put_back(dispatch.commands());
        Response::idle()
    }

    /// Makes the terminal shake hands again at its next poll, because what it was told has changed.
    ///
    /// Access terminals are not asked: whether they understand `UNKNOWN DEVICE` is not on record.
    pub fn request_handshake(&mut self) {
        self.wants_handshake = true;
    }

    /// Changes what the terminal is told from now on, such as the offset after a change of daylight saving.
    pub fn set_time_zone(&mut self, time_zone: TimeZoneMinutes) {
        self.settings.time_zone = time_zone;
    }

    /// Moves the resume mark behind an upload whose rows are durable: the next handshake gives it back.
    ///
    /// The mark of an upload names its own last row, so this is for rows that are stored, never for rows that
    /// have only arrived. Without it a terminal that goes by marks sends more than it must, and loses nothing.
    pub fn advance(&mut self, head: &UploadHead) {
        self.settings.stamps.advance(head);
    }

    /// When the terminal was last heard.
    pub fn last_seen(&self) -> Option<DateTime<Utc>> {
        self.last_seen
    }

    /// When the terminal was last told the time: by the zone in the answer to a handshake, by the answer to its
    /// question, or by a command. What it made of that shows in its next rows.
    pub fn clock_told_at(&self) -> Option<DateTime<Utc>> {
        self.clock_told_at
    }

    /// How often the terminal is told to ask: [`Settings::delay`] with what is added for its serial.
    pub fn delay(&self) -> TimeDelta {
        TimeDelta::seconds(spread(&self.serial, self.settings.delay, DELAY_PARTS).into())
    }

    /// What the terminal last told about itself.
    pub fn info(&self) -> Option<&Info> {
        self.info.as_ref()
    }

    /// The dialect of this connection epoch, as far as it is known.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// Whether the terminal has tried to encrypt, to be kept for [`Settings::declines_encryption`].
    pub fn declines_encryption(&self) -> bool {
        self.settings.declines_encryption
    }

    /// A blocked access terminal is told so in the one way its firmware knows.
    fn refusal(&self, request: &Request<'_>) -> Response {
        if matches!(request, Request::Registry(_)) && self.admission == Admission::Blocked {
            Response::registration_refused()
        } else {
            Response::retry_later()
        }
    }

    /// Only a handshake carries the key. A poll is a good moment to ask for one; rows stay where they are.
    fn key_first(&self, request: &Request<'_>) -> Response {
        if matches!(request, Request::Poll(_)) { Response::unknown_device() } else { Response::retry_later() }
    }

    fn answer_poll(&mut self, now: DateTime<Utc>) -> Turn {
        let dialect = self.command_dialect();
        if self.wants_handshake && dialect == Dialect::Attendance {
            return Turn::Reply(Response::unknown_device());
        }
        let batch = self.commands.take(dialect, self.settings.encoding, now);
        let mut sent = self.commands.tickets().filter(|ticket| batch.ids.contains(&ticket.id));
        if sent.any(|ticket| ticket.command.sets_clock()) {
            self.clock_told_at = Some(now);
        }
        if batch.ids.is_empty() { Turn::Reply(Response::idle()) } else { Turn::Dispatch(Dispatch::new(batch)) }
    }

    fn take_upload(&mut self, head: &UploadHead, opening: &[u8]) -> Result<Reception, Response> {
        if !self.settings.declines_encryption && may_be_encrypted(head, opening) {
            // Without an `OK` the rows stay there; the next handshake names a version that does not encrypt.
            self.settings.declines_encryption = true;
            return Err(Response::unknown_device());
        }
        self.learn_from_upload(head.table());
        Ok(Reception::new(head))
    }

    /// What a request proves about the dialect. A handshake begins a new epoch and is not asked here.
    fn learn_dialect(&mut self, request: &Request<'_>) {
        if matches!(request, Request::Registry(_) | Request::Configuration(_) | Request::QueryPage(_) | Request::Time) {
            self.dialect = Some(Dialect::AccessControl);
        }
    }

    fn learn_from_upload(&mut self, table: &Table) {
        let is_one_of = |names: &[&str]| names.iter().any(|name| table.is(name));
        if is_one_of(&[Table::RTLOG, Table::RTSTATE, Table::TABLEDATA]) {
            self.dialect = Some(Dialect::AccessControl);
        } else if is_one_of(&[Table::ATTLOG, Table::OPERLOG]) && self.dialect != Some(Dialect::AccessControl) {
            self.dialect = Some(Dialect::Attendance);
        }
    }

    /// The dialect commands are written in. A terminal that has not said speaks attendance.
    fn command_dialect(&self) -> Dialect {
        match self.dialect {
            Some(Dialect::AccessControl) => Dialect::AccessControl,
            Some(Dialect::Attendance | Dialect::Undecided) | None => Dialect::Attendance,
        }
    }

    /// The clock as access terminals ask for it: GMT, packed, and the zone in hours and minutes.
    fn tell_time(&mut self, now: DateTime<Utc>) -> Response {
        self.clock_told_at = Some(now);
        match ServerTime::new(now.naive_utc(), Some(self.settings.time_zone.minutes())) {
            Some(time) => Response::text(time.to_string()),
            None => Response::retry_later(),
        }
    }
}
