//! Every code in the sources has a paragraph in `ERRORS.md`, every paragraph a code, every text its code in front.

use alloc::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chrono::TimeDelta;
use punch_webhook::{
    HeaderName, IdempotencyError, PayloadFormat, ReceiveError, SavedAnswer, Schedule, ScheduleError, SecretError,
    VerifyError,
};

#[test]
fn codes_and_paragraphs_match() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    collect(&root.join("src"), &mut used);
    let page = fs::read_to_string(root.join("ERRORS.md")).unwrap();
    let explained: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("#### ")).map(str::to_owned).collect();
    assert_eq!(used, explained);
    for paragraph in page.split("#### ").skip(1) {
        assert!(paragraph.lines().count() > 2, "a heading without a text: {paragraph}");
    }
}

fn collect(folder: &Path, used: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, used);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for (start, _) in source.match_indices("PW-") {
            used.insert(source[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect());
        }
    }
}

#[test]
fn texts_begin_with_their_code_and_are_lower_case() {
    let (name, format) = (HeaderName::parse("").unwrap_err(), "".parse::<PayloadFormat>().unwrap_err());
    let mut texts = vec![(name.code(), name.to_string()), (format.code(), format.to_string())];
    let secret = [
        SecretError::Empty,
        SecretError::BadBase64,
        SecretError::TooShort { len: 3 },
        SecretError::TooLong { len: 65 },
        SecretError::WrongKind,
    ];
    texts.extend(secret.map(|error| (error.code(), error.to_string())));
    let receive = [
        ReceiveError::TooLarge { len: 65_537 },
        ReceiveError::BadJson { line: 1, column: 0 },
        ReceiveError::NotAnObject,
        ReceiveError::MissingEventId,
        ReceiveError::MissingField { field: "timestamp" },
        ReceiveError::BadField { field: "timestamp", expected: "a time" },
        ReceiveError::TimeConflict,
        ReceiveError::BatchTooLarge { len: 262_145 },
        ReceiveError::BatchCount { found: 0 },
    ];
    texts.extend(receive.map(|error| (error.code(), error.to_string())));
    let minute = TimeDelta::minutes(1);
    let schedule = [
        ScheduleError::UnknownName { found: "daily".into() },
        Schedule::custom(&[], minute).unwrap_err(),
        Schedule::custom(&[TimeDelta::zero()], minute).unwrap_err(),
        Schedule::custom(&[minute, minute], minute).unwrap_err(),
        Schedule::custom(&[minute], TimeDelta::days(400)).unwrap_err(),
    ];
    texts.extend(schedule.map(|error| (error.code(), error.to_string())));
    for error in verify_errors() {
        assert!(error.to_string().contains(error.reason()) && error.to_string().contains(error.class()), "{error}");
        texts.push((error.code(), error.to_string()));
    }
    let idempotency = [
        IdempotencyError::BadKey { len: 256 },
        IdempotencyError::Reused,
        IdempotencyError::InProgress,
        IdempotencyError::Busy,
    ];
    texts.extend(idempotency.map(|error| (error.code(), error.to_string())));
    let answer = SavedAnswer::new(200, vec![0; 65_537]).unwrap_err();
    texts.push((answer.code(), answer.to_string()));
    for (code, text) in texts {
        let rest = text.strip_prefix(code).unwrap_or_else(|| panic!("{text} does not begin with {code}"));
        assert!(rest.starts_with(": ") && rest[2..].starts_with(|c: char| !c.is_uppercase()), "{text}");
    }
}

fn verify_errors() -> Vec<VerifyError> {
    vec![
        VerifyError::MissingHeader { name: "webhook-id" },
        VerifyError::Missing { name: HeaderName::default() },
        VerifyError::BadTimestamp,
        VerifyError::TooOld { tolerance: 300 },
        VerifyError::TooNew { tolerance: 300 },
        VerifyError::NoMatch,
        VerifyError::TooManySignatures,
        VerifyError::Empty,
        VerifyError::NotHex,
        VerifyError::Length { digits: 62 },
        VerifyError::UnknownScheme,
        VerifyError::Mismatch,
        VerifyError::NoStandardKey,
    ]
}
