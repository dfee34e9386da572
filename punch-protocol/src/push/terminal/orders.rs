use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{NaiveDateTime, TimeDelta, Timelike as _};

use super::profile::Profile;
use crate::push::TimeZoneReading;

/// What the server has told the terminal to do: its option block, or its configuration in access control.
#[derive(Clone)]
pub(super) struct Orders {
    pub(super) delay: TimeDelta,
    pub(super) error_delay: TimeDelta,
    pub(super) realtime: bool,
    /// Times of day for uploads, in minutes, if not in real time.
    pub(super) times: Vec<u32>,
    /// Distance of uploads, if not in real time; zero is off.
    pub(super) interval: TimeDelta,
    /// What the server wants unasked, as spelled; everything if it does not say.
    pub(super) wanted: Option<String>,
    pub(super) zone: Option<TimeDelta>,
    /// Whether `ServerVer` occurred, which changes the address of uploads.
    pub(super) names_version: bool,
    pub(super) protocol: String,
    pub(super) push_options: bool,
    /// The options asked for; empty asks for all.
    pub(super) option_keys: Vec<String>,
    pub(super) ping: bool,
    pub(super) max_post: usize,
    /// Resume marks of punches, operations and photos, as spelled.
    pub(super) marks: [Option<String>; 3],
    pub(super) registry_code: Option<String>,
    pub(super) session: Option<String>,
}

/// Keys in the order in which old firmware compares them; the first that the line begins with is it.
const CLASSIC_KEYS: [&str; 18] = [
    "Stamp",
    "OpStamp",
    "PhotoStamp",
    "ErrorDelay",
    "Delay",
    "TransTimes",
    "TransInterval",
    "TransFlag",
    "Realtime",
    "Encrypt",
    "TimeZone",
    "ServerVer",
    "PushProtVer",
    "SupportPing",
    "MaxPostSize",
    "ATTLOGStamp",
    "OPERLOGStamp",
    "ATTPHOTOStamp",
];

impl Orders {
    /// What a terminal does that was told nothing.
    pub(super) fn unspoken(profile: &Profile) -> Self {
        let delay = TimeDelta::seconds(if profile.is_access_control() { 30 } else { 10 });
        Self {
            delay,
            error_delay: delay,
            realtime: true,
            times: Vec::new(),
            interval: TimeDelta::zero(),
            wanted: None,
            zone: (!profile.is_access_control()).then(TimeDelta::zero),
            names_version: false,
            protocol: "2.2.14".to_owned(),
            push_options: false,
            option_keys: Vec::new(),
            ping: profile.is_access_control(),
            max_post: usize::MAX,
            marks: [const { None }; 3],
            registry_code: None,
            session: None,
        }
    }

    /// Reads the option block of an attendance server; `None` if it is none.
    pub(super) fn of_block(profile: &Profile, body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let rest = text.strip_prefix("GET OPTION FROM:")?;
        let mut orders = Self::unspoken(profile);
        let mut takes_marks = !profile.is_classic();
        for line in lines(rest, profile.is_classic()).skip(1) {
            if profile.is_classic() && (line.starts_with("UN") || line.starts_with("RETRY")) {
                return None;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let known = CLASSIC_KEYS.into_iter().find(|known| line.starts_with(known));
            let key = if profile.is_classic() { known.unwrap_or_default() } else { key };
            takes_marks |= matches!(key, "Stamp" | "ServerVer");
            orders.take(key, value);
        }
        if !takes_marks {
            orders.marks = [const { None }; 3];
        }
        Some(orders)
    }

    /// Reads the configuration of an access-control server.
    pub(super) fn of_configuration(profile: &Profile, body: &[u8]) -> Self {
        let mut orders = Self::unspoken(profile);
        for line in lines(&String::from_utf8_lossy(body), false) {
            if let Some((key, value)) = line.split_once('=') {
                orders.take(key, value);
            }
        }
        orders
    }

    /// Takes one option, from a block or from `SET OPTION`. Whether the terminal knows it.
    pub(super) fn take(&mut self, key: &str, value: &str) -> bool {
        let number = value.trim().parse::<u32>().ok();
        let seconds = number.and_then(|number| TimeDelta::try_seconds(number.into()));
        let on = number == Some(1);
        let [punches, operations, photos] = &mut self.marks;
        match key {
            "Delay" | "RequestDelay" => self.delay = seconds.unwrap_or(self.delay),
            "ErrorDelay" => self.error_delay = seconds.unwrap_or(self.error_delay),
            "Realtime" => self.realtime = on,
            "TransTimes" => self.times = times(value),
            "TransInterval" => self.interval = TimeDelta::minutes(number.unwrap_or(0).into()),
            "TransFlag" | "TransTables" => self.wanted = Some(value.to_owned()),
            "TimeZone" => self.zone = Some(zone(value)),
            "ServerVer" => self.names_version = true,
            "PushProtVer" => value.clone_into(&mut self.protocol),
            "PushOptionsFlag" => self.push_options = on,
            "PushOptions" => self.option_keys = value.split(',').map(|key| key.trim().to_owned()).collect(),
            "SupportPing" => self.ping = on,
            "MaxPostSize" => self.max_post = size(value),
            "Stamp" | "ATTLOGStamp" => *punches = Some(value.to_owned()),
            "OpStamp" | "OPERLOGStamp" => *operations = Some(value.to_owned()),
            "PhotoStamp" | "ATTPHOTOStamp" => *photos = Some(value.to_owned()),
            "RegistryCode" => self.registry_code = Some(value.to_owned()),
            "SessionID" => self.session = Some(value.to_owned()),
            _ => return false,
        }
        true
    }

    /// Whether the server wants `word`, the way the firmware looks for it.
    pub(super) fn wants(&self, word: &str, profile: &Profile) -> bool {
        let Some(wanted) = self.wanted.as_deref().filter(|_| !word.is_empty()) else { return true };
        if profile.is_access_control() {
            return wanted.split([' ', '\t', ',']).any(|table| table.eq_ignore_ascii_case(word));
        }
        let bits = !wanted.is_empty() && wanted.bytes().all(|bit| matches!(bit, b'0' | b'1'));
        if bits {
            return self.wants_bit(word, wanted);
        }
        if profile.is_classic() {
            return wanted.contains(word);
        }
        // Between blanks only the first word is read, as units with a 3.x library do.
        let list = wanted.strip_prefix("TransData").unwrap_or(wanted).trim_start_matches(' ');
        list.split('\t').any(|field| field.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case(word)))
    }

