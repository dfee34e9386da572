mod answers;
mod people;
mod verdict;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::Direction;
use punch_webhook::ReceivedPunch;

use super::{
    Authenticate, Change, CreateAttendances, DetectVersion, EmployeeId, FindAttendances, FindEmployees, Login, Odoo,
    Protocol, Session, Version, WriteAttendance,
};
use crate::{Endpoint as _, Failure, Flow, HttpResponse, Outcome, ParkReason, RetryReason, Step};
use people::{Job, People};

/// Brings the attendances of some people in line with their punches: one attempt for all of them, as few calls as are safe.
///
/// Give it every punch that is known of each person around the new ones, [`reach`](Self::reach) to either side: those
/// written long ago, those parked, those still waiting. The flow reads what Odoo has, lets [`Plan`](super::Plan) find the
/// difference, and writes that, whatever order the punches came in.
///
/// ```text
/// (version, login) ─► employees ── no such badge ──────────► parked
///                         │
///                   attendances ── nothing to change ──────► already
///                         │ ▲
///                         │ └───── refused: read and planned anew, at most twice, then parked
///                         ▼
///                       write, create ── ok ───────────────► applied
///                         │ └───── no answer ──► read ─────► already, or retry
///                         └─────── 401 403 404 3xx 429 5xx ► retry (a refused login is renewed once)
/// ```
///
/// # Why nothing is lost or doubled
///
/// * A punch has no record of its own that could be lost. What Odoo should say is a function of the punches alone, and
///   every attempt writes only what is missing from it. Cut off anywhere, between two calls or within one, the next attempt
///   finds a smaller difference; with none left it writes nothing.
/// * Each call is one transaction of the server: it is there as a whole or not at all.
/// * A call that is carried out late or twice meets Odoo's own rules. It refuses a second open record and any that overlaps
///   another, so a repeated create is refused; a repeated write changes nothing.
/// * Odoo does take two records of one second and no length. They can only come from a create that stalled until the next
///   attempt had looked, and they count no time; when the departure comes it goes into one of them.
/// * Two attempts at once for one person may write what the other just wrote. The second is refused, reads, and finds
///   nothing to do. A pair that begins in the second of an open record is not refused; the next attempt makes one presence
///   of both.
///
/// `Debug` shows counts, never a person.
pub struct WriteAttendances {
    odoo: Odoo,
    session: Session,
    now: DateTime<Utc>,
    people: People,
    jobs: VecDeque<Job>,
    /// The version, once known, while there is no login yet.
    version: Option<Version>,
    /// JSON-2 took the secret for no key of its own.
    is_no_key: bool,
    /// The server has no `/jsonrpc` (any more), or a proxy lets nobody through to it.
    is_no_rpc: bool,
    may_renew: bool,
    /// Why the attempt ends early.
    end: Option<RetryReason>,
    stage: Stage,
}

/// The question under way.
enum Stage {
    Start,
    Version(Protocol),
    Login(Protocol, Version),
    Employees(Login, Vec<String>),
    Attendances(Login, Vec<EmployeeId>),
    Job(Login, Job),
    Done(Vec<Outcome>),
}

impl WriteAttendances {
    /// How many rows go into one call; more make it slower again.
    pub const ROWS_PER_CALL: usize = 100;

    /// How many people are read in one call, and how many badges.
    pub const PEOPLE_PER_CALL: usize = 200;

    /// Prepares the attempt. Nothing happens before the first [`poll`](Flow::poll).
    ///
    /// A punch before 2010 or more than a day after `now` is parked: Odoo would take it, and a record in the future keeps
    /// everybody from arriving.
    pub fn new<'a>(odoo: &Odoo, punches: impl IntoIterator<Item = &'a ReceivedPunch>, now: DateTime<Utc>) -> Self {
        let mut people = People::default();
        for punch in punches {
            let direction = odoo.direction(punch.direction);
            people.add(&punch.badge, punch.at, direction, refusal(punch, direction, now));
        }
        Self {
            odoo: odoo.clone(),
            session: Session::default(),
            now,
            people,
            jobs: VecDeque::new(),
            version: None,
            is_no_key: false,
            is_no_rpc: false,
            may_renew: false,
            end: None,
            stage: Stage::Start,
        }
    }

    /// Uses what an earlier flow found out. A login that is refused is renewed, once.
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Self {
        self.may_renew = session.login.is_some();
        self.session = session;
        self.session.age(self.now);
        self
    }

    /// What is known of the server now. Keep it for the next flow.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How far around a new punch the other punches of the person can matter: twice the longest attendance.
    pub fn reach(odoo: &Odoo) -> TimeDelta {
        let rules = odoo.pairing();
        rules.lookback.checked_mul(2).and_then(|twice| twice.checked_add(&rules.repeat)).unwrap_or(TimeDelta::MAX)
    }

    /// The first thing that is missing.
    fn next(&mut self) -> Stage {
        if self.end.is_some() || self.people.is_settled() {
            return Stage::Done(self.outcomes());
        }
        let Some(login) = self.session.login.clone() else { return self.log_in() };
        let badges = self.people.badges_to_find(&self.session, self.now);
        if !badges.is_empty() {
            return Stage::Employees(login, badges);
        }
        if let Some(job) = self.jobs.pop_front() {
            return Stage::Job(login, job);
        }
        match self.people.to_read() {
            none if none.is_empty() => Stage::Done(self.outcomes()),
            employees => Stage::Attendances(login, employees),
        }
    }

    fn log_in(&mut self) -> Stage {
        let protocol = self.odoo.protocol();
        match (protocol, self.version) {
            // It has no older version, and no other question depends on which one it is.
            (Some(Protocol::Json2), _) => self.json2(Version { major: 19, minor: 0 }),
            (None, Some(version)) if version.major >= 19 && !self.is_no_key => self.json2(version),
            (None, None) if self.is_no_rpc => Stage::Version(Protocol::Json2),
            (chosen, None) => Stage::Version(chosen.unwrap_or(Protocol::JsonRpc)),
            (chosen, Some(version)) => Stage::Login(chosen.unwrap_or(Protocol::JsonRpc), version),
        }
    }

    fn json2(&mut self, version: Version) -> Stage {
        self.session.login = Some(Login::json2(version));
        self.next()
    }
}

