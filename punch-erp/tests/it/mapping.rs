//! The table of badges: what it says, and what it refuses.

use punch_erp::{Mapping, MappingError, ParkReason};
use punch_webhook::{ReceivedEvent, ReceivedPunch, Verified};

fn punch(badge: &str) -> ReceivedPunch {
    let body = format!(
        r#"{{"event_id":"evt_1","employee_id":"{badge}","timestamp":"2026-03-28T08:47:12Z","direction":"in"}}"#
    );
    match Verified::assume_verified(body.as_bytes()).event().unwrap() {
        ReceivedEvent::Punch(punch) => punch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_read_as_spreadsheets_write_them() {
    for text in [
        "0042,HR-EMP-1\n43,\"Acme, Ltd \"\"1\"\"\"\n",
        "\u{feff}Badge;Employee\r\n0042;HR-EMP-1\r\n\r\n43;\"Acme, Ltd \"\"1\"\"\"\r\n",
        "# made by hand\nbadge\temployee\n 0042 \t HR-EMP-1\n\"43\"\t\"Acme, Ltd \"\"1\"\"\"",
    ] {
        let mapping = Mapping::parse(text).unwrap();
        assert_eq!(mapping.len(), 2, "{text}");
        assert_eq!(mapping.employee("0042"), Some("HR-EMP-1"), "{text}");
        assert_eq!(mapping.employee("43"), Some("Acme, Ltd \"1\""), "{text}");
        // Letter by letter: 42 is somebody else.
        assert_eq!(mapping.employee("42"), None);
    }
}

#[test]
fn an_ambiguous_or_repeated_line_is_refused_with_both_lines() {
    let refused = |text: &str| Mapping::parse(text).unwrap_err();
    assert_eq!(refused("badge,employee\n1,a\n2,b\n1,c\n"), MappingError::Ambiguous { first: 2, second: 4 });
    assert_eq!(refused("1,a\n1,a\n"), MappingError::Ambiguous { first: 1, second: 2 });
    assert_eq!(refused("1,a\n\n2,a\n"), MappingError::Repeated { first: 1, second: 3 });
    for line in ["1", "1,a,b", "\"1,a", "\"1\"x,a"] {
        assert_eq!(refused(&format!("9,z\n{line}\n")), MappingError::NotTwoColumns { line: 2 }, "{line}");
    }
    for line in [",a", "1,", "1,\u{7f}", &format!("1,{}", "x".repeat(141))] {
        assert_eq!(refused(line), MappingError::Unfit { line: 1 }, "{line}");
    }
    let all = [
        MappingError::NotTwoColumns { line: 1 },
        MappingError::Unfit { line: 1 },
        MappingError::Ambiguous { first: 1, second: 2 },
        MappingError::Repeated { first: 1, second: 2 },
    ];
    assert_eq!(all.each_ref().map(MappingError::code), MappingError::CODES);
    for error in &all {
        assert!(error.to_string().starts_with(error.code()), "{error}");
    }
}

#[test]
fn a_badge_becomes_its_employee_and_another_one_is_nobodys() {
    let mapping = Mapping::parse("0042,HR-EMP-1\n").unwrap();
    let mut known = punch("0042");
    mapping.apply(&mut known).unwrap();
    assert_eq!(known.badge, "HR-EMP-1");
    assert_eq!(mapping.apply(&mut punch("42")), Err(ParkReason::UnknownEmployee));
    assert_eq!(format!("{mapping:?}"), "Mapping { badges: 1, .. }");
}
