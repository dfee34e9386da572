use core::cmp::Reverse;
use core::pin::pin;
use core::time::Duration;
use std::collections::{BinaryHeap, VecDeque};
use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use gateway::clock::now;
use punch_protocol::push::{Terminal, TerminalRequest};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::figures::{Kind, Report, Sample};
use super::process::Usage;
use super::unit::{Gained, Unit};
use super::{Plan, Told};
use crate::wire::{Reply, Wire};
use crate::world::Dice;

/// How often it is looked how things stand.
const SECOND: Duration = Duration::from_secs(1);

/// The longest it does nothing.
const NAP: Duration = Duration::from_millis(50);

/// Everything of a fleet, driven by one task.
pub(super) struct Conductor {
    plan: Plan,
    wire: Wire,
    units: Vec<Unit>,
    /// When each terminal is looked at again.
    due: BinaryHeap<Reverse<(DateTime<Utc>, usize)>>,
    /// Terminals that have something to say, in the order in which it was time.
    ready: VecDeque<usize>,
    flying: usize,
    landed: mpsc::UnboundedSender<Landing>,
    landings: mpsc::UnboundedReceiver<Landing>,
    dice: Dice,
    begun: Instant,
    next_punch: Option<Instant>,
    storm: Option<Instant>,
    /// When the power was back, until every terminal is.
    storming: Option<Instant>,
    /// When the server last said something good.
    good: Instant,
    second: Sample,
    used: Option<Usage>,
    report: Report,
}

/// The end of a request.
struct Landing {
    unit: usize,
    kind: Kind,
    answer: io::Result<Reply>,
    wire: Option<Wire>,
}

impl Conductor {
    pub(super) fn new(plan: &Plan, wire: Wire) -> anyhow::Result<Self> {
        let (start, begun) = (now(), Instant::now());
        let units: Vec<Unit> =
            (0..plan.devices).map(|number| Unit::new(plan, number, start)).collect::<Result<_, _>>()?;
        let mut dice = Dice::new(plan.seed);
        // Terminals were switched on at any time before: they call spread over one wait.
        let wait = plan.poll.unwrap_or(Duration::from_secs(30)).min(plan.duration / 2);
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let after = |dice: &mut Dice| TimeDelta::milliseconds(i64::try_from(dice.below(wait + 1)).unwrap_or(0));
        let (landed, landings) = mpsc::unbounded_channel();
        let mut conductor = Self {
            plan: plan.clone(),
            wire,
            units,
            due: BinaryHeap::new(),
            ready: VecDeque::new(),
            flying: 0,
            landed,
            landings,
            dice: Dice::new(!plan.seed),
            begun,
            next_punch: (plan.rate > 0.0 && plan.backlog_devices < plan.devices).then_some(begun),
            storm: plan.storm.map(|after| begun + after),
            storming: None,
            good: begun,
            second: Sample::default(),
            used: plan.pid.and_then(Usage::of),
            report: Report { rows: plan.backlog(), machine_bytes: size_of::<Terminal>(), ..Report::default() },
        };
        for unit in 0..conductor.units.len() {
            conductor.look_at(unit, start + after(&mut dice));
        }
        Ok(conductor)
    }

