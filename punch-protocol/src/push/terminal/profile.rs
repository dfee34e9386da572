use alloc::borrow::{Cow, ToOwned as _};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::TimeDelta;

/// What kind of terminal to be: firmware family, dialect, and what the box says about itself.
///
/// Three families are on record, and each constructor names its source. The fields are what differs between
/// two boxes of a family.
///
/// ```
/// use punch_protocol::SerialNumber;
/// use punch_protocol::push::{Profile, Terminal};
///
/// let mut profile = Profile::classic();
/// profile.memory = 50_000;
/// let terminal = Terminal::with_profile(SerialNumber::parse("OLD1")?, profile);
/// assert_eq!(terminal.pending(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    pub(super) family: Family,
    /// The path in front of the endpoints. Operators type it into the terminal. Default `/iclock/`.
    pub base: String,
    /// What follows the name of an endpoint: `.aspx` on some brands. Default nothing.
    pub suffix: String,
    /// Language as a character code: 69 English, 97 Spanish. With 83 names are written in GB18030.
    pub language: u32,
    /// `~DeviceName`.
    pub name: String,
    /// Firmware version; it has a blank in it, as the vendor's have.
    pub firmware: String,
    /// Its address in its own network, which it tells in `INFO`.
    pub address: String,
    /// A shared secret for the handshake (`pushcommkey`), 32 hexadecimal digits. Sent in the clear.
    pub comm_key: Option<String>,
    /// Punches kept, 100,000 by default. See [`Terminal::punch`](super::Terminal::punch) for what happens at the end.
    pub memory: usize,
    /// After an outage, what happens now is sent before what happened then. Default no.
    pub live_first: bool,
    /// The daylight saving option of the terminal itself: an hour more than `Date` and `TimeZone` say.
    pub daylight_saving: bool,
    /// How long it is away after `REBOOT`. Default 60 s.
    pub boot_time: TimeDelta,
    /// What a remote enrolment returns: 0 done, 2 exists, 4 failed, 6 cancelled. Default 0.
    pub enrolment: i32,
}

/// The firmware families. They differ in what they look at, not only in what they write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Classic,
    Attendance,
    AccessControl,
}

impl Profile {
    /// A current attendance terminal: HTTP/1.1, protocol 2.4.1, a resume mark of its own (it writes `9999`).
    ///
    /// It never offers templates.
    pub fn attendance() -> Self {
        Self::of(Family::Attendance, "Simulated ATT", "Ver 8.0.4.3-20220708")
    }

    /// A terminal of the 2.0 generation, as the device library in C behaves: HTTP/1.0, options found by prefix,
    /// acts on terminated lines only, any `OK` in the body will do, resume marks are encoded times, three quick
    /// retries, idle polls at growing distance.
    pub fn classic() -> Self {
        Self::of(Family::Classic, "Simulated iClock", "Ver 6.60 Jul 12 2012")
    }

    /// An access-control terminal of protocol 3.1.2: registration, session token, `rtlog`, `tabledata`.
    pub fn access_control() -> Self {
        Self::of(Family::AccessControl, "Simulated ACC", "Ver 8.0.1.3-20151229")
    }

    fn of(family: Family, name: &str, firmware: &str) -> Self {
        Self {
            family,
            base: "/iclock/".to_owned(),
            suffix: String::new(),
            language: 69,
            name: name.to_owned(),
            firmware: firmware.to_owned(),
            address: "192.168.1.201".to_owned(),
            comm_key: None,
            memory: 100_000,
            live_first: false,
            daylight_saving: false,
            boot_time: TimeDelta::seconds(60),
            enrolment: 0,
        }
    }

    pub(super) fn is_classic(&self) -> bool {
        self.family == Family::Classic
    }

    pub(super) fn is_access_control(&self) -> bool {
        self.family == Family::AccessControl
    }

    /// The protocol version announced; the classic announces none, which means 2.2.14.
    pub(super) fn version(&self) -> &'static str {
        match self.family {
            Family::Classic => "2.2.14",
            Family::Attendance => "2.4.1",
            Family::AccessControl => "3.1.2",
        }
    }

    pub(super) fn http_version(&self) -> &'static str {
        if self.is_classic() { "HTTP/1.0" } else { "HTTP/1.1" }
    }

    /// What follows `SN=…` in the handshake.
    pub(super) fn greeting(&self) -> String {
        let key = self.comm_key.as_deref().map(|key| format!("&pushcommkey={key}")).unwrap_or_default();
        let (language, version) = (self.language, self.version());
        match self.family {
            Family::Classic => format!("&options=all{key}"),
            Family::Attendance => {
                format!("&options=all&language={language}&pushver={version}&DeviceType=att&PushOptionsFlag=1{key}")
            }
            Family::AccessControl => {
                format!("&options=all&language={language}&pushver={version}&DeviceType=acc{key}")
            }
        }
    }

    /// Headers but `Host` and `Content-Length`.
    pub(super) fn headers(&self, token: Option<&str>, has_body: bool) -> Vec<(&'static str, Cow<'static, str>)> {
        let agent = ("User-Agent", Cow::Borrowed("iClock Proxy/1.09"));
        if self.is_classic() {
            return Vec::from([agent, ("Connection", "close".into()), ("Accept", "*/*".into())]);
        }
        let cookie = token.map(|token| ("Cookie", Cow::Owned(format!("token={token}"))));
        let mut headers: Vec<_> = cookie.into_iter().chain([agent]).collect();
        headers.extend([
            ("Connection", Cow::Borrowed("starting")),
            ("Accept", "application/push".into()),
            ("Accept-Charset", "UTF-8".into()),
            ("Accept-Language", "zh-CN".into()),
        ]);
        if has_body {
            headers.extend([
                ("Content-Type", Cow::Borrowed("application/push;charset=UTF-8")),
                ("Content-Language", "zh-CN".into()),
            ]);
        }
        headers
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("family", &self.family).field("name", &self.name).finish_non_exhaustive()
    }
}
