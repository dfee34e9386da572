//! Civil time to instant: T1 to T11, and the texts a zone is configured with.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use punch_normalize::TimeQuality::{self, Exact, FoldGuess, FoldLive, FoldOrder, Gap};
use punch_normalize::{DeviceZone, Hint, ZoneError};

use crate::build::{civil_time, instant, zone};

fn check(zone_name: &str, local: &str, hint: Hint, expected: &str, quality: TimeQuality) {
    let resolved = zone(zone_name).resolve(civil_time(local), hint);
    assert_eq!((resolved.instant, resolved.quality), (instant(expected), quality), "{zone_name} {local} {hint:?}");
    assert_eq!(resolved.local, resolved.instant);
}

fn both(previous: &str, received: &str) -> Hint {
    let mut hint = Hint::after(instant(previous));
    hint.received_live = Some(instant(received));
    hint
}

// T1, S0-070
#[test]
fn a_unique_time_is_exact() {
    check("Europe/Madrid", "2026-03-28 08:47:12", Hint::default(), "2026-03-28T07:47:12Z", Exact);
    check("Europe/Madrid", "2026-07-01 08:47:12", Hint::default(), "2026-07-01T06:47:12Z", Exact);
}

// T2
#[test]
fn a_fold_takes_the_earliest_candidate_not_before_the_previous_row() {
    let hint = Hint::after(instant("2026-10-25T00:10:00Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", hint, "2026-10-25T00:30:00Z", FoldOrder);
    let same_second = Hint::after(instant("2026-10-25T00:30:00Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", same_second, "2026-10-25T00:30:00Z", FoldOrder);
}

// T3
#[test]
fn a_fold_after_a_row_of_the_second_hour_is_in_the_second_hour() {
    let hint = Hint::after(instant("2026-10-25T00:45:00Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", hint, "2026-10-25T01:30:00Z", FoldOrder);
    let same_second = Hint::after(instant("2026-10-25T01:30:00Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", same_second, "2026-10-25T01:30:00Z", FoldOrder);
}

// T4
#[test]
fn a_fold_received_live_is_the_candidate_closest_to_receipt() {
    let second = Hint::live(instant("2026-10-25T01:30:02Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", second, "2026-10-25T01:30:00Z", FoldLive);
    let first = Hint::live(instant("2026-10-25T00:30:02Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", first, "2026-10-25T00:30:00Z", FoldLive);
    let exactly_between = Hint::live(instant("2026-10-25T01:00:00Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", exactly_between, "2026-10-25T00:30:00Z", FoldLive);
}

// T2, T3, T4: order is looked at before receipt, and a row out of order is no evidence
#[test]
fn the_previous_row_takes_precedence_unless_it_is_after_both_candidates() {
    let agreed = both("2026-10-25T00:10:00Z", "2026-10-25T01:30:02Z");
    check("Europe/Madrid", "2026-10-25 02:30:00", agreed, "2026-10-25T00:30:00Z", FoldOrder);
    let out_of_order = both("2026-10-25T05:00:00Z", "2026-10-25T01:30:02Z");
    check("Europe/Madrid", "2026-10-25 02:30:00", out_of_order, "2026-10-25T01:30:00Z", FoldLive);
    let nothing_left = Hint::after(instant("2026-10-25T05:00:00Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", nothing_left, "2026-10-25T00:30:00Z", FoldGuess);
}

// T5
// T4: the receipt of a row that waited does not date it
#[test]
fn a_fold_received_long_after_is_a_guess() {
    for receipt in ["2026-10-25T02:30:01Z", "2027-03-01T00:00:00Z", "2026-10-24T23:29:59Z"] {
        let hint = Hint::live(instant(receipt));
        check("Europe/Madrid", "2026-10-25 02:30:00", hint, "2026-10-25T00:30:00Z", FoldGuess);
    }
    let latest = Hint::live(instant("2026-10-25T02:30:00Z"));
    check("Europe/Madrid", "2026-10-25 02:30:00", latest, "2026-10-25T01:30:00Z", FoldLive);
}

#[test]
fn a_fold_without_hint_is_the_first_candidate_and_says_so() {
    check("Europe/Madrid", "2026-10-25 02:30:00", Hint::default(), "2026-10-25T00:30:00Z", FoldGuess);
}

// T5: the repeated hour is half open
#[test]
fn a_fold_begins_at_its_first_second_and_ends_before_its_last() {
    check("Europe/Madrid", "2026-10-25 01:59:59", Hint::default(), "2026-10-24T23:59:59Z", Exact);
    check("Europe/Madrid", "2026-10-25 02:00:00", Hint::default(), "2026-10-25T00:00:00Z", FoldGuess);
    check("Europe/Madrid", "2026-10-25 02:59:59", Hint::default(), "2026-10-25T00:59:59Z", FoldGuess);
    check("Europe/Madrid", "2026-10-25 03:00:00", Hint::default(), "2026-10-25T02:00:00Z", Exact);
}

// T6
#[test]
fn a_gap_uses_the_offset_before_it() {
    check("Europe/Madrid", "2026-03-29 01:59:59", Hint::default(), "2026-03-29T00:59:59Z", Exact);
    check("Europe/Madrid", "2026-03-29 02:00:00", Hint::default(), "2026-03-29T01:00:00Z", Gap);
    check("Europe/Madrid", "2026-03-29 02:30:00", Hint::default(), "2026-03-29T01:30:00Z", Gap);
    check("Europe/Madrid", "2026-03-29 03:00:00", Hint::default(), "2026-03-29T01:00:00Z", Exact);
}

// T6, S2-034: the site's own offset at that instant, so that the time exists there
#[test]
fn the_local_time_of_a_gap_is_one_the_site_has() {
    let resolved = zone("Europe/Madrid").resolve(civil_time("2026-03-29 02:30:00"), Hint::default());
    assert_eq!(resolved.local.to_rfc3339(), "2026-03-29T03:30:00+02:00");
}

// T7, T8
#[test]
fn santiago_folds_before_midnight_and_skips_midnight() {
    check("America/Santiago", "2026-04-04 23:30:00", Hint::default(), "2026-04-05T02:30:00Z", FoldGuess);
    check("America/Santiago", "2026-09-06 00:30:00", Hint::default(), "2026-09-06T04:30:00Z", Gap);
}

// T9, T10
#[test]
fn tijuana_keeps_summer_time_and_mexico_city_has_none() {
    check("America/Tijuana", "2026-07-01 08:00:00", Hint::default(), "2026-07-01T15:00:00Z", Exact);
    check("America/Mexico_City", "2026-07-01 08:00:00", Hint::default(), "2026-07-01T14:00:00Z", Exact);
    check("America/Mexico_City", "2026-04-05 02:30:00", Hint::default(), "2026-04-05T08:30:00Z", Exact);
}

// T11
#[test]
fn offsets_are_exact_to_the_minute() {
    check("+05:30", "2026-03-28 08:00:00", Hint::default(), "2026-03-28T02:30:00Z", Exact);
    check("-03:30", "2026-03-28 08:00:00", Hint::default(), "2026-03-28T11:30:00Z", Exact);
    check("+05:45", "2026-03-28 08:00:00", Hint::default(), "2026-03-28T02:15:00Z", Exact);
    check("UTC", "2026-03-28 08:00:00", Hint::default(), "2026-03-28T08:00:00Z", Exact);
}

#[test]
fn zones_are_read_in_every_documented_form() {
    let offset = |minutes: i32| DeviceZone::Fixed(FixedOffset::east_opt(minutes * 60).unwrap());
    assert_eq!(zone("America/Mexico_City"), DeviceZone::Iana(chrono_tz::America::Mexico_City));
    for (text, expected) in [
        ("UTC", DeviceZone::Utc),
        ("utc", DeviceZone::Utc),
        ("Z", DeviceZone::Utc),
        ("+00:00", offset(0)),
        ("-03", offset(-180)),
        ("-03:30", offset(-210)),
        ("+05:45", offset(345)),
        ("-12:00", offset(-720)),
        ("+14:00", offset(840)),
    ] {
        assert_eq!(zone(text), expected, "{text}");
    }
}

#[test]
fn a_zone_that_cannot_be_read_says_what_would_be() {
    for text in ["", "Mexico", "america/mexico_city", "05:30", "UTC+5", " UTC"] {
        assert_eq!(DeviceZone::parse(text), Err(ZoneError::UnknownName { name: text.into() }));
    }
    for text in ["+", "-3", "+5:30", "+0530", "+05:60", "+05:3", "+aa:00", "+05-30", "++5:30", "+05:30:00"] {
        assert_eq!(DeviceZone::parse(text), Err(ZoneError::BadOffset { text: text.into() }));
    }
    for text in ["-12:01", "-13", "+14:01", "+99:59"] {
        assert_eq!(DeviceZone::parse(text), Err(ZoneError::OffsetOutOfRange { text: text.into() }));
    }
    assert_eq!(DeviceZone::parse(&"+".repeat(65)), Err(ZoneError::TooLong { len: 65 }));
    assert_eq!(
        DeviceZone::parse("Mexico").unwrap_err().to_string(),
        "device zone: `Mexico` is not in the IANA database, \
         use a name such as `America/Mexico_City`, an offset such as `+05:30`, or `UTC`"
    );
}

#[test]
fn a_zone_is_a_string_in_a_document() {
    let zone: DeviceZone = serde_json::from_str("\"-03:30\"").unwrap();
    assert_eq!(serde_json::to_string(&zone).unwrap(), "\"-03:30\"");
    assert!(serde_json::from_str::<DeviceZone>("\"Nowhere\"").is_err());
}

#[test]
fn the_handshake_offset_follows_the_place() {
    let minutes = |name: &str, at: &str| zone(name).offset_minutes_at(instant(at));
    assert_eq!(minutes("America/Tijuana", "2026-07-01T00:00:00Z"), -420);
    assert_eq!(minutes("America/Tijuana", "2026-12-01T00:00:00Z"), -480);
    assert_eq!(minutes("America/Mexico_City", "2026-07-01T00:00:00Z"), -360);
    assert_eq!(minutes("America/St_Johns", "2026-12-01T00:00:00Z"), -210);
    assert_eq!(minutes("+05:45", "2026-07-01T00:00:00Z"), 345);
    assert_eq!(minutes("UTC", "2026-07-01T00:00:00Z"), 0);
}

// Every minute within three hours of every change of 2026: an answer, and one the zone confirms.
#[test]
fn every_minute_around_a_change_has_an_answer() {
    let changes: usize = ["Europe/Madrid", "America/Santiago", "America/Tijuana", "America/Mexico_City"]
        .map(minutes_around_changes)
        .iter()
        .sum();
    assert_eq!(changes, 6);
}

fn minutes_around_changes(name: &str) -> usize {
    let zone = zone(name);
    let hours = (0..365 * 24).map(|hour| instant("2026-01-01T00:00:00Z") + TimeDelta::hours(hour));
    let changes: Vec<DateTime<Utc>> =
        hours.filter(|at| zone.offset_minutes_at(*at) != zone.offset_minutes_at(*at - TimeDelta::hours(1))).collect();
    for change in &changes {
        let before = TimeDelta::minutes(zone.offset_minutes_at(*change - TimeDelta::hours(1)).into());
        for minute in -180..=180 {
            let local = (*change + before + TimeDelta::minutes(minute)).naive_utc();
            for hint in [Hint::default(), Hint::after(*change), Hint::live(*change)] {
                let resolved = zone.resolve(local, hint);
                let shown = resolved.local.naive_local();
                let skipped = if resolved.quality == Gap { TimeDelta::hours(1) } else { TimeDelta::zero() };
                assert_eq!(shown - local, skipped, "{name} {local} {hint:?}");
                assert_eq!(resolved.local, resolved.instant);
            }
        }
    }
    changes.len()
}

// Nothing a calendar can hold is refused, not even its ends.
#[test]
fn the_ends_of_the_calendar_have_an_answer() {
    for name in ["Europe/Madrid", "+14:00", "-12:00", "UTC"] {
        for local in [chrono::NaiveDateTime::MIN, chrono::NaiveDateTime::MAX] {
            let resolved = zone(name).resolve(local, Hint::default());
            assert_eq!(resolved.instant, resolved.local);
        }
    }
}
