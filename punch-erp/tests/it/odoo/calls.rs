//! Every recorded answer, and what its call makes of it.

use bytes::Bytes;
use punch_erp::odoo::{AttendanceId, EndedBy};
use punch_erp::odoo::{
    Authenticate, CreateAttendances, DetectVersion, EmployeeId, FindAttendances, FindEmployees, Login, NewAttendance,
    Odoo, Protocol, Version, WriteAttendance,
};
use punch_erp::{CallError, Endpoint as _, Evidence, HttpResponse};
use serde::Deserialize;

use super::world::{naive, settings};
use crate::recorded::{Recorded, error};

/// An answer by one of the three protocols.
#[derive(Deserialize)]
struct Spoken {
    protocol: Protocol,
    #[serde(flatten)]
    recorded: Recorded,
}

fn read(protocol: Protocol, call: &str, response: &HttpResponse) -> Result<String, CallError> {
    let odoo = Odoo::new(settings()).unwrap();
    let version = Version { major: 19, minor: 0 };
    let login = if protocol == Protocol::Json2 { Login::json2(version) } else { Login::rpc(protocol, 5, version) };
    let time = naive("08:00:00").and_utc();
    Ok(match call {
        "version" => {
            let version = DetectVersion::new(&odoo, protocol).response(response)?;
            format!("{}.{}", version.major, version.minor)
        }
        "authenticate" => Authenticate::new(&odoo, protocol).response(response)?.to_string(),
        "employees" => {
            let badges = ["100001", "42"].map(str::to_owned);
            let found = FindEmployees::new(&odoo, &login, badges).response(response)?;
            let one = |employee: &punch_erp::odoo::Employee| {
                format!("{}:{}:{}", employee.id.0, employee.badge, employee.is_active)
            };
            found.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        "attendances" => {
            let found = FindAttendances::open(&odoo, &login, EmployeeId(585)).response(response)?;
            let end = |record: &punch_erp::odoo::Attendance| {
                record.check_out.map_or("open".to_owned(), |end| end.format("%T").to_string())
            };
            let one = |record: &punch_erp::odoo::Attendance| {
                format!(
                    "{}:{}:{}-{}{}",
                    record.id,
                    record.employee.0,
                    record.check_in.format("%T"),
                    end(record),
                    if record.ended_by == EndedBy::AutoCheckOut { "!" } else { "" }
                )
            };
            found.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        "create" => {
            let row = NewAttendance { employee: EmployeeId(585), check_in: time, check_out: None };
            let ids = CreateAttendances::new(&odoo, &login, vec![row]).response(response)?;
            ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        "write" => {
            WriteAttendance::new(&odoo, &login, AttendanceId(69), None, Some(time)).response(response)?;
            "true".to_owned()
        }
        other => panic!("no call {other}"),
    })
}

#[test]
fn recorded_answers() {
    let lines = include_str!("../../data/odoo-answers.jsonl").lines();
    let mut seen = 0;
    for line in lines {
        let spoken: Spoken = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let Spoken { protocol, recorded } = spoken;
        let found = read(protocol, &recorded.call, &recorded.response()).unwrap_or_else(error);
        assert_eq!(found, recorded.expected, "{}", recorded.id);
        seen += 1;
    }
    assert!(seen >= 40, "{seen}");
}

/// The traceback is not kept: it is long, and names files of the server. The message is, up to a limit.
#[test]
fn evidence_is_brief() {
    let long = "x".repeat(4 * Evidence::MAX_BODY);
    let body = serde_json::json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": {
        "name": "odoo.exceptions.ValidationError", "message": format!("no {long}"), "debug": "Traceback canary", "arguments": [], "context": {}
    }}});
    let error = read(Protocol::JsonRpc, "create", &HttpResponse::new(Bytes::from(body.to_string()))).unwrap_err();
    let kept = error.evidence().body();
    assert!(kept.starts_with(b"odoo.exceptions.ValidationError: no xxx") && kept.len() == Evidence::MAX_BODY);
    assert!(!String::from_utf8_lossy(kept).contains("canary"));
}

/// Nested beyond reason, cut anywhere: never more than "unreadable".
#[test]
fn xml_that_is_none() {
    let good = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n<value><int>69</int></value>\n</data></array></value>\n</param>\n</params>\n</methodResponse>\n";
    let read =
        |text: &str| read(Protocol::XmlRpc, "create", &HttpResponse::new(Bytes::copy_from_slice(text.as_bytes())));
    assert_eq!(read(good).unwrap(), "69");
    // What follows the value adds nothing to it.
    let needed = good.find("</param>").unwrap();
    for cut in 0..needed - 1 {
        assert!(matches!(read(&good[..cut]), Err(CallError::Unreadable { .. })), "{cut}");
    }
    let nested = |depth: usize| {
        let (open, close) = ("<value><array><data>".repeat(depth), "</data></array></value>".repeat(depth));
        format!("<methodResponse><params><param>{open}{close}</param></params></methodResponse>")
    };
    for depth in [2, 31, 32, 33, 100_000] {
        assert!(matches!(read(&nested(depth)), Err(CallError::Unreadable { .. })), "{depth}");
    }
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><methodResponse><params><param><value><string>&b;</string></value></param></params></methodResponse>";
    assert!(matches!(read(bomb), Err(CallError::Unreadable { .. })));
}
