//! The device role: what a terminal does, without a socket.

mod clock;
mod commands;
mod data;
mod drive;
mod errand;
mod event;
mod hostile;
mod memory;
mod orders;
mod parameters;
mod profile;
mod request;
mod results;
mod rows;
mod settle;
mod users;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

pub use self::event::TerminalEvent;
pub use self::hostile::{Deserves, Exchange, Hostile, Mischief, Pace};
pub use self::profile::Profile;
pub use self::request::{HttpAnswer, TerminalRequest};
pub use self::users::TerminalUser;

use self::clock::WallClock;
use self::drive::{Flight, Phase};
use self::memory::Log;
use self::orders::Orders;
use self::results::Results;
use self::users::Register;
use crate::{Pin, RawPunch, SerialNumber, Status, Verify};

/// The terminal's side of the conversation: shakes hands, uploads what it has, obeys, polls, and keeps every row
/// until the server has said `OK`.
///
/// What it looks at in an answer, and what it does not, follows the firmware its [`Profile`] names. It remembers
/// no command it has carried out: a command that comes twice is carried out twice, as terminals do.
///
/// ```
/// use punch_protocol::SerialNumber;
/// use punch_protocol::push::Terminal;
///
/// let now = chrono::DateTime::from_timestamp(1_774_684_033, 0).expect("in range");
/// let mut terminal = Terminal::new(SerialNumber::parse("SIM1")?);
/// let request = terminal.poll_request(now).expect("a fresh terminal shakes hands");
/// assert!(request.target.starts_with("/iclock/cdata?SN=SIM1&options=all"));
/// terminal.handle_answer(200, b"GET OPTION FROM: SIM1\nDelay=10\n", now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Terminal {
    serial: SerialNumber,
    profile: Profile,
    batch: usize,
    clock: WallClock,
    orders: Orders,
    error_delay: Option<TimeDelta>,
    poll_delay: Option<TimeDelta>,

    punches: Log,
    /// Operations and changed users, which share a table.
    operations: Log,
    errors: Log,
    photos: Log,
    users: Register,
    /// Options set by command that have no effect here.
    settings: BTreeMap<String, String>,
    results: Results,
    parcels: VecDeque<Parcel>,
    events: VecDeque<TerminalEvent>,
    /// Number of the next access event.
    index: u64,

    phase: Phase,
    in_flight: Option<Flight>,
    /// A request to be sent once more as it is.
    retry: Option<Flight>,
    /// Nothing happens before.
    wake: Option<DateTime<Utc>>,
    /// Nothing is due before, unless something happens.
    idle_until: Option<DateTime<Utc>>,
    next_poll: Option<DateTime<Utc>>,
    idle_polls: u32,
    last_transfer: Option<DateTime<Utc>>,
    uploads_in_a_row: u32,
    /// The counters of the last `INFO` the server has.
    told: Option<[usize; 2]>,
    registry_code: Option<String>,
    refused: u64,

    options_due: bool,
    time_due: bool,
    state_due: bool,
    check_due: bool,
    restart_due: bool,
    transfer_asked: bool,
    /// The server did not take the results; a poll comes first.
    results_wait: bool,
    upload_failed: bool,
}

/// A page of the answer to a query, ready to be posted.
#[derive(Clone)]
struct Parcel {
    endpoint: &'static str,
    query: String,
    body: Vec<u8>,
    /// What the body of the answer must be; `None` for an `OK`.
    expects: Option<String>,
}

impl Terminal {
    /// Rows in one upload, as field units batch them.
    pub const BATCH_DEFAULT: usize = 100;
    /// Operations, and changed users, kept.
    pub const OPERATIONS_MAX: usize = 10_000;
    /// Errors kept.
    pub const ERRORS_MAX: usize = 1_000;
    /// Photos kept.
    pub const PHOTOS_MAX: usize = 100;
    /// Users; a command that adds another one returns -1001.
    pub const USERS_MAX: usize = 10_000;
    /// Options set by command and kept by name; the next one returns -1001.
    pub const SETTINGS_MAX: usize = 256;
    /// Events nobody has polled; then the oldest is dropped.
    pub const EVENTS_MAX: usize = 1_024;
    /// Pages of answers to queries. With more than that waiting, commands are left for the next poll.
    pub const PAGES_MAX: usize = 1_000;

