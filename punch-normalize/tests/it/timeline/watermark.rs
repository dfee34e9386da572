//! Up to when everything is known.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use punch_normalize::timeline::Watermark;

use super::time;

fn at(text: &str) -> DateTime<Utc> {
    time(text).and_utc()
}

#[test]
fn a_terminal_that_is_behind_holds_its_site() {
    let mut site = Watermark::default();
    site.add(1);
    site.add(2);
    site.heard(1, at("10:00"));
    assert_eq!(site.value(), None, "nobody knows what the other one has");
    site.heard(2, at("09:00"));
    assert_eq!(site.value(), Some(at("09:00")));
    site.remove(2);
    assert_eq!(site.value(), Some(at("10:00")));
}

#[test]
fn a_row_that_is_held_holds_it_too_and_what_was_known_stays_known() {
    let mut site = Watermark::default();
    site.held(1, Some(at("08:00")));
    site.heard(1, at("10:00"));
    assert_eq!(site.value(), Some(at("08:00")));
    site.held(1, None);
    assert_eq!(site.value(), Some(at("10:00")));
    site.held(1, Some(at("07:00")));
    assert_eq!(site.value(), Some(at("10:00")), "the row of seven is late");
    site.heard(1, at("11:00"));
    assert_eq!(site.value(), Some(at("10:00")));
}

proptest! {
    #[test]
    fn it_never_goes_back(steps in proptest::collection::vec((0..3u32, 0..1000i64, 0..4u8), 0..60)) {
        let mut site = Watermark::default();
        let mut before = None;
        for (device, minute, what) in steps {
            let moment = at("00:00") + TimeDelta::minutes(minute);
            match what {
                0 => site.heard(device, moment),
                1 => site.held(device, Some(moment)),
                2 => site.held(device, None),
                _ => site.add(device),
            }
            prop_assert!(site.value() >= before);
            before = site.value();
            let saved: Watermark = serde_json::from_str(&serde_json::to_string(&site).unwrap()).unwrap();
            prop_assert_eq!(&saved, &site);
        }
    }
}
