//! The clock of a terminal measured: C1 to C7, which rows measure it, and what is said about it.

use chrono::TimeDelta;
use punch_normalize::{
    Arrival, ClockEstimate, ClockHealth, ClockSample, ClockSamples, DeviceZone, Diagnosis, Hint, SampleKind,
    TerminalClock,
};

use crate::build::{civil_time, instant, zone};

const NOON: &str = "2026-03-28T12:00:00Z";

/// Live rows of a terminal whose clock needs `offset_ms` added, one every 10 minutes up to noon.
///
/// A terminal cuts its time to seconds, and the network takes 50 to 549 ms.
fn live_rows(zone: DeviceZone, offset_ms: i64, count: i64) -> Vec<ClockSample> {
    let row = |index: i64| {
        let happened = instant(NOON) - TimeDelta::minutes(10 * (count - index)) + TimeDelta::milliseconds(index * 377);
        let shows = happened - TimeDelta::milliseconds(offset_ms);
        let wall_clock = shows + TimeDelta::minutes(zone.offset_minutes_at(shows).into());
        let resolved = zone.resolve(civil_time(&wall_clock.format("%Y-%m-%d %H:%M:%S").to_string()), Hint::default());
        let received_at = happened + TimeDelta::milliseconds(50 + (index * 173) % 500);
        ClockSample::of_row(received_at, &resolved).unwrap()
    };
    (0..count).map(row).collect()
}

fn estimate(samples: &[ClockSample]) -> Option<ClockEstimate> {
    let mut all = ClockSamples::new();
    samples.iter().for_each(|sample| all.observe(*sample));
    all.estimate(instant(NOON) + TimeDelta::minutes(1))
}

fn check(offset_ms: i64, expected: i64, health: ClockHealth) {
    for zone in ["UTC", "-06:00", "+05:45", "America/Mexico_City"].map(zone) {
        let found = estimate(&live_rows(zone, offset_ms, 34)).unwrap();
        assert_eq!((found.offset.num_seconds(), found.samples), (expected, 32), "{zone}");
        assert_eq!(found.health(), health);
    }
}

fn at(minute: i64, kind: SampleKind, offset: i64) -> ClockSample {
    ClockSample::new(instant(NOON) + TimeDelta::minutes(minute), kind, TimeDelta::seconds(offset))
}

fn live(minute: i64, offset: i64) -> ClockSample {
    at(minute, SampleKind::LiveRow, offset)
}

// C1
#[test]
fn a_clock_a_second_behind_is_ok() {
    check(1_200, 1, ClockHealth::Ok);
    check(0, 0, ClockHealth::Ok);
}

// C2, S2-064
#[test]
fn a_clock_47_seconds_behind_drifts() {
    check(47_000, 47, ClockHealth::Drift);
}

// C3: the terminal is ahead
#[test]
fn a_clock_half_an_hour_ahead_is_in_another_zone() {
    check(-1_800_000, -1_800, ClockHealth::TimezoneMisconfigured { minutes: -30 });
    check(-1_798_000, -1_798, ClockHealth::TimezoneMisconfigured { minutes: -30 });
}

// C4
#[test]
fn a_clock_two_and_a_half_hours_behind_is_in_another_zone() {
    check(9_001_000, 9_001, ClockHealth::TimezoneMisconfigured { minutes: 150 });
}

// C5
#[test]
fn a_clock_14_seconds_ahead_drifts() {
    check(-14_000, -14, ClockHealth::Drift);
}

// C6
#[test]
fn a_clock_740_seconds_behind_is_wrong() {
    check(740_000, 740, ClockHealth::ClockWrong);
}

// C7
#[test]
fn two_late_rows_of_34_change_nothing() {
    let rows = live_rows(DeviceZone::Utc, 47_000, 34);
    let late = |index: usize, seconds: i64| {
        ClockSample::new(rows[index].at(), SampleKind::LiveRow, rows[index].offset() + TimeDelta::seconds(seconds))
    };
    let mut poisoned = rows.clone();
    (poisoned[12], poisoned[30]) = (late(12, 600), late(30, 3_600));
    assert_ne!(poisoned, rows);
    assert_eq!(estimate(&poisoned), estimate(&rows));
}

#[test]
fn five_rows_that_agree_to_five_seconds_are_an_estimate() {
    let rows = [live(0, 0), live(0, 1), live(0, 5), live(0, 10), live(0, 11)];
    assert_eq!(estimate(&rows[..4]), None);
    assert_eq!(estimate(&rows).unwrap().spread, TimeDelta::seconds(5));
    let apart = [live(0, 0), live(0, 0), live(0, 6), live(0, 12), live(0, 13)];
    assert_eq!(estimate(&apart), None);
}

#[test]
fn a_sample_counts_for_24_hours() {
    let mut samples = ClockSamples::new();
    (0..5).for_each(|_| samples.observe(live(0, 7)));
    let day = instant(NOON) + ClockSamples::WINDOW;
    assert!(samples.estimate(day).is_some());
    assert!(samples.estimate(day + TimeDelta::seconds(1)).is_none());
    assert!(samples.estimate(instant(NOON) - TimeDelta::seconds(1)).is_none(), "measured later");
    samples.observe(live(24 * 60, 7));
    assert_eq!(samples.len(), 6);
    samples.observe(live(24 * 60 + 1, 7));
    assert_eq!(samples.len(), 2, "what no longer counts is not kept");
}