    /// A current attendance terminal with an empty memory.
    pub fn new(serial: SerialNumber) -> Self {
        Self::with_profile(serial, Profile::attendance())
    }

    /// A terminal of another kind.
    pub fn with_profile(serial: SerialNumber, profile: Profile) -> Self {
        Self {
            serial,
            batch: Self::BATCH_DEFAULT,
            clock: WallClock::default(),
            orders: Orders::unspoken(&profile),
            error_delay: None,
            poll_delay: None,
            punches: Log::new(profile.memory),
            operations: Log::new(Self::OPERATIONS_MAX),
            errors: Log::new(Self::ERRORS_MAX),
            photos: Log::new(Self::PHOTOS_MAX),
            users: Register::default(),
            settings: BTreeMap::new(),
            results: Results::default(),
            parcels: VecDeque::new(),
            events: VecDeque::new(),
            index: 1,
            phase: Phase::Disconnected,
            in_flight: None,
            retry: None,
            wake: None,
            idle_until: None,
            next_poll: None,
            idle_polls: 0,
            last_transfer: None,
            uploads_in_a_row: 0,
            told: None,
            registry_code: None,
            refused: 0,
            options_due: false,
            time_due: false,
            state_due: false,
            check_due: false,
            restart_due: false,
            transfer_asked: false,
            results_wait: false,
            upload_failed: false,
            profile,
        }
    }

    /// Sets how many rows one upload carries, at least 1.
    #[must_use]
    pub fn with_batch(mut self, rows: usize) -> Self {
        self.batch = rows.max(1);
        self
    }

    /// A person punches, at the time the punch says: the row goes into memory and is sent as soon as the
    /// connection allows. Returns whether there was room.
    ///
    /// When memory is full the oldest punch makes room, if the server has acknowledged it. If not, the new one is
    /// refused and [`TerminalEvent::MemoryFull`] is reported: nothing unacknowledged is overwritten.
    pub fn punch(&mut self, punch: &RawPunch) -> bool {
        let row = if self.profile.is_access_control() { rows::event(punch, self.index) } else { rows::punch(punch) };
        self.index = self.index.saturating_add(1);
        self.remember(row)
    }

    /// A person punches now, by the terminal's own wall clock. `None` if memory is full.
    pub fn tap(
        &mut self,
        pin: Pin<'static>,
        status: Option<Status>,
        verify: Option<Verify>,
        now: DateTime<Utc>,
    ) -> Option<RawPunch> {
        let mut punch = RawPunch::new(self.serial.clone(), pin, self.wall_clock(now));
        (punch.status, punch.verify) = (status, verify);
        self.punch(&punch).then_some(punch)
    }

    /// Puts a row into memory exactly as it stands, without a line end. For replaying captures. Returns whether
    /// there was room.
    pub fn remember(&mut self, row: Vec<u8>) -> bool {
        let word = if self.profile.is_access_control() { "Transaction" } else { "AttLog" };
        let kept = self.punches.push(row, word);
        self.kept(kept)
    }

    /// Somebody does something at the terminal: 4 enters the menu, 6 enrols a finger, 30 adds a user. Access
    /// terminals keep no such log. Returns whether there was room.
    pub fn operate(&mut self, code: u16, operator: &Pin<'_>, objects: [&str; 4], now: DateTime<Utc>) -> bool {
        let row = rows::operation(code, operator, objects, self.wall_clock(now));
        let kept = self.profile.is_access_control() || self.operations.push(row, "OpLog");
        self.kept(kept)
    }

