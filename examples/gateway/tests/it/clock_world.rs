//! Terminals as firmware is, days of them: the gateway measures their clocks through outages and backlogs.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use gateway::core::{Clockwork, Presence, Received};
use punch_normalize::{ClockHealth, DeviceZone, Rules};
use punch_protocol::push::{
    HttpAnswer, Limits, Parts, Profile, Request, Session, Settings, Terminal, TimeZoneMinutes, Turn,
};
use punch_protocol::{Pin, SerialNumber};
use simulator::world::Dice;

/// A terminal, its session and what the gateway makes of its clock, under one simulated clock.
struct World {
    terminal: Terminal,
    session: Session,
    presence: Presence,
    clockwork: Clockwork,
    told_at: Option<DateTime<Utc>>,
    known: BTreeSet<Vec<u8>>,
    now: DateTime<Utc>,
    /// Whether it follows the `Date` of answers.
    follows: bool,
    live: u32,
    backlog: u32,
}

impl World {
    fn new(profile: Profile, follows: bool) -> Self {
        let now = DateTime::from_timestamp(1_774_684_033, 0).unwrap();
        let mut session = Session::approved(serial(), Settings::default());
        session.set_time_zone(TimeZoneMinutes::new(-360).unwrap());
        Self {
            terminal: Terminal::with_profile(serial(), profile),
            session,
            presence: Presence::default(),
            clockwork: Clockwork::new(DeviceZone::parse("-06:00").unwrap()),
            told_at: None,
            known: BTreeSet::new(),
            now,
            follows,
            live: 0,
            backlog: 0,
        }
    }

    fn set(&mut self, behind: TimeDelta) {
        let wall = self.now.naive_utc() - TimeDelta::hours(6) - behind;
        self.terminal.set_wall_clock(wall, self.now);
    }

    /// True time minus what it shows.
    fn truth(&self) -> i64 {
        let right = self.now.naive_utc() - TimeDelta::hours(6);
        right.signed_duration_since(self.terminal.wall_clock(self.now)).num_seconds()
    }

    fn offset(&self) -> Option<i64> {
        self.clockwork.estimate(self.now).map(|estimate| estimate.offset.num_seconds())
    }

    /// The terminal does whatever it is time for.
    fn turn(&mut self, online: bool) {
        while let Some(request) = self.terminal.poll_request(self.now) {
            if !online {
                self.terminal.handle_failure(self.now);
                continue;
            }
            let (path, query) = request.target.split_once('?').unwrap();
            let parts = Parts::new(request.method, path, query, &request.body);
            let (_, parsed) = Request::parse(parts, &Limits::default()).unwrap();
            let contact = self.presence.called(self.session.delay(), self.now);
            let answer = match (self.session.handle(&parsed, self.now), &parsed) {
                (Turn::Reply(reply), _) => reply,
                (Turn::Store(receipt), Request::Upload(upload)) => {
                    let received = Received::read(serial(), upload, self.now).by(contact);
                    self.store(&received);
                    receipt.stored()
                }
                (Turn::Store(receipt), _) => receipt.stored(),
                (turn, _) => panic!("{turn:?}"),
            };
            if self.session.clock_told_at() != self.told_at {
                self.told_at = self.session.clock_told_at();
                self.clockwork.told_time(self.now);
            }
            let date = self.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let mut reply = HttpAnswer::new(answer.status(), answer.body());
            reply.date = Some(date.as_str()).filter(|_| self.follows);
            self.terminal.handle_response(reply, self.now);
        }
    }

    fn store(&mut self, received: &Received) {
        let rows = received.attendance_rows();
        let fresh = received.punches().filter(|punch| self.known.insert(punch.pin.as_bytes().to_vec())).count();
        if fresh > 0 {
            *(if received.is_live() { &mut self.live } else { &mut self.backlog }) += 1;
            self.clockwork.arrived(received, &Rules::new(self.clockwork.zone_at(self.now)));
        }
        self.presence.uploaded(rows, received.whole, true, self.session.delay(), self.now);
    }
}

fn serial() -> SerialNumber {
    SerialNumber::parse("T1").unwrap()
}

fn profiles() -> [Profile; 3] {
    let mut live_first = Profile::attendance();
    live_first.live_first = true;
    [Profile::attendance(), Profile::classic(), live_first]
}

/// Two days of punches over a line that is down now and then, for minutes or for half a day. `look` is called after each
/// upload.
fn days(world: &mut World, dice: &mut Dice, mut look: impl FnMut(&World)) {
    let (mut down_until, mut pin) = (world.now, 0_u32);
    let end = world.now + TimeDelta::hours(48);
    while world.now < end {
        world.now += TimeDelta::milliseconds(i64::try_from(500 + dice.below(9_000)).unwrap());
        if dice.below(25) == 0 {
            pin += 1;
            let name = pin.to_string();
            world.terminal.tap(Pin::new(name.as_bytes()).into_owned(), None, None, world.now);
        }
        if dice.below(1_200) == 0 {
            let minutes = [1, 5, 40, 700][usize::try_from(dice.below(4)).unwrap()];
            down_until = world.now + TimeDelta::minutes(minutes);
        }
        let before = world.live + world.backlog;
        world.turn(world.now >= down_until);
        if world.live + world.backlog > before {
            look(world);
        }
    }
}

#[test]
fn a_wrong_clock_is_measured_whatever_the_line_does() {
    for (seed, behind) in (0..).zip([0, 47, -14, 740, 9_001, -1_800]) {
        for profile in profiles() {
            let (mut world, mut dice) = (World::new(profile, false), Dice::new(seed));
            world.set(TimeDelta::seconds(behind));
            let mut measured = 0_u32;
            days(&mut world, &mut dice, |world| {
                let Some(offset) = world.offset() else { return };
                measured += 1;
                assert!(offset.abs_diff(world.truth()) <= 2, "seed {seed}: {offset} for {}", world.truth());
            });
            assert!(measured > 300 && world.live > 300 && world.backlog > 3, "seed {seed}: {measured}");
            let expected = ClockHealth::of_offset(TimeDelta::seconds(behind));
            assert_eq!(world.clockwork.health(world.now), expected, "seed {seed}");
            assert_eq!(world.clockwork.alarm().is_some(), expected.is_alarm(), "seed {seed}");
        }
    }
}

/// A terminal that follows our answers is mended by them, and the alarm goes.
#[test]
fn a_terminal_that_follows_the_date_mends_itself() {
    for (seed, profile) in (100..).zip(profiles()) {
        let (mut world, mut dice) = (World::new(profile, true), Dice::new(seed));
        world.set(TimeDelta::minutes(150));
        days(&mut world, &mut dice, |_| ());
        assert_eq!(world.clockwork.health(world.now), ClockHealth::Ok, "seed {seed}");
        assert_eq!(world.clockwork.alarm(), None, "seed {seed}");
    }
}