#[test]
fn the_newest_32_samples_count() {
    let mut samples = ClockSamples::new();
    (0..32).for_each(|minute| samples.observe(live(minute, 0)));
    assert_eq!(samples.len(), ClockSamples::MAX);
    samples.observe(live(-1, -90)); // older than all
    assert_eq!(samples.len(), ClockSamples::MAX);
    let later = instant(NOON) + TimeDelta::hours(2);
    assert_eq!(samples.estimate(later).unwrap().offset, TimeDelta::zero());
    // Of 32 samples the fourth smallest is the 10th percentile.
    (32..35).for_each(|minute| samples.observe(live(minute, -90)));
    assert_eq!(samples.estimate(later).unwrap().offset, TimeDelta::zero());
    samples.observe(live(35, -90));
    assert_eq!(samples.estimate(later).unwrap().offset, TimeDelta::seconds(-90));
    assert_eq!(samples.len(), ClockSamples::MAX);
}

#[test]
fn a_probe_stands_alone_and_supersedes_what_was_before() {
    let mut rows: Vec<_> = (-20..0).map(|minute| live(minute, 3_600)).collect();
    rows.push(at(0, SampleKind::Probe, 2));
    let probed = estimate(&rows).unwrap();
    assert_eq!((probed.offset, probed.samples), (TimeDelta::seconds(2), ClockSamples::PROBE_WEIGHT));
    rows.push(live(1, 4));
    assert_eq!(estimate(&rows).unwrap().samples, 6);
    rows.push(at(1, SampleKind::Probe, -8));
    assert_eq!(estimate(&rows).unwrap().offset, TimeDelta::seconds(-8));
}

#[test]
fn the_probe_is_the_middle_of_its_round_trip_minus_the_terminal() {
    let shown = zone("+05:45").resolve(civil_time("2026-03-28 17:45:14"), Hint::default());
    let asked = instant(NOON);
    let probe = |millis| ClockSample::of_probe(asked, asked + TimeDelta::milliseconds(millis), &shown);
    assert_eq!(probe(0).unwrap().offset(), TimeDelta::seconds(-14));
    assert_eq!(probe(4_000).unwrap().offset(), TimeDelta::seconds(-12));
    assert_eq!(probe(5_000).unwrap().offset(), TimeDelta::seconds(-12)); // -11.5, rounded down
    assert_eq!(probe(5_001), None);
    assert_eq!(probe(-1), None);
}

#[test]
fn a_clock_that_was_set_is_measured_anew() {
    let mut clock = TerminalClock::new();
    (0..10).for_each(|minute| clock.observe(live(minute, 47)));
    assert!(!clock.is_empty());
    clock.clock_set(instant(NOON) + TimeDelta::minutes(9));
    assert!(clock.is_empty());
    let later = instant(NOON) + TimeDelta::minutes(30);
    assert_eq!(clock.health(later), ClockHealth::Unknown);
    // Rows that were under way, the second in the second in which the clock was set.
    clock.observe(live(8, 47));
    clock.observe(live(9, 47));
    (10..14).for_each(|minute| clock.observe(live(minute, 0)));
    assert_eq!(clock.health(later), ClockHealth::Unknown);
    clock.observe(live(14, 0));
    assert_eq!(clock.health(later), ClockHealth::Ok);
}

#[test]
fn a_row_is_live_by_four_rules() {
    let ask = TimeDelta::seconds(10);
    let arrival = |rows, silence| Arrival::new(rows, Some(TimeDelta::seconds(silence)), ask);
    assert!(arrival(1, 0).is_live());
    assert!(arrival(3, 20).is_live());
    assert!(!arrival(4, 20).is_live());
    assert!(!arrival(0, 20).is_live());
    assert!(!arrival(3, 21).is_live());
    assert!(!Arrival::new(1, None, ask).is_live(), "never heard of before");
    let (mut older, mut queued) = (arrival(1, 0), arrival(1, 0));
    (older.newest, queued.earlier_pending) = (false, true);
    assert!(!older.is_live() && !queued.is_live());
    assert!(Arrival::new(1, Some(TimeDelta::MAX), TimeDelta::MAX).is_live(), "twice the longest Delay");
}

// T5, T6, T12
#[test]
fn a_row_that_is_not_exact_or_of_an_unset_clock_measures_nothing() {
    let madrid = zone("Europe/Madrid");
    let measures = |local: &str, hint: Hint| {
        let resolved = madrid.resolve(civil_time(local), hint);
        ClockSample::of_row(resolved.instant, &resolved).is_some()
    };
    assert!(measures("2026-10-25 03:00:00", Hint::default()));
    assert!(!measures("2026-10-25 02:30:00", Hint::live(instant("2026-10-25T01:30:02Z"))));
    assert!(!measures("2026-03-29 02:30:00", Hint::default()));
    assert!(!measures("2000-01-01 00:00:07", Hint::default()));
    assert!(measures("2010-01-01 00:00:00", Hint::default()));
}

