use alloc::collections::BTreeSet;

use super::super::access::QueryPage;
use super::super::attlog::AttlogRow;
use super::super::codes::AccessEvent;
use super::super::handshake::{Dialect, Handshake};
use super::super::keyed::KeyedRow;
use super::super::line::decimal;
use super::super::request::{Parts, Request};
use super::super::results::CommandResults;
use super::super::rows::Row;
use super::super::tagged::{Doubt, TaggedRow};
use super::super::target::Endpoint;
use super::super::upload::{Table, Upload};
use super::Deviation as D;
use crate::civil;

pub(super) fn all(parts: &Parts<'_>, request: &Request<'_>) -> BTreeSet<D> {
    let mut found = Found(BTreeSet::new());
    path(parts, &mut found);
    if let Request::Handshake(handshake) = request {
        greeting(handshake, &mut found);
    } else if let Request::Upload(upload) = request {
        self::upload(parts, upload, &mut found);
    } else if let Request::QueryPage(page) = request {
        self::page(page, &mut found);
    } else if let Request::Results(results) = request {
        self::results(results, &mut found);
    }
    found.0
}

struct Found(BTreeSet<D>);

impl Found {
    fn note(&mut self, deviation: D, holds: bool) {
        if holds {
            self.0.insert(deviation);
        }
    }
}

fn path(parts: &Parts<'_>, found: &mut Found) {
    let path = parts.path.trim_end_matches('/');
    let ends_in = |end: &str| path.len() >= end.len() && path.to_ascii_lowercase().ends_with(end);
    let mut folders = path.split('/').filter(|segment| !segment.is_empty()).rev().skip(1);
    let (last, before) = (folders.next(), folders.next());
    found.note(D::AspxSuffix, ends_in(".aspx"));
    found.note(D::NoBasePath, last.is_none());
    found.note(D::RepeatedBasePath, last.is_some() && last == before);
    found.note(D::MisspelledEndpoint, ends_in("devicemd") || ends_in("devicemd.aspx"));
    found.note(D::FileInPath, path.rsplit('/').next().is_some_and(|name| name.contains('=')));
    found.note(D::RawBlanks, parts.query.contains(' '));
}

fn greeting(handshake: &Handshake, found: &mut Found) {
    let kinds = ["att", "acc", "pid", "ins"];
    let is_slogan = |kind: &str| !kinds.iter().any(|known| kind.eq_ignore_ascii_case(known));
    found.note(D::MarketingDeviceType, handshake.device_type.as_deref().is_some_and(is_slogan));
    found.note(D::OptionsFlagTwo, handshake.push_options_flag.is_some_and(|flag| flag > 1));
    found.note(D::AccessVersionWithoutType, handshake.dialect() == Dialect::Undecided);
}

fn upload(parts: &Parts<'_>, upload: &Upload<'_>, found: &mut Found) {
    let (table, body) = (upload.table(), upload.body());
    let has_mark = |name: &str| parts.query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let endpoint = Endpoint::of(parts.path);
    found.note(D::UploadToEdata, endpoint == Some(Endpoint::Edata));
    found.note(D::PhotosToFdata, endpoint == Some(Endpoint::Fdata));
    found.note(D::NoTable, table.as_str().is_empty());
    found.note(D::OperationMarkElsewhere, has_mark("OpStamp") && !table.is(Table::OPERLOG));
    if !upload.head().has_rows() {
        return;
    }
    let lone = |pair: &[u8]| matches!(pair, [b'\r', next] if *next != b'\n');
    found.note(D::LoneCarriageReturns, body.windows(2).any(lone));
    found.note(D::NulBytes, body.contains(&0));
    let among_punches = table.is(Table::ATTLOG) || table.as_str().is_empty();
    let mut lines = 0_u32;
    for row in upload.rows() {
        lines = lines.saturating_add(1);
        match row {
            Ok(Row::Punch(row)) => punch(&row, found),
            Ok(Row::Event(row)) => {
                found.note(D::EventsAmongPunches, among_punches);
                event(&row, found);
            }
            Ok(Row::Operation(row)) => {
                found.note(D::TaggedRowsAmongPunches, among_punches);
                found.note(D::OperationWithoutTime, row.time_raw() == b"0");
            }
            Ok(Row::Tagged(row)) => {
                found.note(D::TaggedRowsAmongPunches, among_punches);
                tagged(&row, found);
            }
            Ok(Row::Record(_) | Row::Unknown(_)) | Err(_) => {}
        }
    }
    let announced = upload.head().announced().filter(|_| table.is(Table::TABLEDATA));
    found.note(D::CountOfAnotherBody, announced.is_some_and(|count| count != lines));
}

fn punch(row: &AttlogRow<'_>, found: &mut Found) {
    let number = |field: Option<&[u8]>| field.and_then(decimal::<u32>);
    let is_text = |field: Option<&[u8]>| field.is_some_and(|field| !field.is_empty() && number(Some(field)).is_none());
    let counter = number(row.field(7)).is_some_and(|value| value > 1) && row.identity_card().is_none();
    found.note(D::CounterInMaskField, counter);
    found.note(D::UnsignedTimeOffset, row.field(10).is_some_and(|field| field.first().is_some_and(u8::is_ascii_digit)));
    found.note(D::StrangerRows, row.pin().is_empty());
    found.note(D::TextForCode, is_text(row.field(2)) || is_text(row.field(3)));
    found.note(D::ImpossibleTime, row.time().is_err());
    found.note(D::UnsetClock, row.time().is_ok_and(civil::is_unset_clock));
}

fn event(row: &KeyedRow<'_>, found: &mut Found) {
    let pass = row.event() == Some(AccessEvent(3)) && row.is_punch();
    found.note(D::CommaSeparatedEvents, row.is_comma_separated());
    found.note(D::MultiUserPass, pass);
    found.note(D::IndexZero, row.value("index") == Some(b"0"));
    found.note(D::ImpossibleTime, row.time().is_err());
    found.note(D::UnsetClock, row.time().is_ok_and(civil::is_unset_clock));
}

fn tagged(row: &TaggedRow<'_>, found: &mut Found) {
    found.note(D::UntaggedRows, !row.has_tag());
    found.note(D::NamesInGb18030, row.value("Name").is_some_and(|name| core::str::from_utf8(name).is_err()));
    for doubt in row.doubts() {
        found.note(D::SizeOfAnotherCount, doubt == Doubt::SizeMismatch);
        found.note(D::BlankSeparator, doubt == Doubt::BlankSeparator);
    }
}

fn page(page: &QueryPage<'_>, found: &mut Found) {
    let records = u32::try_from(page.records().count()).unwrap_or(u32::MAX);
    let counts = page.kind.eq_ignore_ascii_case(Table::TABLEDATA) && page.package().is_none();
    found.note(D::CountOfAnotherBody, counts && page.count != records);
}

fn results(results: &CommandResults<'_>, found: &mut Found) {
    for result in results.read() {
        let named = result.command.as_deref().is_some_and(|name| name.trim().eq_ignore_ascii_case("DATA"));
        found.note(D::ResultWithoutCode, result.code.is_none());
        found.note(D::ResultNamedDataOnly, named);
    }
}
