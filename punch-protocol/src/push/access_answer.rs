//! What a server answers to access terminals, as the terminal reads it.

use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDateTime;

use super::control::ControlDevice;
use super::keyed::KeyedRow;
use crate::encoded_time::EncodedTime;

/// The configuration of an access terminal: the answer to `push`, and to the handshake of a registered unit.
///
/// ```
/// use punch_protocol::push::Configuration;
///
/// let block = "registry=ok\nRegistryCode=Uy47fxftP3\nRequestDelay=2\nTransTables=User Transaction\n";
/// let configuration = Configuration::parse(block).expect("a configuration");
/// assert_eq!(configuration.registry_code(), Some("Uy47fxftP3"));
/// assert_eq!(configuration.number("RequestDelay"), Some(2));
/// assert_eq!(configuration.tables().collect::<Vec<_>>(), ["User", "Transaction"]);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Configuration<'a> {
    /// Every `key=value` line, in order. Keys repeat if the server repeats them.
    pub pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Configuration<'a> {
    /// Reads a block; `None` if no line of it is a pair.
    pub fn parse(body: &'a str) -> Option<Self> {
        let pairs: Vec<_> = body.split(['\n', '\r']).filter_map(|line| line.split_once('=')).collect();
        (!pairs.is_empty()).then_some(Self { pairs })
    }

    /// The last value of `key`, exactly as spelled.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.pairs.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    /// The value of `key`, if it is an unsigned number.
    pub fn number(&self, key: &str) -> Option<u32> {
        self.value(key)?.parse().ok()
    }

    /// Whether the block says that the terminal is registered (`registry=ok`).
    pub fn is_registered(&self) -> bool {
        self.value("registry").is_some_and(|answer| answer.eq_ignore_ascii_case("ok"))
    }

    /// The code of the registration.
    pub fn registry_code(&self) -> Option<&'a str> {
        self.value("RegistryCode")
    }

    /// Times of day for uploads (`TransTimes`, `HH:MM`), separated by semicolons or TABs.
    pub fn times(&self) -> impl Iterator<Item = &'a str> {
        words(self.value("TransTimes"), &[';', '\t'])
    }

    /// Tables the terminal uploads unasked (`TransTables`), separated by blanks or TABs.
    pub fn tables(&self) -> impl Iterator<Item = &'a str> {
        words(self.value("TransTables"), &[' ', '\t'])
    }
}

impl fmt::Debug for Configuration<'_> {
    /// Keys only: the session's id is among the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(key, _)| key)).finish()
    }
}

fn words<'a>(list: Option<&'a str>, separators: &'static [char]) -> impl Iterator<Item = &'a str> {
    list.unwrap_or_default().split(separators).filter(|word| !word.is_empty())
}

/// The answer to a registration.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationAnswer<'a> {
    /// Registered under this code, at most 32 characters. It is part of a secret: never log it.
    Accepted {
        /// The code.
        code: &'a str,
    },
    /// Status 406: the operator has not let this terminal in.
    Refused,
    /// Neither; the terminal tries again.
    Unclear,
}

impl<'a> RegistrationAnswer<'a> {
    /// Reads an answer to `registry`.
    ///
    /// ```
    /// use punch_protocol::push::RegistrationAnswer;
    ///
    /// let answer = RegistrationAnswer::of(200, "RegistryCode=Uy47fxftP3");
    /// assert!(answer == RegistrationAnswer::Accepted { code: "Uy47fxftP3" });
    /// assert!(RegistrationAnswer::of(406, "") == RegistrationAnswer::Refused);
    /// ```
    pub fn of(status: u16, body: &'a str) -> Self {
        let code = Configuration::parse(body).and_then(|pairs| pairs.registry_code());
        match (status, code) {
            (200, Some(code)) => Self::Accepted { code },
            (406, _) => Self::Refused,
            _ => Self::Unclear,
        }
    }
}

impl fmt::Debug for RegistrationAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted { .. } => "Accepted",
            Self::Refused => "Refused",
            Self::Unclear => "Unclear",
        })
    }
}

