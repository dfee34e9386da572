//! What follows for a terminal's rows: the policies, rows of an outage, and T12 to T17.

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::ClockTreatment::{Adjust, Hold, Keep};
use punch_normalize::{
    Adjustment, ClockEstimate, ClockHealth, ClockHistory, ClockOffset, ClockPolicy, ClockSample, ClockTreatment,
    DeviceZone, Hint, Horizon, Rules, SampleKind, TerminalClock, Timeliness, ZoneHistory, ZoneHistoryError,
};
use punch_protocol::civil;

use crate::build::{civil_time, instant, key, raw, zone};

const SHOWN: &str = "2026-03-28T14:47:12Z";

fn measured(offset: i64) -> Option<ClockOffset> {
    ClockOffset::measured(Some(ClockEstimate::new(TimeDelta::seconds(offset), 32, TimeDelta::zero())))
}

fn apply(policy: ClockPolicy, offset: i64) -> ClockTreatment {
    policy.apply(instant(SHOWN), measured(offset))
}

fn adjusted(clock_offset_s: i64, label: Adjustment) -> ClockTreatment {
    Adjust { punched_at: instant(SHOWN) + TimeDelta::seconds(clock_offset_s), clock_offset_s, label }
}

fn told(clock_offset_s: i64) -> ClockTreatment {
    Keep { clock_offset_s: Some(clock_offset_s) }
}

// C1
#[test]
fn nothing_is_done_about_a_clock_that_is_right_or_unknown() {
    for policy in ClockPolicy::ALL {
        assert_eq!(apply(*policy, 1), Keep { clock_offset_s: None });
        assert_eq!(policy.apply(instant(SHOWN), None), Keep { clock_offset_s: None });
    }
}

// C2, C5, S2-064, S2-083
#[test]
fn drift_is_flagged_by_default_and_corrected_on_demand() {
    assert_eq!(ClockPolicy::default(), ClockPolicy::Flag);
    for offset in [47, -14, 5, -120] {
        assert_eq!(apply(ClockPolicy::Flag, offset), told(offset));
        assert_eq!(apply(ClockPolicy::Quarantine, offset), told(offset));
        assert_eq!(apply(ClockPolicy::Adjust, offset), adjusted(offset, Adjustment::Measured));
        assert_eq!(apply(ClockPolicy::AdjustWrong, offset), adjusted(offset, Adjustment::Measured));
    }
}

// C3, C4
#[test]
fn a_wrong_zone_is_never_corrected() {
    for (offset, minutes) in [(-1_798, -30), (9_001, 150)] {
        for policy in [ClockPolicy::Flag, ClockPolicy::Adjust, ClockPolicy::AdjustWrong] {
            assert_eq!(apply(policy, offset), told(offset));
        }
        let health = ClockHealth::TimezoneMisconfigured { minutes };
        assert_eq!(apply(ClockPolicy::Quarantine, offset), Hold { health });
    }
}

// C6
#[test]
fn a_wrong_clock_is_corrected_only_if_the_policy_says_so() {
    assert_eq!(apply(ClockPolicy::Flag, 740), told(740));
    assert_eq!(apply(ClockPolicy::Adjust, 740), told(740));
    assert_eq!(apply(ClockPolicy::AdjustWrong, 740), adjusted(740, Adjustment::Measured));
    assert_eq!(apply(ClockPolicy::Quarantine, 740), Hold { health: ClockHealth::ClockWrong });
    let end_of_scale = ClockSample::MAX_OFFSET.num_seconds();
    assert_eq!(apply(ClockPolicy::AdjustWrong, end_of_scale), told(end_of_scale));
}

#[test]
fn a_policy_is_read_by_its_word() {
    for policy in ClockPolicy::ALL {
        assert_eq!(ClockPolicy::from_word(policy.as_str()), Some(*policy));
        assert_eq!(serde_json::to_value(policy).unwrap(), policy.as_str());
    }
    assert_eq!(ClockPolicy::from_word("Flag"), None);
}

fn history(points: &[(i64, i64)]) -> ClockHistory {
    let mut history = ClockHistory::new();
    for (seconds, offset) in points {
        history.record(instant(SHOWN) + TimeDelta::seconds(*seconds), TimeDelta::seconds(*offset));
    }
    history
}

fn offset_at(history: &ClockHistory, shown: i64) -> Option<(i64, ClockHealth)> {
    let found = history.between(instant(SHOWN) + TimeDelta::seconds(shown))?;
    assert_eq!(found.label, Adjustment::Interpolated);
    Some((found.offset.num_seconds(), found.health))
}

