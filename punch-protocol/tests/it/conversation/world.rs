use alloc::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::civil::Written;
use punch_protocol::push::{
    Admission, Limits, Parts, Request, Response, Row, Session, Settings, Terminal, TerminalRequest, Turn,
};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status};

use crate::random::{Random, at};

/// What makes two rows the same punch.
type Key = (Vec<u8>, String, u16);

/// How often each thing went wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults([u32; 8]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    LostRequest,
    CutRequest,
    StoreFailed,
    CrashBeforeStore,
    CrashAfterStore,
    LostAnswer,
    MangledAnswer,
    Restart,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::LostRequest,
        Self::CutRequest,
        Self::StoreFailed,
        Self::CrashBeforeStore,
        Self::CrashAfterStore,
        Self::LostAnswer,
        Self::MangledAnswer,
        Self::Restart,
    ];
}

impl Faults {
    pub(super) fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }

    pub(super) fn each_happened(&self, times: u32) -> bool {
        self.0.iter().all(|count| *count >= times)
    }

    fn note(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }
}

/// One terminal, its people, one server with a store, and the network between.
pub(super) struct World {
    random: Random,
    now: DateTime<Utc>,
    serial: SerialNumber,
    terminal: Terminal,
    session: Session,
    approved_from: DateTime<Utc>,
    /// Punches to come, latest first.
    to_come: Vec<(DateTime<Utc>, RawPunch)>,
    punched: Vec<(Key, DateTime<Utc>)>,
    /// How often each punch was stored, and when first.
    stored: BTreeMap<Key, (u32, DateTime<Utc>)>,
    fault_percent: u64,
    no_network: Option<(DateTime<Utc>, DateTime<Utc>)>,
    faults: Faults,
}

