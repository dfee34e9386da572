//! What a terminal does with commands, and the results it reports.

use punch_protocol::push::{CommandResults, Profile, Terminal, TerminalEvent, TerminalUser};
use punch_protocol::{Pin, SerialNumber};

use super::{ask, ask_and_agree, command, connected, events, row, text};
use crate::random::at;

fn modern() -> Terminal {
    connected(Profile::attendance(), "")
}

/// The result of one command, without the line end.
fn result(profile: Profile, order: &str) -> String {
    let mut terminal = connected(profile, "");
    command(&mut terminal, &format!("C:1:{order}\n"), at(0)).trim_end().to_owned()
}

#[test]
fn results_have_the_codes_of_the_firmware() {
    for (order, classic, modern) in [
        ("LOG", "0&CMD=LOG", "0&CMD=LOG"),
        ("log", "0&CMD=LOG", "0&CMD=LOG"),
        ("NONSENSE x", "-22&CMD=UNKNOWN CMD", "-1002&CMD=NONSENSE"),
        ("USER ADD PIN=1", "-22&CMD=UNKNOWN CMD", "-1002&CMD=USER"),
        ("DATA DEL USERINFO PIN=1", "-22&CMD=UNKNOWN CMD", "-1002&CMD=DATA"),
        ("DATA QUERY OPTIONS x", "-1004&CMD=DATA QUERY", "-1004&CMD=DATA QUERY"),
        ("CONTROL DEVICE 01010105", "-22&CMD=UNKNOWN CMD", "-1002&CMD=CONTROL"),
        ("DATA UPDATE USERINFO PIN=7\tName=Ana", "0&CMD=DATA", "0&CMD=DATA"),
        ("DATA UPDATE USERINFO Name=Ana", "-1&CMD=DATA", "-1&CMD=DATA"),
        ("DATA USER PIN=7\tName=Ana", "0&CMD=DATA", "-1002&CMD=DATA"),
        ("DATA DELETE USERINFO PIN=7", "0&CMD=DATA", "0&CMD=DATA"),
        ("DATA UPDATE FINGERTMP PIN=7\tFID=6\tSize=4\tValid=1\tTMP=QUJD", "-10&CMD=DATA", "-10&CMD=DATA"),
        ("DATA UPDATE SMS MSG=hi\tTAG=253\tUID=1", "0&CMD=DATA", "0&CMD=DATA"),
        ("DATA UPDATE userauthorize Pin=1", "-1004&CMD=DATA", "-1004&CMD=DATA"),
        (
            "DATA QUERY ATTLOG StartTime=2026-01-01 00:00:00\tEndTime=2026-01-02 00:00:00",
            "-1&CMD=DATA QUERY",
            "-1&CMD=DATA QUERY",
        ),
        ("SET OPTION Delay=20", "0&CMD=SET OPTION", "0&CMD=SET OPTION"),
        ("SET OPTION ~SerialNumber=x", "-1&CMD=SET OPTION", "-1&CMD=SET OPTION"),
        ("RELOAD OPTIONS", "0&CMD=RELOAD OPTIONS", "0&CMD=RELOAD OPTIONS"),
        ("GET OPTION FROM NoSuch", "-1&CMD=GET OPTION", "-1&CMD=GET OPTION"),
        ("CLEAR LOG", "0&CMD=CLEAR LOG", "0&CMD=CLEAR LOG"),
        ("CLEAR PHOTO", "0&CMD=CLEAR PHOTO", "0&CMD=CLEAR PHOTO"),
        ("ENROLL_FP PIN=7\tFID=6\tRETRY=3\tOVERWRITE=1", "0&CMD=ENROLL_FP", "0&CMD=ENROLL_FP"),
        ("UPGRADE checksum=1,size=2,url=x", "-1002&CMD=UPGRADE", "-1002&CMD=UPGRADE"),
        ("AC_UNALARM", "0&CMD=AC_UNALARM", "0&CMD=AC_UNALARM"),
    ] {
        assert_eq!(result(Profile::classic(), order), format!("ID=1&Return={classic}"), "{order}");
        assert_eq!(result(Profile::attendance(), order), format!("ID=1&Return={modern}"), "{order}");
    }
}

