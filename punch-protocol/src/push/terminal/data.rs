//! `DATA …` commands: what they change, and the answers to queries.

use alloc::format;
use alloc::vec::Vec;

use super::commands::value;
use super::results::Outcome;
use super::users::TerminalUser;
use super::{Parcel, Terminal, rows};
use crate::Pin;
use crate::push::CommandLine;

/// Tables of attendance firmware that are taken and of which nothing is kept.
const ATTENDANCE_TABLES: [&str; 12] = [
    "SMS",
    "USER_SMS",
    "ADPIC",
    "WALLPAPER",
    "WORKCODE",
    "ShortcutKey",
    "AccGroup",
    "AccTimeZone",
    "AccHoliday",
    "AccUnLockComb",
    "ATTPHOTO",
    "ERRORLOG",
];

/// Templates and pictures. They are checked as firmware checks them, and dropped.
const BIOMETRIC_TABLES: [&str; 6] = ["FINGERTMP", "FACE", "FVEIN", "BIODATA", "USERPIC", "BIOPHOTO"];

/// Tables of access firmware beside `user` and `transaction`.
const ACCESS_TABLES: [&str; 27] = [
    "extuser",
    "mulcarduser",
    "identitycard",
    "usereleauthorize",
    "gatepassrule",
    "ExtBoardID",
    "userauthorize",
    "timezone",
    "holiday",
    "templatev10",
    "biodata",
    "biophoto",
    "userpic",
    "firstcard",
    "multimcard",
    "inoutfun",
    "outrelaysetting",
    "DSTSetting",
    "DevProperty",
    "DevParameters",
    "DoorProperty",
    "DoorParameters",
    "ReaderProperty",
    "ReaderParameters",
    "InputIOSetting",
    "DiffTimezoneVS",
    "errorlog",
];

/// Records in one page of the answer to a query.
const PAGE: usize = 500;

fn is_one_of(table: &str, tables: &[&str]) -> bool {
    tables.iter().any(|known| known.eq_ignore_ascii_case(table))
}

impl Terminal {
    pub(super) fn attendance_data(&mut self, verb: &str, command: &CommandLine<'_>) -> Outcome {
        let table = command.table.unwrap_or_default();
        match verb {
            "DATA UPDATE" => Outcome::new(self.update(table, command), "DATA"),
            "DATA DELETE" => Outcome::new(self.delete(table, command), "DATA"),
            _ => Outcome::new(self.query(table, command), "DATA QUERY"),
        }
    }

    /// Verbs from before 2.2.
    pub(super) fn legacy_data(&mut self, verb: &str, command: &CommandLine<'_>) -> Outcome {
        match verb {
            "DATA USER" => Outcome::new(self.update("USERINFO", command), "DATA"),
            "DATA DEL_USER" => Outcome::new(self.delete("USERINFO", command), "DATA"),
            _ => Outcome::new(0, "DATA"),
        }
    }

    fn update(&mut self, table: &str, command: &CommandLine<'_>) -> i32 {
        if table.eq_ignore_ascii_case("USERINFO") {
            return self.put_user(command.detail);
        }
        if is_one_of(table, &BIOMETRIC_TABLES) {
            let known = value(command, "PIN").is_some_and(|pin| self.users.get(pin).is_some());
            let content = ["TMP", "Content"].iter().find_map(|key| value(command, key)).unwrap_or_default();
            let size = value(command, "Size").and_then(|size| size.parse::<usize>().ok());
            let whole = size.is_none_or(|size| size == content.len() || content.is_empty());
            return if !known {
                -10
            } else if whole {
                0
            } else {
                -9
            };
        }
        if is_one_of(table, &ATTENDANCE_TABLES) { 0 } else { -1004 }
    }

    /// Only the keys given are changed, but an empty value overwrites.
    fn put_user(&mut self, record: &str) -> i32 {
        let pairs = || record.split('\t').filter_map(|pair| pair.split_once('='));
        let pin = pairs().find(|(key, _)| key.eq_ignore_ascii_case("PIN")).map(|(_, pin)| pin.trim());
        let Some(pin) = pin.filter(|pin| !pin.is_empty()) else { return self.bad_parameter() };
        let new = || TerminalUser::new(Pin::new(pin.as_bytes()).into_owned());
        let mut user = self.users.get(pin).cloned().unwrap_or_else(new);
        for (key, value) in pairs() {
            user.take(key.trim(), value);
        }
        if self.users.put(user, Self::USERS_MAX).is_some() { 0 } else { -1001 }
    }

    fn delete(&mut self, table: &str, command: &CommandLine<'_>) -> i32 {
        let known = is_one_of(table, &ATTENDANCE_TABLES) || is_one_of(table, &BIOMETRIC_TABLES);
        match value(command, "PIN") {
            Some(pin) if table.eq_ignore_ascii_case("USERINFO") => {
                // One who is not there is gone already.
                self.users.remove(pin);
                0
            }
            None if table.eq_ignore_ascii_case("USERINFO") => -1,
            Some(_) | None if known => 0,
            Some(_) | None => -1004,
        }
    }

