//! What commands look like on the wire, and what cannot be one.

use chrono::NaiveDateTime;
use proptest::prelude::*;
use punch_protocol::push::{
    Command, CommandError, CommandId, CommandLine, Dangerous, DataRecord, DataTable, Dialect, Enrolment, PollAnswer,
    Privilege, ReturnCode, UserRecord,
};
use punch_protocol::{Verify, civil};

fn time(text: &str) -> NaiveDateTime {
    civil::parse(text.as_bytes()).unwrap()
}

fn user() -> UserRecord {
    let mut user = UserRecord::new("007").unwrap();
    user.set_name("Ana Ruiz").unwrap();
    user.set_password("1234").unwrap();
    user.set_card("123456789").unwrap();
    (user.privilege, user.group, user.verify) = (Some(Privilege(14)), Some(2), Some(Verify(15)));
    user
}

fn record(pairs: &[(&str, &str)]) -> DataRecord {
    pairs.iter().fold(DataRecord::new(), |record, (key, value)| record.with(key, value).unwrap())
}

/// Every command, and its text for attendance and for access control; `None` where a dialect has none.
#[expect(clippy::too_many_lines, reason = "a table, one command after the other")]
fn commands() -> Vec<(Command, Option<&'static str>, Option<&'static str>)> {
    let (from, to) = (time("2026-01-01 00:00:00"), time("2026-01-31 23:59:59"));
    let mut valid = UserRecord::new("1").unwrap();
    valid.valid = Some((from, to));
    let mut disabled = UserRecord::new("1").unwrap();
    disabled.disabled = Some(true);
    let dangerous = |command| Command::dangerous(command).unwrap();
    let work_code = record(&[("PIN", "1"), ("CODE", "7"), ("NAME", "Lathe")]);
    let doors = |pin| record(&[("Pin", pin), ("AuthorizeTimezoneId", "1"), ("AuthorizeDoorId", "3")]);
    vec![
        (
            Command::update_user(user()),
            Some("DATA UPDATE USERINFO PIN=007\tName=Ana Ruiz\tPri=14\tPasswd=1234\tCard=123456789\tGrp=2\tVerify=15"),
            Some(
                "DATA UPDATE user Pin=007\tName=Ana Ruiz\tPrivilege=14\tPassword=1234\tCardNo=123456789\tGroup=2\tVerify=15",
            ),
        ),
        (
            Command::update_user(valid),
            Some(
                "DATA UPDATE USERINFO PIN=1\tStartDatetime=2026-01-01T00:00:00\tEndDatetime=2026-01-31T23:59:59\tExpires=1",
            ),
            Some("DATA UPDATE user Pin=1\tStartTime=20260101\tEndTime=20260131"),
        ),
        (Command::update_user(disabled), None, Some("DATA UPDATE user Pin=1\tDisable=1")),
        (Command::delete_user("7").unwrap(), Some("DATA DELETE USERINFO PIN=7"), Some("DATA DELETE user Pin=7")),
        (
            Command::query_users(None).unwrap(),
            Some("DATA QUERY USERINFO"),
            Some("DATA QUERY tablename=user,fielddesc=*,filter=*"),
        ),
        (
            Command::query_users(Some("7")).unwrap(),
            Some("DATA QUERY USERINFO PIN=7"),
            Some("DATA QUERY tablename=user,fielddesc=*,filter=Pin=7"),
        ),
        (
            Command::update(DataTable::WORKCODE, vec![work_code.clone()]),
            Some("DATA UPDATE WORKCODE PIN=1\tCODE=7\tNAME=Lathe"),
            None,
        ),
        (Command::update(DataTable::WORKCODE, vec![work_code.clone(), work_code.clone()]), None, None),
        (
            Command::update(DataTable::USER_AUTHORIZE, vec![doors("1"), doors("2")]),
            None,
            Some(
                "DATA UPDATE userauthorize Pin=1\tAuthorizeTimezoneId=1\tAuthorizeDoorId=3\nPin=2\tAuthorizeTimezoneId=1\tAuthorizeDoorId=3",
            ),
        ),
        (Command::update(DataTable::USER_AUTHORIZE, vec![]), None, None),
        (
            Command::delete(DataTable::FINGERTMP, record(&[("PIN", "7"), ("FID", "6")])),
            Some("DATA DELETE FINGERTMP PIN=7\tFID=6"),
            None,
        ),
        (Command::delete(DataTable::USER, DataRecord::new()), None, None),
        (Command::query(DataTable::WORKCODE, DataRecord::new()), Some("DATA QUERY WORKCODE"), None),
        (
            Command::query(DataTable::TEMPLATE_V10, record(&[("Pin", "1")])),
            None,
            Some("DATA QUERY tablename=templatev10,fielddesc=*,filter=Pin=1"),
        ),
        (Command::query(DataTable::USER, record(&[("Name", "a,b")])), None, None),
        (Command::count(DataTable::USER), None, Some("DATA COUNT user")),
        (
            Command::query_punches(from, to),
            Some("DATA QUERY ATTLOG StartTime=2026-01-01 00:00:00\tEndTime=2026-01-31 23:59:59"),
            Some("DATA QUERY tablename=transaction,fielddesc=*,filter=*"),
        ),
        (
            Command::count_punches(from, to),
            Some("VERIFY SUM ATTLOG StartTime=2026-01-01 00:00:00\tEndTime=2026-01-31 23:59:59"),
            Some("DATA COUNT transaction"),
        ),
        (Command::information(), Some("INFO"), Some("GET OPTIONS ~SerialNumber,FirmVer,~DeviceName,LockCount")),
        (Command::options(&["FWVersion"]).unwrap(), Some("GET OPTION FROM FWVersion"), Some("GET OPTIONS FWVersion")),
        (Command::options(&["FirmVer", "~DeviceName"]).unwrap(), None, Some("GET OPTIONS FirmVer,~DeviceName")),
        (
            Command::set_option("ErrorDelay", "60").unwrap(),
            Some("SET OPTION ErrorDelay=60"),
            Some("SET OPTIONS ErrorDelay=60"),
        ),
        (Command::reload_options(), Some("RELOAD OPTIONS"), None),
        (Command::set_clock(time("2018-02-22 14:54:54")), None, Some("SET OPTIONS DateTime=583080894")),
        (Command::set_clock(time("1999-12-31 23:59:59")), None, None),
        (Command::check(), Some("CHECK"), None),
        (Command::upload_now(), Some("LOG"), None),
        (Command::open_door(1, 5).unwrap(), Some("AC_UNLOCK"), Some("CONTROL DEVICE 01010105")),
        (Command::open_door(16, 254).unwrap(), Some("AC_UNLOCK"), Some("CONTROL DEVICE 011001FE")),
        (Command::cancel_alarm(0).unwrap(), Some("AC_UNALARM"), Some("CONTROL DEVICE 02000000")),
        (Command::restart(), Some("REBOOT"), Some("CONTROL DEVICE 03000000")),
        (
            Command::enroll(Enrolment::finger("7", 6).unwrap().overwriting()),
            Some("ENROLL_FP PIN=7\tFID=6\tRETRY=3\tOVERWRITE=1"),
            None,
        ),
        (Command::enroll(Enrolment::card("7").unwrap()), Some("ENROLL_MF PIN=7\tRETRY=3"), None),
        (
            Command::enroll(Enrolment::biometric("7", 9).unwrap()),
            Some("ENROLL_BIO TYPE=9\tPIN=7\tCardNo=\tRETRY=3\tOVERWRITE=0"),
            Some("ENROLL_BIO TYPE=9\tPIN=7\tCardNo=\tRETRY=3\tOVERWRITE=0"),
        ),
        (dangerous(Dangerous::ClearPunches), Some("CLEAR LOG"), Some("DATA DELETE transaction *")),
        (dangerous(Dangerous::ClearPhotos), Some("CLEAR PHOTO"), None),
        (dangerous(Dangerous::ClearEverything), Some("CLEAR DATA"), None),
        (dangerous(Dangerous::ClearTemplates), Some("CLEAR BIODATA"), None),
        (dangerous(Dangerous::ClearUsers), Some("CLEAR ALL USERINFO"), Some("DATA DELETE user *")),
        (dangerous(Dangerous::ClearAdministrators), Some("CLEAR ADMIN"), None),
        (dangerous(Dangerous::DeleteAll(DataTable::HOLIDAY)), None, Some("DATA DELETE holiday *")),
        (dangerous(Dangerous::Shell("date".to_owned())), Some("SHELL date"), None),
        (dangerous(Dangerous::GetFile { path: "/mnt/x.cfg".to_owned() }), Some("GetFile /mnt/x.cfg"), None),
        (
            dangerous(Dangerous::PutFile { url: "/f/a".to_owned(), path: "/mnt/a".to_owned() }),
            Some("PutFile /f/a\t/mnt/a"),
            None,
        ),
        (
            dangerous(Dangerous::Upgrade { checksum: "ab".to_owned(), size: 9, url: "/f".to_owned() }),
            Some("UPGRADE checksum=ab,size=9,url=/f"),
            Some("UPGRADE checksum=ab,size=9,url=/f"),
        ),
    ]
}

