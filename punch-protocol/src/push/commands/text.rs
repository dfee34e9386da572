use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::NaiveDateTime;

use super::super::control::{ControlAction, ControlDevice, Output};
use super::super::handshake::Dialect;
use super::Kind;
use super::dangerous::Dangerous;
use super::data::{DataRecord, DataTable};
use super::error::CommandError;
use crate::civil::Written;
use crate::encoded_time::EncodedTime;

/// Writes a command as terminals of `dialect` read it; one that has not said counts as attendance.
pub(super) fn write(kind: &Kind, dialect: Dialect) -> Result<String, CommandError> {
    match dialect {
        Dialect::AccessControl => access(kind),
        Dialect::Attendance | Dialect::Undecided => attendance(kind),
    }
}

fn attendance(kind: &Kind) -> Result<String, CommandError> {
    Ok(match kind {
        Kind::UpdateUser(user) => format!("DATA UPDATE USERINFO {}", line(&user.attendance()?)),
        Kind::DeleteUser(pin) => format!("DATA DELETE USERINFO PIN={pin}"),
        Kind::QueryUsers(None) => "DATA QUERY USERINFO".to_owned(),
        Kind::QueryUsers(Some(pin)) => format!("DATA QUERY USERINFO PIN={pin}"),
        Kind::Update(table, records) => match records.as_slice() {
            [record] => format!("DATA UPDATE {} {}", of_attendance(table)?, line(record)),
            _ => return Err(CommandError::OutOfRange { key: "the records", expected: "one a command" }),
        },
        Kind::Delete(table, condition) => format!("DATA DELETE {} {}", of_attendance(table)?, condition_of(condition)?),
        Kind::Query(table, condition) => {
            let query = format!("DATA QUERY {} {}", of_attendance(table)?, line(condition));
            query.trim_end_matches(' ').to_owned()
        }
        Kind::QueryPunches(from, to) => format!("DATA QUERY ATTLOG {}", period(*from, *to)),
        Kind::CountPunches(from, to) => format!("VERIFY SUM ATTLOG {}", period(*from, *to)),
        Kind::Information => "INFO".to_owned(),
        Kind::GetOptions(names) => match names.as_slice() {
            [name] => format!("GET OPTION FROM {name}"),
            _ => return Err(CommandError::OutOfRange { key: "the options", expected: "one a command" }),
        },
        Kind::SetOption(name, value) => format!("SET OPTION {name}={value}"),
        Kind::ReloadOptions => "RELOAD OPTIONS".to_owned(),
        Kind::Check => "CHECK".to_owned(),
        Kind::UploadNow => "LOG".to_owned(),
        Kind::OpenDoor { .. } => "AC_UNLOCK".to_owned(),
        Kind::CancelAlarm(_) => "AC_UNALARM".to_owned(),
        Kind::Restart => "REBOOT".to_owned(),
        Kind::Enroll(enrolment) => {
            let (verb, record) = enrolment.attendance();
            format!("{verb} {}", line(&record))
        }
        Kind::Dangerous(command) => dangerous_attendance(command)?,
        Kind::Count(_) | Kind::SetClock(_) => return Err(unsupported(kind, Dialect::Attendance)),
    })
}

fn access(kind: &Kind) -> Result<String, CommandError> {
    Ok(match kind {
        Kind::UpdateUser(user) => format!("DATA UPDATE user {}", line(&user.access())),
        Kind::DeleteUser(pin) => format!("DATA DELETE user Pin={pin}"),
        Kind::QueryUsers(None) => query("user", "*"),
        Kind::QueryUsers(Some(pin)) => query("user", &format!("Pin={pin}")),
        Kind::Update(table, records) if records.is_empty() => {
            let _known = of_access(table)?;
            return Err(CommandError::OutOfRange { key: "the records", expected: "at least one" });
        }
        Kind::Update(table, records) => {
            let lines: Vec<String> = records.iter().map(line).collect();
            format!("DATA UPDATE {} {}", of_access(table)?, lines.join("\n"))
        }
        Kind::Delete(table, condition) => format!("DATA DELETE {} {}", of_access(table)?, condition_of(condition)?),
        Kind::Query(table, condition) => {
            let filter = line(condition);
            if filter.contains(',') {
                return Err(CommandError::OutOfRange { key: "the condition", expected: "values without commas" });
            }
            query(of_access(table)?, if filter.is_empty() { "*" } else { &filter })
        }
        Kind::Count(table) => format!("DATA COUNT {}", of_access(table)?),
        Kind::QueryPunches(..) => query(DataTable::TRANSACTION.name(), "*"),
        Kind::CountPunches(..) => format!("DATA COUNT {}", DataTable::TRANSACTION.name()),
        Kind::Information => "GET OPTIONS ~SerialNumber,FirmVer,~DeviceName,LockCount".to_owned(),
        Kind::GetOptions(names) => format!("GET OPTIONS {}", names.join(",")),
        Kind::SetOption(name, value) => format!("SET OPTIONS {name}={value}"),
        Kind::SetClock(time) => {
            let range = CommandError::OutOfRange { key: "the clock", expected: "a time from 2000 to 2133" };
            let EncodedTime(seconds) = EncodedTime::of(*time).ok_or(range)?;
            format!("SET OPTIONS DateTime={seconds}")
        }
        Kind::OpenDoor { door, seconds } => control(ControlAction::OUTPUT, [*door, Output::LOCK.0, *seconds]),
        Kind::CancelAlarm(door) => control(ControlAction::CANCEL_ALARM, [*door, 0, 0]),
        Kind::Restart => control(ControlAction::REBOOT, [0, 0, 0]),
        Kind::Enroll(enrolment) => {
            let (verb, record) = enrolment.access()?;
            format!("{verb} {}", line(&record))
        }
        Kind::Dangerous(command) => dangerous_access(command)?,
        Kind::ReloadOptions | Kind::Check | Kind::UploadNow => return Err(unsupported(kind, Dialect::AccessControl)),
    })
}

