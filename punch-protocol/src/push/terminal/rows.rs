//! The rows a terminal writes, without their line ends.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::NaiveDateTime;

use super::users::TerminalUser;
use crate::civil::Written;
use crate::push::attlog::AttlogRow;
use crate::push::keyed::KeyedRow;
use crate::push::{EncodedTime, OperationRow};
use crate::{Pin, RawPunch, SerialNumber, Status, Verify};

/// A punch as current firmware writes it: ten TAB-separated fields. No terminal has a key for TAB or a line
/// end, so a PIN or work code with one in it loses it here instead of becoming two rows.
pub(super) fn punch(punch: &RawPunch) -> Vec<u8> {
    let Status(status) = punch.status.unwrap_or(Status::NONE);
    let Verify(verify) = punch.verify.unwrap_or(Verify::FINGERPRINT);
    let work_code = clean(punch.work_code.as_deref().unwrap_or("0"));
    let tail = format!("\t{}\t{status}\t{verify}\t{work_code}\t0\t0\t0\t0\t0", Written(punch.time));
    let mut row = clean_pin(&punch.pin);
    row.extend_from_slice(tail.as_bytes());
    row
}

/// A punch as an access terminal reports it: a door opened by verification.
pub(super) fn event(punch: &RawPunch, index: u64) -> Vec<u8> {
    let Verify(verify) = punch.verify.unwrap_or(Verify::FINGERPRINT);
    let side = match punch.status {
        Some(Status::CHECK_IN) => 0,
        Some(Status::CHECK_OUT) => 1,
        Some(_) | None => 2,
    };
    let mut row = format!("time={}\tpin=", Written(punch.time)).into_bytes();
    row.extend_from_slice(&clean_pin(&punch.pin));
    let tail = format!(
        "\tcardno=0\teventaddr=1\tevent=0\tinoutstatus={side}\tverifytype={verify}\tindex={index}\tsitecode=0\t\
         linkid=0\tmaskflag=0\ttemperature=0\tconvtemperature=0"
    );
    row.extend_from_slice(tail.as_bytes());
    row
}

/// Something an administrator did, with four objects.
pub(super) fn operation(code: u16, operator: &Pin<'_>, objects: [&str; 4], time: NaiveDateTime) -> Vec<u8> {
    let operator = if operator.is_empty() { Vec::from(*b"0") } else { clean_pin(operator) };
    let objects = objects.map(clean).join("\t");
    [format!("OPLOG {code}\t").as_bytes(), &operator, format!("\t{}\t{objects}", Written(time)).as_bytes()].concat()
}

/// A user for table `OPERLOG`. Chinese firmware writes names in GB18030.
pub(super) fn user(user: &TerminalUser, language: u32) -> Vec<u8> {
    let mut row = Vec::from(*b"USER PIN=");
    row.extend_from_slice(&clean_pin(&user.pin));
    row.extend_from_slice(b"\tName=");
    let name = clean(&user.name);
    if matches!(language, 83 | 84) {
        row.extend_from_slice(&encoding_rs::GB18030.encode(&name).0);
    } else {
        row.extend_from_slice(name.as_bytes());
    }
    let values: [(&str, &str); 9] = [
        ("Pri", &user.privilege),
        ("Passwd", &user.password),
        ("Card", &user.card),
        ("Grp", &user.group),
        ("TZ", &user.time_zones),
        ("Verify", &user.verify),
        ("ViceCard", &user.second_card),
        ("StartDatetime", &user.start),
        ("EndDatetime", &user.end),
    ];
    for (key, value) in values {
        row.extend_from_slice(format!("\t{key}={}", clean(value)).as_bytes());
    }
    row
}

/// A user as a stored record of an access terminal.
pub(super) fn user_record(user: &TerminalUser, uid: usize) -> Vec<u8> {
    let mut row = format!("user uid={uid}\tcardno={}\tpin=", clean(&user.card)).into_bytes();
    row.extend_from_slice(&clean_pin(&user.pin));
    let values: [(&str, &str); 8] = [
        ("password", &user.password),
        ("group", &user.group),
        ("starttime", &user.start),
        ("endtime", &user.end),
        ("name", &user.name),
        ("privilege", &user.privilege),
        ("disable", "0"),
        ("verify", &user.verify),
    ];
    for (key, value) in values {
        row.extend_from_slice(format!("\t{key}={}", clean(value)).as_bytes());
    }
    row
}

/// Something that went wrong, for table `ERRORLOG` or, in small letters, as a stored record.
pub(super) fn error(code: &str, command: Option<&str>, record: bool) -> Vec<u8> {
    let origin = if command.is_some() { "cmd" } else { "dev" };
    let (code, command) = (clean(code), clean(command.unwrap_or_default()));
    let row = if record {
        format!("errorlog errcode={code}\terrmsg=\tdataorigin={origin}\tcmdid={command}\tadditional=")
    } else {
        format!("ERRORLOG ErrCode={code}\tErrMsg=\tDataOrigin={origin}\tCmdId={command}\tAdditional=")
    };
    row.into_bytes()
}

/// The body of a photo: text lines, a NUL, the picture.
pub(super) fn photo(pin: &Pin<'_>, serial: &SerialNumber, time: NaiveDateTime, picture: &[u8]) -> Vec<u8> {
    let mut body = format!("PIN={}", time.format("%Y%m%d%H%M%S")).into_bytes();
    if !pin.is_empty() {
        body.push(b'-');
        body.extend_from_slice(&clean_pin(pin));
    }
    let head = format!(".jpg\nSN={serial}\nsize={}\nCMD=uploadphoto\0", picture.len());
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(picture);
    body
}

/// An event as a record of the table `transaction`; `None` if the row is no event.
pub(super) fn transaction(row: &[u8], serial: &SerialNumber) -> Option<Vec<u8>> {
    let event = KeyedRow::parse(row)?;
    let value = |key: &str| String::from_utf8_lossy(event.value(key).unwrap_or(b"0"));
    let EncodedTime(time) = EncodedTime::of(event.time().ok()?)?;
    let mut record = format!("transaction cardno={}\tpin=", value("cardno")).into_bytes();
    record.extend_from_slice(event.value("pin").unwrap_or(b"0"));
    let tail = format!(
        "\tverified={}\tdoorid={}\teventtype={}\tinoutstate={}\ttime_second={time}\tindex={}\tsitecode=0\tdevid=1\tsn={serial}",
        value("verifytype"),
        value("eventaddr"),
        value("event"),
        value("inoutstatus"),
        value("index"),
    );
    record.extend_from_slice(tail.as_bytes());
    Some(record)
}

/// When a row says it happened.
pub(super) fn time_of(row: &[u8]) -> Option<NaiveDateTime> {
    if let Some(operation) = row.strip_prefix(b"OPLOG ") {
        return OperationRow::parse(operation)?.time().ok();
    }
    let punch = AttlogRow::parse(row).ok().and_then(|row| row.time().ok());
    punch.or_else(|| KeyedRow::parse(row)?.time().ok())
}

/// No value can hold what ends a field, a row or a text.
fn clean(text: &str) -> String {
    text.replace(['\t', '\n', '\r', '\0'], "")
}

fn clean_pin(pin: &Pin<'_>) -> Vec<u8> {
    let separates = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
    pin.as_bytes().iter().copied().filter(|byte| !separates(byte)).collect()
}