#[test]
fn offsets_are_whole_seconds_up_to_100_days() {
    let offset =
        |millis| ClockSample::new(instant(NOON), SampleKind::LiveRow, TimeDelta::milliseconds(millis)).offset();
    assert_eq!(offset(999), TimeDelta::zero());
    assert_eq!(offset(-1), TimeDelta::seconds(-1));
    assert_eq!(offset(-1_000), TimeDelta::seconds(-1));
    assert_eq!(offset(i64::MAX), ClockSample::MAX_OFFSET);
    assert_eq!(offset(-i64::MAX), -ClockSample::MAX_OFFSET);
}

#[test]
fn every_class_begins_and_ends_where_it_says() {
    use ClockHealth::{ClockWrong, Drift, Ok, TimezoneMisconfigured};
    let zone = |minutes| TimezoneMisconfigured { minutes };
    let cases = [
        (0, Ok),
        (4, Ok),
        (5, Drift),
        (120, Drift),
        (121, ClockWrong),
        (809, ClockWrong),
        (810, zone(15)),
        (900, zone(15)),
        (990, zone(15)),
        (991, ClockWrong),
        (7_200, zone(120)),
        (93_600, zone(1_560)),
        (93_690, zone(1_560)),
        (94_500, ClockWrong), // 26 h 15 min: no two zones are that far apart
        (8_640_000, ClockWrong),
    ];
    for (seconds, health) in cases {
        assert_eq!(ClockHealth::of_offset(TimeDelta::seconds(seconds)), health, "{seconds} s");
        let mirrored = if let TimezoneMisconfigured { minutes } = health { zone(-minutes) } else { health };
        assert_eq!(ClockHealth::of_offset(TimeDelta::seconds(-seconds)), mirrored, "-{seconds} s");
    }
}

#[test]
fn drift_is_mended_by_telling_the_time_and_what_is_worse_by_somebody() {
    let answers = |seconds| {
        let health = ClockHealth::of_offset(TimeDelta::seconds(seconds));
        (health.is_mended_by_sync(), health.is_alarm())
    };
    assert_eq!([1, 47, 740, 9_001].map(answers), [(false, false), (true, false), (false, true), (false, true)]);
}

fn diagnose(zone_name: &str, offset: i64) -> String {
    let estimate = ClockEstimate::new(TimeDelta::seconds(offset), 32, TimeDelta::zero());
    Diagnosis::new(Some(estimate), zone(zone_name), instant(NOON)).to_string()
}

#[test]
fn the_diagnosis_says_which_way_to_turn_the_clock() {
    assert_eq!(diagnose("UTC", 1), "the terminal's clock is right");
    assert_eq!(diagnose("+05:30", 47), "the terminal's clock is 47 s behind UTC+05:30; synchronise it");
    assert_eq!(diagnose("UTC", -14), "the terminal's clock is 14 s ahead of UTC+00:00; synchronise it");
    assert_eq!(
        diagnose("America/Mexico_City", -1_798),
        "the terminal's time zone is wrong by 30 minutes: its clock is 30 min ahead of UTC-06:00; \
         set the terminal to UTC-06:00 (America/Mexico_City), \
         or set its zone here to -05:30 if the terminal is right"
    );
    assert_eq!(
        diagnose("UTC", 740),
        "the terminal's clock is wrong: 12 min 20 s behind UTC+00:00; set it, and look at its battery"
    );
    assert!(diagnose("UTC", -8_640_000).contains("at least 100 d ahead of"));
    assert!(diagnose("+14:00", -3_600).ends_with("no zone is that far away, so set its date and its time"));
    assert!(Diagnosis::new(None, DeviceZone::Utc, instant(NOON)).to_string().contains("not known yet"));
}

/// The zone that the diagnosis offers makes the very same rows right, whichever way the terminal is off.
#[test]
fn the_zone_offered_mends_the_clock() {
    for (configured, set_to) in [("-06:00", "-08:30"), ("-06:00", "-03:30"), ("+05:30", "UTC"), ("-12:00", "+14:00")] {
        let shows = zone(set_to).offset_minutes_at(instant(NOON));
        let wall_clock = (instant(NOON) + TimeDelta::minutes(shows.into())).naive_utc();
        let measure = |zone: DeviceZone| {
            let mut samples = ClockSamples::new();
            let resolved = zone.resolve(wall_clock, Hint::default());
            samples.observe(ClockSample::of_probe(instant(NOON), instant(NOON), &resolved).unwrap());
            Diagnosis::new(samples.estimate(instant(NOON)), zone, instant(NOON))
        };
        let wrong = measure(zone(configured));
        assert_eq!(wrong.health().as_str(), "timezone_misconfigured");
        assert_eq!(wrong.shown_minutes(), Some(shows), "{configured} {set_to}");
        let offered = DeviceZone::Fixed(chrono::FixedOffset::east_opt(shows * 60).unwrap());
        assert_eq!(measure(offered).health(), ClockHealth::Ok);
    }
}