impl World {
    const PUNCHES: u64 = 80;
    const DAY: u64 = 8 * 3600;

    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let serial = SerialNumber::parse("SIM1").unwrap();
        let mut to_come: Vec<_> = (0..Self::PUNCHES).map(|index| punch(&serial, index, &mut random)).collect();
        to_come.sort_by_key(|(time, _)| core::cmp::Reverse(*time));
        let batch = usize::try_from(1 + random.below(9)).unwrap();
        Self {
            terminal: Terminal::new(serial.clone()).with_batch(batch),
            session: Session::unapproved(serial.clone(), Admission::Pending),
            approved_from: at(600),
            serial,
            now: at(0),
            to_come,
            punched: Vec::new(),
            stored: BTreeMap::new(),
            fault_percent: 10 + random.below(50),
            no_network: None,
            faults: Faults::default(),
            random,
        }
    }

    pub(super) fn without_faults(seed: u64) -> Self {
        let mut world = Self { fault_percent: 0, approved_from: at(0), ..Self::new(seed) };
        world.restart();
        world
    }

    pub(super) fn cut_network(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        self.no_network = Some((from, to));
    }

    /// Until everybody has punched and the terminal has nothing left. Nothing fails after the last punch.
    pub(super) fn live_through(&mut self) {
        for _ in 0..50_000 {
            self.people_punch();
            if self.to_come.is_empty() {
                self.fault_percent = 0;
                if self.terminal.pending() == 0 {
                    return;
                }
            }
            match self.terminal.poll_request(self.now) {
                Some(request) => self.exchange(&request),
                None => self.wait(),
            }
            self.assert_nothing_forgotten();
        }
        panic!("still {} rows after 50,000 steps: the two talk without end", self.terminal.pending());
    }

    fn people_punch(&mut self) {
        while let Some((_, punch)) = self.to_come.pop_if(|(time, _)| *time <= self.now) {
            self.terminal.punch(&punch);
            self.punched.push((key_of(&punch), self.now));
        }
    }

    /// To whatever comes first: somebody punches, or the terminal has something to say.
    fn wait(&mut self) {
        let punch = self.to_come.last().map(|(time, _)| *time);
        let next = punch.into_iter().chain(self.terminal.poll_timeout()).min();
        let next = next.expect("a terminal that waits for nothing");
        assert!(next > self.now, "a terminal that does not wait");
        self.now = next;
    }

    fn fails(&mut self, fault: Fault) -> bool {
        let each = self.fault_percent / u64::try_from(Fault::ALL.len()).unwrap() + u64::from(self.fault_percent > 0);
        let fails = self.random.chance(each);
        if fails {
            self.faults.note(fault);
        }
        fails
    }

    fn exchange(&mut self, request: &TerminalRequest) {
        let cut_off = self.no_network.is_some_and(|(from, to)| (from..to).contains(&self.now));
        let answer = if cut_off || self.fails(Fault::LostRequest) { None } else { self.serve(request) };
        self.now += TimeDelta::milliseconds(i64::try_from(self.random.below(2000)).unwrap());
        // People do not wait for the network.
        self.people_punch();
        match answer {
            Some(answer) if self.fails(Fault::MangledAnswer) => self.mangle(&answer),
            Some(answer) if !self.fails(Fault::LostAnswer) => {
                self.terminal.handle_answer(answer.status(), answer.body(), self.now);
            }
            _ => self.terminal.handle_failure(self.now),
        }
    }

    /// A proxy's error page, with and without 200, or the first byte of the answer.
    fn mangle(&mut self, answer: &Response) {
        let (status, body): (u16, &[u8]) = match self.random.below(3) {
            0 => (502, b"<html>Bad Gateway, TOKEN expired</html>"),
            1 => (200, b"<html>please log in</html>"),
            _ => (answer.status(), answer.body().get(..1).unwrap_or_default()),
        };
        self.terminal.handle_answer(status, body, self.now);
    }

    fn serve(&mut self, request: &TerminalRequest) -> Option<Response> {
        if self.fails(Fault::Restart) {
            self.restart();
        }
        if self.now >= self.approved_from {
            self.approved_from = DateTime::<Utc>::MAX_UTC;
            self.session = Session::approved(self.serial.clone(), Settings::default());
        }
        let (path, query) = request.target.split_once('?').unwrap();
        let mut parts = Parts::new(request.method, path, query, &request.body);
        parts.declared_length = Some(u64::try_from(request.body.len()).unwrap());
        if !request.body.is_empty() && self.fails(Fault::CutRequest) {
            let got = self.random.below(u64::try_from(request.body.len()).unwrap());
            parts.body = &request.body[..usize::try_from(got).unwrap()];
        }
        match Request::parse(parts, &Limits::default()) {
            Ok((serial, read)) => {
                assert_eq!(serial, self.serial);
                self.decide(&read)
            }
            Err(error) => Some(Response::rejection(&error)),
        }
    }

    fn decide(&mut self, request: &Request<'_>) -> Option<Response> {
        match (self.session.handle(request, self.now), request) {
            (Turn::Reply(reply), _) => Some(reply),
            (Turn::Store(receipt), _) if self.fails(Fault::StoreFailed) => Some(receipt.refused()),
            (Turn::Store(receipt), Request::Upload(upload)) => {
                if self.fails(Fault::CrashBeforeStore) {
                    self.restart();
                    return None;
                }
                for row in upload.rows() {
                    let Ok(Row::Punch(row)) = row else { panic!("{row:?}") };
                    let time = Written(row.time().unwrap()).to_string();
                    let key = (row.pin().as_bytes().to_vec(), time, row.status().unwrap().0);
                    self.stored.entry(key).or_insert((0, self.now)).0 += 1;
                }
                if self.fails(Fault::CrashAfterStore) {
                    self.restart();
                    return None;
                }
                self.session.advance(upload.head());
                Some(receipt.stored())
            }
            (turn, request) => panic!("{request:?} got {turn:?}"),
        }
    }

    /// A new process: what was not stored is gone.
    fn restart(&mut self) {
        self.session = if self.approved_from == DateTime::<Utc>::MAX_UTC || self.approved_from <= self.now {
            Session::approved(self.serial.clone(), Settings::default())
        } else {
            Session::unapproved(self.serial.clone(), Admission::Pending)
        };
    }

    /// Safety, at every step: what the terminal has forgotten is stored.
    fn assert_nothing_forgotten(&self) {
        let forgotten = self.punched.len() - self.terminal.pending();
        assert_eq!(self.terminal.counts().0, u64::try_from(forgotten).unwrap());
        for (key, _) in &self.punched[..forgotten] {
            assert!(self.stored.contains_key(key), "{key:?} was acknowledged and is not stored");
        }
    }

    /// Liveness, in the end: nothing is missing, and of what came twice nothing is left but one.
    pub(super) fn assert_complete(&self) {
        assert_eq!((self.terminal.pending(), self.punched.len()), (0, usize::try_from(Self::PUNCHES).unwrap()));
        let punched: BTreeSet<&Key> = self.punched.iter().map(|(key, _)| key).collect();
        assert_eq!(punched.len(), self.punched.len(), "two people punched the same");
        assert_eq!(self.stored.keys().collect::<BTreeSet<_>>(), punched);
    }

    /// Rows that were stored before and came again.
    pub(super) fn resent(&self) -> u32 {
        self.stored.values().map(|(count, _)| count - 1).sum()
    }

    pub(super) fn faults(&self) -> Faults {
        self.faults
    }

    /// The longest time from a punch to its storing.
    pub(super) fn longest_wait(&self) -> (String, TimeDelta) {
        let waits = self.punched.iter().map(|(key, at)| (key.1.clone(), self.stored[key].1 - *at));
        waits.max_by_key(|(_, wait)| *wait).unwrap()
    }
}

fn punch(serial: &SerialNumber, index: u64, random: &mut Random) -> (DateTime<Utc>, RawPunch) {
    let time = at(i64::try_from(random.below(World::DAY)).unwrap());
    let pin = format!("{index:04}");
    let mut punch = RawPunch::new(serial.clone(), Pin::new(pin.as_bytes()).into_owned(), time.naive_utc());
    punch.status = Some(Status(u16::try_from(random.below(6)).unwrap()));
    (time, punch)
}

fn key_of(punch: &RawPunch) -> Key {
    (punch.pin.as_bytes().to_vec(), Written(punch.time).to_string(), punch.status.unwrap().0)
}