fn dangerous_attendance(command: &Dangerous) -> Result<String, CommandError> {
    Ok(match command {
        Dangerous::ClearPunches => "CLEAR LOG".to_owned(),
        Dangerous::ClearPhotos => "CLEAR PHOTO".to_owned(),
        Dangerous::ClearEverything => "CLEAR DATA".to_owned(),
        Dangerous::ClearTemplates => "CLEAR BIODATA".to_owned(),
        Dangerous::ClearUsers => "CLEAR ALL USERINFO".to_owned(),
        Dangerous::ClearAdministrators => "CLEAR ADMIN".to_owned(),
        Dangerous::Shell(text) => format!("SHELL {text}"),
        Dangerous::GetFile { path } => format!("GetFile {path}"),
        Dangerous::PutFile { url, path } => format!("PutFile {url}\t{path}"),
        Dangerous::Upgrade { checksum, size, url } => format!("UPGRADE checksum={checksum},size={size},url={url}"),
        Dangerous::DeleteAll(_) => {
            return Err(CommandError::Unsupported { command: command.name(), dialect: Dialect::Attendance });
        }
    })
}

fn dangerous_access(command: &Dangerous) -> Result<String, CommandError> {
    Ok(match command {
        Dangerous::ClearPunches => delete_all(&DataTable::TRANSACTION)?,
        Dangerous::ClearUsers => delete_all(&DataTable::USER)?,
        Dangerous::DeleteAll(table) => delete_all(table)?,
        Dangerous::Upgrade { .. } => dangerous_attendance(command)?,
        Dangerous::ClearPhotos
        | Dangerous::ClearEverything
        | Dangerous::ClearTemplates
        | Dangerous::ClearAdministrators
        | Dangerous::Shell(_)
        | Dangerous::GetFile { .. }
        | Dangerous::PutFile { .. } => {
            return Err(CommandError::Unsupported { command: command.name(), dialect: Dialect::AccessControl });
        }
    })
}

fn delete_all(table: &DataTable) -> Result<String, CommandError> {
    Ok(format!("DATA DELETE {} *", of_access(table)?))
}

fn control(action: ControlAction, arguments: [u8; 3]) -> String {
    format!("CONTROL DEVICE {}", ControlDevice::new(action, arguments))
}

fn query(table: &str, filter: &str) -> String {
    format!("DATA QUERY tablename={table},fielddesc=*,filter={filter}")
}

fn period(from: NaiveDateTime, to: NaiveDateTime) -> String {
    format!("StartTime={}\tEndTime={}", Written(from), Written(to))
}

fn line(record: &DataRecord) -> String {
    record.pairs().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("\t")
}

/// A condition without pairs would delete everything.
fn condition_of(condition: &DataRecord) -> Result<String, CommandError> {
    let text = line(condition);
    if text.is_empty() {
        return Err(CommandError::OutOfRange { key: "the condition", expected: "at least one pair" });
    }
    Ok(text)
}

fn of_attendance(table: &DataTable) -> Result<&str, CommandError> {
    of(table, Dialect::Attendance)
}

fn of_access(table: &DataTable) -> Result<&str, CommandError> {
    of(table, Dialect::AccessControl)
}

fn of(table: &DataTable, dialect: Dialect) -> Result<&str, CommandError> {
    if table.dialect() != dialect {
        return Err(CommandError::Unsupported { command: "a table of the other dialect", dialect });
    }
    Ok(table.name())
}

fn unsupported(kind: &Kind, dialect: Dialect) -> CommandError {
    CommandError::Unsupported { command: kind.name(), dialect }
}
