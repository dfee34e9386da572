use chrono::{DateTime, TimeDelta, Utc};
use punch_webhook::{
    Class, Disposition, MAX_RETRY_AFTER, Outcome, Reason, Schedule, ScheduleError, body_says_duplicate,
    parse_retry_after,
};
use serde_json::Value;

const VECTORS: &str = include_str!("../data/delivery-vectors.jsonl");
const RETRY: Class = Class::Retry { after: None };

fn vectors(kind: &str) -> Vec<Value> {
    let rows = VECTORS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["type"] == kind).collect()
}

fn start() -> DateTime<Utc> {
    "2026-03-28T08:00:00Z".parse().unwrap()
}

/// Offsets of all attempts when every one fails at once, and what ends them.
fn offsets(schedule: &Schedule, key: u64) -> (Vec<i64>, Disposition) {
    let (mut now, mut offsets) = (start(), Vec::new());
    loop {
        offsets.push((now - start()).num_seconds());
        let disposition = schedule.decide(u32::try_from(offsets.len()).unwrap(), &RETRY, start(), key, now);
        let Disposition::RetryAt(at) = disposition else { return (offsets, disposition) };
        now = at;
    }
}

/// S0-030, S1-034, S1-039, S2-012, S2-014, S2-022, S2-023, S2-024, S2-025, S2-026: the steps of both named schedules, to the last at 72 h.
#[test]
fn whk_40_and_41_offsets_are_exact_without_jitter() {
    let rows = vectors("retry_schedule");
    assert_eq!(rows.len(), 2);
    for row in rows {
        let schedule = Schedule::named(row["profile"].as_str().unwrap()).unwrap().without_jitter();
        let expected: Vec<i64> = serde_json::from_value(row["expect"]["attempt_offsets_s"].clone()).unwrap();
        let (offsets, end) = offsets(&schedule, 1);
        assert_eq!(offsets, expected, "{}", row["id"]);
        assert_eq!(end, Disposition::Failed { reason: Reason::Exhausted }, "{}", row["id"]);
    }
    assert_eq!(Schedule::default(), Schedule::seed_002());
}

/// S1-011, S2-019: any 2xx is delivered, 5xx and silence are tried again.
#[test]
fn whk_50_to_66_classes() {
    let rows = vectors("delivery_class");
    assert_eq!(rows.len(), 17);
    let wait = Some(TimeDelta::seconds(90));
    for row in rows {
        let outcome = |says_duplicate| match row["input"].as_u64() {
            Some(status) => {
                Outcome::Answered { status: u16::try_from(status).unwrap(), retry_after: wait, says_duplicate }
            }
            None if row["input"] == "timeout_10s" => Outcome::TimedOut,
            None => Outcome::Unreachable,
        };
        let plain = Class::of(&outcome(false));
        let as_expected = match row["expect"].as_str().unwrap() {
            "delivered" => plain == Class::Delivered,
            "retry" => plain == RETRY,
            "retry_after" => plain == Class::Retry { after: wait },
            "retry_limited" => matches!(plain, Class::RetryLimited { reason: Reason::Status(404) }),
            "fail_permanent_visible" => matches!(plain, Class::Permanent { reason: Reason::Status(_) }),
            "disable_endpoint" => plain == Class::Gone,
            "delivered_as_duplicate_if_body_says_so_else_fail" => {
                matches!(plain, Class::Permanent { .. }) && Class::of(&outcome(true)) == Class::Delivered
            }
            other => panic!("unknown expectation {other}"),
        };
        assert!(as_expected, "{}: {plain:?}", row["id"]);
    }
}

#[test]
fn every_status_has_a_class() {
    for status in 0..=u16::MAX {
        let class = Class::of(&Outcome::answered(status));
        match status {
            200..=299 => assert_eq!(class, Class::Delivered),
            404 => assert!(matches!(class, Class::RetryLimited { .. })),
            408 | 425 | 429 => assert_eq!(class, RETRY),
            410 => assert_eq!(class, Class::Gone),
            400..=499 => assert_eq!(class, Class::Permanent { reason: Reason::Status(status) }),
            _ => assert_eq!(class, RETRY),
        }
    }
    assert_eq!(Class::of(&Outcome::Refused("private address".into())), RETRY);
}

#[test]
fn jitter_is_ten_percent_repeatable_and_spread() {
    let schedule = Schedule::seed_002();
    let first = |key| offsets(&schedule, key).0;
    assert_eq!(first(5), first(5));
    let waits: Vec<i64> = (0..1000).map(|key| first(key)[1]).collect();
    assert!(waits.iter().all(|wait| (54..=66).contains(wait)));
    let (low, high) =
        (waits.iter().filter(|wait| **wait < 58).count(), waits.iter().filter(|wait| **wait > 62).count());
    assert!(low > 200 && high > 200, "{low} early, {high} late");
    assert!((0..1000).all(|key| first(key).last() == Some(&259_200)), "the last attempt has no jitter");
    let ends: Vec<_> = (0..1000).map(|key| offsets(&Schedule::seed_001(), key).0).collect();
    for all in ends {
        let last = all[21] - all[20];
        assert_eq!(all.len(), 22);
        assert!((14_399..=14_401).contains(&last) || all[21] == 259_200, "{all:?}");
    }
}

