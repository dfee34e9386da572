//! Why a terminal calls, and the request it then writes.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDateTime;

use super::{Terminal, TerminalRequest, rows};
use crate::civil::Written;
use crate::push::EncodedTime;

/// What a request is about.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Errand {
    Handshake,
    Registry,
    Configuration,
    Options,
    Time,
    State,
    Ping,
    Upload { store: Store, numbers: Vec<u64>, expects: Option<String> },
    Page,
    Results,
    Poll,
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Handshake => "Handshake",
            Self::Registry => "Registry",
            Self::Configuration => "Configuration",
            Self::Options => "Options",
            Self::Time => "Time",
            Self::State => "State",
            Self::Ping => "Ping",
            Self::Upload { store, numbers, .. } => return write!(f, "Upload({store:?}, {} rows)", numbers.len()),
            Self::Page => "Page",
            Self::Results => "Results",
            Self::Poll => "Poll",
        };
        f.write_str(name)
    }
}

/// The logs that are uploaded, in the order in which they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Punches,
    Operations,
    Errors,
    Photos,
}

impl Terminal {
    pub(super) fn get(&self, endpoint: &str, query: &str) -> TerminalRequest {
        self.request("GET", endpoint, query, Vec::new())
    }

    pub(super) fn post(&self, endpoint: &str, query: &str, body: Vec<u8>) -> TerminalRequest {
        self.request("POST", endpoint, query, body)
    }

    fn request(&self, method: &'static str, endpoint: &str, query: &str, body: Vec<u8>) -> TerminalRequest {
        let profile = &self.profile;
        let target = format!("{}{endpoint}{}?SN={}{query}", profile.base, profile.suffix, self.serial);
        let headers = profile.headers(self.token().as_deref(), !body.is_empty());
        TerminalRequest { method, target, version: profile.http_version(), headers, body }
    }

    /// The upload of a batch of `store`; `None` if nothing of it is due and wanted.
    pub(super) fn upload(&self, store: Store) -> Option<(Errand, TerminalRequest)> {
        let rows = if store == Store::Photos { 1 } else { self.batch };
        let mut batch = self.log(store).batch(|word| self.wants(word), rows, self.orders.max_post)?;
        if store == Store::Photos {
            batch.body.pop();
        }
        let (endpoint, query, expects) = if self.profile.is_access_control() {
            access_address(store, batch.numbers.len())
        } else {
            self.attendance_address(store, &batch.last)
        };
        let errand = Errand::Upload { store, numbers: batch.numbers, expects };
        Some((errand, self.post(endpoint, &query, batch.body)))
    }

    pub(super) fn wants(&self, word: &str) -> bool {
        self.orders.wants(word, &self.profile)
    }

    fn attendance_address(&self, store: Store, last: &[u8]) -> (&'static str, String, Option<String>) {
        let table = match store {
            Store::Punches => "ATTLOG",
            Store::Operations => "OPERLOG",
            Store::Errors => "ERRORLOG",
            Store::Photos => "ATTPHOTO",
        };
        let name = self.stamp_name(table);
        let endpoint = if name == "PhotoStamp" { "fdata" } else { "cdata" };
        (endpoint, format!("&table={table}&{name}={}", self.stamp_of(last)), None)
    }

    /// Without a `ServerVer` old firmware has a name for the mark of each table, and an endpoint for photos. Newer
    /// firmware mixes.
    pub(super) fn stamp_name(&self, table: &str) -> &'static str {
        let old = self.profile.is_classic() && !self.orders.names_version;
        match table {
            "OPERLOG" if old || !self.profile.is_classic() => "OpStamp",
            "ATTPHOTO" if old => "PhotoStamp",
            _ => "Stamp",
        }
    }

    /// The resume mark of an upload that ends with `row`: its time, packed, or the `9999` of newer firmware.
    pub(super) fn stamp_of(&self, row: &[u8]) -> String {
        if !self.profile.is_classic() {
            return "9999".to_owned();
        }
        let stamp = rows::time_of(row).or_else(|| photo_time(row)).and_then(EncodedTime::of);
        stamp.map_or_else(|| "0".to_owned(), |EncodedTime(stamp)| stamp.to_string())
    }

    /// The state of the one door: closed, locked, no alarm.
    pub(super) fn state_row(&self, time: NaiveDateTime) -> Vec<u8> {
        format!("time={}\tsensor=01\trelay=00\talarm=0000000000000000\tdoor=01", Written(time)).into_bytes()
    }

    /// What follows `SN=…` in a poll: the counters, if they are not what the server last heard.
    pub(super) fn poll_query(&self) -> String {
        let counters = self.counters();
        if self.profile.is_access_control() || self.told == Some(counters) {
            return String::new();
        }
        let [users, punches] = counters;
        let (firmware, address) = (&self.profile.firmware, &self.profile.address);
        // Old firmware puts the text in as it is, blanks and all.
        let firmware = if self.profile.is_classic() { firmware.clone() } else { firmware.replace(' ', "%20") };
        format!("&INFO={firmware},{users},0,{punches},{address},10,-1,0,0,100")
    }

    pub(super) fn counters(&self) -> [usize; 2] {
        [self.users.len(), self.punches.len()]
    }

    /// A stand-in for the session token: the vendor's digest of registry code, serial and session is not public.
    fn token(&self) -> Option<String> {
        let code = self.registry_code.as_deref()?;
        let session = self.orders.session.as_deref().unwrap_or_default();
        let text = [code, self.serial.as_str(), session].join("\n");
        let mix =
            |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        Some(format!("{:032x}", text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, mix)))
    }
}

fn access_address(store: Store, rows: usize) -> (&'static str, String, Option<String>) {
    let table = match store {
        Store::Operations => "user",
        Store::Errors => "errorlog",
        Store::Punches | Store::Photos => return ("cdata", "&table=rtlog".to_owned(), None),
    };
    let query = format!("&table=tabledata&tablename={table}&count={rows}");
    ("cdata", query, Some(format!("{table}={rows}")))
}

fn photo_time(body: &[u8]) -> Option<NaiveDateTime> {
    let digits = body.strip_prefix(b"PIN=")?.get(..14)?;
    NaiveDateTime::parse_from_str(core::str::from_utf8(digits).ok()?, "%Y%m%d%H%M%S").ok()
}
