//! A PIN identifies a person, so nothing prints it.

use punch_normalize::{HoldReason, Person};

use crate::build::{key, later, normalizer, pin, raw, utc_rules};

const CANARY: &str = "90210canary";

#[test]
fn no_debug_or_display_shows_a_pin() {
    let mut row = raw("2026-03-28 08:00:00");
    row.pin = pin(CANARY);
    let mut normalizer = normalizer();
    let mut texts = vec![format!("{:?}", later(row.clone()))];
    for seconds in 0..2 {
        row.time += chrono::TimeDelta::seconds(seconds);
        texts.push(format!("{:?}", normalizer.observe(&utc_rules(), later(row.clone()))));
    }
    let dated = normalizer.date(&utc_rules(), vec![later(row.clone())]);
    texts.extend([format!("{dated:?}"), format!("{normalizer:?}"), format!("{:?}", key())]);
    texts.extend([format!("{:?}", Person::of_pin(&row.pin)), format!("{:?}", normalizer.save())]);
    texts.extend(HoldReason::ALL.iter().map(ToString::to_string));
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
    }
}
