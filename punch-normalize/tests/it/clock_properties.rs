//! What holds for every set of clock samples.

use chrono::TimeDelta;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use punch_normalize::{
    ClockEstimate, ClockHealth, ClockHistory, ClockOffset, ClockPolicy, ClockSample, ClockSamples, ClockTreatment,
    SampleKind, TerminalClock,
};

use crate::build::instant;

const START: &str = "2026-03-28T00:00:00Z";

fn sample(second: i64, kind: SampleKind, offset: i64) -> ClockSample {
    ClockSample::new(instant(START) + TimeDelta::seconds(second), kind, TimeDelta::seconds(offset))
}

/// Mostly rows that agree, sometimes a late row, seldom a probe, over 30 hours.
fn any_sample() -> impl Strategy<Value = ClockSample> {
    let kind = prop_oneof![9 => Just(SampleKind::LiveRow), 1 => Just(SampleKind::Probe)];
    let offset = prop_oneof![8 => 40i64..48, 1 => 40i64..4_000, 1 => any::<i32>().prop_map(i64::from)];
    (0i64..108_000, kind, offset).prop_map(|(second, kind, offset)| sample(second, kind, offset))
}

fn estimate(samples: &[ClockSample]) -> Option<ClockEstimate> {
    let mut all = ClockSamples::new();
    samples.iter().for_each(|sample| all.observe(*sample));
    all.estimate(instant(START) + TimeDelta::hours(30))
}

fn shuffled_samples() -> impl Strategy<Value = (Vec<ClockSample>, Vec<ClockSample>)> {
    prop::collection::vec(any_sample(), 0..80)
        .prop_flat_map(|samples| (Just(samples.clone()), Just(samples).prop_shuffle()))
}

proptest! {
    #[test]
    fn the_order_of_the_samples_does_not_matter((samples, shuffled) in shuffled_samples()) {
        prop_assert_eq!(estimate(&samples), estimate(&shuffled));
    }

    // C7: fewer than nine in ten are late, by any amount
    #[test]
    fn late_rows_never_raise_the_estimate_above_the_rows_in_time(
        offsets in prop::collection::vec(-5i64..5, 4..32),
        late in prop::collection::vec(0i64..4_000_000, 0..28),
    ) {
        let rows = |offsets: &[i64]| -> Vec<_> {
            offsets.iter().map(|offset| sample(100_000, SampleKind::LiveRow, 47 + offset)).collect()
        };
        let room = ClockSamples::MAX - offsets.len();
        let all = [&offsets[..], &late[..late.len().min(room)]].concat();
        if let Some(found) = estimate(&rows(&all)) {
            let highest_in_time = offsets.iter().max().unwrap() + 47;
            prop_assert!(found.offset.num_seconds() <= highest_in_time, "found {found:?}");
        }
    }

    // C7: making rows later moves nothing while the rows of the 10th percentile are in time
    #[test]
    fn rows_above_the_percentile_can_be_as_late_as_they_like(
        mut offsets in prop::collection::vec(0i64..4, 32),
        lateness in prop::collection::vec(0i64..4_000_000, 12),
    ) {
        offsets.sort_unstable();
        let rows = |offsets: &[i64]| -> Vec<_> {
            offsets.iter().map(|offset| sample(100_000, SampleKind::LiveRow, *offset)).collect()
        };
        let in_time = estimate(&rows(&offsets)).unwrap().offset;
        for (offset, late) in offsets.iter_mut().rev().zip(&lateness) {
            *offset += late;
        }
        prop_assert_eq!(estimate(&rows(&offsets)).unwrap().offset, in_time);
    }

    #[test]
    fn an_estimate_is_one_of_the_samples_and_its_class_fits(samples in prop::collection::vec(any_sample(), 0..80)) {
        if let Some(found) = estimate(&samples) {
            prop_assert!(samples.iter().any(|sample| sample.offset() == found.offset));
            prop_assert!(found.samples >= ClockSamples::MIN && found.spread <= ClockSamples::MAX_SPREAD);
            prop_assert!(found.health() != ClockHealth::Unknown);
        }
    }

    #[test]
    fn no_sample_panics(samples in prop::collection::vec((any::<i64>(), any::<bool>(), any::<i64>()), 0..80), now: i64) {
        let mut clock = TerminalClock::new();
        let moment = |millis| chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
        for (at, probe, offset) in samples {
            let kind = if probe { SampleKind::Probe } else { SampleKind::LiveRow };
            let offset = TimeDelta::try_milliseconds(offset).unwrap_or(TimeDelta::MIN);
            clock.observe(ClockSample::new(moment(at), kind, offset));
            let shown = moment(at.wrapping_add(now));
            for policy in ClockPolicy::ALL {
                let _treatment = policy.apply(shown, clock.backlog_offset(shown));
                let _treatment = policy.apply(shown, clock.live_offset(moment(now)));
            }
        }
        let json = serde_json::to_string(&clock).unwrap();
        prop_assert_eq!(serde_json::from_str::<TerminalClock>(&json).unwrap(), clock);
    }

    #[test]
    fn every_offset_has_a_class_and_its_mirror_the_same(seconds in any::<i64>()) {
        let offset = TimeDelta::try_milliseconds(seconds).unwrap_or(TimeDelta::MAX);
        prop_assert_eq!(ClockHealth::of_offset(offset).as_str(), ClockHealth::of_offset(-offset).as_str());
    }

    // Rows that one estimate corrects stay in order and at their distance
    #[test]
    fn live_rows_keep_their_order(offset in -130i64..130, one in 0i64..10_000, other in 0i64..10_000) {
        let clock = ClockOffset::measured(Some(ClockEstimate::new(TimeDelta::seconds(offset), 5, TimeDelta::zero())));
        let place = |second| placed(ClockPolicy::Adjust, second, clock);
        prop_assert_eq!(place(one) - place(other), TimeDelta::seconds(one - other));
    }

    // Rows between two measurements stay in order, at the ends of the drift and beyond
    #[test]
    fn rows_of_an_outage_keep_their_order(
        before in -900i64..900, after in -900i64..900, length in 1i64..200_000,
        parts in prop::collection::vec(0i64..=1_000, 2..20),
    ) {
        let mut history = ClockHistory::new();
        history.record(instant(START), TimeDelta::seconds(before));
        history.record(instant(START) + TimeDelta::seconds(length), TimeDelta::seconds(after));
        let (from, to) = (-before, length - after);
        let mut shown: Vec<i64> = parts.iter().map(|part| from + (to - from) * part / 1_000).collect();
        shown.sort_unstable();
        for policy in [ClockPolicy::Adjust, ClockPolicy::AdjustWrong] {
            let place = |second: &i64| {
                placed(policy, *second, history.between(instant(START) + TimeDelta::seconds(*second)))
            };
            prop_assert!(shown.iter().map(place).is_sorted());
        }
    }
}

fn placed(policy: ClockPolicy, second: i64, clock: Option<ClockOffset>) -> chrono::DateTime<chrono::Utc> {
    let shown = instant(START) + TimeDelta::seconds(second);
    match policy.apply(shown, clock) {
        ClockTreatment::Adjust { punched_at, .. } => punched_at,
        ClockTreatment::Keep { .. } | ClockTreatment::Hold { .. } => shown,
    }
}