// C2 for a backlog
#[test]
fn rows_of_an_outage_lie_on_the_line_between_the_measurements() {
    let history = history(&[(0, 10), (100_000, 110)]);
    // What the terminal showed at the two: 10 s and 110 s less.
    assert_eq!(offset_at(&history, -10), Some((10, ClockHealth::Drift)));
    assert_eq!(offset_at(&history, 49_940), Some((60, ClockHealth::Drift)));
    assert_eq!(offset_at(&history, 99_890), Some((110, ClockHealth::Drift)));
    assert_eq!(offset_at(&history, -11), None);
    assert_eq!(offset_at(&history, 99_891), None);

    let shown = instant(SHOWN) + TimeDelta::seconds(49_940);
    let treat = |policy: ClockPolicy| policy.apply(shown, history.between(shown));
    let punched_at = shown + TimeDelta::seconds(60);
    assert_eq!(treat(ClockPolicy::Adjust), Adjust { punched_at, clock_offset_s: 60, label: Adjustment::Interpolated });
    assert_eq!(treat(ClockPolicy::Flag), Keep { clock_offset_s: None });
    assert_eq!(treat(ClockPolicy::Quarantine), Keep { clock_offset_s: None });
    assert_eq!(Adjustment::Interpolated.as_str(), "adjusted_interpolated");
}

#[test]
fn a_line_is_as_good_as_its_worse_end() {
    assert_eq!(offset_at(&history(&[(0, 0), (1_000, 4)]), 500).unwrap().1, ClockHealth::Ok);
    assert_eq!(offset_at(&history(&[(0, 0), (1_000, 9)]), 1).unwrap(), (0, ClockHealth::Drift));
    assert_eq!(offset_at(&history(&[(0, 740), (9_000, 9)]), 5).unwrap().1, ClockHealth::ClockWrong);
    let zone_changed = history(&[(0, 0), (20_000, 9_001)]);
    assert_eq!(offset_at(&zone_changed, 100).unwrap(), (81, ClockHealth::TimezoneMisconfigured { minutes: 150 }));
    let shown = instant(SHOWN) + TimeDelta::seconds(100);
    assert_eq!(ClockPolicy::Adjust.apply(shown, zone_changed.between(shown)), Keep { clock_offset_s: None });
}

#[test]
fn a_clock_that_went_back_more_than_the_time_between_has_no_line() {
    assert_eq!(offset_at(&history(&[(0, 0), (100, 200)]), 0), None);
    assert_eq!(offset_at(&history(&[(0, 0), (100, 100)]), 0), None, "it stood still");
}

#[test]
fn nothing_is_interpolated_from_the_end_of_the_scale() {
    let limit = ClockSample::MAX_OFFSET.num_seconds();
    let history = history(&[(0, 9), (2 * limit, limit)]);
    assert_eq!(offset_at(&history, 500).unwrap(), (limit, ClockHealth::ClockWrong));
    let shown = instant(SHOWN) + TimeDelta::seconds(500);
    assert_eq!(ClockPolicy::AdjustWrong.apply(shown, history.between(shown)), Keep { clock_offset_s: None });
}

#[test]
fn both_ends_of_an_outage_outlive_what_comes_after() {
    let hour = 3_600;
    let mut points: Vec<_> = (0..=10).map(|tenth| (tenth * 360, 10)).collect();
    points.push((48 * hour, 34)); // back after 47 hours
    points.extend((1..=40).map(|minute| (48 * hour + minute * 60, 90)));
    let history = history(&points);
    // Only the ends of the outage give this: 22 s half-way between 1 h and 48 h.
    assert_eq!(offset_at(&history, 49 * hour / 2 - 22).unwrap().0, 22);
}

#[test]
fn a_measurement_is_kept_if_its_neighbours_are_three_hours_apart() {
    let spacing = ClockHistory::SPACING.num_seconds();
    let middle = |last| offset_at(&history(&[(0, 0), (3_600, 60), (last, 0)]), 3_600 - 60).unwrap().0;
    assert_eq!(middle(spacing), 60);
    assert_eq!(middle(spacing - 1), 0);
}

#[test]
fn a_history_has_eight_points() {
    let spacing = ClockHistory::SPACING.num_seconds();
    let all: Vec<_> = (0..9).map(|index| (index * spacing, 10)).collect();
    assert!(offset_at(&history(&all[..8]), 0).is_some());
    assert!(offset_at(&history(&all), 0).is_none(), "the first was dropped");
    assert!(offset_at(&history(&all), spacing).is_some());
    let mut old = history(&all);
    for second in [0, 8 * spacing] {
        old.record(instant(SHOWN) + TimeDelta::seconds(second), TimeDelta::seconds(99)); // not newer: ignored
    }
    assert_eq!(old, history(&all));
}

