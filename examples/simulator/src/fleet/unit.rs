use core::time::Duration;
use std::collections::VecDeque;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use punch_normalize::DeviceZone;
use punch_protocol::RawPunch;
use punch_protocol::push::{Profile, Terminal, TerminalEvent};
use tokio::time::Instant;

use super::Plan;
use crate::wire::Wire;
use crate::world::{Crowd, Dice};

/// One terminal, its people, and what is known of it that a terminal does not know.
pub(super) struct Unit {
    pub(super) terminal: Terminal,
    crowd: Crowd,
    backlog: Option<Backlog>,
    /// Live punches that wait for their `OK`, in their order.
    made: VecDeque<Instant>,
    acknowledged: u64,
    /// A connection that stays open.
    pub(super) wire: Option<Wire>,
    /// Whether a request is on its way.
    pub(super) is_flying: bool,
    /// When it is looked at again; what stands in the queue for another time counts no more.
    pub(super) wake: Option<DateTime<Utc>>,
    /// Whether it has shaken hands since its power was last back.
    pub(super) is_connected: bool,
    /// The power fails as soon as the answer on its way is there.
    fails: bool,
}

/// Rows from before the start: they go into memory as there is room, so that a million of them need none.
struct Backlog {
    /// Of the rows that are made.
    made: u32,
    rows: u32,
    workdays: Workdays,
    pause: TimeDelta,
    not_before: DateTime<Utc>,
}

/// When the people of a terminal have punched: each comes, leaves for lunch, is back, and goes home.
struct Workdays {
    first: DateTime<Utc>,
    users: u32,
}

impl Workdays {
    /// So many that `rows` are over before `now`.
    fn before(now: DateTime<Utc>, rows: u32, users: u32) -> Self {
        let users = users.max(1);
        let days = rows.div_ceil(users.saturating_mul(4));
        let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        Self { first: today - TimeDelta::days(days.into()), users }
    }

    /// When the punch with this number was made, counted from 0.
    fn time_of(&self, number: u32) -> DateTime<Utc> {
        let (round, person) = (number / self.users, number % self.users);
        let hour = match round % 4 {
            0 => 8,
            1 => 12,
            2 => 13,
            _ => 17,
        };
        // All of them within three quarters of an hour.
        let seconds = i64::from(person) * 2700 / i64::from(self.users);
        self.first + TimeDelta::days((round / 4).into()) + TimeDelta::hours(hour) + TimeDelta::seconds(seconds)
    }
}

/// What an answer has brought.
#[derive(Default)]
pub(super) struct Gained {
    /// Since when each live punch has waited that is acknowledged now.
    pub(super) punches: Vec<Instant>,
    /// Rows of a backlog that are.
    pub(super) rows: u64,
    /// Times the server said that it knows no such terminal.
    pub(super) disowned: u64,
}

impl Unit {
    pub(super) fn new(plan: &Plan, number: u32, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let serial = plan.serial(number)?;
        let mut dice = Dice::new(plan.seed ^ (u64::from(number) << 20));
        let has_backlog = number >= plan.devices.saturating_sub(plan.backlog_devices) && plan.backlog_rows > 0;
        let mut profile = Profile::attendance();
        // What is acknowledged stays in memory until there is no room.
        profile.memory = if has_backlog { plan.batch.saturating_mul(2) } else { 64.max(plan.batch) };
        let mut terminal = Terminal::with_profile(serial.clone(), profile).with_batch(plan.batch);
        if let Some(poll) = plan.poll {
            terminal.set_poll_delay(spread(poll, &mut dice));
        }
        let pause = plan.uploads_per_second.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
        let backlog = has_backlog.then(|| Backlog {
            made: 0,
            rows: plan.backlog_rows,
            workdays: Workdays::before(now, plan.backlog_rows, plan.users),
            pause: TimeDelta::from_std(pause).unwrap_or_default(),
            not_before: now,
        });
        Ok(Self {
            terminal,
            crowd: Crowd::new(serial, DeviceZone::Utc, plan.users, dice.roll())
                .with_first_badge(1001_u32.saturating_add(number.saturating_mul(plan.users))),
            backlog,
            made: VecDeque::new(),
            acknowledged: 0,
            wire: None,
            is_flying: false,
            wake: None,
            is_connected: false,
            fails: false,
        })
    }

    /// Somebody punches now; `None` if memory is full.
    pub(super) fn punch(&mut self, now: DateTime<Utc>) -> Option<RawPunch> {
        let punch = self.crowd.punch(now);
        let kept = self.terminal.punch(&punch);
        if kept {
            self.made.push_back(Instant::now());
        }
        kept.then_some(punch)
    }

    /// Puts rows of the backlog into memory that it has room for. Until when it has to pause, if it has to.
    pub(super) fn refill(&mut self, batch: usize, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let backlog = self.backlog.as_mut()?;
        if backlog.not_before > now && self.terminal.is_connected() && self.terminal.pending() == 0 {
            return Some(backlog.not_before);
        }
        if self.terminal.pending() > 0 {
            return None;
        }
        for _ in 0..batch {
            let time = backlog.workdays.time_of(backlog.made);
            if backlog.made >= backlog.rows || !self.terminal.punch(&self.crowd.punch(time)) {
                break;
            }
            backlog.made += 1;
        }
        backlog.not_before = now + backlog.pause;
        None
    }

    /// What the answer that was just taken has brought.
    pub(super) fn gained(&mut self) -> Gained {
        let mut gained = Gained::default();
        while let Some(event) = self.terminal.poll_event() {
            match event {
                TerminalEvent::Disowned => gained.disowned += 1,
                TerminalEvent::Connected => self.is_connected = true,
                _ => {}
            }
        }
        let (acknowledged, _) = self.terminal.counts();
        let more = acknowledged - core::mem::replace(&mut self.acknowledged, acknowledged);
        if self.backlog.is_some() {
            gained.rows = more;
        } else {
            let count = usize::try_from(more).unwrap_or(usize::MAX).min(self.made.len());
            gained.punches = self.made.drain(..count).collect();
        }
        if core::mem::take(&mut self.fails) {
            self.power_fails();
        }
        gained
    }

    /// Off and on again; while a request is on its way, as soon as that is over.
    pub(super) fn power_fails(&mut self) {
        self.is_connected = false;
        if self.is_flying {
            self.fails = true;
            return;
        }
        self.wire = None;
        self.terminal.power_cycle();
    }
}

/// A tenth more or less.
fn spread(poll: Duration, dice: &mut Dice) -> TimeDelta {
    let millis = u64::try_from(poll.as_millis()).unwrap_or(u64::MAX).max(10);
    let spread = millis - millis / 10 + dice.below(millis / 5 + 1);
    TimeDelta::milliseconds(i64::try_from(spread).unwrap_or(i64::MAX))
}
