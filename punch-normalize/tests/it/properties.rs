//! What holds for every set of rows.

use alloc::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use punch_normalize::timeline::BounceRules;
use punch_normalize::{DeviceZone, DuplicateKind, EventId, Hint, Normalizer, Observation, Rules, TimeQuality, Verdict};
use punch_protocol::{RawPunch, Status, Verify};

use crate::build::{instant, key, normalizer, pin, raw, recall, serial, utc_rules};

fn any_zone() -> impl Strategy<Value = DeviceZone> {
    prop_oneof![
        Just(DeviceZone::Utc),
        (DeviceZone::MIN_OFFSET_MINUTES..=DeviceZone::MAX_OFFSET_MINUTES)
            .prop_map(|minutes| { DeviceZone::Fixed(chrono::FixedOffset::east_opt(minutes * 60).unwrap()) }),
        prop::sample::select(TZ_VARIANTS.as_slice()).prop_map(|tz| DeviceZone::parse(tz.name()).unwrap()),
    ]
}

/// Rows close enough together to bounce: 3 people, 2 terminals, 20 minutes, few states.
fn any_row() -> impl Strategy<Value = RawPunch> {
    let states = prop::sample::select(vec![None, Some(0), Some(1), Some(2), Some(255), Some(99)]);
    (0i64..1200, 0usize..3, 0usize..2, states).prop_map(|(seconds, person, terminal, state)| {
        let mut row = raw("2026-10-25 00:30:00");
        row.time += TimeDelta::seconds(seconds);
        row.pin = pin(["7", "007", "A-77b"][person]);
        row.serial = serial(["A", "B"][terminal]);
        row.status = state.map(Status);
        row
    })
}

/// Any observation at all, held ones included.
fn any_observation() -> impl Strategy<Value = Observation> {
    (any_row(), any::<bool>(), any::<bool>(), prop::sample::select(vec![0i64, 0, 0, -3 * 86_400, -40 * 365 * 86_400]))
        .prop_map(|(mut row, live, registered, shift)| {
            let received_at = row.time.and_utc() + TimeDelta::seconds(shift.max(-3 * 86_400));
            if shift < -3 * 86_400 {
                row.time += TimeDelta::seconds(shift);
            }
            let mut observation = Observation::new(row, received_at);
            (observation.live, observation.registered) = (live, registered);
            observation
        })
}

fn evening(row: &RawPunch) -> Observation {
    Observation::new(row.clone(), instant("2026-10-25T22:00:00Z"))
}

fn kept_ids(verdicts: &[(usize, Verdict)]) -> BTreeSet<EventId> {
    verdicts.iter().filter_map(|(_, verdict)| verdict.fresh()).map(|punch| punch.event_id.clone()).collect()
}