/// What is set can be read back, and enrolment answers as configured.
#[test]
fn options_are_set_and_read() {
    let mut terminal = modern();
    let orders = "C:1:SET OPTION Volume=3\nC:2:GET OPTION FROM Volume\nC:3:GET OPTION FROM FWVersion\n";
    let results = command(&mut terminal, orders, at(0));
    assert!(results.contains("\nID=2&Return=0&CMD=GET OPTION&Volume=3\n"), "{results}");
    assert!(results.ends_with("\nID=3&Return=0&CMD=GET OPTION&FWVersion=Ver 8.0.4.3-20220708\n"));
    let mut profile = Profile::attendance();
    profile.enrolment = 6;
    assert_eq!(result(profile, "ENROLL_BIO TYPE=9\tPIN=7"), "ID=1&Return=6&CMD=ENROLL_BIO");
}

/// 256 options of the server's own are kept, and not one more.
#[test]
fn options_have_a_limit() {
    let mut terminal = modern();
    for number in 0..Terminal::SETTINGS_MAX {
        let now = at(i64::try_from(number).unwrap() * 10);
        assert!(command(&mut terminal, &format!("C:1:SET OPTION k{number}=1\n"), now).contains("Return=0"));
    }
    assert!(command(&mut terminal, "C:1:SET OPTION more=1\n", at(9000)).contains("Return=-1001"));
    assert!(command(&mut terminal, "C:1:SET OPTION k0=2\n", at(9010)).contains("Return=0"));
}

/// `INFO`: the result, and the parameters one a line behind it. The server's parser gives them to the result.
#[test]
fn info_lists_parameters() {
    let results = result(Profile::attendance(), "INFO");
    assert!(results.starts_with("ID=1&Return=0&CMD=INFO\n~DeviceName=Simulated ATT\n"), "{results}");
    let read = CommandResults::new(results.as_bytes()).read();
    assert!(read[0].info.iter().any(|(key, value)| key == "UserCount" && value == "0"));
}

/// Keys that are given change, keys that are not stay, an empty value overwrites, `Privilege` is privilege.
#[test]
fn users_are_changed_by_key() {
    let mut terminal = modern();
    let orders = "C:1:DATA UPDATE USERINFO PIN=7\tName=Ana\tPri=14\tCard=123\nC:2:DATA UPDATE USERINFO PIN=7\tCard=\n";
    command(&mut terminal, orders, at(0));
    let user = terminal.users().next().unwrap();
    assert_eq!((user.name.as_str(), user.privilege.as_str(), user.card.as_str()), ("Ana", "14", ""));
    command(&mut terminal, "C:3:DATA DELETE USERINFO PIN=7\n", at(10));
    assert_eq!(terminal.users().count(), 0);
    assert_eq!(terminal.pending(), 0, "what the server changed is not told to the server");
}

/// Known PINs take templates of the right size, which are dropped.
#[test]
fn templates_are_checked_and_dropped() {
    let mut terminal = modern();
    terminal.enrol(TerminalUser::new(Pin::new(b"7").into_owned()));
    ask_and_agree(&mut terminal, at(0));
    let template = |size: usize| format!("DATA UPDATE FINGERTMP PIN=7\tFID=6\tSize={size}\tValid=1\tTMP=QUJD\n");
    let results = command(&mut terminal, &format!("C:1:{}C:2:{}", template(4), template(5)), at(0));
    assert_eq!(results, "ID=1&Return=0&CMD=DATA\nID=2&Return=-9&CMD=DATA\n");
}

/// A line without `C:` is no command and belongs to none; access terminals read it as a record.
#[test]
fn a_line_injected_into_a_name_is_dropped() {
    let mut terminal = modern();
    terminal.remember(row("1", "08:00:00"));
    ask_and_agree(&mut terminal, at(0));
    let results = command(&mut terminal, "junk\nC:1:DATA UPDATE USERINFO PIN=7\tName=Eve\nCLEAR DATA\n", at(0));
    assert_eq!(results, "ID=1&Return=0&CMD=DATA\n");
    assert_eq!(terminal.users().count(), 1);
}

