//! C1 to C7, T14 and T17 through what the gateway keeps of each terminal: uploads go in, not samples.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use gateway::core::{AlarmCause, ClockNotice, Clockwork, Presence, Received, ReceivedRow};
use punch_normalize::{Adjustment, ClockHealth, ClockSample, DeviceZone, Hint, Rules, SampleKind, ZoneHistory};
use punch_protocol::SerialNumber;
use punch_protocol::push::{Limits, Parts, Request};
use simulator::world::Dice;

const DELAY: TimeDelta = TimeDelta::seconds(30);

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn noon() -> DateTime<Utc> {
    instant("2026-03-28T12:00:00Z")
}

fn zone(text: &str) -> DeviceZone {
    DeviceZone::parse(text).unwrap()
}

fn upload(times: &[NaiveDateTime], at: DateTime<Utc>) -> Received {
    let row = |time: &NaiveDateTime| format!("1001\t{}\t0\t1\n", time.format("%Y-%m-%d %H:%M:%S"));
    let body: String = times.iter().map(row).collect();
    let parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=ATTLOG&Stamp=9999", body.as_bytes());
    let (serial, request) = Request::parse(parts, &Limits::default()).unwrap();
    let Request::Upload(upload) = request else { panic!("{request:?}") };
    Received::read(serial, &upload, at)
}

/// A terminal whose clock needs `behind` added, and the gateway's side of it.
struct Terminal {
    zone: DeviceZone,
    behind: TimeDelta,
    clockwork: Clockwork,
    presence: Presence,
    notices: Vec<ClockNotice>,
}

impl Terminal {
    fn new(zone: DeviceZone, behind: TimeDelta) -> Self {
        let (clockwork, presence) = (Clockwork::new(zone), Presence::default());
        Self { zone, behind, clockwork, presence, notices: Vec::new() }
    }

    /// What its clock shows, cut to seconds.
    fn shows(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let shown = at - self.behind;
        let civil = shown + TimeDelta::minutes(self.zone.offset_minutes_at(shown).into());
        civil.format("%Y-%m-%d %H:%M:%S").to_string().replace(' ', "T").parse().unwrap()
    }

    fn poll(&mut self, at: DateTime<Utc>) {
        self.presence.called(DELAY, at);
    }

    /// It asks all the time; three times is enough to be known to have nothing else.
    fn ask_before(&mut self, at: DateTime<Utc>) {
        for before in [90, 60, 30] {
            self.poll(at - TimeDelta::seconds(before));
        }
    }

    /// Sends rows of these civil times; whether they counted as live.
    fn send(&mut self, times: &[NaiveDateTime], at: DateTime<Utc>) -> bool {
        let received = upload(times, at).by(self.presence.called(DELAY, at));
        self.notices.extend(self.clockwork.arrived(&received, &Rules::new(self.zone)));
        self.presence.uploaded(times.len(), true, true, DELAY, at);
        received.is_live()
    }

    /// Somebody punches, and the row comes `transit` later.
    fn punch(&mut self, at: DateTime<Utc>, transit: TimeDelta) -> bool {
        self.ask_before(at + transit);
        self.send(&[self.shows(at)], at + transit)
    }

    /// `count` punches, one every 10 minutes up to `until`.
    fn punches(&mut self, count: i64, until: DateTime<Utc>) {
        for index in 0..count {
            let happened =
                until - TimeDelta::minutes(10 * (count - index)) + TimeDelta::milliseconds(index * 377 % 1_000);
            self.punch(happened, TimeDelta::milliseconds(50 + (index * 173) % 500));
        }
    }

    fn offset(&self, at: DateTime<Utc>) -> Option<i64> {
        self.clockwork.estimate(at).map(|estimate| estimate.offset.num_seconds())
    }

    fn opened(&self) -> Vec<bool> {
        self.notices.iter().map(|notice| notice.opens).collect()
    }
}

