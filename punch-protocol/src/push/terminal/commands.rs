//! What a terminal does with the commands of a poll.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::event::TerminalEvent;
use super::profile::Family;
use super::results::{Form, Outcome};
use super::{Terminal, rows};
use crate::civil;
use crate::push::{CommandLine, ControlAction, ControlDevice, EncodedTime, Output, OutputTime, PollAnswer};

/// What the answer to a poll was to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    Orders,
    /// An empty body, or a line that is no command: the server counts as gone for a while.
    Nonsense,
}

/// The code for a verb nobody knows, by family; the same numbers mean other things elsewhere.
fn unknown(family: Family, command: &CommandLine<'_>) -> Outcome {
    match family {
        Family::Classic => Outcome::new(-22, "UNKNOWN CMD"),
        Family::Attendance => Outcome::new(-1002, command.verb.split(' ').next().unwrap_or_default()),
        Family::AccessControl => Outcome::new(-13, command.verb),
    }
}

impl Terminal {
    /// Reads the answer to a poll and does what it says, up to a restart.
    pub(super) fn hear(&mut self, body: &[u8], now: DateTime<Utc>) -> Heard {
        let text = self.decode(body);
        let classic = self.profile.is_classic();
        if text == "OK" {
            return Heard::Nothing;
        }
        let text = if classic { terminated(&text) } else { &text };
        let Some(start) = first_command(text) else {
            return if !classic && text.starts_with("OK") { Heard::Nothing } else { Heard::Nonsense };
        };
        let PollAnswer::Commands(commands) = PollAnswer::read(text.get(start..).unwrap_or_default()) else {
            return Heard::Nonsense;
        };
        for command in &commands {
            if self.results.is_full() || self.parcels.len() >= Self::PAGES_MAX || self.restart_due {
                break;
            }
            let outcome = self.execute(command, now);
            let (id, verb, code) = (self.echo(command.id), command.verb.to_owned(), outcome.code);
            self.results.add(&id, &outcome);
            self.report(TerminalEvent::CommandExecuted { id, verb, code });
        }
        Heard::Orders
    }

    fn execute(&mut self, command: &CommandLine<'_>, now: DateTime<Utc>) -> Outcome {
        let verb = command.verb.to_ascii_uppercase();
        let done = |code: i32| Outcome::new(code, verb.as_str());
        match (verb.as_str(), self.profile.is_access_control()) {
            ("DATA UPDATE" | "DATA DELETE" | "DATA QUERY" | "DATA COUNT", true) => self.access_data(&verb, command),
            ("CONTROL DEVICE", true) => done(self.control(command.detail)),
            ("DATA UPDATE" | "DATA DELETE" | "DATA QUERY", false) => self.attendance_data(&verb, command),
            ("DATA USER" | "DATA DEL_USER" | "DATA FP" | "DATA DEL_FP", false) if self.profile.is_classic() => {
                self.legacy_data(&verb, command)
            }
            ("SET OPTION" | "SET OPTIONS", _) => done(self.set_options(command.detail, now)),
            ("GET OPTION" | "GET OPTIONS", _) => self.get_options(&verb, command),
            ("ENROLL_FP" | "ENROLL_MF" | "ENROLL_BIO", _) => done(self.profile.enrolment),
            ("INFO", false) => done(0).with(Form::LineAndInfo, self.parameters()),
            ("CHECK", false) => {
                self.check_due = true;
                done(0)
            }
            ("LOG", false) => {
                self.transfer_asked = true;
                done(0)
            }
            ("REBOOT", false) => {
                self.restart_due = true;
                done(0)
            }
            ("AC_UNLOCK", false) => {
                self.open_door(1, 5);
                done(0)
            }
            ("RELOAD OPTIONS" | "AC_UNALARM", false) => done(0),
            ("SHELL" | "GETFILE" | "PUTFILE", false) => self.refuse_file(command),
            ("UPGRADE", false) => done(-1002),
            ("VERIFY SUM", false) => self.verify_sum(command),
            ("ACCOUNT", false) => self.account(command),
            (clear, false) if clear.starts_with("CLEAR ") => self.clear(clear),
            _ => unknown(self.profile.family, command),
        }
    }

    /// The id as the firmware's buffer keeps it.
    fn echo(&self, id: &str) -> String {
        id.chars().take(if self.profile.is_classic() { 19 } else { 16 }).collect()
    }