#[test]
fn a_clock_that_was_set_leaves_nothing_to_interpolate() {
    let mut clock = TerminalClock::new();
    let probe = |hour, offset| {
        let at = instant(SHOWN) + TimeDelta::hours(hour);
        ClockSample::new(at, SampleKind::Probe, TimeDelta::seconds(offset))
    };
    clock.observe(probe(0, 47));
    clock.observe(probe(10, 57));
    let shown = instant(SHOWN) + TimeDelta::hours(5);
    assert_eq!(clock.backlog_offset(shown).unwrap().offset, TimeDelta::seconds(52));
    assert_eq!(clock.live_offset(instant(SHOWN) + TimeDelta::hours(10)).unwrap().offset, TimeDelta::seconds(57));
    clock.clock_set(instant(SHOWN) + TimeDelta::hours(11));
    clock.observe(probe(12, 0));
    assert_eq!(clock.backlog_offset(shown), None);
}

#[test]
fn a_stored_clock_is_small_and_reads_back() {
    let store = |step: fn(i64) -> i64, offset: fn(i64) -> i64| {
        let mut clock = TerminalClock::new();
        clock.clock_set(instant(SHOWN) - TimeDelta::days(1));
        // A day apart, the samples fill the history; then they fill the window.
        let long = (0..8).map(|index| index * 86_400).map(|at| (at, SampleKind::Probe));
        let short = (0..40).map(move |index| (7 * 86_400 + step(index), SampleKind::LiveRow));
        for (at, kind) in long.chain(short) {
            let at_time = instant(SHOWN) + TimeDelta::seconds(at);
            clock.observe(ClockSample::new(at_time, kind, TimeDelta::seconds(offset(at))));
        }
        let json = serde_json::to_string(&clock).unwrap();
        assert_eq!(serde_json::from_str::<TerminalClock>(&json).unwrap(), clock);
        json.len()
    };
    assert!(store(|index| index * 2_000, |at| -1_790 - at % 9) < 600);
    assert!(store(|index| index * 2_700, |at| at % 11 - 9_000_000_000) < TerminalClock::MAX_STATE_LEN);
}