fn measured(behind: TimeDelta) -> Terminal {
    let mut terminal = Terminal::new(zone("America/Mexico_City"), behind);
    // The first row of a terminal that was never heard of measures nothing.
    terminal.punches(35, noon());
    assert_eq!(terminal.clockwork.estimate(noon()).unwrap().samples, 32);
    terminal
}

fn check(behind: TimeDelta, offset: i64, health: ClockHealth) -> Terminal {
    let terminal = measured(behind);
    assert_eq!((terminal.offset(noon()), terminal.clockwork.health(noon())), (Some(offset), health));
    assert_eq!(terminal.opened(), vec![true; usize::from(health.is_alarm())], "told once, not with every row");
    terminal
}

#[test]
fn c1_a_clock_a_second_behind_is_ok() {
    check(TimeDelta::milliseconds(1_200), 1, ClockHealth::Ok);
}

#[test]
fn c2_a_clock_47_seconds_behind_drifts_and_is_no_alarm() {
    let terminal = check(TimeDelta::seconds(47), 47, ClockHealth::Drift);
    let told = terminal.clockwork.offset_of(noon() - TimeDelta::seconds(47), noon(), true).unwrap();
    assert_eq!((told.offset.num_seconds(), told.label), (47, Adjustment::Measured));
}

#[test]
fn c3_a_clock_half_an_hour_ahead_is_in_another_zone() {
    // Its first row is ahead of its receipt, which opens the alarm before anything is measured (T14).
    let terminal = check(TimeDelta::minutes(-30), -1_800, ClockHealth::TimezoneMisconfigured { minutes: -30 });
    assert_eq!((terminal.notices[0].cause, terminal.notices[0].estimate), (AlarmCause::RowAhead, None));
    let advice = terminal.clockwork.report(noon()).advice;
    assert!(advice.ends_with("or set its zone here to -05:30 if the terminal is right"), "{advice}");
}

#[test]
fn c4_a_clock_two_and_a_half_hours_behind_is_in_another_zone() {
    let terminal = check(TimeDelta::seconds(9_001), 9_001, ClockHealth::TimezoneMisconfigured { minutes: 150 });
    let notice = &terminal.notices[0];
    assert_eq!((notice.cause, notice.estimate.unwrap().offset.num_seconds() / 10), (AlarmCause::Measured, 900));
    assert!(notice.advice.contains("wrong by 150 minutes") && notice.advice.contains("-08:30"), "{}", notice.advice);
}

#[test]
fn c5_a_clock_14_seconds_ahead_drifts() {
    check(TimeDelta::seconds(-14), -14, ClockHealth::Drift);
}

#[test]
fn c6_a_clock_740_seconds_behind_is_wrong() {
    let terminal = check(TimeDelta::seconds(740), 740, ClockHealth::ClockWrong);
    assert_eq!(terminal.notices[0].health, ClockHealth::ClockWrong);
}

#[test]
fn c7_late_rows_and_a_backlog_change_nothing() {
    let mut terminal = measured(TimeDelta::seconds(47));
    let before = terminal.clockwork.clone();
    // Two rows that were late, one by ten minutes and one by an hour, look live.
    assert!(terminal.punch(noon() + TimeDelta::minutes(1), TimeDelta::seconds(600)));
    assert!(terminal.punch(noon() + TimeDelta::minutes(12), TimeDelta::seconds(3_600)));
    assert_eq!(terminal.offset(noon() + TimeDelta::minutes(73)), Some(47));
    assert_ne!(terminal.clockwork, before);

    // Rows of an outage: a large upload, and its rest.
    let mut outage = Terminal { clockwork: before.clone(), notices: Vec::new(), ..measured(TimeDelta::seconds(47)) };
    let back = noon() + TimeDelta::hours(9);
    let rows: Vec<_> = (0..40).map(|minute| outage.shows(noon() + TimeDelta::minutes(10 * minute))).collect();
    outage.poll(back);
    assert!(!outage.send(&rows[..38], back + TimeDelta::seconds(1)));
    assert!(!outage.send(&rows[38..], back + TimeDelta::seconds(3)), "the rest of a backlog");
    assert_eq!(outage.clockwork, before);
    assert!(outage.punch(back + TimeDelta::seconds(40), TimeDelta::zero()), "its queue is empty");
}