/// Queries of punches come as uploads that name the command and the page, on current firmware.
#[test]
fn punches_are_queried() {
    let order = "C:239:DATA QUERY ATTLOG StartTime=2026-03-28 08:00:00\tEndTime=2026-03-28 08:00:04\n";
    let serial = SerialNumber::parse("T1").unwrap();
    for (profile, pages) in [
        (
            Profile::attendance(),
            ["Stamp=9999&Count=2&PackCnt=2&PackIdx=1&CmdId=239", "Stamp=9999&Count=1&PackCnt=2&PackIdx=2&CmdId=239"],
        ),
        (Profile::classic(), ["Stamp=", "Stamp="]),
    ] {
        let mut terminal = Terminal::with_profile(serial.clone(), profile).with_batch(2);
        super::connect(&mut terminal, "", at(0));
        for time in ["07:59:59", "08:00:00", "08:00:02", "08:00:04", "08:00:05"] {
            terminal.remember(row("1", time));
        }
        while terminal.pending() > 0 {
            ask_and_agree(&mut terminal, at(0));
        }
        ask(&mut terminal, at(0));
        terminal.handle_answer(200, order.as_bytes(), at(0));
        let mut rows = 0;
        for page in pages {
            let request = ask_and_agree(&mut terminal, at(0));
            assert!(request.target.contains(&format!("/iclock/cdata?SN=T1&table=ATTLOG&{page}")), "{request:?}");
            rows += text(&request).lines().count();
        }
        assert_eq!(rows, 3);
        assert_eq!(text(&ask(&mut terminal, at(0))), "ID=239&Return=3&CMD=DATA QUERY\n");
        assert_eq!(terminal.counts().0, 5, "an answer to a query acknowledges no punch");
    }
}

/// Users come back as `USER` rows of `OPERLOG`.
#[test]
fn users_are_queried() {
    let mut terminal = modern();
    command(&mut terminal, "C:1:DATA UPDATE USERINFO PIN=007\tName=Ana\tPri=14\n", at(0));
    ask(&mut terminal, at(1));
    terminal.handle_answer(200, b"C:2:DATA QUERY USERINFO PIN=007\nC:3:DATA QUERY USERINFO PIN=8\n", at(1));
    let page = ask_and_agree(&mut terminal, at(1));
    assert!(page.target.contains("table=OPERLOG&OpStamp=9999&Count=1&PackCnt=1&PackIdx=1&CmdId=2"));
    assert!(text(&page).starts_with("USER PIN=007\tName=Ana\tPri=14\tPasswd=\tCard=\tGrp=1\tTZ=0000000000000000\t"));
    let results = text(&ask(&mut terminal, at(1)));
    assert_eq!(results, "ID=2&Return=1&CMD=DATA QUERY\nID=3&Return=-1&CMD=DATA QUERY\n");
}

/// The count of a period, under the name of each family; `ACCOUNT` sends a period again if the numbers differ.
#[test]
fn counts_are_compared() {
    let period = "StartTime=2026-03-28 08:00:00\tEndTime=2026-03-28 23:59:59";
    for (profile, result) in [
        (
            Profile::classic(),
            "VERIFY SUM ATTLOG&StartTime=2026-03-28 08:00:00&EndTime=2026-03-28 23:59:59&AttlogCount=1",
        ),
        (Profile::attendance(), "VERIFY SUM&StartTime=2026-03-28 08:00:00&EndTime=2026-03-28 23:59:59&AttlogSum=1"),
    ] {
        let mut terminal = connected(profile, "");
        terminal.remember(row("1", "07:00:00"));
        terminal.remember(row("2", "08:00:00"));
        ask_and_agree(&mut terminal, at(0));
        let results = command(&mut terminal, &format!("C:4:VERIFY SUM ATTLOG {period}\n"), at(0));
        assert_eq!(results, format!("ID=4&Return=0&CMD={result}\n"));
        let period = "Start=2026-03-28 08:00:00\tEnd=2026-03-28 23:59:59";
        command(&mut terminal, &format!("C:5:ACCOUNT {period}\tCount=1\n"), at(10));
        assert_eq!(terminal.poll_request(at(10)), None, "the same number: nothing to send");
        ask(&mut terminal, at(20));
        terminal.handle_answer(200, format!("C:6:ACCOUNT {period}\tCount=0\n").as_bytes(), at(20));
        assert_eq!(text(&ask(&mut terminal, at(20))).lines().count(), 1);
    }
}

