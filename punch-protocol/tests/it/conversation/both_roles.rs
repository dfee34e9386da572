//! The server's role and the terminal's role against each other, in the three firmware families, over a network that
//! loses requests and answers: rows arrive, commands are obeyed and their results come home, doors open once.

use alloc::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::push::{
    Command, CommandChange, CommandId, Dangerous, HttpAnswer, Limits, Parts, Profile, Request, Response, ReturnCode,
    Row, Session, Settings, Terminal, TerminalEvent, TerminalRequest, Ticket, TimeZoneMinutes, Turn, UserRecord,
};
use punch_protocol::{Pin, SerialNumber, Status, Verify};

use crate::random::{Random, at};

struct Meeting {
    terminal: Terminal,
    session: Session,
    now: DateTime<Utc>,
    random: Random,
    loss_percent: u64,
    stored: BTreeSet<(Vec<u8>, String)>,
    tapped: BTreeSet<(Vec<u8>, String)>,
    changes: BTreeMap<String, CommandChange>,
    events: Vec<TerminalEvent>,
    lost: u32,
}

impl Meeting {
    fn new(profile: Profile, seed: u64, loss_percent: u64) -> Self {
        let serial = SerialNumber::parse("SIM1").unwrap();
        let mut settings = Settings::default();
        settings.time_zone = TimeZoneMinutes::new(-180).unwrap();
        Self {
            terminal: Terminal::with_profile(serial.clone(), profile).with_batch(7),
            session: Session::approved(serial, settings),
            now: at(0),
            random: Random::new(seed),
            loss_percent,
            stored: BTreeSet::new(),
            tapped: BTreeSet::new(),
            changes: BTreeMap::new(),
            events: Vec::new(),
            lost: 0,
        }
    }

    fn submit(&mut self, id: &str, command: Command) {
        let ticket = Ticket::new(CommandId::parse(id).unwrap(), command, self.now);
        self.session.submit(ticket.until(self.now + TimeDelta::hours(40))).unwrap();
    }

    fn tap(&mut self, number: u32) {
        let pin = Pin::new(format!("{number}").as_bytes()).into_owned();
        let punch = self.terminal.tap(pin, Some(Status::CHECK_IN), Some(Verify::FACE), self.now).unwrap();
        self.tapped.insert((punch.pin.as_bytes().to_vec(), punch.time.to_string()));
    }

    /// Lets both talk for so many steps, somebody tapping now and then.
    fn talk(&mut self, steps: u32) {
        for step in 0..steps {
            if step % 25 == 10 && self.terminal.is_connected() {
                self.tap(1000 + step);
            }
            match self.terminal.poll_request(self.now) {
                Some(request) => self.exchange(&request),
                None => self.now = self.terminal.poll_timeout().unwrap_or(self.now + TimeDelta::seconds(5)),
            }
            while let Some(event) = self.terminal.poll_event() {
                self.events.push(event);
            }
        }
    }

    fn exchange(&mut self, request: &TerminalRequest) {
        let arrives = !self.random.chance(self.loss_percent);
        let answer = arrives.then(|| self.serve(request));
        self.now += TimeDelta::milliseconds(200);
        match answer.filter(|_| !self.random.chance(self.loss_percent)) {
            Some(answer) => {
                let date = self.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                let mut heard = HttpAnswer::new(answer.status(), answer.body());
                heard.date = Some(&date);
                self.terminal.handle_response(heard, self.now);
            }
            None => {
                self.lost += 1;
                self.terminal.handle_failure(self.now);
            }
        }
    }

    fn serve(&mut self, request: &TerminalRequest) -> Response {
        let (path, query) = request.target.split_once('?').unwrap();
        let parts = Parts::new(request.method, path, query, &request.body);
        let (_, read) = Request::parse(parts, &Limits::default()).unwrap();
        match (self.session.handle(&read, self.now), &read) {
            (Turn::Reply(reply), _) => reply,
            (Turn::Dispatch(dispatch), _) => dispatch.recorded(),
            (Turn::Store(receipt), Request::Results(results)) => {
                let updates = self.session.outcomes(results);
                for update in &updates {
                    if !matches!(update.change, CommandChange::Unattributed { .. }) {
                        self.changes.insert(update.id.clone(), update.change);
                    }
                }
                self.session.settled(&updates);
                receipt.stored()
            }
            (Turn::Store(receipt), Request::Upload(upload)) => {
                upload.rows().for_each(|row| self.keep(&row.unwrap()));
                self.session.advance(upload.head());
                receipt.stored()
            }
            (Turn::Store(receipt), Request::QueryPage(page)) => {
                page.records().for_each(|record| self.keep(&Row::Record(record)));
                receipt.stored()
            }
            (turn, request) => panic!("{request:?} got {turn:?}"),
        }
    }

    fn keep(&mut self, row: &Row<'_>) {
        let seen = match row {
            Row::Punch(row) => Some((row.pin().as_bytes().to_vec(), row.time().unwrap().to_string())),
            Row::Event(row) if row.is_punch() => Some((row.pin().as_bytes().to_vec(), row.time().unwrap().to_string())),
            Row::Record(record) => record.transaction().map(|row| {
                assert!(row.is_punch());
                (row.pin().as_bytes().to_vec(), row.time().unwrap().to_string())
            }),
            _ => None,
        };
        self.stored.extend(seen);
    }