#[test]
fn every_command_is_written_for_its_dialect_or_refused() {
    for (command, attendance, access) in commands() {
        for (dialect, expected) in [(Dialect::Attendance, attendance), (Dialect::AccessControl, access)] {
            let text = command.text(dialect);
            assert_eq!(text.as_deref().ok(), expected, "{command:?} for {dialect}: {text:?}");
        }
        assert_eq!(command.text(Dialect::Undecided).ok().as_deref(), attendance);
    }
}

/// The reader of the terminal's role finds one command, under its id, with the same text.
#[test]
fn a_terminal_reads_what_a_server_writes() {
    for (command, attendance, access) in commands() {
        for text in [attendance, access].into_iter().flatten() {
            let body = format!("C:x1:{text}\n");
            let PollAnswer::Commands(read) = PollAnswer::read(&body) else { panic!("{command:?}") };
            let [CommandLine { id: "x1", verb, table, detail, continuation, .. }] = read.as_slice() else {
                panic!("{command:?}: {read:?}")
            };
            let table = table.map_or_else(String::new, |table| format!(" {table}"));
            let first = format!("{verb}{table} {detail}");
            assert_eq!([first.trim_end()].iter().chain(continuation).copied().collect::<Vec<_>>().join("\n"), text);
        }
    }
}