/// The verdict on somebody who waits at a door: `AUTH=SUCCESS`, the event again, what to open.
///
/// Its lines end in CR LF, unlike everything else a server says. `Debug` shows the verdict alone.
///
/// ```
/// use punch_protocol::push::AuthVerdict;
///
/// let verdict = AuthVerdict::parse("AUTH=SUCCESS\r\ntime=2017-01-10 11:49:32\tpin=2\r\nCONTROL DEVICE 01010105\r\n");
/// let verdict = verdict.expect("a verdict");
/// assert!(verdict.is_success());
/// assert_eq!(verdict.control.and_then(|control| control.door()), Some(1));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct AuthVerdict<'a> {
    /// `SUCCESS`, `FAILED` or `TIMEOUT`.
    pub verdict: &'a str,
    /// The event that was asked about.
    pub event: Option<KeyedRow<'a>>,
    /// What the terminal has to do.
    pub control: Option<ControlDevice>,
}

impl<'a> AuthVerdict<'a> {
    /// Reads an answer to a background check; `None` if it is none.
    pub fn parse(body: &'a str) -> Option<Self> {
        let mut lines = body.split(['\r', '\n']).filter(|line| !line.is_empty());
        let verdict = lines.next()?.strip_prefix("AUTH=")?;
        let (mut event, mut control) = (None, None);
        for line in lines {
            match line.strip_prefix("CONTROL DEVICE ") {
                Some(text) => control = ControlDevice::parse(text),
                None => event = KeyedRow::parse(line.as_bytes()),
            }
        }
        Some(Self { verdict, event, control })
    }

    /// Whether the person may pass.
    pub fn is_success(&self) -> bool {
        self.verdict.eq_ignore_ascii_case("SUCCESS")
    }
}

impl fmt::Debug for AuthVerdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthVerdict").field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

/// The answer to `rtdata?type=time`: `DateTime=<encoded seconds, GMT>,ServerTZ=<±hhmm>`.
///
/// ```
/// use punch_protocol::push::ServerTime;
///
/// let time = ServerTime::parse("DateTime=583050990,ServerTZ=+0800").expect("a time");
/// assert_eq!((time.utc.to_string().as_str(), time.offset_minutes), ("2018-02-22 06:36:30", Some(480)));
/// assert_eq!(time.to_string(), "DateTime=583050990,ServerTZ=+0800");
/// assert!(ServerTime::parse("2025-12-29T17:52:47+07:00").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerTime {
    /// Greenwich time.
    pub utc: NaiveDateTime,
    /// Minutes east of it where the server stands, if it says so.
    pub offset_minutes: Option<i32>,
}

impl ServerTime {
    /// A time between 2000 and 2133, which is what the encoding holds; `None` outside.
    pub fn new(utc: NaiveDateTime, offset_minutes: Option<i32>) -> Option<Self> {
        EncodedTime::of(utc).map(|_| Self { utc, offset_minutes })
    }

    /// Reads an answer; `None` if it has no `DateTime=` a terminal can use.
    pub fn parse(body: &str) -> Option<Self> {
        let value = |wanted: &str| {
            let mut pairs = body.split([',', '\n', '\r']).filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == wanted).map(|(_, value)| value.trim())
        };
        let utc = EncodedTime(value("DateTime")?.parse().ok()?).civil()?;
        Some(Self { utc, offset_minutes: value("ServerTZ").and_then(offset_minutes) })
    }
}

impl fmt::Display for ServerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EncodedTime(seconds) = EncodedTime::of(self.utc).unwrap_or(EncodedTime(0));
        write!(f, "DateTime={seconds}")?;
        let Some(offset) = self.offset_minutes else { return Ok(()) };
        let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
        let (hours, minutes) = (size.checked_div(60).unwrap_or(0), size.checked_rem(60).unwrap_or(0));
        write!(f, ",ServerTZ={sign}{hours:02}{minutes:02}")
    }
}

/// `+0800`: hours and minutes behind a sign.
fn offset_minutes(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let number: i32 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (hours, minutes) = (number.checked_div(100)?, number.checked_rem(100)?);
    hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(sign)
}