#[test]
fn retry_after_is_honoured_within_bounds() {
    let schedule = Schedule::seed_002().without_jitter();
    let next = |attempt, wait: TimeDelta, now| {
        let disposition = schedule.decide(attempt, &Class::Retry { after: Some(wait) }, start(), 1, now);
        let Disposition::RetryAt(at) = disposition else { panic!("{disposition:?}") };
        at - now
    };
    assert_eq!(next(1, TimeDelta::seconds(90), start()), TimeDelta::seconds(90));
    assert_eq!(next(1, TimeDelta::seconds(1), start()), TimeDelta::seconds(60), "never hastens the schedule");
    assert_eq!(next(1, TimeDelta::hours(9), start()), TimeDelta::seconds(120), "at most twice the slot");
    let late = start() + TimeDelta::hours(71);
    assert_eq!(next(5, TimeDelta::MAX, late), TimeDelta::hours(1), "never beyond the horizon");
}

#[test]
fn not_found_gets_three_retries() {
    let schedule = Schedule::seed_002().without_jitter();
    let class = Class::of(&Outcome::answered(404));
    let (mut now, mut retries) = (start(), 0);
    while let Disposition::RetryAt(at) = schedule.decide(retries + 1, &class, start(), 1, now) {
        (now, retries) = (at, retries + 1);
    }
    assert_eq!((retries, now - start()), (3, TimeDelta::seconds(2160)));
    let end = schedule.decide(4, &class, start(), 1, now);
    assert_eq!(end, Disposition::Failed { reason: Reason::Status(404) });
}

#[test]
fn hostile_numbers_do_no_harm() {
    let schedule = Schedule::seed_002();
    for at in [DateTime::<Utc>::MIN_UTC, start(), DateTime::<Utc>::MAX_UTC] {
        for attempt in [0, 1, 7, u32::MAX] {
            for created_at in [DateTime::<Utc>::MIN_UTC, start(), DateTime::<Utc>::MAX_UTC] {
                for after in [None, Some(TimeDelta::MIN), Some(TimeDelta::MAX)] {
                    drop(schedule.decide(attempt, &Class::Retry { after }, created_at, u64::MAX, at));
                }
            }
        }
    }
}

#[test]
fn custom_schedules_are_checked() {
    let minute = TimeDelta::minutes(1);
    let custom = Schedule::custom(&[minute, minute * 10], TimeDelta::hours(1)).unwrap().without_jitter();
    assert_eq!(offsets(&custom, 1).0, [0, 60, 660, 3600]);
    assert_eq!(custom.name(), "custom");
    let error = |delays: &[TimeDelta], horizon| Schedule::custom(delays, horizon).unwrap_err();
    assert!(matches!(error(&[], minute), ScheduleError::Count { found: 0 }));
    assert!(matches!(error(&[minute; 65], TimeDelta::days(1)), ScheduleError::Count { found: 65 }));
    assert!(matches!(error(&[TimeDelta::zero()], minute), ScheduleError::TooShort { index: 0, .. }));
    assert!(matches!(error(&[TimeDelta::MIN], minute), ScheduleError::TooShort { index: 0, .. }));
    assert!(matches!(error(&[minute, minute], minute), ScheduleError::AfterHorizon { index: 1, .. }));
    assert!(matches!(error(&[TimeDelta::MAX, TimeDelta::MAX], minute), ScheduleError::AfterHorizon { index: 0, .. }));
    assert!(matches!(error(&[minute], TimeDelta::days(31)), ScheduleError::Horizon { .. }));
    let unknown = Schedule::named("seed-003").unwrap_err();
    assert!(unknown.to_string().contains("`seed-003`"), "{unknown}");
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let now = start();
    let read = |value| parse_retry_after(value, now);
    assert_eq!(read("120"), Some(TimeDelta::seconds(120)));
    assert_eq!(read(" 0\t"), Some(TimeDelta::zero()));
    assert_eq!(read("18446744073709551616"), Some(MAX_RETRY_AFTER));
    assert_eq!(read("9223372036854775807"), Some(MAX_RETRY_AFTER));
    assert_eq!(read("Sat, 28 Mar 2026 08:02:30 GMT"), Some(TimeDelta::seconds(150)));
    assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(TimeDelta::zero()), "a date that is past means now");
    assert_eq!(read("Fri, 31 Dec 9999 23:59:59 GMT"), Some(MAX_RETRY_AFTER));
    let wrong = ["", " ", "-1", "+5", "1.5", "soon", "Sat, 28 Mar 2026 08:02:30", "Fri, 28 Mar 2026 08:02:30 GMT"];
    for value in wrong.into_iter().chain(["Sat, 28 Mar 2026 08:02:30 CET", "２", "Sat, 32 Mar 2026 08:02:30 GMT"]) {
        assert_eq!(read(value), None, "{value}");
    }
}

#[test]
fn duplicate_answers_are_recognised() {
    for body in [r#"{"duplicate":true}"#, r#"{"status":"Duplicado"}"#, r#" {"received":true,"status":"duplicate"} "#] {
        assert!(body_says_duplicate(body.as_bytes()), "{body}");
    }
    let others = ["", "null", "[]", r#"{"duplicate":"true"}"#, r#"{"duplicate":false}"#, r#"{"duplicate":true"#];
    for body in others.into_iter().chain([r#"{"status":409}"#, r#"{"data":{"duplicate":true}}"#, "\u{0}"]) {
        assert!(!body_says_duplicate(body.as_bytes()), "{body}");
    }
    assert!(!body_says_duplicate(&[b'['; 20_000]));
    assert!(!body_says_duplicate(&[0xff, 0xfe]));
}

proptest::proptest! {
    #[test]
    fn any_header_is_survived(value in ".{0,40}", seconds in proptest::prelude::any::<i32>()) {
        let now = DateTime::from_timestamp(seconds.into(), 0).unwrap();
        if let Some(wait) = parse_retry_after(&value, now) {
            assert!((TimeDelta::zero()..=MAX_RETRY_AFTER).contains(&wait));
        }
    }
}