#[test]
fn only_rows_that_come_as_they_happen_measure() {
    let mut terminal = Terminal::new(DeviceZone::Utc, TimeDelta::zero());
    let at = |second: i64| noon() + TimeDelta::seconds(second);
    let row = |second: i64| at(second).naive_utc();
    assert!(!terminal.send(&[row(0)], at(0)), "never heard of before");
    assert!(terminal.send(&[row(10)], at(10)));
    assert!(terminal.send(&[row(68), row(69), row(70)], at(70)), "60 s are twice its Delay");
    assert!(!terminal.send(&[row(131)], at(131)), "61 s are more");
    assert!(!terminal.send(&[row(132), row(132), row(133), row(133)], at(133)), "four rows");
    assert!(!terminal.send(&[row(140)], at(140)), "the rest of a backlog");
    assert!(terminal.send(&[row(150)], at(150)));
    terminal.presence.uploaded(1, true, false, DELAY, at(160));
    assert!(!terminal.send(&[row(160)], at(190)), "it was refused before");
    // A terminal that has been away and asks first, then sends what it has kept.
    terminal.poll(at(300));
    assert!(!terminal.send(&[row(200)], at(301)));
    assert!(terminal.send(&[row(310)], at(310)));
    // What has not come within twice the Delay is not there.
    terminal.poll(at(400));
    terminal.poll(at(430));
    terminal.poll(at(461));
    assert!(terminal.send(&[row(465)], at(465)));
    assert_eq!(terminal.clockwork.estimate(at(465)).unwrap().samples, 5);

    let taken_once_more = upload(&[row(470)], at(470));
    assert!(!taken_once_more.is_live());
    let before = terminal.clockwork.clone();
    assert_eq!(terminal.clockwork.arrived(&taken_once_more, &Rules::new(DeviceZone::Utc)), None);
    assert!(terminal.send(&[row(480), row(479)], at(480)), "live, but out of order");
    assert_eq!(terminal.clockwork, before);
}

#[test]
fn a_row_that_does_not_read_counts_and_hides_which_is_the_newest() {
    let mut terminal = Terminal::new(DeviceZone::Utc, TimeDelta::zero());
    terminal.punches(2, noon());
    let before = terminal.clockwork.clone();
    for (broken, is_live) in [(1, true), (2, true), (3, false)] {
        let at = noon() + TimeDelta::minutes(broken);
        terminal.ask_before(at);
        let mut received = upload(&[terminal.shows(at)], at).by(terminal.presence.called(DELAY, at));
        for _ in 0..broken {
            received.rows.push(ReceivedRow::Broken { problem: String::new(), raw: Vec::new() });
        }
        terminal.presence.uploaded(received.attendance_rows(), true, true, DELAY, at);
        assert_eq!(received.is_live(), is_live, "{broken}");
        terminal.clockwork.arrived(&received, &Rules::new(terminal.zone));
        assert_eq!(terminal.clockwork, before);
    }
}

// T16
#[test]
fn t16_a_row_with_a_number_for_a_time_is_compared_in_utc() {
    let mut terminal = Terminal::new(zone("America/Mexico_City"), TimeDelta::zero());
    for second in 0..6 {
        let at = noon() + TimeDelta::seconds(second);
        let mut received = upload(&[(at - TimeDelta::seconds(47)).naive_utc()], at);
        let ReceivedRow::Punch { punch, .. } = &mut received.rows[0] else { panic!("{received:?}") };
        punch.is_utc = true;
        let received = received.by(terminal.presence.called(DELAY, at));
        terminal.presence.uploaded(1, true, true, DELAY, at);
        terminal.clockwork.arrived(&received, &Rules::new(terminal.zone));
    }
    assert_eq!(terminal.offset(noon() + TimeDelta::seconds(5)), Some(47));
}