/// What can be said of a punch without asking.
fn refusal(punch: &ReceivedPunch, direction: Direction, now: DateTime<Utc>) -> Option<ParkReason> {
    if let Some(reason) = ParkReason::of_time(punch.at, now) {
        return Some(reason);
    }
    // An empty badge finds everybody who has none. Control characters are on no badge, and XML has no way to write them.
    if punch.badge.is_empty() || punch.badge.chars().any(char::is_control) {
        return Some(ParkReason::UnknownEmployee);
    }
    (direction.plain() == Direction::Unknown).then_some(ParkReason::UnknownDirection)
}

impl Flow for WriteAttendances {
    /// An outcome for each punch, in the order given.
    type Output = Vec<Outcome>;

    fn poll(&mut self) -> Step<Vec<Outcome>> {
        if let Stage::Start = self.stage {
            self.stage = self.next();
        }
        let odoo = &self.odoo;
        Step::Send(match &self.stage {
            Stage::Start => return Step::Done(Vec::new()),
            Stage::Version(protocol) => DetectVersion::new(odoo, *protocol).request(),
            Stage::Login(protocol, _) => Authenticate::new(odoo, *protocol).request(),
            Stage::Employees(login, badges) => FindEmployees::new(odoo, login, badges.iter().cloned()).request(),
            Stage::Attendances(login, people) => self.reading(login, people).request(),
            Stage::Job(login, Job::Write(rewrite)) => rewrite.call(odoo, login).request(),
            Stage::Job(login, Job::Create(rows)) => {
                CreateAttendances::new(odoo, login, rows.iter().map(|row| row.attendance).collect()).request()
            }
            Stage::Done(outcomes) => return Step::Done(outcomes.clone()),
        })
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        match core::mem::replace(&mut self.stage, Stage::Start) {
            // Nothing was asked, so this answers nothing.
            stage @ (Stage::Start | Stage::Done(_)) => return self.stage = stage,
            Stage::Version(protocol) => self.after_version(protocol, reply),
            Stage::Login(protocol, version) => self.after_login(protocol, version, reply),
            Stage::Employees(login, badges) => self.after_employees(&login, &badges, reply),
            Stage::Attendances(login, people) => self.after_attendances(&login, &people, reply),
            Stage::Job(login, job) => self.after_job(&login, job, reply),
        }
        self.stage = self.next();
    }
}

impl WriteAttendances {
    fn reading(&self, login: &Login, people: &[EmployeeId]) -> FindAttendances {
        let rules = self.odoo.pairing();
        let first = self.people.first_punch(people).unwrap_or(self.now);
        let margin = rules.lookback.checked_add(&rules.repeat).unwrap_or(rules.lookback);
        let from = first.checked_sub_signed(margin).unwrap_or(first);
        FindAttendances::since(&self.odoo, login, people, from)
    }
}

impl fmt::Debug for WriteAttendances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Start => "start",
            Stage::Version(_) => "version",
            Stage::Login(..) => "login",
            Stage::Employees(..) => "employees",
            Stage::Attendances(..) => "attendances",
            Stage::Job(_, Job::Write(_)) => "write",
            Stage::Job(_, Job::Create(_)) => "create",
            Stage::Done(_) => "done",
        };
        let mut shown = f.debug_struct("WriteAttendances");
        shown.field("punches", &self.people.len()).field("stage", &stage).finish_non_exhaustive()
    }
}