    fn happened(&self, wanted: impl Fn(&TerminalEvent) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }
}

fn user(pin: &str) -> Command {
    let mut user = UserRecord::new(pin).unwrap();
    user.set_name("Ana Ruiz").unwrap();
    Command::update_user(user)
}

fn profiles() -> [(&'static str, Profile); 3] {
    [
        ("classic", Profile::classic()),
        ("attendance", Profile::attendance()),
        ("access control", Profile::access_control()),
    ]
}

/// S1-056, S1-057, S0-005: in every family, with one server and one set of settings, and a fifth of all messages lost.
#[test]
fn rows_and_commands_arrive_in_every_family() {
    for (name, profile) in profiles() {
        let mut lost = 0;
        for seed in 0..20 {
            let mut meeting = Meeting::new(profile.clone(), seed, 10);
            meeting.talk(60);
            for (id, command) in [
                ("u1", user("501")),
                ("u2", user("502")),
                ("i1", Command::information()),
                ("d1", Command::delete_user("501").unwrap()),
                ("o1", Command::open_door(1, 5).unwrap()),
            ] {
                meeting.submit(id, command);
            }
            meeting.talk(1500);
            meeting.loss_percent = 0;
            meeting.talk(300);
            for id in ["u1", "u2", "i1", "d1"] {
                let change = meeting.changes.get(id).copied();
                assert!(matches!(change, Some(CommandChange::Succeeded { .. })), "{name} {seed}: {id} {change:?}");
            }
            let users: Vec<_> = meeting.terminal.users().map(|user| user.pin.to_text()).collect();
            assert_eq!(users, ["502"], "{name} {seed}: written, then deleted, never the other way round");
            let opened = meeting.happened(|event| matches!(event, TerminalEvent::DoorOpened { .. }));
            assert!(opened <= 1, "{name} {seed}: the door opened {opened} times");
            assert_eq!(meeting.stored, meeting.tapped, "{name} {seed}");
            assert!(meeting.tapped.len() > 40 && meeting.terminal.pending() == 0, "{name} {seed}");
            lost += meeting.lost;
        }
        assert!(lost > 1000, "{name}: {lost} messages lost");
    }
}

/// The clock of every family follows the zone of the handshake and the `Date` of the answers.
#[test]
fn clocks_are_set_in_every_family() {
    for (name, profile) in profiles() {
        let mut meeting = Meeting::new(profile, 1, 0);
        meeting.terminal.set_wall_clock(at(-86_400).naive_utc(), at(0));
        meeting.talk(40);
        let off = meeting.terminal.wall_clock(meeting.now) - (meeting.now.naive_utc() - TimeDelta::hours(3));
        assert!(off.num_seconds().abs() <= 11, "{name}: {off} off");
        assert!(meeting.happened(|event| matches!(event, TerminalEvent::ClockSet { .. })) > 0, "{name}");
    }
}

/// A question of the past: the same rows again, and nothing new.
#[test]
fn punches_are_asked_for_again_in_every_family() {
    for (name, profile) in profiles() {
        let mut meeting = Meeting::new(profile, 2, 0);
        meeting.talk(20);
        (1..=30).for_each(|number| meeting.tap(number));
        meeting.talk(60);
        assert_eq!(meeting.stored, meeting.tapped, "{name}");
        meeting.stored.clear();
        let wall = meeting.terminal.wall_clock(meeting.now);
        let (from, to) = (wall - TimeDelta::hours(1), wall + TimeDelta::hours(1));
        meeting.submit("q1", Command::query_punches(from, to));
        meeting.submit("c1", Command::count_punches(from, to));
        meeting.talk(120);
        assert_eq!(meeting.stored, meeting.tapped, "{name}");
        let change = meeting.changes.get("q1").copied();
        assert!(matches!(change, Some(CommandChange::Succeeded { .. })), "{name}: {change:?}");
        assert!(matches!(meeting.changes.get("c1"), Some(CommandChange::Succeeded { .. })), "{name}");
    }
}

/// A restart comes back, and what destroys is executed once though every other answer is lost.
#[test]
fn a_restart_and_a_clearing_happen_once() {
    for (name, profile) in profiles() {
        for seed in 0..10 {
            let mut meeting = Meeting::new(profile.clone(), seed, 0);
            meeting.talk(60);
            meeting.loss_percent = 30;
            meeting.submit("r1", Command::restart());
            meeting.submit("c1", Command::dangerous(Dangerous::ClearPunches).unwrap());
            meeting.talk(800);
            let restarted = meeting.happened(|event| matches!(event, TerminalEvent::Restarted));
            let cleared = meeting.happened(|event| matches!(event, TerminalEvent::Cleared { .. }));
            assert!(restarted <= 1 && cleared <= 1, "{name} {seed}: {restarted} restarts, {cleared} clearings");
            for id in ["r1", "c1"] {
                let change = meeting.changes.get(id);
                let known = change.is_none_or(|change| *change == CommandChange::Succeeded { code: ReturnCode::OK });
                assert!(known, "{name} {seed}: {id} {change:?}");
            }
        }
    }
}
