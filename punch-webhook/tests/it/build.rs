//! Short ways to write the values the tests are about.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use punch_normalize::timeline::{Mark, Role, TimelineRules, infer};
use punch_normalize::{DeviceZone, Direction, EventId, Normalizer, Observation, Punch, Rules, TenantKey};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify, civil};
use punch_webhook::{DeviceInfo, EmployeeInfo, Secret, Verified};
use serde_json::Value;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

pub(crate) fn id(text: &str) -> EventId {
    EventId::parse(text).unwrap()
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// The rows of one of the files in `tests/data`.
pub(crate) fn rows(file: &str) -> Vec<Value> {
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn text<'v>(row: &'v Value, field: &str) -> &'v str {
    row[field].as_str().unwrap_or_else(|| panic!("{field} in {row}"))
}

pub(crate) fn body(row: &Value) -> Vec<u8> {
    STANDARD.decode(text(row, "body_b64")).unwrap()
}

/// PIN 1042 at 08:47:12 in `zone`, key 0 pressed, by finger, before the punches around it are looked at.
pub(crate) fn punch(zone: &str) -> Punch {
    punch_at(zone, "2026-03-28 08:47:12")
}

/// The punch as it is found alone, at a terminal that has this direction.
pub(crate) fn found(mut punch: Punch, direction: Direction) -> Punch {
    let role = Some(if direction == Direction::In { Role::Entry } else { Role::Exit });
    let mark = Mark { role, ..Mark::new(punch.event_id.clone(), punch.punched_at, punch.device_local) };
    punch.mean(&infer(&mut [mark], &TimelineRules::default(), None)[0]);
    punch
}

pub(crate) fn punch_at(zone: &str, civil_time: &str) -> Punch {
    let serial = SerialNumber::parse("CZKE2241600045").unwrap();
    let time = civil::parse(civil_time.as_bytes()).unwrap();
    let mut raw = RawPunch::new(serial, Pin::new(b"1042").into_owned(), time);
    raw.status = Some(Status::CHECK_IN);
    raw.verify = Some(Verify::FINGERPRINT);
    let rules = Rules::new(DeviceZone::parse(zone).unwrap());
    let observation = Observation::new(raw, "2090-01-01T00:00:07Z".parse().unwrap());
    let dated = Normalizer::new(TenantKey::new([7; 32])).date(&rules, vec![observation]);
    dated[0].punch.as_ref().clone()
}

pub(crate) fn device() -> DeviceInfo {
    let mut device = DeviceInfo::default();
    device.id = Some("dev_9x8y7z".into());
    device.name = Some("Main Entrance".into());
    device.site = Some("Headquarters".into());
    device
}

pub(crate) fn employee(badge: &str) -> EmployeeInfo {
    let mut employee = EmployeeInfo::new(badge);
    employee.id = Some("emp_4k5l6m".into());
    employee.name = Some("Sarah Chen".into());
    employee
}

pub(crate) fn trusted(body: &[u8]) -> Verified<'_> {
    Verified::assume_verified(body)
}