#[test]
fn a_damaged_state_is_refused() {
    let read = |json: &str| serde_json::from_str::<TerminalClock>(json).map_err(|error| error.to_string());
    assert!(read(r#"{"v":1,"probes":0,"samples":[],"history":[]}"#).is_ok());
    assert!(read(r#"{"v":2,"probes":0,"samples":[],"history":[]}"#).unwrap_err().contains("version 2"));
    let too_many = vec!["0"; 66].join(",");
    for (samples, history) in [("1", ""), ("9,1,-1,1", ""), ("9,8640001", ""), (&too_many, ""), ("", &too_many[..35])] {
        let json = format!(r#"{{"v":1,"probes":0,"samples":[{samples}],"history":[{history}]}}"#);
        assert!(read(&json).unwrap_err().contains("damaged"), "{json}");
    }
}

// T12
#[test]
fn a_row_of_an_unset_clock_is_dated_by_a_given_shift() {
    let (shown, mexico) = (civil_time("2000-01-01 00:12:00"), zone("America/Mexico_City"));
    assert!(civil::is_unset_clock(shown));
    let shift = civil_time("2026-03-28 08:00:00") - civil_time("2000-01-01 00:00:00");
    assert_eq!(mexico.reanchor(shown, shift).unwrap().instant, instant("2026-03-28T14:12:00Z"));
    assert_eq!(mexico.reanchor(shown, TimeDelta::MAX), None);
}

fn timeliness(ahead: i64, offset: Option<i64>) -> Timeliness {
    let shown = instant(SHOWN) + TimeDelta::seconds(ahead);
    Timeliness::of(&Rules::new(DeviceZone::Utc), shown, instant(SHOWN), offset.and_then(measured))
}

// T13
#[test]
fn a_row_more_than_24_hours_ahead_after_the_offset_is_of_the_future() {
    let day = 86_400;
    assert_eq!(timeliness(day + 1, None), Timeliness::Future);
    assert_eq!(timeliness(day + 10, Some(-9)), Timeliness::Future);
    assert_eq!(timeliness(day + 10, Some(-10)), Timeliness::Suspect);
    assert_eq!(timeliness(3 * day, Some(-3 * day)), Timeliness::Suspect, "known, but not believed");
    assert_eq!(timeliness(day - 9, Some(10)), Timeliness::Future, "the clock is behind and yet ahead");
}

// T14
#[test]
fn a_row_two_minutes_to_24_hours_ahead_is_suspect() {
    assert_eq!(timeliness(86_400, None), Timeliness::Suspect);
    assert_eq!(timeliness(120, None), Timeliness::Suspect);
    assert_eq!(timeliness(119, None), Timeliness::Plausible);
    assert_eq!(timeliness(9_000, Some(-9_000)), Timeliness::Suspect, "an offset explains it, no more");
    assert_eq!(timeliness(-86_400 * 400, None), Timeliness::Plausible);
}

// T15
#[test]
fn a_row_older_than_the_retention_or_before_the_first_day_is_historic() {
    let received_at = instant("2026-03-28T12:00:00Z");
    let tijuana = |text: &str| zone("America/Tijuana").resolve(civil_time(text), Hint::default()).local;
    let mut horizon = Horizon::default();
    assert!(!horizon.is_historic(tijuana("2010-01-01 00:00:00"), received_at), "nothing is configured");
    horizon.retention = Some(TimeDelta::days(30));
    assert!(!horizon.is_historic((received_at - TimeDelta::days(30)).into(), received_at));
    assert!(horizon.is_historic((received_at - TimeDelta::days(30) - TimeDelta::seconds(1)).into(), received_at));
    horizon = Horizon::default();
    horizon.go_live = Some("2026-03-01".parse().unwrap());
    assert!(horizon.is_historic(tijuana("2026-02-28 23:59:59"), received_at), "the day is the site's");
    assert!(!horizon.is_historic(tijuana("2026-03-01 00:00:00"), received_at));
}

// T16
#[test]
fn a_time_that_was_sent_as_an_epoch_is_resolved_as_utc() {
    let epoch = DateTime::<Utc>::from_timestamp(1_774_687_632, 0).unwrap();
    let resolved = DeviceZone::Utc.resolve(epoch.naive_utc(), Hint::default());
    assert_eq!(resolved.instant, epoch);
}

// T17
#[test]
fn a_changed_zone_applies_to_what_is_received_from_then_on() {
    let (mexico, tijuana) = (zone("America/Mexico_City"), zone("America/Tijuana"));
    let changed_at = instant("2026-03-28T12:00:00Z");
    let mut zones = ZoneHistory::new(mexico);
    zones.change(changed_at, tijuana).unwrap();
    assert_eq!(zones.at(changed_at - TimeDelta::milliseconds(1)), mexico);
    assert_eq!(zones.at(changed_at), tijuana);
    assert_eq!(zones.latest(), tijuana);
    assert_eq!((zones.first(), zones.changes().collect::<Vec<_>>()), (mexico, vec![(changed_at, tijuana)]));

    // A row of before the change, then resolved again on purpose.
    let row = raw("2026-03-28 05:00:00");
    let received_at = changed_at - TimeDelta::hours(1);
    let first = zones.resolve(row.time, received_at, Hint::default());
    let again = zones.latest().resolve(row.time, Hint::default());
    assert_eq!(first.instant, instant("2026-03-28T11:00:00Z"));
    assert_eq!(again.instant, instant("2026-03-28T12:00:00Z"));
    assert_eq!(key().event_id(&row), key().event_id(&raw("2026-03-28 05:00:00")), "no zone is in the identity");
}

// T17
#[test]
fn zones_are_in_the_order_of_their_instants_and_at_most_32() {
    let start = instant("2026-01-01T00:00:00Z");
    let mut zones = ZoneHistory::new(DeviceZone::Utc);
    for day in (1..=32).rev() {
        zones.change(start + TimeDelta::days(day), zone(&format!("+00:{day:02}"))).unwrap();
    }
    assert_eq!(zones.change(start, DeviceZone::Utc), Err(ZoneHistoryError::Full));
    zones.change(start + TimeDelta::days(7), zone("-03:30")).unwrap(); // corrected, not added
    assert_eq!(zones.at(start), DeviceZone::Utc);
    assert_eq!(zones.at(start + TimeDelta::days(7)), zone("-03:30"));
    assert_eq!(zones.at(start + TimeDelta::days(9) - TimeDelta::seconds(1)), zone("+00:08"));
    let stored = serde_json::to_string(&zones).unwrap();
    assert_eq!(serde_json::from_str::<ZoneHistory>(&stored).unwrap(), zones);
    assert!(serde_json::from_str::<ZoneHistory>(r#"{"v":2,"first":"UTC","changes":[]}"#).is_err());
}