/// What opens, restarts, enrols or destroys is never repeated; what sets a state may be.
#[test]
fn only_what_sets_a_state_is_repeated() {
    let once = ["AC_", "REBOOT", "ENROLL", "CLEAR", "SHELL", "GetFile", "PutFile", "UPGRADE", "DATA DELETE holiday *"];
    for (command, attendance, access) in commands() {
        let Some(text) = attendance.or(access) else { continue };
        assert_eq!(command.is_repeatable(), !once.iter().any(|verb| text.starts_with(verb)), "{text}");
        assert!(command.is_repeatable() || command.time_to_live() <= Command::ONCE_TTL, "{text}");
    }
    assert_eq!(Command::open_door(1, 5).unwrap().time_to_live(), Command::DOOR_TTL);
}

/// D03, D16, D20: a number is a count or a failure, depending on what was asked.
#[test]
fn a_return_code_means_what_was_asked() {
    let (attendance, access) = (Dialect::Attendance, Dialect::AccessControl);
    let users = Command::query_users(None).unwrap();
    let enrol = Command::enroll(Enrolment::finger("7", 6).unwrap());
    let put = Command::dangerous(Dangerous::PutFile { url: "/f".to_owned(), path: "/p".to_owned() }).unwrap();
    let update = Command::update_user(UserRecord::new("7").unwrap());
    for (command, dialect, code, works) in [
        (&users, attendance, 3, true),
        (&users, attendance, -1, false),
        (&enrol, attendance, 0, true),
        (&enrol, attendance, 5, false),
        (&enrol, access, 2, false),
        (&put, attendance, 48_213, true),
        (&update, attendance, 1, false),
        (&update, access, 1, true),
        (&update, access, -14, false),
    ] {
        assert_eq!(command.succeeded(ReturnCode(code), dialect), works, "{command:?} {dialect} {code}");
    }
}