// T14
#[test]
fn t14_a_row_ahead_of_its_receipt_opens_an_alarm_once_and_it_closes_once() {
    let mut terminal = Terminal::new(DeviceZone::Utc, TimeDelta::zero());
    terminal.punches(35, noon());
    let row = |minute: i64, ahead: i64| (noon() + TimeDelta::minutes(minute) + TimeDelta::seconds(ahead)).naive_utc();
    let at = |minute: i64| noon() + TimeDelta::minutes(minute);
    terminal.send(&[row(1, 119)], at(1));
    terminal.send(&[row(2, 86_401)], at(2));
    assert!(terminal.opened().is_empty(), "119 s are no alarm, and what is held has its own reason");
    terminal.send(&[row(3, 120)], at(3));
    terminal.send(&[row(4, 86_400)], at(4));
    terminal.send(&[row(5, 86_400), row(5, 0), row(5, 0), row(5, 0)], at(5));
    assert_eq!(terminal.opened(), [true], "told once, of whatever upload");
    assert_eq!((terminal.notices[0].at, terminal.notices[0].cause), (at(3), AlarmCause::RowAhead));
    assert!(terminal.notices[0].advice.starts_with("the terminal's clock was ahead"), "{}", terminal.notices[0].advice);

    // It is measured right, and stays open for an hour after the last such row.
    terminal.punches(5, at(64));
    assert_eq!(terminal.opened(), [true]);
    terminal.punch(at(66), TimeDelta::zero());
    assert_eq!(terminal.opened(), [true, false]);
    assert_eq!((terminal.notices[1].since, terminal.notices[1].health), (at(3), ClockHealth::Ok));
    assert_eq!(terminal.clockwork.report(at(66)).alarm_since, None);
}

#[test]
fn an_alarm_closes_at_60_seconds_and_not_where_it_opens() {
    let mut terminal = Terminal::new(DeviceZone::Utc, TimeDelta::seconds(130));
    terminal.punches(6, noon());
    assert_eq!(terminal.opened(), [true]);
    let mut at = noon();
    // Back and forth over the line, each measured anew.
    for behind in [115, 125, 90, 121, 61] {
        terminal.behind = TimeDelta::seconds(behind);
        assert!(terminal.clockwork.told_time(at));
        at += TimeDelta::hours(2);
        terminal.punches(8, at);
        assert_eq!(terminal.offset(at), Some(behind));
        assert_eq!(terminal.opened(), [true], "{behind}");
    }
    assert!(terminal.clockwork.told_time(at));
    terminal.behind = TimeDelta::seconds(60);
    terminal.punches(8, at + TimeDelta::hours(2));
    assert_eq!(terminal.opened(), [true, false]);
}

#[test]
fn a_clock_that_was_told_the_time_is_measured_anew() {
    let mut terminal = measured(TimeDelta::minutes(-30));
    assert!(terminal.clockwork.told_time(noon()));
    assert!(!terminal.clockwork.told_time(noon() + TimeDelta::seconds(5)), "there is nothing more to forget");
    assert_eq!(terminal.clockwork.health(noon() + TimeDelta::seconds(5)), ClockHealth::Unknown);
    assert!(terminal.clockwork.alarm().is_some(), "nobody knows yet whether it has helped");
    terminal.behind = TimeDelta::zero();
    terminal.punches(6, noon() + TimeDelta::minutes(70));
    assert_eq!(terminal.opened(), [true, false], "no hour has to pass: what was ahead was before");
}