/// A shell is refused, in the form of one key a line; such a result is posted alone.
#[test]
fn a_shell_is_refused() {
    let mut terminal = modern();
    let first = command(&mut terminal, "C:1:LOG\nC:2:SHELL date\nC:3:LOG\n", at(0));
    assert_eq!(first, "ID=1&Return=0&CMD=LOG\n");
    let second = ask_and_agree(&mut terminal, at(0));
    assert_eq!(text(&second), "ID=2\nReturn=-1002\nCMD=Shell\nSN=T1\nContent=");
    assert_eq!(CommandResults::new(&second.body).read()[0].success(), Some(false));
    assert_eq!(text(&ask(&mut terminal, at(0))), "ID=3&Return=0&CMD=LOG\n");
}

/// A restart ends the batch; the terminal is away for a while and shakes hands. It remembers no id: the same
/// command again is carried out again.
#[test]
fn a_restart_ends_the_batch() {
    let mut terminal = modern();
    for round in 0..2 {
        let now = at(round * 1000);
        if round > 0 {
            super::connect(&mut terminal, "", now);
        }
        let results = command(&mut terminal, "C:1:REBOOT\nC:2:CLEAR DATA\n", now);
        assert_eq!(results, "ID=1&Return=0&CMD=REBOOT\n");
        assert_eq!(terminal.poll_timeout(), Some(now + chrono::TimeDelta::seconds(60)));
        assert!(events(&mut terminal).contains(&TerminalEvent::Restarted) && !terminal.is_connected());
    }
    // It goes down even if nobody hears of it.
    super::connect(&mut terminal, "", at(5000));
    ask(&mut terminal, at(5000));
    terminal.handle_answer(200, b"C:1:REBOOT\n", at(5000));
    assert!(ask(&mut terminal, at(5000)).target.contains("devicecmd"));
    terminal.handle_failure(at(5000));
    assert!(events(&mut terminal).contains(&TerminalEvent::Restarted));
}

/// Doors, deletions and results are reported to whoever plays.
#[test]
fn commands_are_reported() {
    let mut terminal = modern();
    terminal.remember(row("1", "08:00:00"));
    ask_and_agree(&mut terminal, at(0));
    terminal.remember(row("2", "08:00:01"));
    events(&mut terminal);
    ask_and_agree(&mut terminal, at(0));
    terminal.remember(row("3", "08:00:02"));
    ask(&mut terminal, at(0));
    terminal.handle_answer(503, b"", at(0));
    ask(&mut terminal, at(10));
    terminal.handle_answer(200, b"OK", at(10));
    command(&mut terminal, "C:1:AC_UNLOCK\nC:2:CLEAR LOG\n", at(10));
    let met = events(&mut terminal);
    assert!(met.contains(&TerminalEvent::DoorOpened { door: 1, seconds: 5 }));
    assert!(met.contains(&TerminalEvent::Cleared { punches: 3, lost: 0 }), "{met:?}");
    let executed = TerminalEvent::CommandExecuted { id: "2".into(), verb: "CLEAR LOG".into(), code: 0 };
    assert!(met.contains(&executed));
}

/// Ids are cut to the firmware's buffer.
#[test]
fn long_ids_come_back_cut() {
    let id = "0123456789abcdef-0123";
    let cut = |profile| command(&mut connected(profile, ""), &format!("C:{id}:LOG\n"), at(0));
    assert!(cut(Profile::attendance()).starts_with("ID=0123456789abcdef&"));
    assert!(cut(Profile::classic()).starts_with("ID=0123456789abcdef-01&"));
}
