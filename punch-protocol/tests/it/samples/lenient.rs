//! A13, A18 and A19, A30, R14: forms that are an error, and what they may have meant.

use punch_protocol::civil::Written;
use punch_protocol::push::{GuessedEvent, GuessedForm, GuessedPunch, GuessedTime, RowError, Rows};
use serde_json::{Value, json};

use super::lossy;

/// The guess, with the keys of `expected`.
pub(super) fn punch(error: &RowError<'_>, expected: &Value) -> Value {
    let guess = GuessedPunch::of(error).unwrap();
    let mut read = json!({
        "pin": guess.pin.to_text(),
        "status": guess.status.map(|status| status.0),
        "verify": guess.verify.map(|verify| verify.0),
        "workcode": guess.work_code.map(lossy),
    });
    match guess.time {
        GuessedTime::Civil(time) => read["time"] = Written(time).to_string().into(),
        GuessedTime::Epoch(seconds) => read["time_epoch"] = seconds.into(),
        other => panic!("{other:?}"),
    }
    read.as_object_mut().unwrap().retain(|key, _| expected.get(key).is_some());
    read
}

pub(super) fn event(error: &RowError<'_>, expected: &Value) -> Value {
    let guess = GuessedEvent::of(error).unwrap();
    assert_eq!(expected.as_array().unwrap().len(), 1);
    json!({
        "time": Written(guess.time).to_string(),
        "pin": lossy(guess.pin),
        "cardno": lossy(guess.card),
        "eventaddr": lossy(guess.door),
        "event": guess.event,
        "inoutstatus": guess.side,
    })
}

/// S2-068: none of these is a punch, whatever a guess would make of it.
#[test]
fn a_guess_is_made_only_on_request_and_only_where_something_fits() {
    let guess = |body: &'static str| {
        let mut rows = Rows::of("ATTLOG", body.as_bytes());
        let error = rows.next().unwrap().unwrap_err();
        GuessedPunch::of(&error).map(|guess| (guess.form, guess.pin.to_text().into_owned(), guess.work_code.map(lossy)))
    };
    let some = |form, work_code: &str| Some((form, "1001".to_owned(), Some(work_code.to_owned())));
    assert_eq!(guess("1001\t1704096000\t0\t1\t7"), some(GuessedForm::EpochSeconds, "7"));
    assert_eq!(guess("1001   2026-08-06 08:00:00   0   1   0"), some(GuessedForm::Blanks, "0"));
    assert_eq!(guess("1001, 2026-08-06 08:00:00, 0, 1, x"), some(GuessedForm::Commas, "x"));
    let pairs = "PIN=1001\tDateTime=2024-01-15 08:30:00\tVerifyMode=1\tInOutMode=0\tWorkCode=9";
    assert_eq!(guess(pairs), some(GuessedForm::Pairs, "9"));
    for nothing in [
        "junk",
        "1001 2026-08-06",
        "1001 2026-8-6 08:00:00",
        "1001 2026-02-30 08:00:00 0",
        "1001,2026-08-06T08:00:00",
        "PIN=1\tDateTime=now",
        "200\tbad-ts\t0",
        "é é é",
    ] {
        assert_eq!(guess(nothing), None, "{nothing}");
    }
}