    /// Goes on until everything is over.
    pub(super) async fn play(mut self, stop: impl Future<Output = ()>, mut tell: impl FnMut(Told<'_>)) -> Report {
        let mut stop = pin!(stop);
        let mut seconds = tokio::time::interval_at(self.begun + SECOND, SECOND);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !self.is_over() {
            self.power_fails();
            self.people_punch(&mut tell);
            self.find_due(now());
            self.send_ready(now());
            let pause = self.pause(now());
            tokio::select! {
                Some(landing) = self.landings.recv() => {
                    self.land(landing);
                    while let Ok(landing) = self.landings.try_recv() {
                        self.land(landing);
                    }
                }
                _ = seconds.tick() => {
                    self.end_second();
                    self.report.samples.last().into_iter().for_each(|second| tell(Told::Second(second)));
                }
                () = &mut stop => {
                    self.report.is_stopped = true;
                    break;
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.end_second();
        self.report.took = self.begun.elapsed();
        self.report.connected = self.connected();
        self.report.usage = self.used;
        self.report.latencies.sort_unstable();
        self.report
    }

    fn is_playing(&self) -> bool {
        self.begun.elapsed() < self.plan.duration || self.report.rows_acknowledged < self.report.rows
    }

    fn is_over(&self) -> bool {
        let has_everything = !self.is_playing() && self.waiting() == 0 && self.flying == 0;
        has_everything || (self.waiting() > 0 && self.good.elapsed() > self.plan.patience)
    }

    /// Punches and rows that are not acknowledged.
    fn waiting(&self) -> u64 {
        let Report { punches, punches_acknowledged, rows, rows_acknowledged, .. } = &self.report;
        punches.saturating_sub(*punches_acknowledged) + rows.saturating_sub(*rows_acknowledged)
    }

    fn connected(&self) -> usize {
        self.units.iter().filter(|unit| unit.is_connected).count()
    }

    /// How long nothing is due.
    fn pause(&self, at: DateTime<Utc>) -> Duration {
        let due = self.due.peek().map(|Reverse((due, _))| (*due - at).to_std().unwrap_or_default());
        let punch = self.next_punch.map(|punch| punch.saturating_duration_since(Instant::now()));
        due.into_iter().chain(punch).min().unwrap_or(NAP).min(NAP)
    }

    fn power_fails(&mut self) {
        if self.storm.is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.storm = None;
        self.storming = Some(Instant::now());
        let at = now();
        for unit in 0..self.units.len() {
            if let Some(one) = self.units.get_mut(unit) {
                one.power_fails();
            }
            self.look_at(unit, at);
        }
    }

    /// Whoever was to punch by now does, each at any terminal without a backlog.
    fn people_punch(&mut self, tell: &mut impl FnMut(Told<'_>)) {
        let at = Instant::now();
        let terminals = u64::from(self.plan.devices.saturating_sub(self.plan.backlog_devices));
        while let Some(due) = self.next_punch.filter(|due| *due <= at) {
            // Half a gap to one and a half: people do not come like a clock.
            let share = 0.5 + f64::from(u32::try_from(self.dice.below(1001)).unwrap_or(0)) / 1000.0;
            let next = due + Duration::from_secs_f64(share / self.plan.rate);
            self.next_punch = self.is_playing().then_some(next);
            let unit = usize::try_from(self.dice.below(terminals)).unwrap_or(0);
            let punch = self.units.get_mut(unit).and_then(|unit| unit.punch(now()));
            if let Some(punch) = punch {
                self.report.punches += 1;
                tell(Told::Punch(&punch, Instant::now()));
                self.look_at(unit, now());
            }
        }
    }

    fn look_at(&mut self, unit: usize, at: DateTime<Utc>) {
        if let Some(one) = self.units.get_mut(unit) {
            one.wake = Some(at);
            self.due.push(Reverse((at, unit)));
        }
    }

    fn find_due(&mut self, at: DateTime<Utc>) {
        while let Some(Reverse((due, unit))) = self.due.peek().copied().filter(|Reverse((due, _))| *due <= at) {
            self.due.pop();
            if let Some(one) = self.units.get_mut(unit).filter(|one| one.wake == Some(due)) {
                one.wake = None;
                self.ready.push_back(unit);
            }
        }
    }

    fn send_ready(&mut self, at: DateTime<Utc>) {
        while self.flying < self.plan.connections
            && let Some(unit) = self.ready.pop_front()
        {
            let Some(one) = self.units.get_mut(unit).filter(|one| !one.is_flying) else { continue };
            if let Some(until) = one.refill(self.plan.batch, at) {
                self.look_at(unit, until);
                continue;
            }
            match one.terminal.poll_request(at) {
                Some(request) => self.send(unit, request),
                None => {
                    let next = one.terminal.poll_timeout().unwrap_or(at + TimeDelta::seconds(1));
                    self.look_at(unit, next);
                }
            }
        }
    }

    fn send(&mut self, unit: usize, mut request: TerminalRequest) {
        let kind = kind_of(&request);
        let Some(one) = self.units.get_mut(unit) else { return };
        one.is_flying = true;
        let mut wire = one.wire.take().unwrap_or_else(|| self.wire.anew(unit));
        self.flying += 1;
        *self.report.sent.entry(kind).or_default() += 1;
        request.target.insert_str(0, wire.prefix());
        let bytes = request.to_bytes(wire.host());
        let (landed, keep_alive) = (self.landed.clone(), self.plan.keep_alive);
        tokio::spawn(async move {
            let answer = wire.exchange(&bytes, !keep_alive).await;
            let wire = keep_alive.then_some(wire);
            // Nobody counts any more once it is over.
            drop(landed.send(Landing { unit, kind, answer, wire }));
        });
    }

    fn land(&mut self, Landing { unit: number, kind, answer, wire }: Landing) {
        self.flying = self.flying.saturating_sub(1);
        let Some(unit) = self.units.get_mut(number) else { return };
        (unit.is_flying, unit.wire) = (false, wire);
        let mut is_refused = false;
        match answer {
            Ok(reply) => {
                if reply.status == 200 {
                    *self.report.served.entry(kind).or_default() += 1;
                    self.second.served += 1;
                    self.good = Instant::now();
                } else {
                    *self.report.statuses.entry(reply.status).or_default() += 1;
                    is_refused = true;
                }
                unit.terminal.handle_response(reply.as_answer(), now());
            }
            Err(error) => {
                *self.report.errors.entry(error.to_string()).or_default() += 1;
                unit.terminal.handle_failure(now());
            }
        }
        let Gained { punches, rows, disowned } = unit.gained();
        self.report.disowned += disowned;
        if is_refused || disowned > 0 {
            self.report.refused.insert(u32::try_from(number).unwrap_or(u32::MAX));
        }
        self.take(&punches, rows);
        self.look_at(number, now());
        if self.storming.is_some() && kind == Kind::Handshake && self.units.iter().all(|unit| unit.is_connected) {
            self.report.storm_took = self.storming.take().map(|since| since.elapsed());
        }
    }

    /// Counts what is acknowledged.
    fn take(&mut self, punches: &[Instant], rows: u64) {
        for since in punches {
            let micros = u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX);
            self.report.latencies.push(micros);
            self.second.latencies.push(micros);
            self.report.punches_acknowledged += 1;
            self.second.punches += 1;
        }
        self.report.rows_acknowledged += rows;
        self.second.rows += rows;
        if rows > 0 && self.report.rows_acknowledged >= self.report.rows {
            self.report.backlog_took = Some(self.begun.elapsed());
        }
    }

    fn end_second(&mut self) {
        let mut second = core::mem::take(&mut self.second);
        let before = self.report.samples.last().map_or(Duration::ZERO, |sample| sample.at);
        second.at = self.begun.elapsed();
        second.latencies.sort_unstable();
        (second.flying, second.waiting, second.connected) = (self.flying, self.waiting(), self.connected());
        second.usage = self.plan.pid.and_then(Usage::of);
        let millis = u64::try_from((second.at - before).as_millis()).unwrap_or(u64::MAX).max(1);
        let busy = self.used.zip(second.usage).map(|(before, now)| now.cpu_ms.saturating_sub(before.cpu_ms));
        second.cpu_percent = busy.map(|busy| busy * 100 / millis);
        self.used = second.usage.or(self.used);
        self.report.samples.push(second);
    }
}

fn kind_of(request: &TerminalRequest) -> Kind {
    if request.target.contains("getrequest") {
        Kind::Poll
    } else if request.method == "POST" && request.target.contains("table=ATTLOG") {
        Kind::Upload
    } else {
        Kind::Handshake
    }
}
