//! A seeded world: the same seed gives the same people and the same punches.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_normalize::DeviceZone;
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};

pub use crate::dice::Dice;

/// An address of this machine where nobody listens, and that no outgoing connection is given while it is quiet: those begin
/// at port 32768. Each process looks in an order of its own.
pub fn quiet_addr() -> SocketAddr {
    static DICE: LazyLock<Mutex<Dice>> = LazyLock::new(|| Mutex::new(Dice::new(u64::from(std::process::id()))));
    let mut dice = DICE.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = u16::try_from(20_000 + dice.below(12_000)).unwrap_or_default();
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(addr).is_ok() {
            return addr;
        }
    }
}

/// The people in front of one terminal. They punch in turn, in, then out, and so on.
#[derive(Debug, Clone)]
pub struct Crowd {
    serial: SerialNumber,
    zone: DeviceZone,
    users: u32,
    first_badge: u32,
    dice: Dice,
    punched: u64,
    last: BTreeMap<u64, NaiveDateTime>,
}

impl Crowd {
    /// `users` people, at least one, with badges from 1001.
    pub fn new(serial: SerialNumber, zone: DeviceZone, users: u32, seed: u64) -> Self {
        Self {
            serial,
            zone,
            users: users.max(1),
            first_badge: 1001,
            dice: Dice::new(seed),
            punched: 0,
            last: BTreeMap::new(),
        }
    }

    /// Counts the badges from `badge` instead.
    #[must_use]
    pub fn with_first_badge(mut self, badge: u32) -> Self {
        self.first_badge = badge;
        self
    }

    /// The next punch, at `now` on the terminal's clock, and never two of a person in one second.
    pub fn punch(&mut self, now: DateTime<Utc>) -> RawPunch {
        let offset = TimeDelta::minutes(i64::from(self.zone.offset_minutes_at(now)));
        let clock = (now + offset).naive_utc();
        let clock = clock - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
        let person = self.punched % u64::from(self.users);
        let time = self.last.get(&person).map_or(clock, |&last| clock.max(last + TimeDelta::seconds(1)));
        self.last.insert(person, time);
        let round = self.punched / u64::from(self.users);
        self.punched += 1;
        let pin = (u64::from(self.first_badge) + person).to_string();
        let mut punch = RawPunch::new(self.serial.clone(), Pin::new(pin.as_bytes()).into_owned(), time);
        punch.status = Some(if round.is_multiple_of(2) { Status::CHECK_IN } else { Status::CHECK_OUT });
        let methods = [Verify::FINGERPRINT, Verify::FACE, Verify::CARD];
        punch.verify = methods.get(usize::try_from(self.dice.below(3)).unwrap_or(0)).copied();
        punch
    }
}