    fn decode<'a>(&self, body: &'a [u8]) -> Cow<'a, str> {
        match core::str::from_utf8(body) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) if matches!(self.profile.language, 83 | 84) => encoding_rs::GB18030.decode(body).0,
            Err(_) => String::from_utf8_lossy(body),
        }
    }

    fn open_door(&mut self, door: u8, seconds: u8) {
        self.state_due = self.profile.is_access_control();
        self.report(TerminalEvent::DoorOpened { door, seconds });
    }

    /// `AABBCCDD`: action, door, lock or output, seconds. Returns the result code.
    fn control(&mut self, detail: &str) -> i32 {
        let Some(control) = ControlDevice::parse(detail) else { return -11 };
        match (control.action, control.door(), control.output()) {
            (ControlAction::OUTPUT, Some(door), Some((Output::LOCK, OutputTime::Seconds(seconds)))) => {
                self.open_door(door, seconds);
            }
            (ControlAction::OUTPUT, Some(door), Some((Output::LOCK, OutputTime::Open))) => {
                self.open_door(door, u8::MAX);
            }
            (ControlAction::REBOOT, ..) => self.restart_due = true,
            (ControlAction(1..=0x12), ..) => {}
            _ => return -11,
        }
        0
    }

    fn set_options(&mut self, detail: &str, now: DateTime<Utc>) -> i32 {
        let pairs: Vec<_> = detail.split(',').filter_map(|pair| pair.trim().split_once('=')).collect();
        if pairs.is_empty() {
            return -1;
        }
        for (key, value) in pairs {
            if key.starts_with('~') {
                return -1;
            }
            if key == "DateTime" {
                let time = value.parse().ok().and_then(|number| EncodedTime(number).civil());
                let Some(time) = time else { return -1 };
                let by = self.clock.set(time, now);
                self.report(TerminalEvent::ClockSet { by });
            } else if !self.orders.take(key, value) {
                if self.settings.len() >= Self::SETTINGS_MAX && !self.settings.contains_key(key) {
                    return -1001;
                }
                self.settings.insert(key.to_owned(), value.to_owned());
            }
        }
        0
    }

    fn get_options(&mut self, verb: &str, command: &CommandLine<'_>) -> Outcome {
        if self.profile.is_access_control() {
            let keys: Vec<String> = command.detail.split(',').map(|key| key.trim().to_owned()).collect();
            let body = self.parameter_list(&keys).into_bytes();
            self.answer_query("options", "options", command.id, [(1, body)].into());
            return Outcome::new(0, verb);
        }
        let key = command.detail.strip_prefix("FROM ").unwrap_or(command.detail).trim();
        match self.parameter(key) {
            Some(value) => Outcome::new(0, verb).with(Form::Line, [(key.to_owned(), value)].into()),
            None => Outcome::new(-1, verb),
        }
    }

    /// A shell and the transfer of files are remote control of the machine. They are refused, in their own form.
    fn refuse_file(&self, command: &CommandLine<'_>) -> Outcome {
        let name = match command.verb.to_ascii_uppercase().as_str() {
            "SHELL" => "Shell",
            "GETFILE" => "GetFile",
            _ => "PutFile",
        };
        Outcome::new(-1002, name).with(Form::Alone, [("SN".to_owned(), self.serial.to_string())].into())
    }

    fn verify_sum(&self, command: &CommandLine<'_>) -> Outcome {
        let (start, end) = (value(command, "StartTime"), value(command, "EndTime"));
        if command.table.is_none_or(|table| !table.eq_ignore_ascii_case("ATTLOG")) {
            return Outcome::new(-1, "VERIFY SUM");
        }
        let count = self.punches_between(start, end).len().to_string();
        let (name, key) =
            if self.profile.is_classic() { ("VERIFY SUM ATTLOG", "AttlogCount") } else { ("VERIFY SUM", "AttlogSum") };
        let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.unwrap_or_default().to_owned());
        let pairs = [pair("StartTime", start), pair("EndTime", end), (key.to_owned(), count)];
        Outcome::new(0, name).with(Form::Line, pairs.into())
    }

    /// The server says how many punches it has of a period; if it is another number they are sent again.
    fn account(&mut self, command: &CommandLine<'_>) -> Outcome {
        let (start, end) = (value(command, "Start"), value(command, "End"));
        let found = self.punches_between(start, end);
        let count = found.len();
        if value(command, "Count").and_then(|count| count.parse().ok()) != Some(count) {
            let period = period(start, end);
            self.punches.send_again(|row| rows::time_of(row).is_some_and(|time| period.contains(&time)));
        }
        Outcome::new(i32::try_from(count).unwrap_or(i32::MAX), "ACCOUNT")
    }

    fn clear(&mut self, verb: &str) -> Outcome {
        if matches!(verb, "CLEAR LOG" | "CLEAR DATA") {
            self.clear_punches();
        }
        if matches!(verb, "CLEAR DATA" | "CLEAR ALL USERINFO") {
            self.users.clear();
        }
        Outcome::new(0, verb)
    }

    pub(super) fn clear_punches(&mut self) {
        let (punches, lost) = self.punches.clear();
        self.report(TerminalEvent::Cleared { punches, lost });
    }

    /// The punches whose rows say they were between two times, both included.
    pub(super) fn punches_between(&self, start: Option<&str>, end: Option<&str>) -> Vec<Vec<u8>> {
        let period = period(start, end);
        let within = |row: &&[u8]| rows::time_of(row).is_some_and(|time| period.contains(&time));
        self.punches.rows().filter(within).map(<[u8]>::to_vec).collect()
    }
}

/// A value of the command's first record, whatever the letter case of the key.
pub(super) fn value<'a>(command: &CommandLine<'a>, key: &str) -> Option<&'a str> {
    let pairs = command.detail.split('\t').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn period(start: Option<&str>, end: Option<&str>) -> core::ops::RangeInclusive<NaiveDateTime> {
    let read = |text: Option<&str>| text.and_then(|text| civil::parse(text.replace('T', " ").as_bytes()).ok());
    let start = read(start).unwrap_or(NaiveDateTime::MIN);
    start..=read(end).unwrap_or(NaiveDateTime::MAX)
}

/// What is behind the last line end has no end yet, and is not acted upon.
fn terminated(text: &str) -> &str {
    text.rfind(['\n', '\r']).and_then(|end| text.get(..end)).unwrap_or_default()
}

/// Where the first line that begins with `C:` begins. Lines before it are dropped.
fn first_command(text: &str) -> Option<usize> {
    if text.starts_with("C:") {
        return Some(0);
    }
    let found = text.find("\nC:").or_else(|| text.find("\rC:"));
    found.map(|at| at.saturating_add(1))
}
