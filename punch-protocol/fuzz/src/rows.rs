use core::hint::black_box;

use punch_protocol::push::{Limits, Parts, Request, Rows};

use super::reading::check_rows;

/// The tables that the first byte of [`rows`] picks from.
pub const TABLES: [&str; 8] = ["ATTLOG", "OPERLOG", "rtlog", "", "unknown", "options", "tabledata", "rtstate"];

/// A body, posted to the table that the first byte picks.
pub fn rows(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let table = TABLES[usize::from(*first) % TABLES.len()];
    check_rows(Rows::of(table, body), body);
}

/// Punches.
pub fn attlog(body: &[u8]) {
    check_rows(Rows::of("ATTLOG", body), body);
}

/// Operations, users and templates; their tables accept rows without a tag too.
pub fn operlog(body: &[u8]) {
    for table in ["OPERLOG", "USERINFO", "FINGERTMP", "BIODATA"] {
        check_rows(Rows::of(table, body), body);
    }
}

/// Access events and the state of doors.
pub fn rtlog(body: &[u8]) {
    for table in ["rtlog", "rtstate"] {
        check_rows(Rows::of(table, body), body);
    }
}

/// Stored records, posted by the terminal or in answer to a query.
pub fn tabledata(body: &[u8]) {
    check_rows(Rows::of("tabledata", body), body);
    let query = "SN=T1&type=tabledata&cmdid=7&tablename=user&count=1&packcnt=1&packidx=1";
    let parts = Parts::new("POST", "/iclock/querydata", query, body);
    if let Ok((_, request)) = Request::parse(parts, &Limits::default()) {
        let Request::QueryPage(page) = request else { panic!("{request:?}") };
        assert_eq!(page.records().count(), Rows::of("tabledata", body).count());
        assert!(page.records().all(|record| record.pairs().count() >= 1));
    }
}

/// The parameters of a terminal.
pub fn options(body: &[u8]) {
    let parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=options", body);
    let Ok((_, request)) = Request::parse(parts, &Limits::default()) else { return };
    let Request::Upload(upload) = request else { panic!("{request:?}") };
    let options = upload.options();
    for (key, _) in options.pairs() {
        assert!(options.value(&key).is_some());
    }
    let _read = black_box(format!("{options:?}"));
}