proptest! {
    // f(x + x) = f(x)
    #[test]
    fn observing_again_gives_only_replays(rows in prop::collection::vec(any_row(), 0..40)) {
        let mut normalizer = normalizer();
        normalizer.observe_all(&utc_rules(), rows.iter().map(evening).collect());
        let size = normalizer.len();
        for (_, verdict) in normalizer.observe_all(&utc_rules(), rows.iter().map(evening).collect()) {
            let replay = matches!(verdict, Verdict::Duplicate { kind: DuplicateKind::Replay, .. });
            prop_assert!(replay, "found {verdict:?}");
        }
        prop_assert_eq!(normalizer.len(), size);
    }

    // Design law 1: a function of the time-ordered set, not of arrival order
    #[test]
    fn the_order_inside_an_upload_does_not_matter(
        (rows, shuffled) in prop::collection::btree_map(0i64..1200, any_row(), 0..40).prop_flat_map(|rows| {
            let rows: Vec<_> = rows.into_iter().map(|(seconds, mut row)| {
                row.time = raw("2026-10-25 00:30:00").time + TimeDelta::seconds(seconds);
                row
            }).collect();
            (Just(rows.clone()), Just(rows).prop_shuffle())
        })
    ) {
        let judge = |rows: &[RawPunch]| normalizer().observe_all(&utc_rules(), rows.iter().map(evening).collect());
        prop_assert_eq!(kept_ids(&judge(&rows)), kept_ids(&judge(&shuffled)));
    }

    // Every row is in exactly one of {fresh, duplicate, held}, and reported once, under its own id
    #[test]
    fn every_row_has_one_verdict(observations in prop::collection::vec(any_observation(), 0..40)) {
        let verdicts = normalizer().observe_all(&utc_rules(), observations.clone());
        let indexes: BTreeSet<_> = verdicts.iter().map(|(index, _)| *index).collect();
        prop_assert_eq!(indexes.len(), observations.len());
        prop_assert_eq!(verdicts.len(), observations.len());
        for (index, verdict) in verdicts {
            prop_assert_eq!(verdict.event_id(), &key().event_id(&observations[index].raw));
        }
    }

    // No kept punch is within the window of the kept one before it, unless the keys differ
    #[test]
    fn kept_punches_are_apart(rows in prop::collection::vec(any_row(), 0..40)) {
        let mut normalizer = normalizer();
        let verdicts = normalizer.observe_all(&utc_rules(), rows.iter().map(evening).collect());
        let kept: Vec<_> = verdicts.iter().filter_map(|(_, verdict)| verdict.fresh()).collect();
        for (index, later) in kept.iter().enumerate() {
            let mut earlier = kept[..index].iter().rev();
            let Some(earlier) = earlier.find(|punch| (&punch.serial, &punch.pin) == (&later.serial, &later.pin)) else {
                continue;
            };
            let keys = (earlier.status.and_then(Status::declared), later.status.and_then(Status::declared));
            let differ = matches!(keys, (Some(one), Some(other)) if one != other);
            prop_assert!(differ || later.punched_at - earlier.punched_at >= BounceRules::WINDOW);
        }
    }

    // A store that recalls what was kept gives the same answers as a memory that never ended
    #[test]
    fn a_restart_changes_nothing(rows in prop::collection::vec(any_row(), 0..40), cut in 0usize..40) {
        let cut = cut.min(rows.len());
        let (before, after) = rows.split_at(cut);
        let mut survivor = normalizer();
        let mut restarted = normalizer();
        for (place, verdict) in survivor.observe_all(&utc_rules(), before.iter().map(evening).collect()) {
            recall(&mut restarted, &verdict, place);
        }
        let mut restored = Normalizer::restore(key(), survivor.save()).unwrap();
        let judge = |normalizer: &mut Normalizer| {
            normalizer.observe_all(&utc_rules(), after.iter().map(evening).collect())
        };
        let verdicts = judge(&mut survivor);
        prop_assert_eq!(&verdicts, &judge(&mut restarted));
        prop_assert_eq!(&verdicts, &judge(&mut restored));
        prop_assert_eq!(survivor.revised(), restored.revised());
        prop_assert_eq!(survivor.save(), restored.save());
    }

    // S2-034, and device_local is untouched
    #[test]
    fn local_time_is_the_same_instant(row in any_row(), zone in any_zone()) {
        let verdict = normalizer().observe(&Rules::new(zone), evening(&row));
        let punch = verdict.fresh().unwrap();
        prop_assert_eq!(punch.local_time, punch.punched_at);
        prop_assert_eq!(DateTime::parse_from_rfc3339(&punch.local_time.to_rfc3339()).unwrap(), punch.punched_at);
        prop_assert_eq!(punch.device_local, row.time);
    }

    // I2
    #[test]
    fn the_id_ignores_what_transports_add(row in any_row(), verify: Option<u16>, work_code: Option<String>) {
        let mut other = row.clone();
        other.verify = verify.map(Verify);
        other.work_code = work_code;
        prop_assert_eq!(key().event_id(&row), key().event_id(&other));
    }

    #[test]
    fn a_zone_reads_back_what_it_writes(zone in any_zone()) {
        prop_assert_eq!(DeviceZone::parse(&zone.to_string()), Ok(zone));
    }

    #[test]
    fn any_text_is_a_zone_or_an_error(text in "[+-]?[0-9:]{0,6}|\\PC*") {
        if let Ok(zone) = DeviceZone::parse(&text) {
            prop_assert_eq!(DeviceZone::parse(&zone.to_string()), Ok(zone));
        }
    }

    // Every zone, every second of 130 years: the clock shows what the row said, or the hour was skipped
    #[test]
    fn every_civil_time_resolves(zone in any_zone(), seconds in 0i64..130 * 365 * 86_400, previous: Option<i32>) {
        let local = instant("1990-01-01T00:00:00Z").naive_utc() + TimeDelta::seconds(seconds);
        let mut hint = Hint::default();
        hint.previous = previous.map(|seconds| local.and_utc() + TimeDelta::seconds(seconds.into()));
        let resolved = zone.resolve(local, hint);
        prop_assert_eq!(resolved.local, resolved.instant);
        prop_assert_eq!(resolved.local.naive_local() == local, resolved.quality != TimeQuality::Gap);
    }
}
