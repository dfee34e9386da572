//! What clients change on a terminal, as the terminal tells it and as it is read afterwards.

use serde_json::json;

use super::terminal::Terminal;
use super::{Peer, Said};

fn done(lines: &[&str]) -> Said {
    Said::Done(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[test]
fn pyzk_writes_and_deletes_people() {
    if !Peer::Pyzk.is_there() {
        return;
    }
    for layout in ["72", "28"] {
        let mut terminal = Terminal::start("40", 3, &["--user-layout", layout]);
        let steps = json!([["connect"], ["users"], ["set_user", 42, "4242", "José"], ["delete_user", 2], ["users"]]);
        let said = Peer::Pyzk.ask(&terminal, &steps);
        assert_eq!(said[2..4], [done(&[]), done(&[])], "{layout}: {said:?}");
        assert!(terminal.until("user_written").contains("42"));
        assert!(terminal.until("user_deleted").contains('2'));
        let Said::Done(users) = &said[4] else { panic!("{said:?}") };
        assert!(users.contains(&"42\t4242\tJosé".to_owned()), "{layout}: {users:?}");
        assert!(!users.iter().any(|user| user.starts_with("2\t")), "{layout}: {users:?}");
        assert_eq!(users.len(), usize::from(Terminal::USERS));
    }
}

/// Records of 8 bytes name a slot. Whose it is, is what the table of users says.
#[test]
fn whom_pyzk_writes_is_whom_we_read() {
    if !Peer::Pyzk.is_there() {
        return;
    }
    let terminal = Terminal::start("8a", 50, &[]);
    terminal.is_read_by_us();
    let said =
        Peer::Pyzk.ask(&terminal, &json!([["connect"], ["users"], ["set_user", 4, "777", "Eva"], ["disconnect"]]));
    assert!(matches!(said[2..], [Said::Done(_), Said::Done(_)]), "{said:?}");
    let renamed = |line: String| line.strip_prefix("1004\t").map_or(line.clone(), |rest| format!("777\t{rest}"));
    let wanted: Vec<String> = terminal.truth().into_iter().map(renamed).collect();
    assert!(wanted != terminal.truth(), "nobody of the records is in this slot");
    assert_eq!(terminal.pull(), wanted);
}

#[test]
fn pyzk_sets_the_clock_opens_the_door_and_locks_the_keypad() {
    if !Peer::Pyzk.is_there() {
        return;
    }
    let mut terminal = Terminal::start("40", 3, &[]);
    let time = "2026-03-28T08:47:12";
    let steps =
        json!([["connect"], ["set_time", time], ["get_time"], ["disable"], ["unlock", 3], ["enable"], ["disconnect"]]);
    let said = Peer::Pyzk.ask(&terminal, &steps);
    let [_, set, Said::Done(got), disabled, unlocked, enabled, left] = &said[..] else { panic!("{said:?}") };
    for said in [set, disabled, unlocked, enabled, left] {
        assert_eq!(*said, done(&["true"]), "{said:?}");
    }
    assert!(got[0].starts_with("2026-03-28T08:47:1"), "{got:?}");
    assert!(terminal.until("clock_set").contains(time));
    // It counts in tenths of a second.
    assert!(terminal.until("door_opened").contains("30"));
    terminal.until("left");
}

#[test]
fn pyzk_clears_the_log() {
    if !Peer::Pyzk.is_there() {
        return;
    }
    let mut terminal = Terminal::start("40", 3, &[]);
    let said = Peer::Pyzk.ask(&terminal, &json!([["connect"], ["clear_attendance"], ["attendance"], ["disconnect"]]));
    assert_eq!(said[1..], [done(&["true"]), done(&[]), done(&["true"])]);
    terminal.until("cleared");
    assert_eq!(terminal.pull(), [""; 0]);
}

#[test]
fn zkteco_js_writes_and_deletes_people() {
    if !Peer::ZktecoJs.is_there() {
        return;
    }
    let mut terminal = Terminal::start("40", 3, &[]);
    let steps = json!([["connect"], ["set_user", 42, "4242", "Omar"], ["delete_user", 2], ["users"], ["disconnect"]]);
    let said = Peer::ZktecoJs.ask(&terminal, &steps);
    assert!(terminal.until("user_written").contains("42"));
    assert!(terminal.until("user_deleted").contains('2'));
    let Said::Done(users) = &said[3] else { panic!("{said:?}") };
    assert!(users.contains(&"42\t4242\tOmar".to_owned()), "{users:?}");
    assert!(!users.iter().any(|user| user.starts_with("2\t")), "{users:?}");
}
