//! Codes: in the types, in the texts and in `ERRORS.md`, the same ones.

use std::collections::BTreeSet;

use bytes::Bytes;
use punch_erp::hikcentral::SignatureFault;
use punch_erp::hrms::DatabaseError;
use punch_erp::passage::SourceError;
use punch_erp::{CallError, ConfigError, Evidence, Failure, HttpResponse, MappingError, ParkReason, RetryReason};

const TRANSPORT: &str = "PE-NET-003";

#[test]
fn every_code_has_its_paragraph() {
    let documented: Vec<_> =
        include_str!("../../ERRORS.md").lines().filter_map(|line| line.strip_prefix("#### ")).collect();
    let mut codes: BTreeSet<&str> = [TRANSPORT].into();
    codes.extend(ConfigError::CODES);
    codes.extend(CallError::CODES);
    codes.extend(Failure::CODES);
    codes.extend(RetryReason::CODES);
    codes.extend(DatabaseError::CODES);
    codes.extend(ParkReason::CODES);
    codes.extend(SourceError::CODES);
    codes.extend(SignatureFault::CODES);
    codes.extend(MappingError::CODES);
    assert_eq!(documented.iter().copied().collect::<BTreeSet<_>>(), codes);
    assert_eq!(documented.len(), codes.len(), "one paragraph each");
}

#[test]
fn call_errors() {
    let evidence = || Evidence::of(&HttpResponse::new(Bytes::new()));
    let kind = Some("TypeError".into());
    let all = [
        CallError::Unauthorized(evidence()),
        CallError::Forbidden(evidence()),
        CallError::Redirected(evidence()),
        CallError::Misaddressed(evidence()),
        CallError::Busy { after: None, evidence: evidence() },
        CallError::Unavailable(evidence()),
        CallError::Unreadable { expected: "a list", evidence: evidence() },
        CallError::NotFound(evidence()),
        CallError::Refused { kind, evidence: evidence() },
    ];
    assert_eq!(all.each_ref().map(CallError::code), CallError::CODES);
    for error in &all {
        assert!(error.to_string().starts_with(&format!("{}: ", error.code())), "{error}");
        assert!(!error.reason().is_empty());
    }
    assert_eq!(all.iter().filter(|error| error.is_retryable()).count(), 7);
    let flow = [
        RetryReason::Unconfirmed,
        RetryReason::Held,
        RetryReason::HeldBack,
        RetryReason::NoToken,
        RetryReason::Incomplete,
    ];
    assert_eq!(flow.len(), RetryReason::CODES.len());
    for (reason, code) in flow.iter().zip(RetryReason::CODES) {
        assert!(reason.to_string().starts_with(code), "{reason}");
    }
}

#[test]
fn failures() {
    let all = [Failure::not_reached("no connection"), Failure::unknown("timed out")];
    assert_eq!(all.each_ref().map(Failure::code), Failure::CODES);
    assert_eq!(all[1].to_string(), "PE-NET-002: timed out, the request may have arrived; look before sending it again");
}

#[test]
fn database_errors() {
    let all = [DatabaseError::Setup { state: "42P01".into() }, DatabaseError::Unavailable { state: "57P03".into() }];
    assert_eq!(all.each_ref().map(DatabaseError::code), DatabaseError::CODES);
    for error in &all {
        assert!(error.to_string().starts_with(&format!("{}: ", error.code())), "{error}");
    }
}

#[test]
fn source_errors() {
    let all = [
        SourceError::Unreadable { expected: "JSON" },
        SourceError::TooLong { limit: 1 },
        SourceError::TooManyEvents { found: 2, limit: 1 },
        SourceError::DoctypeRefused,
    ];
    assert_eq!(all.each_ref().map(SourceError::code), SourceError::CODES);
    let texts = all.each_ref().map(ToString::to_string).into_iter().zip(SourceError::CODES);
    let faults = [SignatureFault::Missing, SignatureFault::Wrong];
    assert_eq!(faults.each_ref().map(SignatureFault::code), SignatureFault::CODES);
    let faults = faults.each_ref().map(ToString::to_string).into_iter().zip(SignatureFault::CODES);
    for (text, code) in texts.chain(faults) {
        assert!(text.starts_with(&format!("{code}: ")), "{text}");
    }
}

#[test]
fn park_reasons() {
    let evidence = Evidence::of(&HttpResponse::new(Bytes::new()));
    let remote_id = || "evt_1".to_owned();
    let all = [
        ParkReason::UnknownEmployee,
        ParkReason::AmbiguousEmployee { count: 2 },
        ParkReason::EmployeeInactive,
        ParkReason::Refused { kind: None, evidence },
        ParkReason::TimeNotEchoed { remote_id: remote_id() },
        ParkReason::EchoDiffers { remote_id: remote_id(), field: "employee" },
        ParkReason::Conflict { remote_id: remote_id(), field: "time" },
        ParkReason::DuplicateUnseen,
        ParkReason::Doubled { remote_id: remote_id(), count: 2 },
        ParkReason::OrphanRow { remote_id: remote_id() },
        ParkReason::RepeatedHour { remote_id: remote_id() },
        ParkReason::SiteZoneDiffers { remote_id: remote_id(), found: 330, configured: 360 },
        ParkReason::TimeOutOfRange,
        ParkReason::UnknownDirection,
        ParkReason::OrphanOut,
        ParkReason::MissingOut { remote_id: remote_id() },
        ParkReason::Covered { remote_id: remote_id() },
        ParkReason::Alternation { remote_id: remote_id() },
        ParkReason::EventIdUnusable,
        ParkReason::NoTypeCode,
        ParkReason::LeftOut,
        ParkReason::OpenArrival,
        ParkReason::RefusedByDatabase { kind: "check_violation".into(), constraint: Some("no_mondays".into()) },
        ParkReason::NotKept { field: "employee_id" },
    ];
    assert_eq!(all.each_ref().map(ParkReason::code), ParkReason::CODES);
    for reason in &all {
        assert!(reason.to_string().starts_with(&format!("{}: ", reason.code())), "{reason}");
    }
    // The settings' errors are made in `setup`; here only that the texts begin with the code.
    let error = ConfigError::PlainHttp { key: "base" };
    assert!(error.to_string().starts_with("PE-CONF-003: `base`"));
}