    /// All zeros are photos only; what is beyond the string is on.
    fn wants_bit(&self, word: &str, bits: &str) -> bool {
        if bits.bytes().all(|bit| bit == b'0') {
            return word == "AttPhoto";
        }
        let place = crate::push::TransFlag::WORDS.into_iter().position(|known| known == word);
        place.and_then(|place| bits.as_bytes().get(place)).is_none_or(|bit| *bit == b'1')
    }

    /// When the next upload is due on the wall clock, if uploads are not in real time and one was at `last`.
    pub(super) fn next_transfer(&self, last: NaiveDateTime) -> Option<NaiveDateTime> {
        let interval = Some(self.interval).filter(|interval| !interval.is_zero());
        let regular = interval.and_then(|interval| last.checked_add_signed(interval));
        let minute = last.hour().saturating_mul(60).saturating_add(last.minute());
        let today = last.date().and_hms_opt(0, 0, 0)?;
        let daily = self.times.iter().filter_map(|&time| {
            let days = if time > minute { 0 } else { 1 };
            today.checked_add_signed(TimeDelta::days(days))?.checked_add_signed(TimeDelta::minutes(time.into()))
        });
        regular.into_iter().chain(daily).min()
    }

    /// Whether both sides speak at least `version`.
    pub(super) fn speaks(&self, version: [u32; 3], profile: &Profile) -> bool {
        numbers(&self.protocol) >= version && numbers(profile.version()) >= version
    }
}

/// Lines at LF, CR LF or CR. Old firmware acts on a line when it meets its end, so the last one needs one.
fn lines(text: &str, only_terminated: bool) -> impl Iterator<Item = &str> {
    let end = text.rfind(['\n', '\r']).unwrap_or(0);
    let text = if only_terminated { text.get(..end).unwrap_or_default() } else { text };
    text.split(['\n', '\r'])
}

fn times(value: &str) -> Vec<u32> {
    let time = |text: &str| -> Option<u32> {
        let (hours, minutes) = text.trim().split_once(':')?;
        let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
        (hours < 24 && minutes < 60).then(|| hours.saturating_mul(60).saturating_add(minutes))
    };
    value.split([';', '\t', ' ', ',']).filter_map(time).take(10).collect()
}

fn zone(value: &str) -> TimeDelta {
    let minutes = match TimeZoneReading::of(value.trim()) {
        TimeZoneReading::Minutes(minutes) => minutes,
        TimeZoneReading::WrongBy { hours, .. } => hours.saturating_mul(60),
        TimeZoneReading::Scanned(value) if value.unsigned_abs() >= 25 => value,
        TimeZoneReading::Scanned(hours) => hours.saturating_mul(60),
        TimeZoneReading::NotAnInteger => leading_integer(value).saturating_mul(60),
    };
    TimeDelta::minutes(minutes.into())
}

fn leading_integer(value: &str) -> i32 {
    let value = value.trim();
    let end = value.char_indices().position(|(at, c)| !(c.is_ascii_digit() || (at == 0 && matches!(c, '+' | '-'))));
    value.get(..end.unwrap_or(value.len())).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// 0 and what is no number are no limit.
fn size(value: &str) -> usize {
    value.trim().parse().ok().filter(|&size| size > 0).unwrap_or(usize::MAX)
}

fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.trim().parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}
