//! Return codes: by dialect, and success by command.

use alloc::collections::BTreeSet;

use punch_protocol::push::{CommandResults, Dialect, ReturnCode};

/// The numbers of the manuals' tables, ATT and ACC.
fn listed(dialect: Dialect) -> BTreeSet<i32> {
    match dialect {
        Dialect::Attendance => [-1, -2, -3, -9, -10, -11, -12, -22, -30].into_iter().chain(-1008..=-1001).collect(),
        _ => (-28..=-1)
            .chain(-108..=-100)
            .chain(-206..=-201)
            .chain([-301, -603, -604, -609, -612, -614, -615, -616])
            .chain(-632..=-618)
            .chain([-708, -709, -801])
            .chain(-731..=-720)
            .collect(),
    }
}

#[test]
fn every_listed_number_has_a_text_in_its_dialect() {
    for number in -6000..=100 {
        let code = ReturnCode(number);
        let both = matches!(number, 0 | -5000);
        let [attendance, access] = [Dialect::Attendance, Dialect::AccessControl].map(|dialect| {
            assert_eq!(code.describe(dialect).is_some(), both || listed(dialect).contains(&number), "{number}");
            code.describe(dialect)
        });
        let undecided = code.describe(Dialect::Undecided);
        match (attendance, access) {
            (Some(one), Some(other)) if one != other => assert_eq!(undecided, None, "{number} is ambiguous"),
            _ => assert_eq!(undecided, attendance.or(access)),
        }
        assert_eq!(code.to_string(), format!("return {number}"));
    }
    for number in [i32::MIN, i32::MAX] {
        assert_eq!(ReturnCode(number).describe(Dialect::Attendance), None);
    }
}

/// The four numbers that a server reading the wrong table gets wrong.
#[test]
fn the_same_number_means_different_things() {
    for number in [-10, -11, -12, -22] {
        let texts = [Dialect::Attendance, Dialect::AccessControl].map(|dialect| ReturnCode(number).describe(dialect));
        assert!(texts[0].is_some() && texts[1].is_some() && texts[0] != texts[1], "{number}");
    }
    assert_eq!(ReturnCode::ATT_UNKNOWN_COMMAND, ReturnCode::ACC_OTHER_PLATFORM);
}

#[test]
fn success_depends_on_the_command() {
    let counted = [
        "DATA QUERY",
        "data query",
        "DATA QUERY ATTLOG StartTime=2026-01-01 00:00:00",
        "DATA  COUNT user",
        "QUERY",
        "COUNT",
        "ACCOUNT",
        "ACCOUNT transaction MaxIndex=0",
        "PutFile",
        "GETFILE /mnt/options.cfg",
        " GetFile ",
    ];
    let others =
        ["", "DATA UPDATE", "DATA UPDATE QUERY", "INFO", "Shell", "ENROLL_FP", "PutFiles", "QUERY_X", "VERIFY SUM"];
    for number in [i32::MIN, -5001, -4999, -1, 0, 1, 5, i32::MAX] {
        let code = ReturnCode(number);
        for command in counted {
            assert_eq!(code.success(command), Some(number >= 0), "{command} {number}");
        }
        for command in others {
            assert_eq!(code.success(command), Some(number == 0), "{command} {number}");
        }
        // Some firmware writes no more than this for every data command, so a count may be meant.
        assert_eq!(code.success("DATA"), (number <= 0).then_some(number == 0), "{number}");
        assert!(!code.is_pending());
    }
    for command in counted.into_iter().chain(others) {
        assert_eq!(ReturnCode::PENDING.success(command), None);
    }
    let results = CommandResults::new(b"ID=1&Return=-5000&CMD=DATA\nID=2&Return=x&CMD=DATA\n").read();
    assert_eq!(
        results.iter().map(|result| (result.success(), result.is_pending())).collect::<Vec<_>>(),
        [(None, true), (None, false)]
    );
}

#[test]
fn a_failed_enrolment_says_why() {
    for (number, library, card) in [
        (2, Some("already enrolled"), Some("already enrolled")),
        (3, None, None),
        (4, Some("enrolment failed"), Some("enrolment failed")),
        (5, Some("already in the library"), Some("timed out")),
        (6, Some("cancelled"), Some("cancelled")),
        (7, Some("terminal busy"), Some("terminal busy")),
        (0, None, None),
        (-1, None, None),
    ] {
        let code = ReturnCode(number);
        assert_eq!(code.enrolment_failure("ENROLL_FP"), library);
        assert_eq!(code.enrolment_failure("enroll_bio TYPE=9\tPIN=1"), library);
        assert_eq!(code.enrolment_failure("ENROLL_MF PIN=1"), card);
        for command in ["", "DATA UPDATE", "ENROLL", "é", "PutFile"] {
            assert_eq!(code.enrolment_failure(command), None);
        }
    }
}