// T17
#[test]
fn t17_a_zone_applies_to_rows_received_since_and_voids_what_was_measured() {
    let mut terminal = measured(TimeDelta::seconds(9_001));
    assert_eq!(terminal.clockwork.configure(zone("America/Mexico_City"), noon()), None);
    let former = terminal.clockwork.configure(zone("-08:30"), noon());
    assert_eq!(former, Some(zone("America/Mexico_City")));
    assert_eq!(terminal.clockwork.zone_at(noon() - TimeDelta::milliseconds(1)), zone("America/Mexico_City"));
    assert_eq!(terminal.clockwork.zone_at(noon()), zone("-08:30"));
    assert_eq!(terminal.clockwork.health(noon()), ClockHealth::Unknown);
    // The advice was right: with this zone the same clock is.
    (terminal.zone, terminal.behind) = (zone("-08:30"), TimeDelta::seconds(1));
    terminal.punches(6, noon() + TimeDelta::hours(2));
    assert_eq!(terminal.clockwork.health(noon() + TimeDelta::hours(2)), ClockHealth::Ok);
    assert_eq!(terminal.opened(), [true, false]);
    let changes = terminal.clockwork.zone_changes();
    assert_eq!(
        (changes.len(), changes[0].former.as_str(), changes[0].zone.as_str()),
        (1, "America/Mexico_City", "-08:30")
    );
}

#[test]
fn of_too_many_zones_the_older_half_is_forgotten_and_the_last_one_always_applies() {
    let mut clockwork = Clockwork::new(DeviceZone::Utc);
    for day in 1..=40 {
        let (at, zone) = (noon() + TimeDelta::days(day), zone(&format!("+00:{day:02}")));
        clockwork.configure(zone, at).unwrap();
        assert_eq!(clockwork.zone_at(at), zone);
        assert!(clockwork.zone_changes().len() <= ZoneHistory::MAX_CHANGES);
    }
    assert_eq!(clockwork.zone_at(noon() + TimeDelta::days(30)), zone("+00:30"));
    // A server whose clock was set back still means the newest.
    clockwork.configure(zone("-03:30"), noon()).unwrap();
    assert_eq!(clockwork.zone_at(noon() + TimeDelta::days(41)), zone("-03:30"));
    assert_eq!(clockwork.configure(zone("-03:30"), noon()), None);
}

/// A terminal whose clock loses 4 seconds a day is away for two days; what it kept is dated between the two ends.
#[test]
fn a_backlog_has_the_offset_between_the_measurements_around_the_outage() {
    let mut terminal = Terminal::new(zone("-06:00"), TimeDelta::seconds(20));
    terminal.punches(8, noon());
    let kept: Vec<_> = (1..=20)
        .map(|hour| {
            terminal.behind = TimeDelta::seconds(20 + hour / 3);
            terminal.shows(noon() + TimeDelta::hours(2 * hour))
        })
        .collect();
    let back = noon() + TimeDelta::hours(48);
    terminal.behind = TimeDelta::seconds(28);
    assert!(!terminal.send(&kept, back));
    let offset = |terminal: &Terminal, time: NaiveDateTime| {
        let shown = terminal.zone.resolve(time, Hint::default()).instant;
        terminal.clockwork.offset_of(shown, back, false)
    };
    assert_eq!(offset(&terminal, kept[5]), None, "nobody has measured since");
    terminal.punches(7, back + TimeDelta::hours(2));
    for (index, time) in kept.iter().enumerate() {
        let found = offset(&terminal, *time).unwrap();
        let expected = 20 + i64::try_from(index + 1).unwrap() / 3;
        assert!(found.offset.num_seconds().abs_diff(expected) <= 1, "{index}: {found:?}");
        assert_eq!(found.label, Adjustment::Interpolated);
    }
}