    /// The answer comes as ordinary uploads; newer firmware writes the command and the pages into the query.
    fn query(&mut self, table: &str, command: &CommandLine<'_>) -> i32 {
        let (table, found) = match table.to_ascii_uppercase().as_str() {
            "ATTLOG" => ("ATTLOG", self.punches_between(value(command, "StartTime"), value(command, "EndTime"))),
            "USERINFO" => {
                let users = self.users.select(value(command, "PIN"));
                ("OPERLOG", users.into_iter().map(|user| rows::user(user, self.profile.language)).collect())
            }
            other if is_one_of(other, &BIOMETRIC_TABLES) || other == "ATTPHOTO" => return -1,
            _ => return -1004,
        };
        let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
        let pages = found.len().div_ceil(self.batch);
        for (number, page) in (1_usize..).zip(found.chunks(self.batch)) {
            let stamp = self.stamp_of(page.last().map(Vec::as_slice).unwrap_or_default());
            let name = self.stamp_name(table);
            let mut query = format!("&table={table}&{name}={stamp}");
            if !self.profile.is_classic() {
                let (rows, id) = (page.len(), command.id);
                query.push_str(&format!("&Count={rows}&PackCnt={pages}&PackIdx={number}&CmdId={id}"));
            }
            self.parcels.push_back(Parcel { endpoint: "cdata", query, body: joined(page), expects: None });
        }
        if count == 0 { -1 } else { count }
    }

    pub(super) fn access_data(&mut self, verb: &str, command: &CommandLine<'_>) -> Outcome {
        let named = command.pairs().find(|(key, _)| key.eq_ignore_ascii_case("tablename"));
        let table = named.map(|(_, table)| table).or(command.table).unwrap_or_default();
        if !is_one_of(table, &["user", "transaction"]) && !is_one_of(table, &ACCESS_TABLES) {
            return Outcome::new(-100, verb);
        }
        let code = match verb {
            "DATA UPDATE" => self.update_records(table, command),
            "DATA DELETE" => self.delete_records(table, command.detail),
            "DATA COUNT" => {
                let count = self.records(table, "*").len();
                self.answer_query(
                    "count",
                    table,
                    command.id,
                    [(count, format!("{table}={count}").into_bytes())].into(),
                );
                i32::try_from(count).unwrap_or(i32::MAX)
            }
            _ => self.query_records(table, command),
        };
        Outcome::new(code, verb)
    }

    fn update_records(&mut self, table: &str, command: &CommandLine<'_>) -> i32 {
        if !table.eq_ignore_ascii_case("user") {
            return 0;
        }
        let records = core::iter::once(command.detail).chain(command.continuation.iter().copied());
        let codes: Vec<i32> = records.map(|record| self.put_user(record)).collect();
        codes.into_iter().find(|code| *code != 0).unwrap_or(0)
    }

    /// `*`, or conditions joined by TAB.
    fn delete_records(&mut self, table: &str, conditions: &str) -> i32 {
        let pin = pin_of(conditions);
        match (table.to_ascii_lowercase().as_str(), conditions.trim()) {
            (_, "") => return -101,
            ("user", "*") => self.users.clear(),
            ("transaction", "*") => self.clear_punches(),
            ("user", _) => {
                let Some(pin) = pin else { return -101 };
                self.users.remove(pin);
            }
            _ => {}
        }
        0
    }

    fn query_records(&mut self, table: &str, command: &CommandLine<'_>) -> i32 {
        let filter = command.detail.split_once("filter=").map_or("*", |(_, filter)| filter);
        let found = self.records(table, filter);
        let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
        let pages = found.chunks(PAGE).map(|page| (page.len(), joined(page))).collect();
        self.answer_query("tabledata", table, command.id, pages);
        count
    }

    /// The records of a table that a filter lets through: everybody, one PIN, or what was never acknowledged.
    fn records(&self, table: &str, filter: &str) -> Vec<Vec<u8>> {
        let pin = pin_of(filter);
        if table.eq_ignore_ascii_case("user") {
            let users = (1_usize..).zip(self.users.select(pin));
            return users.map(|(uid, user)| rows::user_record(user, uid)).collect();
        }
        if !table.eq_ignore_ascii_case("transaction") {
            return Vec::new();
        }
        let skipped =
            if filter.trim() == "NewRecord" { self.punches.len().saturating_sub(self.punches.pending()) } else { 0 };
        let events = self.punches.rows().skip(skipped).filter_map(|row| rows::transaction(row, &self.serial));
        let wanted = |record: &Vec<u8>| pin.is_none_or(|pin| has_pair(record, &format!("pin={pin}")));
        events.filter(wanted).collect()
    }

    /// Puts the pages of an answer into the queue in front of the command's result. Each is answered `X=n`.
    pub(super) fn answer_query(&mut self, kind: &str, table: &str, id: &str, pages: Vec<(usize, Vec<u8>)>) {
        let count = pages.len();
        for (number, (rows, body)) in (1_usize..).zip(pages) {
            let query =
                format!("&type={kind}&cmdid={id}&tablename={table}&count={rows}&packcnt={count}&packidx={number}");
            let expects = Some(format!("{table}={rows}"));
            self.parcels.push_back(Parcel { endpoint: "querydata", query, body, expects });
        }
    }

    fn bad_parameter(&self) -> i32 {
        if self.profile.is_access_control() { -11 } else { -1 }
    }
}

fn pin_of(conditions: &str) -> Option<&str> {
    let mut pairs = conditions.split('\t').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case("Pin")).map(|(_, pin)| pin.trim())
}

fn has_pair(record: &[u8], pair: &str) -> bool {
    record
        .split(|byte| *byte == b'\t')
        .any(|field| field == pair.as_bytes() || field.ends_with(format!(" {pair}").as_bytes()))
}

/// Rows with their line ends.
fn joined(rows: &[Vec<u8>]) -> Vec<u8> {
    rows.iter().flat_map(|row| row.iter().copied().chain([b'\n'])).collect()
}