    /// A user is added or changed at the terminal itself; the server hears of it if it wants to. Returns whether
    /// there was room.
    pub fn enrol(&mut self, user: TerminalUser) -> bool {
        let access = self.profile.is_access_control();
        let Some(new) = self.users.put(user.clone(), Self::USERS_MAX) else { return false };
        let row =
            if access { rows::user_record(&user, self.users.len()) } else { rows::user(&user, self.profile.language) };
        let word = match (access, new) {
            (true, _) => "User",
            (false, true) => "EnrollUser",
            (false, false) => "ChgUser",
        };
        let kept = self.operations.push(row, word);
        self.kept(kept)
    }

    /// A photo is taken at the terminal; it is sent only to a server that asks for photos. Returns whether there
    /// was room.
    pub fn photograph(&mut self, pin: &Pin<'_>, picture: &[u8], now: DateTime<Utc>) -> bool {
        let body = rows::photo(pin, &self.serial, self.wall_clock(now), picture);
        let kept = self.profile.is_access_control() || self.photos.push(body, "AttPhoto");
        self.kept(kept)
    }

    /// Something fails at the terminal, such as `D01E0001` (no face found), in the course of a command or not.
    /// Sent to servers of protocol 2.4.1 and later. Returns whether there was room.
    pub fn fail_with(&mut self, code: &str, command: Option<&str>) -> bool {
        let kept = self.errors.push(rows::error(code, command, self.profile.is_access_control()), "");
        self.kept(kept)
    }

    /// What the terminal's wall clock shows. Without a server it shows UTC.
    pub fn wall_clock(&self, now: DateTime<Utc>) -> NaiveDateTime {
        self.clock.show(now)
    }

    /// Sets the wall clock by hand.
    pub fn set_wall_clock(&mut self, wall: NaiveDateTime, now: DateTime<Utc>) {
        self.clock.set(wall, now);
    }

    /// Lets the wall clock gain `ppm` microseconds a second from now on; a negative number loses.
    pub fn set_drift(&mut self, ppm: i32, now: DateTime<Utc>) {
        self.clock.drift(ppm, now);
    }

    /// Overrides the wait after a failure, which the server sets too. For tests that cannot wait.
    pub fn set_error_delay(&mut self, delay: TimeDelta) {
        self.error_delay = Some(delay);
    }

    /// Overrides the wait between two polls, which the server sets too. For loads whose pace is given.
    pub fn set_poll_delay(&mut self, delay: TimeDelta) {
        self.poll_delay = Some(delay);
    }

    /// The power fails and is back: it shakes hands again at once, with everything it had in memory. A request on its way
    /// is as good as unanswered.
    pub fn power_cycle(&mut self) {
        self.phase = Phase::Disconnected;
        (self.in_flight, self.retry, self.wake, self.idle_until) = (None, None, None, None);
        (self.next_poll, self.restart_due) = (None, false);
    }

    /// What happened since the last call, oldest first.
    pub fn poll_event(&mut self) -> Option<TerminalEvent> {
        self.events.pop_front()
    }

    /// Rows the server has never acknowledged, those it does not want included.
    pub fn pending(&self) -> usize {
        self.logs().map(Log::pending).into_iter().fold(0, usize::saturating_add)
    }

    /// Rows acknowledged, each counted once, and requests refused, so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.logs().map(Log::acknowledged).into_iter().fold(0, u64::saturating_add), self.refused)
    }

    /// Everybody the terminal knows, by PIN.
    pub fn users(&self) -> impl Iterator<Item = &TerminalUser> {
        self.users.all()
    }

    /// Whether the server has told it what to do since it was last switched on or disowned.
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    fn logs(&self) -> [&Log; 4] {
        [&self.punches, &self.operations, &self.errors, &self.photos]
    }

    fn kept(&mut self, kept: bool) -> bool {
        self.idle_until = None;
        if !kept {
            self.report(TerminalEvent::MemoryFull);
        }
        kept
    }

    fn report(&mut self, event: TerminalEvent) {
        if self.events.len() >= Self::EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("serial", &self.serial)
            .field("phase", &self.phase)
            .field("in_flight", &self.in_flight.as_ref().map(|flight| format!("{:?}", flight.errand)))
            .field("pending", &self.pending())
            .field("wake", &self.wake)
            .finish_non_exhaustive()
    }
}