/// C19: a name with a line end in it would be two commands. Nothing is stripped; the writer refuses.
#[test]
fn nothing_that_separates_can_be_written() {
    for separator in ['\t', '\n', '\r', '\0'] {
        let evil = format!("Eve{separator}C:2:CLEAR DATA");
        let refused = |result: Result<(), CommandError>| {
            assert!(matches!(result, Err(CommandError::Separator { at: 3, .. })), "{separator:?}: {result:?}");
            assert!(!result.unwrap_err().to_string().contains("Eve"));
        };
        refused(UserRecord::new(&evil).map(drop));
        refused(user().set_name(&evil));
        refused(Command::delete_user(&evil).map(drop));
        refused(Command::query_users(Some(&evil)).map(drop));
        refused(Command::set_option("Key", &evil).map(drop));
        refused(DataRecord::new().with("NAME", &evil).map(drop));
        refused(Enrolment::card(&evil).map(drop));
        refused(Command::dangerous(Dangerous::Shell(evil.clone())).map(drop));
        refused(Command::dangerous(Dangerous::PutFile { url: evil.clone(), path: String::new() }).map(drop));
        refused(Command::dangerous(Dangerous::Upgrade { checksum: evil.clone(), size: 1, url: evil }).map(drop));
    }
}

#[test]
fn ranges_are_checked_at_their_edges() {
    assert!(UserRecord::new("").is_err() && UserRecord::new(&"1".repeat(25)).is_err());
    assert!(UserRecord::new(&"1".repeat(24)).is_ok());
    assert!(Command::open_door(0, 5).is_err() && Command::open_door(17, 5).is_err());
    assert!(Command::open_door(1, 0).is_err() && Command::open_door(1, 255).is_err());
    assert!(Command::cancel_alarm(16).is_ok() && Command::cancel_alarm(17).is_err());
    assert!(Enrolment::finger("1", 9).is_ok() && Enrolment::finger("1", 10).is_err());
    assert!(Enrolment::biometric("1", 10).is_ok() && Enrolment::biometric("1", 11).is_err());
    assert!(Command::options(&[]).is_err() && Command::options(&["a=b"]).is_err());
    assert!(Command::set_option("a b", "1").is_err() && Command::set_option("a", "1,b=2").is_err());
    assert!(user().set_password("12a").is_err() && user().set_card("[15CD5B07]").is_err());
    assert!(DataTable::other("user2", Dialect::AccessControl).is_ok());
    assert!(DataTable::other("a b", Dialect::Attendance).is_err());
    assert!(DataRecord::new().with("a=b", "1").is_err() && DataRecord::new().with("", "1").is_err());
}

#[test]
fn an_id_is_what_firmware_repeats() {
    assert!(CommandId::parse("").is_err() && CommandId::parse("a-b").is_err() && CommandId::parse("ñ").is_err());
    assert!(CommandId::parse(&"a".repeat(16)).is_ok() && CommandId::parse(&"a".repeat(17)).is_err());
    assert_eq!([0, 35, 36].map(|number| CommandId::numbered(number).to_string()), ["0", "z", "10"]);
    assert_eq!(CommandId::numbered(u64::MAX).to_string().len(), 13);
}

proptest! {
    #[test]
    fn numbered_ids_differ_and_parse(a: u64, b: u64) {
        let (first, second) = (CommandId::numbered(a), CommandId::numbered(b));
        prop_assert_eq!(first == second, a == b);
        prop_assert_eq!(CommandId::parse(first.as_str()), Ok(first));
    }

    /// Any text that is accepted comes out of the reader as it went in.
    #[test]
    fn whatever_name_is_accepted_reads_back(name in "\\PC{0,40}", pin in "[A-Za-z0-9=& -]{1,24}") {
        let mut user = UserRecord::new(&pin).unwrap();
        user.set_name(&name).unwrap();
        for (dialect, key) in [(Dialect::Attendance, "PIN"), (Dialect::AccessControl, "Pin")] {
            let body = format!("C:1:{}\n", Command::update_user(user.clone()).text(dialect).unwrap());
            let PollAnswer::Commands(commands) = PollAnswer::read(&body) else { panic!("{body}") };
            prop_assert_eq!(commands.len(), 1);
            let pairs: Vec<_> = commands[0].pairs().collect();
            prop_assert_eq!(pairs, [(key, pin.as_str()), ("Name", name.as_str())]);
        }
    }
}