/// A row that came another way than by an upload, of a clock that was measured, a while after it was made.
#[test]
fn a_row_that_was_made_within_a_minute_has_the_offset_that_was_measured() {
    let terminal = measured(TimeDelta::seconds(740));
    for (late, is_recent) in [(-6, false), (-5, true), (0, true), (60, true), (61, false), (7_200, false)] {
        let shown = noon() - TimeDelta::seconds(740 + late);
        let found = terminal.clockwork.offset_of(shown, noon(), false);
        let is_measured = found.is_some_and(|clock| clock.label == Adjustment::Measured);
        assert_eq!(is_measured, is_recent, "{late}: {found:?}");
    }
    let unknown = Clockwork::new(DeviceZone::Utc);
    assert_eq!(unknown.offset_of(noon(), noon(), true), None);
}

/// What an agent has read is dated between the last probe that is written down and the one that comes with it.
#[test]
fn rows_come_with_the_probe_that_was_not_written_down() {
    let mut clockwork = Clockwork::new(DeviceZone::Utc);
    let probe = |minute: i64, offset: i64| {
        ClockSample::new(noon() + TimeDelta::minutes(minute), SampleKind::Probe, TimeDelta::seconds(offset))
    };
    assert!(clockwork.probed(&SerialNumber::parse("T1").unwrap(), probe(0, 47)).is_none());
    let (shown, received_at) = (noon() + TimeDelta::minutes(15), noon() + TimeDelta::minutes(31));
    assert_eq!(clockwork.offset_of(shown, received_at, false), None);
    let found = clockwork.with(Some(probe(30, 48))).offset_of(shown, received_at, false).unwrap();
    assert_eq!((found.offset, found.label), (TimeDelta::seconds(47), Adjustment::Interpolated));
    assert_eq!(clockwork.with(None), clockwork);
}

/// A year in the life of clocks: drift, jumps, zones set wrong, outages with backlogs, late rows.
#[test]
fn whatever_happens_a_known_offset_is_near_the_truth_and_alarms_alternate() {
    let mut known = 0;
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let mut roll = |below: u64| i64::try_from(dice.below(below)).unwrap();
        let mut terminal = Terminal::new(zone("Europe/Madrid"), TimeDelta::seconds(roll(240) - 120));
        let mut at = noon();
        for _ in 0..300 {
            at += TimeDelta::milliseconds(60_000 + roll(600_000));
            match roll(40) {
                0 => {
                    // Set by hand, or into another zone: the terminal says so by asking for the time, or the next day does.
                    let steps = [0, 47, 740, -1_800, 9_000, -3_600];
                    terminal.behind = TimeDelta::seconds(steps[usize::try_from(roll(6)).unwrap()]);
                    terminal.clockwork.told_time(at);
                }
                1 => {
                    let rows: Vec<_> = (0..20).map(|row| terminal.shows(at + TimeDelta::minutes(10 * row))).collect();
                    at += TimeDelta::hours(4 + roll(20));
                    terminal.poll(at);
                    let sent = usize::try_from(17 + roll(4)).unwrap();
                    assert!(!terminal.send(&rows[..sent], at + TimeDelta::seconds(1)));
                    if sent < rows.len() {
                        assert!(!terminal.send(&rows[sent..], at + TimeDelta::seconds(2)));
                    }
                    at += TimeDelta::seconds(3);
                }
                // One in forty waits on its way.
                2 => drop(terminal.punch(at, TimeDelta::milliseconds(roll(50_000)))),
                _ => drop(terminal.punch(at, TimeDelta::milliseconds(50 + roll(500)))),
            }
            if let Some(offset) = terminal.offset(at + TimeDelta::minutes(1)) {
                known += 1;
                let truth = terminal.behind.num_seconds();
                assert!(offset.abs_diff(truth) <= 2, "seed {seed}: {offset} for {truth}");
            }
        }
        let alternate = terminal.opened().iter().enumerate().all(|(index, opens)| *opens == (index % 2 == 0));
        assert!(alternate, "seed {seed}: {:?}", terminal.opened());
        assert_eq!(terminal.opened().last().copied().unwrap_or_default(), terminal.clockwork.alarm().is_some());
    }
    assert!(known > 10_000, "{known}");
}
